"""The book of progress: how far each projection has applied the log of record."""

from __future__ import annotations

from sqlalchemy import delete, insert, select, update

from desireline.storage.state import State
from desireline.storage.state_tables import PROGRESS


class ProgressBook:
    """How far each projection is. Written inside the transaction of its effects, both are there or neither.

    >>> with state.writing() as connection:                          # doctest: +SKIP
    ...     connection.execute(insert(SEEN).values(...))
    ...     progress.reach("live", 4711)
    """

    def __init__(self, state: State) -> None:
        self.state = state

    def reached(self, projection: str, *, version: int = 1) -> int:
        """The last sequence a projection has applied, 0 when none; another version of it begins anew."""
        query = select(PROGRESS.c.sequence).where(PROGRESS.c.projection == projection, PROGRESS.c.version == version)
        with self.state.reading() as connection:
            return int(connection.execute(query).scalar() or 0)

    def reach(self, projection: str, sequence: int, *, version: int = 1, at: int | None = None) -> None:
        """The projection has applied the log up to this sequence; `at` is when, in milliseconds UTC.

        Going back is a fault of the program and fails; to begin anew, `forget` first.
        """
        values = {"version": version, "sequence": sequence, "at": at}
        with self.state.writing() as connection:
            before = self.reached(projection, version=version)
            assert sequence >= before, f"projection {projection} would go back from {before} to {sequence}"
            done = connection.execute(update(PROGRESS).where(PROGRESS.c.projection == projection).values(**values))
            if done.rowcount == 0:
                connection.execute(insert(PROGRESS).values(projection=projection, **values))

    def forget(self, projection: str) -> None:
        """Begin a projection anew; what it made must be wiped in the same transaction."""
        with self.state.writing() as connection:
            connection.execute(delete(PROGRESS).where(PROGRESS.c.projection == projection))
