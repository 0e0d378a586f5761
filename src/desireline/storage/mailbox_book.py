"""The book of mailboxes: how far each is read, how many letters came, and what is wrong with one that fails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert, select, update

from desireline.storage.mailbox_tables import MAILBOXES
from desireline.storage.state import State

Row = dict[str, Any]


class MailboxBook:
    """What is known of the letters of each source. Moments are milliseconds UTC."""

    def __init__(self, state: State) -> None:
        self.state = state

    def all(self) -> dict[str, Row]:
        """Every row by its source."""
        with self.state.reading() as connection:
            found = connection.execute(select(MAILBOXES).order_by(MAILBOXES.c.source)).mappings()
            return {str(row["source"]): dict(row) for row in found}

    def of(self, source: str) -> Row | None:
        """The row of one source; None when nothing is known of its letters yet."""
        with self.state.reading() as connection:
            found = connection.execute(select(MAILBOXES).where(MAILBOXES.c.source == source)).mappings().first()
            return None if found is None else dict(found)

    def keep(self, source: str, values: Mapping[str, Any], *, more_letters: int = 0) -> None:
        """Write down what is known now; `more_letters` are added to those that came before."""
        with self.state.writing() as connection:
            before = self.of(source)
            row = {**values, "letters": (before["letters"] if before else 0) + more_letters}
            if before is None:
                connection.execute(insert(MAILBOXES).values(source=source, **row))
            else:
                connection.execute(update(MAILBOXES).where(MAILBOXES.c.source == source).values(**row))
