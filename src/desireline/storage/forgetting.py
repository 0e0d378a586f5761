"""What the state store holds only because the log of record was applied: forgotten, so that it can be applied again.

Listeners and what was told to them stay: that went out into the world, and cannot be worked out again. How far the
ledger was gone through does not, for the ledger begins anew with it.
"""

from __future__ import annotations

from sqlalchemy import delete

from desireline.storage.outbox_tables import TOLD_SO_FAR
from desireline.storage.state import State
from desireline.storage.state_tables import IMPORTS, PROGRESS, REFUSALS, SEEN, SOURCES

APPLIED = (IMPORTS, REFUSALS, SEEN, SOURCES, PROGRESS, TOLD_SO_FAR)


def forget_applied(state: State) -> None:
    """Empty every table that applying the log fills, in one transaction."""
    with state.writing() as connection:
        for table in APPLIED:
            connection.execute(delete(table))
