"""The intake at work: the one file of this room that touches the lake and the state store."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

import duckdb

from desireline.intake.again import rows_again
from desireline.intake.making import NO_TIME, check_columns, make, prepare, reasons_counted, rows_as_refused
from desireline.intake.readers import RefusedRow, Rows, read_rows
from desireline.intake.recipe_file import read_recipe, write_recipe
from desireline.intake.recipes import Recipe
from desireline.intake.refusals import Refusal, Stage, quarantine_entries
from desireline.intake.repeats import drop_known, drop_repeats_within, number_equal_rows
from desireline.intake.report import ImportReport
from desireline.intake.rows_to_interactions import Setting
from desireline.intake.run_quarantine import one_refusal
from desireline.intake.sniff import sniff
from desireline.intake.straight import (
    Drafted,
    Span,
    Without,
    each_expression_once,
    lake_columns_sql,
    later_than,
    make_words,
    mended_sql,
    reasons_of,
    repeated_rows,
    rows_without,
    set_doubtful,
    span,
    straight_sql,
)
from desireline.intake.text_sql import text_sql
from desireline.storage.import_book import ImportBook
from desireline.storage.lake import Lake
from desireline.storage.state import State
from desireline.vocabulary.errors import DesirelineError, Mistake, WorkFailed
from desireline.vocabulary.interaction import BY_COLUMN
from desireline.vocabulary.step import Step
from desireline.vocabulary.table import Table

Progress = Callable[[float, str], None]
INTERACTIONS = "interactions"


def silent(_fraction: float, _text: str) -> None:
    """Progress that nobody watches."""


def import_file(
    *,
    lake: Lake,
    state: State,
    path: Path,
    recipe: Recipe,
    import_id: str,
    received_at: int,
    project_zone: str = "UTC",
    currency: str = "EUR",
    progress: Progress = silent,
) -> ImportReport:
    """Take a file in: every row becomes interactions or lies in quarantine with its reason.

    Whole or not at all: after a crash either nothing of it is to be seen or `recover` completes it.
    `import_id` names the import (letters, digits, `.`, `_`, `-`); `received_at` is milliseconds UTC.
    Raises `DesirelineError` when the file is no export or does not fit the recipe.
    """
    began = perf_counter()
    book = ImportBook(state)
    recover(lake=lake, state=state)
    if book.imports(import_id=import_id):
        raise DesirelineError(Mistake(f"there is an import '{import_id}' already."))
    progress(0.0, "looking at the file")
    sniffed = sniff(path, recipe.reading)
    recipe = replace(recipe, reading=sniffed.reading)
    setting = Setting(import_id, path.name, received_at, project_zone, currency, recipe.reading.decimal or ".")
    with working(lake) as (connection, folder):
        progress(0.05, "reading")
        rows = read_rows(connection, path, sniffed, folder=folder)
        check_columns(recipe, rows, file=path.name)
        notes = (*sniffed.doubts, *rows.notes)
        return _take_in(
            lake, book, connection, rows, recipe, setting, progress, folder=folder, notes=notes, began=began
        )


@contextmanager
def working(lake: Lake) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """A connection to the lake and a folder for temporary files, both gone afterwards."""
    temporary = lake.folder.parent / "temporary"
    temporary.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=temporary) as folder:
        connection = lake.connection()
        connection.execute("SET TimeZone = 'UTC'")
        try:
            yield connection, Path(folder)
        except duckdb.Error as error:
            raise WorkFailed(Mistake(str(error).splitlines()[0], do="Nothing was imported.")) from error
        finally:
            connection.close()


def _take_in(
    lake: Lake,
    book: ImportBook,
    connection: duckdb.DuckDBPyConnection,
    rows: Rows,
    recipe: Recipe,
    setting: Setting,
    progress: Progress,
    *,
    folder: Path,
    notes: tuple[str, ...],
    began: float,
) -> ImportReport:
    progress(0.35, "making interactions")
    drafted = _draft(lake, connection, rows, recipe, setting, folder / "draft.parquet")
    progress(0.7, "looking for repeats")
    file, known, conflicts = _beside_repeats(lake, connection, rows, recipe, setting, folder / "draft.parquet")
    progress(0.8, "writing")
    report = _report(
        rows,
        drafted,
        recipe,
        setting,
        span(connection, file),
        later=later_than(connection, file, setting.received_at),
        known=known,
        conflicts=len(conflicts),
        notes=notes,
    )
    stages: tuple[tuple[Stage, tuple[RefusedRow, ...]], ...] = (
        ("reading", rows.refused),
        ("meaning", drafted.refused),
        ("conflict", conflicts),
    )
    entries = quarantine_entries(
        [(stage, row) for stage, refused_rows in stages for row in refused_rows],
        source=recipe.source,
        file=setting.file,
        import_id=setting.import_id,
        at=setting.received_at,
    )
    refused = len(rows.refused) + len(drafted.refused)
    new = book.begin(_entry(report, recipe, rows, refused, setting.received_at), entries)
    if report.made:
        lake.take_part(INTERACTIONS, setting.import_id, file)
    book.finish(setting.import_id)
    progress(1.0, "done")
    return replace(report, newly_refused=new, seconds=perf_counter() - began)


def _draft(
    lake: Lake, connection: duckdb.DuckDBPyConnection, rows: Rows, recipe: Recipe, setting: Setting, file: Path
) -> Drafted:
    """Write the interactions of the rows that can be understood as a draft; says what became of the others."""
    prepare(connection, rows, recipe, setting)
    make_words(connection, recipe, setting)
    reasons: Mapping[int, str] = {}
    several = len(recipe.shapes) > 1
    if several:
        reasons = reasons_of(connection, rows, recipe, setting)
        set_doubtful(connection, reasons)
    source = straight_sql(rows, recipe, setting, beside_doubtful=bool(reasons))
    with each_expression_once(connection):
        lake.draft(INTERACTIONS, source, connection, file=file)
    without = Without()
    missing = rows.count - len(rows.refused) - span(connection, file).count
    if missing and not several:
        reasons = reasons_of(connection, rows, recipe, setting)
    if several or missing > len(reasons):
        without = rows_without(connection, rows, recipe, setting)
    told = {**reasons, **dict.fromkeys(without.no_time, NO_TIME)}
    return Drafted(without.left_out, rows_as_refused(connection, rows, told))


def _beside_repeats(
    lake: Lake, connection: duckdb.DuckDBPyConnection, rows: Rows, recipe: Recipe, setting: Setting, draft: Path
) -> tuple[Path, int, tuple[RefusedRow, ...]]:
    """The draft without what is in it twice or in the lake already, how many that were, and the conflicts."""
    repeated = repeated_rows(connection, draft, recipe)
    if not repeated:
        return draft, 0, ()
    set_doubtful(connection, repeated)
    make(connection, rows, recipe, setting, only="doubtful")
    known, conflicts = _without_repeats(connection, rows, recipe)
    mended = draft.with_name("mended.parquet")
    lake.draft(INTERACTIONS, mended_sql(draft, recipe, setting), connection, file=mended)
    return mended, known, conflicts


def _without_repeats(
    connection: duckdb.DuckDBPyConnection, rows: Rows, recipe: Recipe
) -> tuple[int, tuple[RefusedRow, ...]]:
    number_equal_rows(connection, source=recipe.source)
    within = drop_repeats_within(connection)
    before = drop_known(connection, source=recipe.source)
    reasons = dict.fromkeys(within.conflicts, "the key is known with another content: in this file")
    reasons.update(dict.fromkeys(before.conflicts, "the key is known with another content: imported before"))
    return within.known + before.known, rows_as_refused(connection, rows, reasons)


def _report(
    rows: Rows,
    drafted: Drafted,
    recipe: Recipe,
    setting: Setting,
    made: Span,
    *,
    later: int,
    known: int,
    conflicts: int,
    notes: tuple[str, ...],
) -> ImportReport:
    if later:
        notes = (*notes, f"{later:,} interactions lie later than this import itself: check the dates.")
    return ImportReport(
        import_id=setting.import_id,
        file=setting.file,
        source=recipe.source,
        recipe=recipe.name,
        rows_read=rows.count,
        made=made.count,
        already_known=known,
        conflicts=conflicts,
        left_out=drafted.left_out,
        refused=reasons_counted((*rows.refused, *drafted.refused)),
        notes=notes,
        first_at=made.first_at,
        last_at=made.last_at,
    )


def _entry(report: ImportReport, recipe: Recipe, rows: Rows, refused: int, received_at: int) -> dict[str, Any]:
    return {
        "import_id": report.import_id,
        "source": report.source,
        "file": report.file,
        "recipe": write_recipe(recipe),
        "columns": json.dumps(rows.columns),
        "received_at": received_at,
        "rows_read": report.rows_read,
        "made": report.made,
        "known": report.already_known,
        "conflicts": report.conflicts,
        "left_out": report.left_out,
        "refused": refused,
        "first_at": report.first_at,
        "last_at": report.last_at,
    }


def recover(*, lake: Lake, state: State) -> tuple[str, ...]:
    """Complete or take back imports that a crash interrupted; says which were taken back."""
    book = ImportBook(state)
    back = []
    for entry in book.imports(status="writing"):
        name = entry["import_id"]
        if lake.path(INTERACTIONS, name).exists() or not entry["made"]:
            book.finish(name)
        else:
            book.forget(name)
            back.append(name)
    return tuple(back)


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
        known, conflicts = _without_repeats(connection, rows, recipe)
        connection.execute(
            f"""UPDATE made SET raw = {text_sql(first["file"] + ":")} || numbers.row,
                position = position + (numbers.row - numbers.number) * {len(recipe.shapes)}
                FROM numbers WHERE numbers.number = made.row"""
        )
        file = folder / "draft.parquet"
        lake.draft(INTERACTIONS, f"SELECT {lake_columns_sql(recipe, setting)} FROM made", connection, file=file)
        later = later_than(connection, file, received_at)
        report = _report(
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
        book.begin(_entry(report, recipe, rows, 0, received_at), [])
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
