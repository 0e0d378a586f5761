"""The same body from the same source within a second: likely a repeat, perhaps two of a kind."""

from __future__ import annotations

from collections import OrderedDict

from desireline.intake import dialects

WITHIN_MS = 1_000
MOST = 50_000
"""So many requests of the last second are remembered."""


class LikelyRepeats:
    """What was said within the last second. It marks and drops nothing: an event without an id may be meant twice."""

    def __init__(self) -> None:
        self._said_at: OrderedDict[int, int] = OrderedDict()

    def is_one(self, received: dialects.Received) -> bool:
        """Whether the same source said exactly this within the last second."""
        said = hash((received.source, received.path, received.query, received.body))
        before = self._said_at.pop(said, None)
        self._said_at[said] = received.received_at
        self._forget(received.received_at)
        return before is not None and abs(received.received_at - before) <= WITHIN_MS

    def _forget(self, now: int) -> None:
        while self._said_at:
            said, at = next(iter(self._said_at.items()))
            if len(self._said_at) <= MOST and abs(now - at) <= WITHIN_MS:
                return
            del self._said_at[said]
