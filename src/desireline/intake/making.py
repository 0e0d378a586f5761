"""From a table of rows to the table `made`: interactions ready for the lake, and the rows that cannot be understood."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import duckdb

from desireline.intake.cells_sql import cells_sql, row_as_object_sql
from desireline.intake.readers.careful import RefusedRow
from desireline.intake.readers.rows import Rows
from desireline.intake.recipes import Recipe, TimeTaken
from desireline.intake.rows_to_interactions import Setting, shape_sql
from desireline.intake.text_sql import text_sql
from desireline.intake.zones import known_zone, zone_days
from desireline.vocabulary.errors import DesirelineError, Mistake, nearest

NO_TIME = "no time: every time of the row is empty"


def check_columns(recipe: Recipe, rows: Rows, *, file: str) -> None:
    """Refuse a recipe that names columns the file does not have, all of them at once."""
    if rows.json:
        return
    missing = [name for name in recipe.columns() if name not in rows.columns]
    if missing:
        among = f"The file has: {', '.join(rows.columns[:30])}."
        raise DesirelineError(
            [
                Mistake(
                    f"the recipe names a column '{name}' that the file does not have.",
                    file,
                    do=nearest(name, rows.columns) or among,
                )
                for name in missing
            ]
        )


def prepare(connection: duckdb.DuckDBPyConnection, rows: Rows, recipe: Recipe, setting: Setting) -> None:
    """Lay out what the making of interactions looks up: the days of the time zones there are."""
    _zone_tables(connection, rows, recipe, setting)


def interactions_sql(recipe: Recipe, cells: str, setting: Setting) -> list[str]:
    """The statements that make the interactions of every row of the cells, one for each interaction of a row."""
    return [shape_sql(recipe, shape, cells, setting) for shape in recipe.shapes]


def make(
    connection: duckdb.DuckDBPyConnection, rows: Rows, recipe: Recipe, setting: Setting, *, only: str = ""
) -> dict[int, str]:
    """Fill the table `made` with the interactions of all rows that can be understood; says why the others cannot.

    `only` names a table whose column `row` holds the rows to make.
    """
    cells = cells_sql(rows, recipe)
    if only:
        cells = f"SELECT * FROM ({cells}) WHERE row IN (SELECT row FROM {only})"
    shapes = " UNION ALL ".join(f"({shape})" for shape in interactions_sql(recipe, cells, setting))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE made AS {shapes}")
    reasons = connection.execute(
        "SELECT row, string_agg(DISTINCT reason, '; ') FROM made WHERE reason IS NOT NULL GROUP BY row"
    ).fetchall()
    if reasons:
        connection.execute("DELETE FROM made WHERE row IN (SELECT row FROM made WHERE reason IS NOT NULL)")
    return dict(reasons)


def rows_as_refused(
    connection: duckdb.DuckDBPyConnection, rows: Rows, reasons: Mapping[int, str]
) -> tuple[RefusedRow, ...]:
    """The given rows as they lie in quarantine, each with its reason."""
    if not reasons:
        return ()
    connection.execute("CREATE OR REPLACE TEMP TABLE wanted AS SELECT unnest($rows) AS wanted", {"rows": list(reasons)})
    found = connection.execute(
        f"""SELECT number, raw FROM (SELECT {rows.row} AS number, {row_as_object_sql(rows)} AS raw FROM {rows.table})
            WHERE number IN (SELECT wanted FROM wanted) ORDER BY number"""
    ).fetchall()
    return tuple(RefusedRow(number, raw, reasons[number]) for number, raw in found)


def _zone_tables(connection: duckdb.DuckDBPyConnection, rows: Rows, recipe: Recipe, setting: Setting) -> None:
    zones = {recipe.zone or setting.zone}
    by_column = any(taken.zone_column for taken in _times(recipe))
    for taken in _times(recipe):
        zones.update([taken.zone] if taken.zone else [])
        if taken.zone_column:
            zones.update(_zones_in(connection, rows, recipe, taken.zone_column))
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE zone_days
           (zone VARCHAR, day BIGINT, before BIGINT, odd_from BIGINT, odd_to BIGINT, after BIGINT, odd BIGINT)"""
    )
    for zone in sorted(zones):
        if known_zone(zone) and (by_column or zone != "UTC"):
            connection.register("one_zone", zone_days(zone))
            connection.execute(
                f"""INSERT INTO zone_days
                    SELECT {text_sql(zone)}, day, before, odd_from, odd_to, after, odd FROM one_zone"""
            )
            connection.unregister("one_zone")


def _times(recipe: Recipe) -> Iterable[TimeTaken]:
    for shape in recipe.shapes:
        yield shape.occurred_at
        if shape.sent_at:
            yield shape.sent_at


def _zones_in(connection: duckdb.DuckDBPyConnection, rows: Rows, recipe: Recipe, column: str) -> list[str]:
    place = recipe.columns().index(column) + 1
    found = connection.execute(f"SELECT DISTINCT u{place} FROM ({cells_sql(rows, recipe)}) WHERE u{place} IS NOT NULL")
    return [zone for (zone,) in found.fetchall()]


def reasons_counted(refused: Sequence[RefusedRow]) -> dict[str, int]:
    """Reasons with the values cut out, the most frequent first."""
    counts = Counter(
        re.sub(r"'[^']*'", "'...'", re.sub(r"[A-Z]+[0-9]+ holds|\d+ cells?", _plainly, item.reason)) for item in refused
    )
    return dict(counts.most_common())


def _plainly(found: re.Match[str]) -> str:
    return "a cell holds" if found[0].endswith("holds") else found[0]
