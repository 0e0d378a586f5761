"""What the state store holds only because the log of record was applied: forgotten, so that it can be applied again."""

from __future__ import annotations

from sqlalchemy import delete

from desireline.storage.state import State
from desireline.storage.state_tables import IMPORTS, PROGRESS, REFUSALS, SEEN, SOURCES

APPLIED = (IMPORTS, REFUSALS, SEEN, SOURCES, PROGRESS)


def forget_applied(state: State) -> None:
    """Empty every table that applying the log fills, in one transaction."""
    with state.writing() as connection:
        for table in APPLIED:
            connection.execute(delete(table))
