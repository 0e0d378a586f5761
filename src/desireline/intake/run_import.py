"""Taking a file in, in two steps: understood and drafted at leisure, then published in a moment.

Drafting is nearly all of the work and changes nothing. Publishing looks only at what came into the lake since, so
whoever takes turns at the project (live work above all) waits for that moment and not for the file.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import duckdb

from desireline.intake.making import NO_TIME, check_columns, make, prepare, reasons_counted, rows_as_refused
from desireline.intake.readers import RefusedRow, Rows, read_rows
from desireline.intake.recipe_file import write_recipe
from desireline.intake.recipes import Recipe
from desireline.intake.refusals import Stage, quarantine_entries
from desireline.intake.repeats import drop_known, drop_repeats_within, number_equal_rows
from desireline.intake.report import ImportReport
from desireline.intake.rows_to_interactions import Setting
from desireline.intake.sniff import sniff
from desireline.intake.straight import (
    Drafted,
    Span,
    Without,
    each_expression_once,
    known_in,
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
from desireline.storage.import_book import ImportBook
from desireline.storage.lake import Lake
from desireline.storage.part_names import unmatched
from desireline.storage.state import State
from desireline.vocabulary.errors import DesirelineError, Mistake, WorkFailed

Progress = Callable[[float, str], None]
INTERACTIONS = "interactions"


def silent(_fraction: float, _text: str) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True, slots=True)
class BesideRepeats:
    """A draft without repeats: its file, how many were known, the conflicts, and the parts it was held against."""

    file: Path
    known: int
    conflicts: tuple[RefusedRow, ...]
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DraftedImport:
    """A file that was understood and lies drafted in a temporary folder; nothing of it counts yet."""

    connection: duckdb.DuckDBPyConnection
    draft: Path
    rows: Rows
    recipe: Recipe
    setting: Setting
    drafted: Drafted
    beside: BesideRepeats
    notes: tuple[str, ...]
    began: float


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
    with drafted_import(
        lake=lake,
        path=path,
        recipe=recipe,
        import_id=import_id,
        received_at=received_at,
        project_zone=project_zone,
        currency=currency,
        progress=progress,
    ) as drafted:
        return publish(drafted, lake=lake, state=state, progress=progress)


@contextmanager
def drafted_import(
    *,
    lake: Lake,
    path: Path,
    recipe: Recipe,
    import_id: str,
    received_at: int,
    project_zone: str = "UTC",
    currency: str = "EUR",
    progress: Progress = silent,
) -> Iterator[DraftedImport]:
    """Understand a file and draft its interactions, for `publish` within the block; the lake is only read.

    Raises `DesirelineError` when the file is no export or does not fit the recipe.
    """
    began = perf_counter()
    progress(0.0, "looking at the file")
    sniffed = sniff(path, recipe.reading)
    recipe = replace(recipe, reading=sniffed.reading)
    setting = Setting(import_id, path.name, received_at, project_zone, currency, recipe.reading.decimal or ".")
    with working(lake) as (connection, folder):
        progress(0.05, "reading")
        rows = read_rows(connection, path, sniffed, folder=folder)
        check_columns(recipe, rows, file=path.name)
        progress(0.35, "making interactions")
        draft = folder / "draft.parquet"
        drafted = _draft(lake, connection, rows, recipe, setting, draft)
        progress(0.7, "looking for repeats")
        beside = _beside_repeats(lake, connection, rows, recipe, setting, draft)
        notes = (*sniffed.doubts, *rows.notes)
        yield DraftedImport(connection, draft, rows, recipe, setting, drafted, beside, notes, began)


def publish(drafted: DraftedImport, *, lake: Lake, state: State, progress: Progress = silent) -> ImportReport:
    """Let a drafted import count, whole or not at all; what came into the lake since it was drafted is looked at.

    Raises `DesirelineError` when its name is in use.
    """
    rows, recipe, setting = drafted.rows, drafted.recipe, drafted.setting
    book = ImportBook(state)
    recover(lake=lake, state=state)
    if book.imports(import_id=setting.import_id):
        raise DesirelineError(Mistake(f"there is an import '{setting.import_id}' already."))
    progress(0.8, "writing")
    beside = _up_to_now(drafted, lake)
    report = report_on(
        rows,
        drafted.drafted,
        recipe,
        setting,
        span(drafted.connection, beside.file),
        later=later_than(drafted.connection, beside.file, setting.received_at),
        known=beside.known,
        conflicts=len(beside.conflicts),
        notes=drafted.notes,
    )
    refused = len(rows.refused) + len(drafted.drafted.refused)
    new = book.begin(
        entry_of(report, recipe, rows, refused, setting.received_at), _quarantined(drafted, beside.conflicts)
    )
    if report.made:
        lake.take_part(INTERACTIONS, setting.import_id, beside.file)
    book.finish(setting.import_id)
    progress(1.0, "done")
    return replace(report, newly_refused=new, seconds=perf_counter() - drafted.began)


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
) -> BesideRepeats:
    """The draft without what is in it twice or in the lake already, how many that were, and the conflicts."""
    parts = lake.parts(INTERACTIONS)
    lake.look_again(connection, INTERACTIONS)
    repeated = repeated_rows(connection, draft, recipe)
    if not repeated:
        return BesideRepeats(draft, 0, (), parts)
    set_doubtful(connection, repeated)
    make(connection, rows, recipe, setting, only="doubtful")
    known, conflicts = without_repeats(connection, rows, recipe)
    mended = draft.with_name("mended.parquet")
    lake.draft(INTERACTIONS, mended_sql(draft, recipe, setting), connection, file=mended)
    return BesideRepeats(mended, known, conflicts, parts)


def _up_to_now(drafted: DraftedImport, lake: Lake) -> BesideRepeats:
    """The draft beside repeats as the lake is now: looked through afresh only where parts went, or hold some of it."""
    there, before = lake.parts(INTERACTIONS), drafted.beside
    arrived = unmatched(there, before.parts)
    if not unmatched(before.parts, there):
        if not arrived:
            return before
        source = lake.reading_sql(INTERACTIONS, arrived)
        if not known_in(drafted.connection, before.file, source, drafted.recipe):
            return before
    return _beside_repeats(lake, drafted.connection, drafted.rows, drafted.recipe, drafted.setting, drafted.draft)


def without_repeats(
    connection: duckdb.DuckDBPyConnection, rows: Rows, recipe: Recipe
) -> tuple[int, tuple[RefusedRow, ...]]:
    """Take repeats out of the table `made`: how many were known, and the rows that say something else."""
    number_equal_rows(connection, source=recipe.source)
    within = drop_repeats_within(connection)
    before = drop_known(connection, source=recipe.source)
    reasons = dict.fromkeys(within.conflicts, "the key is known with another content: in this file")
    reasons.update(dict.fromkeys(before.conflicts, "the key is known with another content: imported before"))
    return within.known + before.known, rows_as_refused(connection, rows, reasons)


def _quarantined(drafted: DraftedImport, conflicts: tuple[RefusedRow, ...]) -> list[dict[str, Any]]:
    """Every row that was refused, with its reason, as the quarantine keeps it."""
    stages: tuple[tuple[Stage, tuple[RefusedRow, ...]], ...] = (
        ("reading", drafted.rows.refused),
        ("meaning", drafted.drafted.refused),
        ("conflict", conflicts),
    )
    return quarantine_entries(
        [(stage, row) for stage, refused_rows in stages for row in refused_rows],
        source=drafted.recipe.source,
        file=drafted.setting.file,
        import_id=drafted.setting.import_id,
        at=drafted.setting.received_at,
    )


def report_on(
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
    """What came of some rows, in numbers and notes."""
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


def entry_of(report: ImportReport, recipe: Recipe, rows: Rows, refused: int, received_at: int) -> dict[str, Any]:
    """What the book of imports keeps of a report."""
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
