"""Many rows at once, into and out of either database: one statement for thousands of rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ARRAY, JSON, BigInteger, Column, ColumnElement, Connection, Table, bindparam, func, text
from sqlalchemy.dialects import sqlite

AT_ONCE = 5_000
"""Rows of one statement; a million rows are no more memory than these."""


def insert_or_nothing(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert the rows whose keys are not there yet, each with the same columns; says how many were new."""
    insert = _as_one_value if connection.dialect.name == "postgresql" else _one_by_one
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


def _as_one_value(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> int:
    """All rows travel as one JSON text: PostgreSQL would answer a statement for each of them, one after the other."""
    dialect, columns = connection.dialect, [table.c[name] for name in rows[0]]
    types = [f'"{column.name}" {column.type.compile(dialect)}' for column in columns]
    prepared = {
        column.name: column.type.dialect_impl(dialect).bind_processor(dialect)
        for column in columns
        if not isinstance(column.type, JSON)
    }
    kept = [
        {name: make(value) if (make := prepared.get(name)) else value for name, value in row.items()} for row in rows
    ]
    names = ", ".join(f'"{column.name}"' for column in columns)
    done = connection.execute(
        text(
            f'INSERT INTO "{table.name}" ({names}) SELECT {names} FROM json_to_recordset(CAST(:rows AS JSON))'
            f" AS given({', '.join(types)}) ON CONFLICT DO NOTHING"
        ),
        {"rows": json.dumps(kept)},
    )
    return int(done.rowcount)


def _parts(rows: Sequence[Mapping[str, Any]]) -> Iterator[Sequence[Mapping[str, Any]]]:
    return (rows[start : start + AT_ONCE] for start in range(0, len(rows), AT_ONCE))
