"""Repeats: the same interaction again adds nothing, two equal rows of one file stay two, a changed one is a conflict.

All in SQL over the table `made` of an import and the interactions already in the lake.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from desireline.intake.rows_to_interactions import BODY_COLUMNS
from desireline.intake.text_sql import text_sql
from desireline.storage.identity import INTERACTION_ID_SQL


@dataclass(frozen=True, slots=True)
class Repeats:
    """How many interactions were known already, and the rows whose key came with another content."""

    known: int
    conflicts: tuple[int, ...]


_OTHER_BODY = " OR ".join(f"made.{column} IS DISTINCT FROM old.{column}" for column in BODY_COLUMNS)


def number_equal_rows(connection: duckdb.DuckDBPyConnection, *, source: str) -> None:
    """Give equal rows without a key of their own an occurrence number each, in the order of the file."""
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE doubles AS
           SELECT rowid AS place, row_number() OVER (PARTITION BY id ORDER BY row) AS occurrence
           FROM made WHERE NOT own_key AND id IN (SELECT id FROM made GROUP BY id HAVING count(*) > 1)"""
    )
    key = "regexp_replace(source_key, '#1(:[a-z0-9_]+)?$', '#' || occurrence || '\\1')"
    identity = INTERACTION_ID_SQL.format(source=text_sql(source), source_key=key)
    connection.execute(
        f"""UPDATE made SET source_key = {key}, id = {identity}
            FROM doubles WHERE doubles.place = made.rowid AND occurrence > 1"""
    )


def drop_repeats_within(connection: duckdb.DuckDBPyConnection) -> Repeats:
    """Of several interactions with one key in one file keep the first."""
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE later AS
           SELECT rowid AS place, id, row_number() OVER (PARTITION BY id ORDER BY row) AS occurrence
           FROM made WHERE own_key AND id IN (SELECT id FROM made GROUP BY id HAVING count(*) > 1)"""
    )
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE repeated AS
            SELECT made.rowid AS place, made.row AS row, {_OTHER_BODY} AS other FROM later
            JOIN made ON made.rowid = later.place
            JOIN (SELECT made.* FROM made JOIN later ON later.place = made.rowid WHERE occurrence = 1) AS old
              ON old.id = later.id
            WHERE occurrence > 1"""
    )
    return _drop_repeated(connection)


def drop_known(connection: duckdb.DuckDBPyConnection, *, source: str) -> Repeats:
    """Leave out what the lake holds already; what it holds with another content is a conflict."""
    columns = ", ".join(("id", *BODY_COLUMNS))
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE repeated AS
            SELECT made.rowid AS place, made.row AS row, {_OTHER_BODY} AS other FROM made
            JOIN (SELECT {columns} FROM interactions WHERE source = {text_sql(source)}) AS old ON old.id = made.id"""
    )
    return _drop_repeated(connection)


def _drop_repeated(connection: duckdb.DuckDBPyConnection) -> Repeats:
    conflicts = connection.execute("SELECT DISTINCT row FROM repeated WHERE other ORDER BY row").fetchall()
    known = int(connection.execute("SELECT count(*) FROM repeated WHERE NOT other").fetchall()[0][0])
    if known or conflicts:
        connection.execute("DELETE FROM made WHERE rowid IN (SELECT place FROM repeated)")
    return Repeats(known, tuple(row for (row,) in conflicts))
