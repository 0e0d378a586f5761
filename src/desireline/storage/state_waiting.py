"""When the database of the state store does not answer: how long we wait, how often we try, what we then say."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from desireline.vocabulary.errors import DesirelineError, WorkFailed


class StateLost(WorkFailed):
    """The server of the state store was lost, or does not answer; what the block had written is taken back.

    again: it was lost on the way, so the same work may be tried again at once. certain: False when it was lost
    while confirming the change and did not come back; then only the progress in it can tell whether it is in.
    """

    def __init__(self, says: str, *, again: bool = False, certain: bool = True) -> None:
        super().__init__(says)
        self.again = again
        self.certain = certain


class StateUnable(WorkFailed):
    """The database cannot do this now: it is full, busy or read only. Nothing was changed, and later it may."""


class StateDamaged(DesirelineError):
    """The file of the state store is damaged. All of it can be made again from the log."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a lost connection is tried again.

    The pause begins with `least_seconds`, doubles up to `most_seconds`, and chance makes it up to half as long
    again. After `give_up_seconds` whoever waits is told. A server silent for `silence_seconds` counts as lost.
    """

    least_seconds: float = 1.0
    most_seconds: float = 8.0
    give_up_seconds: float = 30.0
    silence_seconds: float = 20.0
    clock: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random


class Pace:
    """Lets attempts to connect through: at once while all is well, after a failure one in `least_seconds` at most.

    One for all connections of a state store, so that many threads together try no more often than one.
    """

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._turn = threading.Lock()
        self._failures = 0
        self._pause_ends = 0.0
        self._next_turn = 0.0

    def wait(self) -> None:
        """Return when it is this attempt's turn."""
        with self._turn:
            now = self._patience.clock()
            mine = max(now, self._pause_ends, self._next_turn if self._failures else now)
            self._next_turn = mine + self._patience.least_seconds
        if mine > now:
            self._patience.pause(mine - now)

    def failed(self) -> None:
        """The connection was lost, or there was none; failures during a pause belong to the one that began it."""
        with self._turn:
            now = self._patience.clock()
            if now < self._pause_ends:
                return
            pause = min(self._patience.most_seconds, self._patience.least_seconds * 2.0**self._failures)
            self._pause_ends = now + pause * (1 + self._patience.chance() / 2)
            self._failures = min(self._failures + 1, 16)

    def well(self) -> None:
        """The database has done what was asked."""
        with self._turn:
            self._failures = 0
