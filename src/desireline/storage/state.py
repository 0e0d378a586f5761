"""The state store: imports, refusals, sources and whatever else is true now, in SQLite or in PostgreSQL.

One process at a time writes, in transactions that happen as a whole or not at all; whoever reads sees one
moment. Everything here is written once, in SQLAlchemy Core, for both databases.
"""

from __future__ import annotations

import importlib
import pkgutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, insert, inspect, select, update

from desireline.storage.state_copy import copy_rows
from desireline.storage.state_database import Database, open_database
from desireline.storage.state_migrations import MIGRATIONS
from desireline.storage.state_sqlite import SAFE_SINCE, sqlite_in_use, sqlite_is_safe
from desireline.storage.state_tables import METADATA, STATE_VERSION
from desireline.storage.state_waiting import Patience, StateDamaged, StateLost
from desireline.vocabulary.errors import DesirelineError, Mistake

__all__ = ["SAFE_SINCE", "VERSION", "Patience", "State", "StateDamaged", "StateLost", "sqlite_in_use", "sqlite_is_safe"]

VERSION = 3
Answer = TypeVar("Answer")


class State:
    """The state store of one project: a file, or a schema of a PostgreSQL server.

    >>> state = State(Path("data/state.sqlite"))                                  # doctest: +SKIP
    >>> state = State("postgresql://desireline@db.example/state", schema="bank")  # doctest: +SKIP
    >>> with state.writing() as connection:                                       # doctest: +SKIP
    ...     connection.execute(insert(IMPORTS).values(...))
    """

    def __init__(self, where: Path | str, *, schema: str = "", patience: Patience | None = None) -> None:
        _find_tables()
        self._database: Database = open_database(where, schema=schema, patience=patience or Patience())
        self._turn = threading.RLock()
        self._open: Connection | None = None
        self._writer: int | None = None
        self._views = threading.local()
        try:
            self.migrate()
        except BaseException:
            self.close()
            raise

    @property
    def where(self) -> str:
        """Where the state store lies, without any password."""
        return self._database.where

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction: all of it is on disk when the outermost block ends well, none of it otherwise.

        Raises `StateLost` when the server was lost on the way; `carry_out` tries again by itself.
        """
        with self._turn:
            if self._open is not None:
                yield self._open
                return
            with self._database.transaction() as connection, self._as_writer(connection):
                yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A block that only reads; it sees one moment from its beginning to its end, and nobody waits for it."""
        if self._writer == threading.get_ident():
            assert self._open is not None
            yield self._open
        elif (view := getattr(self._views, "open", None)) is not None:
            yield view
        else:
            with self._database.view() as connection:
                self._views.open = connection
                try:
                    yield connection
                finally:
                    self._views.open = None

    def carry_out(self, work: Callable[[Connection], Answer]) -> Answer:
        """Do all of a piece of work in one transaction, and all of it again when the server was lost on the way.

        Whether it was done is known even when the server was lost while confirming it, so it is never done twice.
        """
        while True:
            try:
                with self.writing() as connection:
                    return work(connection)
            except StateLost as lost:
                if self._open is not None or not lost.again:
                    raise

    def migrate(self) -> None:
        """Bring an older state store to today's format, after a copy of it beside; a newer one is refused."""
        with self._turn, self._database.transaction(long=True) as connection, self._as_writer(connection):
            self._database.prepare(connection)
            version = _version(connection)
            if version is not None and version > VERSION:
                says = f"written by a newer Desireline (format {version}, this one knows {VERSION})."
                raise DesirelineError(Mistake(says, self.where, do="Update Desireline."))
            if version is not None and version < VERSION:
                self._database.keep_copy(connection, version)
                for each in range(version, VERSION):
                    MIGRATIONS[each](connection)
                connection.execute(update(STATE_VERSION).values(version=VERSION))
            METADATA.create_all(connection)
            if version is None:
                connection.execute(insert(STATE_VERSION).values(version=VERSION))

    def copy_to(self, target: Path) -> None:
        """Write a consistent copy to an SQLite file, from either database; it is whole or not there."""
        self._database.copy_to(target)

    def fill_from(self, copy: State) -> None:
        """Take over everything from a copy or from another database; refused unless nothing is in here yet."""
        with self.writing() as connection, copy.reading() as there:
            for table in METADATA.sorted_tables:
                if table is not STATE_VERSION and connection.execute(select(table).limit(1)).first():
                    raise DesirelineError(Mistake(f"is not empty: {table.name} has rows.", self.where))
            copy_rows(there, connection, leave_out=STATE_VERSION)
            self._database.after_copy(connection)

    def close(self) -> None:
        """Give the file or the connections free."""
        with self._turn:
            self._database.close()

    @contextmanager
    def _as_writer(self, connection: Connection) -> Iterator[None]:
        self._open, self._writer = connection, threading.get_ident()
        try:
            yield
        finally:
            self._open, self._writer = None, None


def _version(connection: Connection) -> int | None:
    if not inspect(connection).has_table(STATE_VERSION.name):
        return None
    return int(connection.execute(select(STATE_VERSION.c.version)).scalar_one())


def _find_tables() -> None:
    """Load every file of this folder that adds tables, so that none is forgotten in a migration or a copy."""
    package = importlib.import_module("desireline.storage")
    for module in pkgutil.iter_modules(package.__path__):
        if module.name.endswith("_tables"):
            importlib.import_module(f"desireline.storage.{module.name}")
