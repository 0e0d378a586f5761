"""State stores as they were written by older versions, and what lies in one, read without our own code."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pg8000

from desireline.storage.state_sqlite import LIBRARY

VERSION_1 = (
    "CREATE TABLE state_version (version BIGINT NOT NULL, PRIMARY KEY (version))",
    """CREATE TABLE imports (
        import_id VARCHAR NOT NULL, source VARCHAR NOT NULL, file VARCHAR NOT NULL, recipe TEXT NOT NULL,
        columns TEXT NOT NULL, received_at BIGINT NOT NULL, status VARCHAR NOT NULL, rows_read BIGINT NOT NULL,
        made BIGINT NOT NULL, known BIGINT NOT NULL, conflicts BIGINT NOT NULL, left_out BIGINT NOT NULL,
        refused BIGINT NOT NULL, first_at BIGINT, last_at BIGINT, PRIMARY KEY (import_id))""",
    """CREATE TABLE refusals (
        number {serial} NOT NULL, digest VARCHAR NOT NULL, import_id VARCHAR NOT NULL, source VARCHAR NOT NULL,
        file VARCHAR NOT NULL, "row" BIGINT NOT NULL, raw TEXT NOT NULL, whole BOOLEAN NOT NULL, length BIGINT NOT NULL,
        reason TEXT NOT NULL, stage VARCHAR NOT NULL, status VARCHAR NOT NULL, changed_at BIGINT NOT NULL,
        replayed_by VARCHAR, PRIMARY KEY (number), UNIQUE (digest))""",
    "CREATE INDEX ix_refusals_import_id ON refusals (import_id)",
    "CREATE INDEX ix_refusals_status ON refusals (status)",
    "INSERT INTO state_version VALUES (1)",
)


@contextmanager
def bare(where: Path | str) -> Iterator[Any]:
    """A connection of the driver alone to a state store; a schema that is not there yet is made."""
    if isinstance(where, Path):
        where.parent.mkdir(parents=True, exist_ok=True)
        connection = LIBRARY.connect(where)
    else:
        parts = urlsplit(where)
        connection = pg8000.connect(
            unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            host=parts.hostname,
            port=parts.port,
            database=parts.path[1:],
        )
        schema = parse_qs(parts.query)["schema"][0]
        connection.cursor().execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
        connection.cursor().execute(f'SET search_path TO "{schema}"')
    try:
        yield connection
        connection.commit()
    finally:
        connection.close()


def make_version_1(where: Path | str, *, refusals: int) -> None:
    """A state store of version 1 with one import and so many refused rows."""
    with bare(where) as connection:
        cursor = connection.cursor()
        if isinstance(where, Path):
            cursor.execute("PRAGMA journal_mode = WAL")
        for statement in VERSION_1:
            cursor.execute(statement.format(serial="INTEGER" if isinstance(where, Path) else "BIGSERIAL"))
        cursor.execute(
            "INSERT INTO imports VALUES ('i-1', 'calls', 'calls.csv', '{}', '[]', 5, 'done', 9, 8, 0, 0, 0, 1, 1, 2)"
        )
        for start in range(0, refusals, 500):
            cursor.execute(
                'INSERT INTO refusals (digest, import_id, source, file, "row", raw, whole, length, reason, stage,'
                f" status, changed_at) VALUES {', '.join(map(_refusal, range(start, min(start + 500, refusals))))}"
            )


def _refusal(row: int) -> str:
    return f"('d{row}', 'i-1', 'calls', 'calls.csv', {row}, 'row {row}', true, 5, 'no time', 'reading', 'waiting', 7)"


def tables(where: Path | str) -> dict[str, list[str]]:
    """The tables of a state store with their columns, each in order."""
    query = (
        "SELECT m.name, c.name FROM sqlite_master AS m, pragma_table_info(m.name) AS c WHERE m.type = 'table'"
        " AND m.name NOT LIKE 'sqlite%' ORDER BY m.name, c.cid"
        if isinstance(where, Path)
        else "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()"
        " AND table_name <> 'last_commits' ORDER BY table_name, ordinal_position"
    )
    found: dict[str, list[str]] = {}
    for table, column in rows(where, query):
        found.setdefault(table, []).append(column)
    return found


def rows(where: Path | str, query: str) -> Sequence[Any]:
    with bare(where) as connection:
        cursor = connection.cursor()
        cursor.execute(query)
        return [tuple(row) for row in cursor.fetchall()]


def content(where: Path | str) -> str:
    """What version 1 knew, as one text to compare."""
    refused = rows(where, "SELECT number, digest, raw, status, replayed_by FROM refusals ORDER BY number")
    return json.dumps([refused, rows(where, "SELECT import_id, rows_read, last_at FROM imports")])
