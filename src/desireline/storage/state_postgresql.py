"""The state store in a PostgreSQL server: one schema per project, so that several projects share a server.

An advisory lock of the server takes the place of the lock file. A connection may be lost at any moment; what
counts then is that nobody is left in doubt. Each transaction ends by writing its number down (`last_commits`),
so a commit whose answer never came can be looked up afterwards.
"""

from __future__ import annotations

import re
import secrets
import ssl
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pg8000
from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as NoneFree

from desireline.storage.identity import text_hash
from desireline.storage.state_copy import write_copy
from desireline.storage.state_waiting import Pace, Patience, StateLost, StateUnable
from desireline.vocabulary.errors import DesirelineError, Mistake

DEFAULT_SCHEMA = "desireline"
SCHEMA_NAME = re.compile(r"[a-z_][a-z0-9_]{0,49}")
MOST_READERS = 8
MIGRATION_SECONDS = 3_600.0
"""A statement of a migration may take this long before the server counts as lost."""

_LOST = ("08", "57P", "53300", "25P03")
"""Beginnings of the codes with which a server says that the connection is over, or that it takes none just now."""
_LOST_TEXTS = ("network error", "connection is closed", "communication error", "Can't create a connection")
_WAITED_FOR_LOCK = "55P03"
_UNABLE = ("25006", "40", "53", "55", "57", "58")
"""Beginnings of the codes with which a server says that it cannot do this now: read only, in conflict, full, busy."""

_LOCK = text("SELECT pg_advisory_xact_lock(:key)")
_MARK = text(
    "INSERT INTO last_commits (writer, number, at) VALUES (:writer, :number, now())"
    " ON CONFLICT (writer) DO UPDATE SET number = excluded.number, at = excluded.at"
)
_MARKED = text("SELECT count(*) FROM last_commits WHERE writer = :writer AND number = :number")
_ON_DISK = "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
_END_OLDER = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE application_name = %s AND usename = current_user AND pid <> pg_backend_pid()"
)
_READ_ONLY = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


class PostgreSQL:
    """A state store's database as one schema of a PostgreSQL server."""

    def __init__(self, url: str, *, schema: str, patience: Patience) -> None:
        self._address, self.schema = _address(url, schema)
        self.where = f"{self._address.render_as_string(hide_password=True)}, schema {self.schema}"
        self._patience = patience
        self._pace = Pace(patience)
        self._key = text_hash(f"desireline state {self.schema}")
        self._name = secrets.token_hex(8)
        self._number = 0
        self._writer = self._engine("writer", most=1, silence_seconds=patience.silence_seconds)
        self._readers = self._engine("reader", most=MOST_READERS, silence_seconds=patience.silence_seconds)

    @contextmanager
    def transaction(self, *, long: bool = False) -> Iterator[Connection]:
        """A transaction that writes; others of the same schema wait until it is over."""
        engine = self._engine("writer", most=1, silence_seconds=MIGRATION_SECONDS) if long else self._writer
        connection = self._begun(engine)
        try:
            with self._closing(connection):
                yield connection
                self._number += 1
                connection.execute(_MARK, {"writer": self._name, "number": self._number})
                self._commit(connection, self._number)
        finally:
            if long:
                engine.dispose()
        self._pace.well()

    @contextmanager
    def view(self) -> Iterator[Connection]:
        """A block that only reads, as things were when it began; nobody waits for it."""
        connection = self._begun(self._readers)
        with self._closing(connection):
            yield connection
            connection.rollback()
        self._pace.well()

    def prepare(self, connection: Connection) -> None:
        """Make the schema and the table of last commits where they are missing."""
        encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
        if encoding != "UTF8":
            do = "Make one with: createdb --encoding=UTF8 --template=template0 NAME"
            raise DesirelineError(Mistake(f"is a database in {encoding}, not in UTF8.", self.where, do=do))
        if self.schema not in inspect(connection).get_schema_names():
            connection.exec_driver_sql(f'CREATE SCHEMA "{self.schema}"')
        connection.exec_driver_sql(
            "CREATE TABLE IF NOT EXISTS last_commits"
            " (writer VARCHAR PRIMARY KEY, number BIGINT NOT NULL, at TIMESTAMPTZ NOT NULL)"
        )
        connection.exec_driver_sql("DELETE FROM last_commits WHERE at < now() - interval '7 days'")

    def after_copy(self, connection: Connection) -> None:
        """Let numbers go on after the highest one that was copied in."""
        inspector = inspect(connection)
        for table in inspector.get_table_names():
            for column in inspector.get_columns(table):
                if column.get("autoincrement"):
                    name = f'"{table}"'
                    connection.exec_driver_sql(
                        f"SELECT setval(pg_get_serial_sequence('{name}', '{column['name']}'),"
                        f' coalesce(max("{column["name"]}"), 0) + 1, false) FROM {name}'
                    )

    def keep_copy(self, connection: Connection, version: int) -> None:
        """Copy the tables into a schema beside, in the transaction of the migration: both are there or neither."""
        beside = f"{self.schema}_version_{version}"
        connection.exec_driver_sql(f'DROP SCHEMA IF EXISTS "{beside}" CASCADE')
        connection.exec_driver_sql(f'CREATE SCHEMA "{beside}"')
        for table in inspect(connection).get_table_names():
            connection.exec_driver_sql(f'CREATE TABLE "{beside}"."{table}" AS TABLE "{table}"')

    def copy_to(self, target: Path) -> None:
        """Write a consistent copy to an SQLite file."""
        with self.view() as connection:
            write_copy(connection, target)

    def close(self) -> None:
        """Give the connections back."""
        self._readers.dispose()
        self._writer.dispose()

    def _begun(self, engine: Engine) -> Connection:
        """A connection inside a transaction, with the lock where it writes; tried again until patience ends."""
        give_up_at = self._patience.clock() + self._patience.give_up_seconds
        first = (_READ_ONLY, {}) if engine is self._readers else (_LOCK, {"key": self._key})
        while True:
            connection = None
            try:
                connection = engine.connect()
                connection.execute(*first)
                return connection
            except _Lost as error:
                if connection is not None:
                    self._drop(connection, lost=True)
                if self._patience.clock() >= give_up_at:
                    raise StateLost(f"{self.where} does not answer: {error}. Nothing was changed.") from error
            except BaseException as error:
                if connection is not None:
                    self._drop(connection, lost=False, spoilt=not isinstance(error, Exception))
                if _code(error) != _WAITED_FOR_LOCK:
                    raise self._told_plainly(error) from error

    def _commit(self, connection: Connection, number: int) -> None:
        try:
            connection.commit()
        except _Lost as error:
            self._drop(connection, lost=True)
            if not self._is_in(number, error):
                raise

    def _is_in(self, number: int, error: Exception) -> bool:
        """Whether the transaction of this number was committed; asked on a new connection, once the old one is over."""
        give_up_at = self._patience.clock() + self._patience.give_up_seconds
        while True:
            try:
                connection = self._begun(self._writer)
                with self._closing(connection):
                    marked = connection.execute(_MARKED, {"writer": self._name, "number": number})
                    return bool(marked.scalar_one())
            except StateLost as lost:
                if lost.again and self._patience.clock() < give_up_at:
                    continue
                says = f"{self.where} was lost while it confirmed a change: {error}. Whether the change is in, only"
                raise StateLost(f"{says} the state store can tell when it answers again.", certain=False) from error

    @contextmanager
    def _closing(self, connection: Connection) -> Iterator[None]:
        try:
            yield
        except _Lost as error:
            self._drop(connection, lost=True)
            raise StateLost(f"{self.where} was lost: {error}. Nothing was changed.", again=True) from error
        except BaseException as error:
            self._drop(connection, lost=False, spoilt=not isinstance(error, Exception))
            told = self._told_plainly(error)
            if told is error:
                raise
            raise told from error
        connection.close()

    def _drop(self, connection: Connection, *, lost: bool, spoilt: bool = False) -> None:
        """Give a connection back; a lost one is thrown away, and with it all that lie unused: they are lost too.

        One that was interrupted in the middle of an answer (`spoilt`) is thrown away as well.
        """
        with suppress(Exception):
            if lost or spoilt:
                connection.invalidate()
        with suppress(Exception):
            connection.close()
        if lost:
            self._pace.failed()
            self._readers.dispose()

    def _told_plainly(self, error: BaseException) -> BaseException:
        code = _code(error)
        refused = isinstance(_bare(error), pg8000.InterfaceError)  # such as: no encryption where we insist on it
        if refused or code[:2] in ("28", "3D") or code in ("42501", "3F000"):
            do = "Look at the address and at what its user may do (docs/how-to/state-on-postgresql.md)."
            return DesirelineError(Mistake(f"cannot be used: {_said(error)}.", self.where, do=do))
        if code.startswith(_UNABLE):
            return StateUnable(Mistake(f"cannot do this now: {_said(error)}. Nothing was changed.", self.where))
        if isinstance(error, NoneFree):
            return StateUnable(
                Mistake(f"is asked by more than {MOST_READERS} at once and answers too slowly.", self.where)
            )
        return error

    def _engine(self, name: str, *, most: int, silence_seconds: float) -> Engine:
        application = f"desireline {self._name} {name}"

        def connect() -> Any:
            self._pace.wait()
            try:
                raw = pg8000.connect(**_arguments(self._address), timeout=silence_seconds, application_name=application)
                self._settle(raw, application if name == "writer" else None)
            except Exception as error:
                if not _means_lost(error):
                    raise
                self._pace.failed()
                raise _Lost(_said(error)) from error
            return raw

        engine = create_engine(
            "postgresql+pg8000://", creator=connect, pool_size=most, max_overflow=0, hide_parameters=True
        )

        @event.listens_for(engine, "handle_error")
        def _tell_lost(context: ExceptionContext) -> None:
            if _means_lost(context.original_exception):
                raise _Lost(_said(context.original_exception)) from context.original_exception

        return engine

    def _settle(self, raw: Any, only: str | None) -> None:
        """Set a new connection up; with `only`, the server ends older ones of that name, which were lost to us."""
        wait_milliseconds = int(min(10.0, self._patience.silence_seconds / 2) * 1_000)
        cursor = raw.cursor()
        for setting in (
            f'search_path TO "{self.schema}"',
            f"lock_timeout TO {wait_milliseconds}",
            "default_transaction_isolation TO 'read committed'",
            "tcp_keepalives_idle TO 30",
            "tcp_keepalives_interval TO 10",
            "tcp_keepalives_count TO 3",
        ):
            cursor.execute(f"SET {setting}")
        cursor.execute(_ON_DISK)
        if only:
            cursor.execute(_END_OLDER, (only,))
        raw.commit()
        raw.close = partial(_close_quietly, raw.close)


def _close_quietly(close: Callable[[], None]) -> None:
    """Close a connection, which may be lost already."""
    with suppress(pg8000.InterfaceError, OSError):
        close()


class _Lost(Exception):
    """The connection is over, or there is none to be had."""


def _address(url: str, schema: str) -> tuple[URL, str]:
    do = "Write it as postgresql://USER@HOST/DATABASE."
    try:
        address = make_url(url)
    except ArgumentError:
        raise DesirelineError(Mistake("is not an address of a database.", "state store", do=do)) from None
    named = str(address.query.get("schema", "")) or schema or DEFAULT_SCHEMA
    if not SCHEMA_NAME.fullmatch(named):
        raise DesirelineError(f"'{named}' cannot name a schema: small letters, digits and _, at most 50 of them.")
    if not address.database or not address.username:
        raise DesirelineError(Mistake("is not a whole address of a database.", "state store", do=do))
    unknown = sorted(set(address.query) - {"schema", "unix_sock", "sslmode", "sslrootcert"})
    if unknown:
        raise DesirelineError(
            f"the address of the state store has an unknown word '{unknown[0]}'. Known are schema, unix_sock,"
            " sslmode and sslrootcert."
        )
    return address.difference_update_query(["schema"]), named


def _arguments(address: URL) -> dict[str, Any]:
    words = {word: str(value) for word, value in address.query.items()}
    contexts: dict[str, Any] = {"disable": False, "prefer": None, "require": True}
    mode = words.get("sslmode", "prefer")
    if mode == "verify-full":
        contexts[mode] = ssl.create_default_context(cafile=words.get("sslrootcert"))
    if mode not in contexts:
        raise DesirelineError(f"sslmode '{mode}' is none of disable, prefer, require and verify-full.")
    return {
        "user": address.username,
        "password": address.password or "",
        "host": address.host or "localhost",
        "port": address.port or 5432,
        "database": address.database,
        "unix_sock": words.get("unix_sock"),
        "ssl_context": False if "unix_sock" in words else contexts[mode],
    }


def _code(error: BaseException) -> str:
    said = _bare(error).args[:1]
    return str(said[0].get("C", "")) if said and isinstance(said[0], dict) else ""


def _said(error: BaseException) -> str:
    bare = _bare(error)
    if bare.args and isinstance(bare.args[0], dict):
        return str(bare.args[0].get("M", bare)).rstrip(".")
    return str(bare.__cause__ or bare).rstrip(".")


def _bare(error: BaseException) -> BaseException:
    return error.orig if isinstance(error, DBAPIError) and error.orig is not None else error


def _means_lost(error: BaseException) -> bool:
    bare, code = _bare(error), _code(error)
    if code:
        return code.startswith(_LOST)
    if isinstance(bare, pg8000.InterfaceError):
        return str(bare).startswith(_LOST_TEXTS)
    return isinstance(bare, (OSError, struct.error))
