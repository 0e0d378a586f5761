"""A server's time: it follows the machine's clock while that moves evenly, and goes on without it when it is stepped.

Why a step is not followed at once: docs/decisions/0012-time-goes-on-when-the-clock-is-stepped.md.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from desireline.vocabulary.units import DAY_MS, SECOND_MS, lateness_text, moment_text

STEP_MS = 10 * SECOND_MS
"""What the machine's clock moves more than time has passed, or less, is a step beyond this; below, it is followed."""
LONGEST_WAIT_MS = DAY_MS
"""A step is taken over by itself once it has lasted as long as it is wide, and after a day at the latest."""
_LOG = logging.getLogger("desireline.clock")
_BOOT_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def elapsed_ms() -> int:
    """Milliseconds that passed since the machine started, its sleep included, whatever its clock says."""
    return time.clock_gettime_ns(_BOOT_CLOCK) // 1_000_000


@dataclass(frozen=True, slots=True)
class Step:
    """The machine's clock is so many milliseconds ahead of the server's time (behind: below 0), since that moment."""

    differs_ms: int
    since: int

    @property
    def wait_ms(self) -> int:
        """So long it has to last before it is taken over by itself."""
        return min(abs(self.differs_ms), LONGEST_WAIT_MS)

    @property
    def says(self) -> str:
        """What it means for promises that fall due."""
        way, spared = ("forward", "broken too early") if self.differs_ms > 0 else ("back", "undone")
        by = lateness_text(round(abs(self.differs_ms) / SECOND_MS))
        return (
            f"clock stepped: this machine's clock was set {way} by {by} at {moment_text(self.since)[:19]} UTC. "
            f"Promises go on falling due by the time before, so none is {spared}"
        )

    @property
    def to_do(self) -> str:
        """What somebody should do about it."""
        wait = lateness_text(round(self.wait_ms / SECOND_MS))
        return (
            "if the clock is wrong, set it right; if it is right, say so on the page Live or with "
            f"'desireline clock --right'. Once it has been steady for {wait} it is believed"
        )


class SteadyClock:
    """Tells the time in milliseconds UTC. For use by any thread.

    machine: the machine's clock, milliseconds UTC. elapsed: milliseconds that passed since some moment; never set.
    began_at: what time it was at that moment, when that is known better than by the machine's clock.

    >>> moments = iter([0, 1_000, 2_000])
    >>> clock = SteadyClock(lambda: 90_000_000, elapsed=lambda: 0)
    >>> clock(), clock.step
    (90000000, None)
    """

    def __init__(
        self, machine: Callable[[], int], *, elapsed: Callable[[], int] = elapsed_ms, began_at: int | None = None
    ) -> None:
        self.step: Step | None = None
        self.steps = 0
        self._machine = machine
        self._elapsed = elapsed
        self._lock = threading.Lock()
        self._began_at = machine() - elapsed() if began_at is None else began_at

    def __call__(self) -> int:
        """This moment."""
        with self._lock:
            return self._look()

    @property
    def began_at(self) -> int:
        """What time it was at the moment since which what has passed is counted."""
        return self._began_at

    def not_before(self, moment: int) -> None:
        """Something has happened at that moment already: a machine's clock that is behind it was set back."""
        with self._lock:
            if moment - self._look() > STEP_MS:
                self._began_at = moment - self._elapsed()
                self._look()

    def believe(self) -> int:
        """Somebody says that the machine's clock is right: take it over; by how many milliseconds time moved."""
        with self._lock:
            self._look()
            return self._believe(self.step.differs_ms) if self.step else 0

    def _look(self) -> int:
        """Follow the machine's clock or see that it was stepped; gives the server's time.

        The machine's clock is read between two readings of what has passed, so that a pause in between is no step.
        """
        before, machine, after = self._elapsed(), self._machine(), self._elapsed()
        began_at = min(max(self._began_at, machine - after), machine - before)
        differs_ms = began_at - self._began_at
        if abs(differs_ms) <= STEP_MS:
            self._began_at = began_at
            if self.step is not None:
                self.step = None
                _LOG.warning("the machine's clock is back where it was before it was stepped")
        else:
            self._stepped(differs_ms, after + self._began_at)
        return after + self._began_at

    def _stepped(self, differs_ms: int, now: int) -> None:
        step = self.step
        if step is None or abs(differs_ms - step.differs_ms) > STEP_MS:
            self.step = Step(differs_ms, now)
            self.steps += 1
            _LOG.warning("%s: %s", self.step.says, self.step.to_do)
        elif now - step.since >= step.wait_ms:
            self._believe(differs_ms)
        else:
            self.step = replace(step, differs_ms=differs_ms)

    def _believe(self, differs_ms: int) -> int:
        self._began_at += differs_ms
        self.step = None
        _LOG.warning("the machine's clock is believed: time moved by %.0f s", differs_ms / SECOND_MS)
        return differs_ms
