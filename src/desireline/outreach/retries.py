"""How often and how fast: waits between tries, a steady pace, a budget for tries again, and a breaker per listener.

Frozen values: what happens makes the next one. Moments and lengths of time are milliseconds.
Method: exponential back-off with jitter (Brooker, AWS Architecture Blog, 2015); retry budget and
circuit breaker (Beyer et al., Site Reliability Engineering, 2016, chapters 21 and 22; Nygard, Release It!, 2007).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC
from email.utils import parsedate_to_datetime

TIMEOUT_SECONDS = 10.0
"""No try takes longer than this."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Every queue, wait and retry of outreach has a stated limit; these are they."""

    most_attempts: int = 20
    patience: int = 3 * 86_400_000
    """A message not told within this time from its first try is a dead letter."""
    first_wait: int = 5_000
    longest_wait: int = 4 * 3_600_000
    longest_asked_wait: int = 24 * 3_600_000
    """However long a Retry-After asks us to wait."""
    failures_to_open: int = 5
    failing_to_open: int = 20_000
    """The breaker opens after so many failures in a row, or after failing for so long: within 30 s."""
    open_first: int = 30_000
    open_longest: int = 300_000
    retry_share: float = 0.1
    """Tries again are at most this share of first tries ..."""
    retries_saved: float = 10.0
    retry_every: int = 30_000
    """... but one in this time is always allowed, so that nothing waits for ever."""
    most_waiting: int = 200_000
    """Beyond so many waiting for one listener, what comes is a dead letter at once: on record, to be retried."""
    singles_a_minute: int = 5
    """So many mails a minute are sent by themselves; those beyond are gathered in one."""
    gather: int = 60_000
    tell_within: int = 24 * 3_600_000
    """What happened longer ago is history: it stands in the ledger and is not told."""
    keep_told: int = 30 * 86_400_000
    forget_every: int = 3_600_000
    due_soon_within: int = 30 * 60_000
    """A promise falls due soon when it does so within this time ..."""
    due_soon_every: int = 60_000
    """... and so often it is asked which ones do, while somebody listens for it."""


def wait_before_next(attempts: int, *, chance: float, limits: Limits, asked: int | None = None) -> int:
    """How long to wait after a try that failed: doubled each time, between half and all of it, never less than asked.

    chance: a number from 0 to 1 that spreads the tries.

    >>> wait_before_next(1, chance=1.0, limits=Limits()), wait_before_next(3, chance=0.0, limits=Limits())
    (5000, 10000)
    """
    doublings = min(attempts - 1, 40)
    whole = min(limits.longest_wait, limits.first_wait << doublings)
    wait = round(whole * (0.5 + 0.5 * chance))
    return max(wait, min(asked or 0, limits.longest_asked_wait))


def asked_wait(retry_after: str, *, now: int) -> int | None:
    """What a Retry-After header asks for: seconds or a date; `None` when it says nothing understandable.

    >>> asked_wait("120", now=0), asked_wait("soon", now=0)
    (120000, None)
    """
    text = retry_after.strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return int(text) * 1_000
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0, int(moment.timestamp() * 1_000) - now)


@dataclass(frozen=True, slots=True)
class Pace:
    """Never more than so many messages a second, evenly: after a pause there is no rush."""

    every: int
    free_at: int = 0

    def sent(self, now: int) -> Pace:
        """After a message."""
        return replace(self, free_at=now + self.every)

    def pause(self, until: int) -> Pace:
        """The listener asked us to wait."""
        return replace(self, free_at=max(self.free_at, until))


@dataclass(frozen=True, slots=True)
class Breaker:
    """Leaves a listener that fails alone for a while; then one message tries whether it is back."""

    limits: Limits
    failures: int = 0
    failing_since: int | None = None
    openings: int = 0
    open_until: int = 0

    def failed(self, *, started: int, now: int, chance: float) -> Breaker:
        """After a try that began at `started` and failed now."""
        since = started if self.failing_since is None else self.failing_since
        failures = self.failures + 1
        tripped = failures >= self.limits.failures_to_open or (
            failures > 1 and now - since >= self.limits.failing_to_open
        )
        if not tripped and not self.openings:
            return replace(self, failures=failures, failing_since=since)
        length = min(self.limits.open_longest, self.limits.open_first * 2 ** min(self.openings, 20))
        until = now + round(length * (0.75 + 0.25 * chance))
        return replace(self, failures=failures, failing_since=since, openings=self.openings + 1, open_until=until)

    def succeeded(self) -> Breaker:
        """After a try that was answered well."""
        return Breaker(self.limits)

    def says(self, now: int) -> str:
        """'closed' when all is well, 'open' while it is left alone, 'trying' when one message may try."""
        if not self.openings:
            return "closed"
        return "open" if now < self.open_until else "trying"


@dataclass(frozen=True, slots=True)
class Budget:
    """How many tries again are allowed now: a share of the first tries, and one every so often."""

    limits: Limits
    saved: float
    counted_at: int

    @classmethod
    def full(cls, limits: Limits, now: int) -> Budget:
        """At the beginning one try again is allowed."""
        return cls(limits, 1.0, now)

    def at(self, now: int) -> Budget:
        """The budget with what time has added; never more by time than one."""
        passed = max(0, now - self.counted_at)
        saved = self.saved if self.saved >= 1.0 else min(1.0, self.saved + passed / self.limits.retry_every)
        return replace(self, saved=saved, counted_at=now)

    def tried(self, *, first: bool) -> Budget:
        """After a try: a first one adds, one again takes away."""
        change = self.limits.retry_share if first else -1.0
        return replace(self, saved=max(0.0, min(self.limits.retries_saved, self.saved + change)))

    def allows_again(self) -> bool:
        """Whether a try again is allowed now."""
        return self.saved >= 1.0 - 1e-9

    def allowed_at(self) -> int:
        """When time alone will have added enough."""
        return self.counted_at + max(0, round((1.0 - self.saved) * self.limits.retry_every))
