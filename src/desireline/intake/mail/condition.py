"""How it stands with the letters of a source: when it was looked for some, how many came, what is wrong."""

from __future__ import annotations

import logging
import os
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from desireline.intake.mail.mail_faults import Fault

FIRST_PAUSE_SECONDS = 5.0
FIRST_PAUSE_OF_A_REFUSAL_SECONDS = 60.0
"""Whoever is not let in waits longer: servers lock a mailbox at which a wrong password is tried again and again."""
LONGEST_PAUSE_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Around:
    """What surrounds whoever brings letters in: the environment, the clocks, chance.

    now: milliseconds UTC. monotonic: seconds. chance: a number from 0 to 1. silence_seconds: a server that says nothing
    for so long is given up.
    """

    now: Callable[[], int]
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    monotonic: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random
    silence_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Condition:
    """What is known of the letters of one source. Moments are milliseconds UTC.

    place: the mailbox, or where it listens. looked_at: when the mailbox was last read without a fault, or listening
    began. letters: how many lie in the log. failing_since, fault, do: since when and why none come in, and what to do;
    `None` and empty while all is well. A connection that broke off once is no news: it is told from the second try on.
    """

    source: str
    place: str
    looked_at: int | None = None
    letters: int = 0
    letter_at: int | None = None
    failing_since: int | None = None
    tries: int = 0
    fault: str = ""
    do: str = ""

    @property
    def is_failing(self) -> bool:
        """Whether somebody should know that no letters come in."""
        return self.failing_since is not None

    def looked(self, now: int) -> Condition:
        """The mailbox was read, or listening began."""
        return replace(self, looked_at=now, failing_since=None, tries=0, fault="", do="")

    def took(self, letters: int, now: int) -> Condition:
        """So many letters more lie in the log."""
        return replace(self, letters=self.letters + letters, letter_at=now if letters else self.letter_at)

    def failed(self, fault: Fault, now: int) -> Condition:
        """A try failed."""
        tries = self.tries + 1
        if fault.passes and tries < 2:
            return replace(self, tries=tries)
        return replace(self, tries=tries, failing_since=self.failing_since or now, fault=fault.what, do=fault.do)


Keep = Callable[[Condition], None]
"""Hears how it stands with the letters of a source, whenever that changes."""


def keep_safely(keep: Keep, condition: Condition) -> None:
    """Tell how it stands; letters come in also when that cannot be written down."""
    try:
        keep(condition)
    except Exception as error:
        says = "how it stands with a mailbox could not be written down (%s)"
        logging.getLogger("desireline.mail").warning(says, type(error).__name__, extra={"source": condition.source})


def pause_seconds(tries: int, *, passes: bool, chance: float) -> float:
    """How long to wait after so many tries that failed: doubled each time, between half and all of it.

    chance: a number from 0 to 1 that spreads the tries of several mailboxes.
    Method: exponential back-off with jitter (Brooker, AWS Architecture Blog, 2015).

    >>> pause_seconds(1, passes=True, chance=1.0), pause_seconds(3, passes=True, chance=0.0)
    (5.0, 10.0)
    """
    first = FIRST_PAUSE_SECONDS if passes else FIRST_PAUSE_OF_A_REFUSAL_SECONDS
    whole = min(LONGEST_PAUSE_SECONDS, first * 2.0 ** min(max(tries, 1) - 1, 20))
    return whole * (0.5 + 0.5 * chance)
