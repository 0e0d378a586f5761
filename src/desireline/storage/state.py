"""The state store: imports, refusals and whatever else is true now, in one SQLite file per project.

SQLite 3.7.0 to 3.51.2 can corrupt a database in WAL mode when two connections write or checkpoint
at the same moment; 3.51.3 and later are safe. So one connection of one process does all the work
here: threads take turns on a lock, processes on a lock file, also with a safe SQLite.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, insert, inspect, select, update
from sqlalchemy.pool import StaticPool

from desireline.storage.durable import locked
from desireline.storage.state_migrations import MIGRATIONS
from desireline.storage.state_tables import METADATA, STATE_VERSION
from desireline.vocabulary.errors import DesirelineError, Mistake

VERSION = 2
SAFE_SINCE = (3, 51, 3)
"""The first SQLite whose WAL mode is safe with several writing connections."""


class State:
    """The state store of one project.

    >>> state = State(Path("data/state.sqlite"))                     # doctest: +SKIP
    >>> with state.writing() as connection:                          # doctest: +SKIP
    ...     connection.execute(insert(IMPORTS).values(...))
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._turn = threading.RLock()
        self._lock_file = self.path.with_name(self.path.name + ".lock")
        self._engine = _engine(self.path)
        self._open: Connection | None = None
        self.migrate()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction: all of it is on disk when the outermost block ends well, none of it otherwise."""
        with self._turn:
            if self._open is not None:
                yield self._open
                return
            with locked(self._lock_file), self._engine.begin() as connection:
                self._open = connection
                try:
                    yield connection
                finally:
                    self._open = None

    def reading(self) -> AbstractContextManager[Connection]:
        """A block that only reads; it sees one moment from its beginning to its end."""
        return self.writing()

    def migrate(self) -> None:
        """Bring an older file to today's format, after a copy of it beside; a newer one is refused."""
        with self.writing() as connection:
            if not inspect(connection).has_table(STATE_VERSION.name):
                METADATA.create_all(connection)
                connection.execute(insert(STATE_VERSION).values(version=VERSION))
                return
            version = connection.execute(select(STATE_VERSION.c.version)).scalar_one()
            if version == VERSION:
                METADATA.create_all(connection)
                return
        if version > VERSION:
            raise DesirelineError(
                Mistake(
                    f"written by a newer Desireline (format {version}, this one knows {VERSION}).",
                    str(self.path),
                    do="Update Desireline.",
                )
            )
        if version < VERSION:
            self.copy_to(self.path.with_name(f"{self.path.name}.version-{version}"))
            self._step_up(version)

    def copy_to(self, target: Path) -> None:
        """Write a consistent copy of the whole state store to another file."""
        with self._turn, locked(self._lock_file):
            source, copy = sqlite3.connect(self.path), sqlite3.connect(target)
            source.backup(copy)
            source.close()
            copy.close()

    def close(self) -> None:
        """Give the file free."""
        with self._turn:
            self._engine.dispose()

    def _step_up(self, version: int) -> None:
        with self.writing() as connection:
            for each in range(version, VERSION):
                MIGRATIONS[each](connection)
            METADATA.create_all(connection)
            connection.execute(update(STATE_VERSION).values(version=VERSION))


def sqlite_is_safe() -> bool:
    """Whether this SQLite is free of the WAL fault (`doctor` tells; we are safe either way)."""
    return sqlite3.sqlite_version_info >= SAFE_SINCE


def _engine(path: Path) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}", poolclass=StaticPool, connect_args={"check_same_thread": False, "timeout": 5.0}
    )

    @event.listens_for(engine, "connect")
    def _prepare(raw: Any, _record: Any) -> None:
        raw.isolation_level = None
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "busy_timeout = 5000"):
            raw.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
