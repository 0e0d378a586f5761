"""Many rows at once, into and out of either database: one statement for thousands of rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ARRAY, JSON, BigInteger, Column, ColumnElement, Connection, Table, bindparam, func, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.schema import ScalarElementColumnDefault

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
    whole = [{**_defaults(table, rows[0]), **row} for row in rows]
    columns = [table.c[name] for name in whole[0]]
    prepared = {column.name: make for column in columns if (make := _preparing(connection, column))}
    for row in whole:
        row.update({name: make(row[name]) for name, make in prepared.items()})
    names = ", ".join(f'"{column.name}"' for column in columns)
    types = ", ".join(f'"{column.name}" {column.type.compile(connection.dialect)}' for column in columns)
    done = connection.execute(
        text(
            f'INSERT INTO "{table.name}" ({names}) SELECT {names} FROM json_to_recordset(CAST(:rows AS JSON))'
            f" AS given({types}) ON CONFLICT DO NOTHING"
        ),
        {"rows": json.dumps(whole)},
    )
    return int(done.rowcount)


def _preparing(connection: Connection, column: Column[Any]) -> Callable[[Any], Any] | None:
    """What makes a value of our own types one of the database's; JSON travels inside JSON as it is."""
    if isinstance(column.type, JSON):
        return None
    return column.type.dialect_impl(connection.dialect).bind_processor(connection.dialect)


def _defaults(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the columns that a row leaves to their default, as SQLAlchemy fills them in elsewhere."""
    return {
        column.name: column.default.arg
        for column in table.c
        if column.name not in row and isinstance(column.default, ScalarElementColumnDefault)
    }


def _parts(rows: Sequence[Mapping[str, Any]]) -> Iterator[Sequence[Mapping[str, Any]]]:
    return (rows[start : start + AT_ONCE] for start in range(0, len(rows), AT_ONCE))
