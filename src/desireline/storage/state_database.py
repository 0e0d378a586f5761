"""What the state store asks of a database, and which one an address means."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection

from desireline.storage.state_sqlite import SQLite
from desireline.storage.state_waiting import Patience
from desireline.vocabulary.errors import DesirelineError


class Database(Protocol):
    """A database that can hold a state store."""

    where: str

    def transaction(self, *, long: bool = False) -> AbstractContextManager[Connection]:
        """A transaction that writes, one at a time among all processes; `long` for those that take minutes."""

    def view(self) -> AbstractContextManager[Connection]:
        """A block that only reads, as things were when it began."""

    def prepare(self, connection: Connection) -> None:
        """Make what must be there before the tables."""

    def keep_copy(self, connection: Connection, version: int) -> None:
        """Copy everything beside, before a migration in the transaction of `connection`."""

    def copy_to(self, target: Path) -> None:
        """Write a consistent copy to an SQLite file."""

    def after_copy(self, connection: Connection) -> None:
        """Set what must be set after rows were copied in with their numbers."""

    def close(self) -> None:
        """Give the file or the connections free."""


def open_database(where: Path | str, *, schema: str, patience: Patience) -> Database:
    """The database of a path (SQLite) or of an address that begins with postgresql://."""
    if isinstance(where, Path) or "://" not in where:
        return SQLite(Path(where))
    if not where.startswith(("postgresql://", "postgres://")):
        raise DesirelineError("the address of the state store must begin with postgresql://.")
    from desireline.storage.state_postgresql import PostgreSQL

    return PostgreSQL(where.replace("postgres://", "postgresql://", 1), schema=schema, patience=patience)
