"""The state store in one SQLite file: one connection writes, one process at a time, others read beside it.

SQLite 3.7.0 to 3.51.2 can corrupt a database in WAL mode when two connections write or checkpoint at the same
moment; 3.51.3 and later are safe. We bring our own (`pysqlite3`). Where only an older one is to be had, one
connection does all the work, reading too.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.exc import TimeoutError as NoneFree
from sqlalchemy.pool import QueuePool, StaticPool

from desireline.storage.durable import locked, replacing
from desireline.storage.state_waiting import StateDamaged, StateUnable
from desireline.vocabulary.errors import Mistake

SAFE_SINCE = (3, 51, 3)
"""The first SQLite whose WAL mode is safe with several writing connections."""

MOST_READERS = 16


def _library() -> Any:
    try:
        return importlib.import_module("pysqlite3.dbapi2")
    except ImportError:
        return importlib.import_module("sqlite3")


LIBRARY = _library()
"""The SQLite all of this uses: the module `pysqlite3`, which brings its own, else the one of Python."""


def sqlite_in_use() -> tuple[str, str]:
    """The module and the version of the SQLite that is really used, for `doctor`."""
    return LIBRARY.__name__.partition(".")[0], LIBRARY.sqlite_version


def sqlite_is_safe() -> bool:
    """Whether the SQLite in use is free of the WAL fault (we are safe either way, but faster with it)."""
    return bool(LIBRARY.sqlite_version_info >= SAFE_SINCE)


class SQLite:
    """A state store's database in a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.where = str(path)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock_file = path.with_name(path.name + ".lock")
        self._writer = _engine(path, writes=True)
        self._readers = _engine(path, writes=False)

    @contextmanager
    def transaction(self, *, long: bool = False) -> Iterator[Connection]:
        """A transaction that writes; other processes wait until it is over."""
        with self._told_plainly(), locked(self._lock_file), self._writer.begin() as connection:
            yield connection

    @contextmanager
    def view(self) -> Iterator[Connection]:
        """A block that only reads, as things were when it began; nobody waits for it."""
        if not sqlite_is_safe():
            with self.transaction() as connection:
                yield connection
            return
        with self._told_plainly(), self._readers.begin() as connection:
            yield connection

    def prepare(self, connection: Connection) -> None:
        """Nothing need be made before the tables."""

    def after_copy(self, connection: Connection) -> None:
        """Nothing need be set after rows were copied in with their numbers."""

    def keep_copy(self, connection: Connection, version: int) -> None:
        """Copy the file beside itself before a migration; the transaction of `connection` has changed nothing yet."""
        assert connection.in_transaction()
        self._backup(self.path.with_name(f"{self.path.name}.version-{version}"))

    def copy_to(self, target: Path) -> None:
        """Write a consistent copy to another file, which is whole or not there."""
        if sqlite_is_safe():
            self._backup(target)
            return
        with locked(self._lock_file):
            self._backup(target)

    def close(self) -> None:
        """Give the file free."""
        self._readers.dispose()
        self._writer.dispose()

    def _backup(self, target: Path) -> None:
        with (
            self._told_plainly(),
            replacing(target) as copy,
            closing(LIBRARY.connect(self.path)) as here,
            closing(LIBRARY.connect(copy)) as there,
        ):
            here.backup(there)
            there.execute("PRAGMA journal_mode = DELETE")

    @contextmanager
    def _told_plainly(self) -> Iterator[None]:
        try:
            yield
        except (DatabaseError, LIBRARY.DatabaseError) as error:
            said = str(getattr(error, "orig", error))
            if any(sign in said for sign in ("malformed", "not a database")):
                do = "Delete it and run 'desireline rebuild': everything in it is made again from the log."
                raise StateDamaged(Mistake("is damaged.", self.where, do=do)) from error
            if any(sign in said for sign in _OF_THE_DISK):
                do = "Look at the disk and at the rights to its folder; nothing was changed."
                raise StateUnable(Mistake(f"cannot be written: {said}.", self.where, do=do)) from error
            raise
        except NoneFree as error:
            does = f"is asked by more than {MOST_READERS} at once and answers too slowly."
            raise StateUnable(Mistake(does, self.where)) from error


_OF_THE_DISK = ("disk is full", "disk I/O error", "readonly database", "unable to open")

_OF_WRITER = ("journal_mode = WAL", "synchronous = FULL", "cache_size = -65536", "journal_size_limit = 67108864")
_OF_READERS = ("query_only = ON", "cache_size = -4096")


def _engine(path: Path, *, writes: bool) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        module=LIBRARY,
        hide_parameters=True,
        connect_args={"check_same_thread": False, "timeout": 5.0},
        **({"poolclass": StaticPool} if writes else {"poolclass": QueuePool, "max_overflow": MOST_READERS - 5}),
    )

    @event.listens_for(engine, "connect")
    def _prepare(raw: Any, _record: Any) -> None:
        raw.isolation_level = None
        settings = ["busy_timeout = 5000", "foreign_keys = ON", *(_OF_WRITER if writes else _OF_READERS)]
        for setting in settings:
            raw.execute(f"PRAGMA {setting}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
