"""The intake at work on lake and state store: looking ahead, taking back, trying again. `run_import` takes in."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

import duckdb

from desireline.intake.again import rows_again
from desireline.intake.making import NO_TIME, check_columns, make, prepare, reasons_counted, rows_as_refused
from desireline.intake.readers import Rows, read_rows
from desireline.intake.recipe_file import read_recipe
from desireline.intake.recipes import Recipe
from desireline.intake.refusals import Refusal
from desireline.intake.report import ImportReport
from desireline.intake.rows_to_interactions import Setting
from desireline.intake.run_import import (
    INTERACTIONS,
    entry_of,
    import_file,
    recover,
    report_on,
    without_repeats,
    working,
)
from desireline.intake.run_quarantine import one_refusal
from desireline.intake.sniff import sniff
from desireline.intake.straight import (
    Drafted,
    lake_columns_sql,
    later_than,
    make_words,
    rows_without,
    span,
)
from desireline.intake.text_sql import text_sql
from desireline.storage.import_book import ImportBook
from desireline.storage.lake import Lake
from desireline.storage.state import State
from desireline.vocabulary.errors import DesirelineError, Mistake
from desireline.vocabulary.interaction import BY_COLUMN
from desireline.vocabulary.step import Step
from desireline.vocabulary.table import Table


def preview(
    path: Path,
    recipe: Recipe,
    *,
    rows: int = 20,
    received_at: int = 0,
    project_zone: str = "UTC",
    currency: str = "EUR",
) -> Table:
    """The first interactions a file would make, without taking anything in."""
    sniffed = sniff(path, recipe.reading)
    recipe = replace(recipe, reading=sniffed.reading)
    setting = Setting("preview", path.name, received_at, project_zone, currency, recipe.reading.decimal or ".")
    with tempfile.TemporaryDirectory() as folder, working(Lake(Path(folder) / "lake")) as (connection, temporary):
        found = read_rows(connection, path, sniffed, folder=temporary)
        check_columns(recipe, found, file=path.name)
        made = _make_all(connection, found, recipe, setting)
        columns = ", ".join(
            column for column in BY_COLUMN if column not in ("id", "import_id", "received_at", "handle")
        )
        result = connection.execute(f"SELECT {columns} FROM made ORDER BY row, position LIMIT {int(rows)}")
        names = [item[0] for item in result.description or []]
        values = result.fetchall()
        total = int(connection.execute("SELECT count(*) FROM made").fetchall()[0][0])
    refused = (*found.refused, *made.refused)
    return Table(
        says=f"{found.count:,} rows would make {total:,} interactions; {len(refused):,} would be refused.",
        columns={name: [row[place] for row in values] for place, name in enumerate(names)},
        notes={"rows": found.count, "made": total, "left_out": made.left_out, "refused": reasons_counted(refused)},
    )


def imports(*, state: State) -> tuple[dict[str, Any], ...]:
    """Every import there was, oldest first: what came in, what was refused, whether it was undone."""
    return tuple(ImportBook(state).imports())


def undo_import(*, lake: Lake, state: State, import_id: str) -> int:
    """Take an import back as if it had never been; says how many interactions went."""
    book = ImportBook(state)
    if not book.imports(import_id=import_id, status="done"):
        raise DesirelineError(Mistake(f"there is no import '{import_id}'.", do="'desireline imports' lists them."))
    part = lake.path(INTERACTIONS, import_id)
    count = lake.rows(INTERACTIONS, import_id) if part.exists() else 0
    book.undo(import_id)
    lake.remove_part(INTERACTIONS, import_id)
    return count


def replay(
    *,
    lake: Lake,
    state: State,
    numbers: Sequence[int],
    import_id: str,
    received_at: int,
    recipe: Recipe | None = None,
    project_zone: str = "UTC",
    currency: str = "EUR",
) -> ImportReport:
    """Try refused rows again, as edited or with a mended recipe; those that succeed leave the quarantine.

    All rows must come from one import, whose recipe is used when none is given. Doing it twice is harmless.
    """
    began = perf_counter()
    book = ImportBook(state)
    recover(lake=lake, state=state)
    refusals = [
        refusal for number in numbers if (refusal := one_refusal(state=state, number=number)).status == "waiting"
    ]
    first = _import_of(book, refusals)
    recipe = recipe or read_recipe(first["recipe"], name=f"recipe of {first['import_id']}")
    setting = Setting(import_id, first["file"], received_at, project_zone, currency, recipe.reading.decimal or ".")
    with working(lake) as (connection, folder):
        rows = rows_again(connection, refusals, json.loads(first["columns"]), recipe.reading)
        check_columns(recipe, rows, file=first["file"])
        made = _make_all(connection, rows, recipe, setting)
        make_words(connection, recipe, setting)
        connection.execute("CREATE TEMP TABLE numbers (number BIGINT, row BIGINT)")
        connection.executemany("INSERT INTO numbers VALUES (?, ?)", [[item.number, item.row] for item in refusals])
        known, conflicts = without_repeats(connection, rows, recipe)
        connection.execute(
            f"""UPDATE made SET raw = {text_sql(first["file"] + ":")} || numbers.row,
                position = position + (numbers.row - numbers.number) * {len(recipe.shapes)}
                FROM numbers WHERE numbers.number = made.row"""
        )
        file = folder / "draft.parquet"
        lake.draft(INTERACTIONS, f"SELECT {lake_columns_sql(recipe, setting)} FROM made", connection, file=file)
        later = later_than(connection, file, received_at)
        report = report_on(
            rows,
            made,
            recipe,
            setting,
            span(connection, file),
            later=later,
            known=known,
            conflicts=len(conflicts),
            notes=(),
        )
        book.begin(entry_of(report, recipe, rows, 0, received_at), [])
        if report.made:
            lake.take_part(INTERACTIONS, import_id, file)
        book.finish(import_id)
    still = {item.row: item.reason for item in (*rows.refused, *made.refused, *conflicts)}
    gone = [item.number for item in refusals if item.number not in still]
    book.change_refusals(gone, status="replayed", replayed_by=import_id, changed_at=received_at)
    for number, reason in still.items():
        book.change_refusals([number], reason=reason, changed_at=received_at)
    return replace(report, seconds=perf_counter() - began)


def _make_all(connection: duckdb.DuckDBPyConnection, rows: Rows, recipe: Recipe, setting: Setting) -> Drafted:
    """Every row the careful way, laid out in the table `made`."""
    prepare(connection, rows, recipe, setting)
    without = rows_without(connection, rows, recipe, setting)
    reasons = make(connection, rows, recipe, setting)
    told = {**reasons, **dict.fromkeys(without.no_time, NO_TIME)}
    return Drafted(without.left_out, rows_as_refused(connection, rows, told))


def _import_of(book: ImportBook, refusals: Sequence[Refusal]) -> dict[str, Any]:
    imports = {refusal.import_id for refusal in refusals}
    if len(imports) != 1:
        what = "no waiting rows to try again." if not imports else "the rows come from several imports."
        raise DesirelineError(Mistake(what, do="" if not imports else "Try those of one import at a time."))
    return book.imports(import_id=imports.pop())[0]


STEP = Step("intake", reads=(), writes=(INTERACTIONS,), run=import_file)
