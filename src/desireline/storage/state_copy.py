"""Copying every row of a state store into another database, thousands at a time."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import URL, Connection, Table, create_engine, inspect, select

from desireline.storage.bulk_rows import AT_ONCE, insert_or_nothing
from desireline.storage.durable import replacing
from desireline.storage.state_sqlite import LIBRARY
from desireline.storage.state_tables import METADATA


def copy_rows(connection: Connection, to: Connection, *, leave_out: Table | None = None) -> None:
    """Copy all rows of all tables; the other side has the tables already, and nothing in them."""
    there = inspect(connection).get_table_names()
    for table in METADATA.sorted_tables:
        if table is leave_out or table.name not in there:
            continue
        found = connection.execute(select(table).execution_options(yield_per=AT_ONCE))
        for rows in found.mappings().partitions():
            insert_or_nothing(to, table, [dict(row) for row in rows])


def write_copy(connection: Connection, target: Path) -> None:
    """Write everything to a new SQLite file, which is whole or not there."""
    with replacing(target) as path:
        engine = create_engine(URL.create("sqlite", database=str(path)), module=LIBRARY)
        with engine.begin() as to:
            METADATA.create_all(to)
            copy_rows(connection, to)
        engine.dispose()
