"""Which errors may be gone at the next try: they stop work where it is; all others would come again for ever."""

from __future__ import annotations

import duckdb
from sqlalchemy.exc import OperationalError

from desireline.storage.log import LogFull
from desireline.storage.state_waiting import StateDamaged, StateLost, StateUnable

PASSING = (
    OSError,
    MemoryError,
    LogFull,
    StateLost,
    StateUnable,
    StateDamaged,
    OperationalError,
    duckdb.IOException,
    duckdb.OutOfMemoryException,
)
"""The disk, memory, or a database has failed us, not what somebody sent."""


def may_pass(error: BaseException | None) -> bool:
    """Whether an error, or what caused it, may be gone at the next try.

    >>> may_pass(OSError(28, "No space left on device")), may_pass(ZeroDivisionError())
    (True, False)
    """
    while error is not None:
        if isinstance(error, PASSING):
            return True
        error = error.__cause__
    return False
