"""The book of what was seen: tells a repeat from a new interaction, and a conflict from a repeat."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import delete, func, select

from desireline.storage.bulk_rows import AT_ONCE, among, insert_or_nothing
from desireline.storage.state import State
from desireline.storage.state_tables import SEEN


class SeenBook:
    """Every interaction id that came in live, with the 63-bit hash of what it said (`identity.text_hash`).

    >>> seen.add([(17, 4711, 1)])                                    # doctest: +SKIP
    1
    >>> seen.known([17, 18])                # 17 with another content would be a conflict  # doctest: +SKIP
    {17: 4711}
    """

    def __init__(self, state: State) -> None:
        self.state = state

    def known(self, ids: Iterable[int]) -> dict[int, int]:
        """Of these ids the ones seen before, each with the hash of what it said the first time."""
        wanted = sorted(set(ids))
        found: dict[int, int] = {}
        if not wanted:
            return found
        with self.state.reading() as connection:
            for start in range(0, len(wanted), AT_ONCE):
                part = among(connection, SEEN.c.id, wanted[start : start + AT_ONCE])
                rows = connection.execute(select(SEEN.c.id, SEEN.c.content).where(part))
                found.update((row[0], row[1]) for row in rows)
        return found

    def add(self, rows: Iterable[tuple[int, int, int]]) -> int:
        """Write ids down as seen, each with the hash of its content and the sequence up to which it was taken in.

        Of an id that is there already the first content stays; says how many ids were new.
        """
        entries = [{"id": row[0], "content": row[1], "sequence": row[2]} for row in sorted(rows, key=_first_come)]
        if not entries:
            return 0
        with self.state.writing() as connection:
            return insert_or_nothing(connection, SEEN, entries)

    def count(self) -> int:
        """How many ids were seen."""
        with self.state.reading() as connection:
            return int(connection.execute(select(func.count()).select_from(SEEN)).scalar() or 0)

    def forget(self) -> None:
        """Forget everything: the log is applied again from its beginning."""
        with self.state.writing() as connection:
            connection.execute(delete(SEEN))


def _first_come(row: Sequence[int]) -> tuple[int, int]:
    return row[0], row[2]
