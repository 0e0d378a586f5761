"""Each fault has a short form, run at every change, and a long one: DESIRELINE_FAULTS=long (make faults)."""

from __future__ import annotations

import os

LONG = os.environ.get("DESIRELINE_FAULTS") == "long"


def how_many(short: int, long: int) -> int:
    """How many kills, states or trials this run makes."""
    return long if LONG else short
