"""Many rows at once, into and out of either database: one statement for thousands of rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Column, ColumnElement, Connection, Table, bindparam, func, select, text
from sqlalchemy.dialects import postgresql, sqlite

AT_ONCE = 5_000
"""Rows of one statement; a million rows are no more memory than these."""


def insert_or_nothing(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert the rows whose keys are not there yet, each with the same columns; says how many were new."""
    insert = _unnested if connection.dialect.name == "postgresql" else _one_by_one
    return sum(insert(connection, table, part) for part in _parts(rows))


def among(connection: Connection, column: Column[int], numbers: Sequence[int]) -> ColumnElement[bool]:
    """The condition that a column of numbers is one of many; they travel as one value, whatever their number."""
    if connection.dialect.name == "postgresql":
        return column == func.any(bindparam(None, list(numbers), type_=ARRAY(BigInteger)))
    wanted = text("SELECT value FROM json_each(:numbers)").bindparams(numbers=json.dumps(list(numbers)))
    return column.in_(wanted.columns(value=BigInteger).scalar_subquery())


def _one_by_one(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> int:
    done = connection.execute(sqlite.insert(table).on_conflict_do_nothing(), [dict(row) for row in rows])
    return done.rowcount


def _unnested(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> int:
    names = list(rows[0])
    columns = [
        func.unnest(bindparam(name, [row[name] for row in rows], type_=ARRAY(table.c[name].type))) for name in names
    ]
    done = connection.execute(
        postgresql.insert(table).from_select(names, select(*columns)).on_conflict_do_nothing(),
    )
    return done.rowcount


def _parts(rows: Sequence[Mapping[str, Any]]) -> Iterator[Sequence[Mapping[str, Any]]]:
    return (rows[start : start + AT_ONCE] for start in range(0, len(rows), AT_ONCE))
