"""From a table of rows to the table `made`: interactions ready for the lake, and the rows that cannot be understood."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import duckdb

from desireline.intake.cells_sql import cells_sql, row_as_object_sql
from desireline.intake.readers.careful import RefusedRow
from desireline.intake.readers.rows import Rows
from desireline.intake.recipes import Recipe, TimeTaken
from desireline.intake.rows_to_interactions import Setting, shape_sql
from desireline.intake.text_sql import text_sql
from desireline.intake.values_sql import when_sql
from desireline.intake.zones import known_zone, zone_days
from desireline.storage.identity import TEXT_HASH_SQL
from desireline.vocabulary.errors import DesirelineError, Mistake, nearest
from desireline.vocabulary.interaction import BY_COLUMN

NO_TIME = "no time: every time of the row is empty"


@dataclass(frozen=True, slots=True)
class Made:
    """What became of the rows: how many were left out by conditions, and the ones that cannot be understood."""

    left_out: int
    refused: tuple[RefusedRow, ...]


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


def make(connection: duckdb.DuckDBPyConnection, rows: Rows, recipe: Recipe, setting: Setting) -> Made:
    """Fill the table `made` with the interactions of all rows that can be understood."""
    _zone_tables(connection, rows, recipe, setting)
    cells = cells_sql(rows, recipe)
    shapes = " UNION ALL ".join(f"({shape_sql(recipe, shape, cells, setting)})" for shape in recipe.shapes)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE made AS {shapes}")
    reasons = connection.execute(
        "SELECT row, string_agg(DISTINCT reason, '; ') FROM made WHERE reason IS NOT NULL GROUP BY row"
    ).fetchall()
    without = _without_interaction(connection, rows, recipe, cells)
    if reasons:
        connection.execute("DELETE FROM made WHERE row IN (SELECT row FROM made WHERE reason IS NOT NULL)")
    refused = {**dict(reasons), **dict.fromkeys(without.no_time, NO_TIME)}
    return Made(without.left_out, rows_as_refused(connection, rows, refused))


def lake_sql(connection: duckdb.DuckDBPyConnection) -> str:
    """The SELECT that gives the interactions of `made` to the lake.

    The number of a handle is an md5, which is slow: it is made once for each handle, not for each row.
    """
    number = TEXT_HASH_SQL.format(text="strongest")
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE handle_numbers AS SELECT strongest, {number} AS number
            FROM (SELECT DISTINCT handles[1] AS strongest FROM made WHERE handles IS NOT NULL)"""
    )
    columns = ", ".join("number AS handle" if column == "handle" else f"made.{column}" for column in BY_COLUMN)
    return f"SELECT {columns} FROM made LEFT JOIN handle_numbers ON handle_numbers.strongest = made.handles[1]"


@dataclass(frozen=True, slots=True)
class _Without:
    left_out: int
    no_time: tuple[int, ...]


def _without_interaction(connection: duckdb.DuckDBPyConnection, rows: Rows, recipe: Recipe, cells: str) -> _Without:
    total = rows.count - len(rows.refused)
    rows_made = "row" if len(recipe.shapes) == 1 else "DISTINCT row"
    made = int(connection.execute(f"SELECT count({rows_made}) FROM made").fetchall()[0][0])
    if made == total:
        return _Without(0, ())
    used = {name: f"u{place}" for place, name in enumerate(recipe.columns(), start=1)}
    applies = " OR ".join(when_sql(shape.when, used.__getitem__) for shape in recipe.shapes)
    found = connection.execute(
        f"SELECT row, {applies} FROM ({cells}) AS cells WHERE row NOT IN (SELECT row FROM made) ORDER BY row"
    ).fetchall()
    return _Without(sum(not held for _, held in found), tuple(row for row, held in found if held))


def rows_as_refused(
    connection: duckdb.DuckDBPyConnection, rows: Rows, reasons: dict[int, str]
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
