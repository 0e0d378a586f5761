"""One mailbox, fetched for as long as it is wanted: at once where its server tells, else every so often."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable

from desireline.intake.mail.condition import Around, Condition, Keep, keep_safely, pause_seconds
from desireline.intake.mail.imap import Connection, Mark, Reached, password_of
from desireline.intake.mail.mail_faults import Fault, fault_of
from desireline.intake.mail.receiver import Take
from desireline.intake.mail.ways import Mailbox

LOOK_EVERY_SECONDS = 30.0
"""So often a mailbox is looked into whose server cannot tell."""
LOOK_AGAIN_SECONDS = 60.0
"""So often at least one whose server can: a connection that died in silence is noticed by it."""
HANGS_SECONDS = 600.0
"""A look into a mailbox that brings nothing for so long is cut off."""


class Fetching:
    """Fetches one mailbox from a thread of its own (`run`), whatever becomes of others.

    take: returns when a letter lies in the log. mark: remembers how far we came. keep: hears how it stands whenever
    that changes. A fault is told in `condition` and tried again more and more seldom; `look_now` tries at once, `stop`
    ends, `cut` ends without waiting for the server.
    """

    def __init__(
        self, condition: Condition, mailbox: Mailbox, take: Take, mark: Mark, *, around: Around, keep: Keep
    ) -> None:
        self.way = mailbox
        self.condition = condition
        self._take, self._mark, self._keep, self._around = take, mark, keep, around
        self._failed: Counter[int] = Counter()
        self._bell = threading.Event()
        self._ending = threading.Event()
        self._connection: Connection | None = None
        self._busy_since: float | None = None

    def run(self) -> None:
        """Fetch until stopped."""
        while not self._ending.is_set():
            password = ""
            try:
                password = password_of(self.way, self._around.environment)
                self._busy_since = self._around.monotonic()
                self._stay(password)
            except Exception as error:
                if not self._ending.is_set():
                    self._rest_after(fault_of(error, self.way, password=password), type(error).__name__)

    def fetch_once(self) -> int:
        """Fetch what is new now and hang up; says how many letters that were. Raises when that fails."""
        connection = self._connect(password_of(self.way, self._around.environment))
        try:
            return self._look(connection)
        finally:
            connection.close()

    def look_now(self) -> None:
        """Look into the mailbox now, also while a fault is waited out. From any thread."""
        self._bell.set()

    def stop(self) -> None:
        """End soon: a letter at hand is brought into the log, and the server is told goodbye. From any thread."""
        self._ending.set()
        self._bell.set()

    def cut(self) -> None:
        """Hang up on a server that does not answer. From any thread."""
        connection = self._connection
        if connection is not None:
            connection.cut()

    def hangs(self) -> bool:
        """Whether the server kept us waiting for so long that it must be cut off."""
        since = self._busy_since
        return since is not None and self._around.monotonic() - since > HANGS_SECONDS

    def _connect(self, password: str) -> Connection:
        return Connection(self.way, password=password, silence_seconds=self._around.silence_seconds)

    def _stay(self, password: str) -> None:
        connection = self._connection = self._connect(password)
        try:
            while not self._ending.is_set():
                self._look(connection)
                self._wait(connection)
        finally:
            self._connection = None
            self._busy_since = None
            connection.close()

    def _look(self, connection: Connection) -> int:
        taken = 0
        while new := connection.fetch(
            self._took, _Counting(self._mark, self._add), failed=self._failed, go_on=self._go_on
        ):
            taken += new
        self._set(self.condition.looked(self._around.now()))
        return taken

    def _wait(self, connection: Connection) -> None:
        until = self._around.monotonic() + (LOOK_AGAIN_SECONDS if connection.tells else LOOK_EVERY_SECONDS)
        self._busy_since = None
        if connection.tells:
            connection.wait(lambda: self._bell.is_set() or self._around.monotonic() > until)
        else:
            self._bell.wait(LOOK_EVERY_SECONDS)
        self._bell.clear()
        self._busy_since = self._around.monotonic()

    def _rest_after(self, fault: Fault, kind: str) -> None:
        self._busy_since = None
        before = self.condition
        self._set(before.failed(fault, self._around.now()))
        if self.condition.is_failing and not before.is_failing:
            logging.getLogger("desireline.mail").warning(
                "letters cannot be fetched, which is tried again (%s): see /ready",
                kind,
                extra={"source": before.source},
            )
        self._bell.wait(pause_seconds(self.condition.tries, passes=fault.passes, chance=self._around.chance()))
        self._bell.clear()

    def _took(self, raw: bytes) -> None:
        self._take(raw)
        self._busy_since = self._around.monotonic()

    def _add(self, letters: int) -> None:
        self.condition = self.condition.took(letters, self._around.now())

    def _go_on(self) -> bool:
        return not self._ending.is_set()

    def _set(self, condition: Condition) -> None:
        self.condition = condition
        keep_safely(self._keep, condition)


class _Counting:
    """A mark that tells how many letters it was told of."""

    def __init__(self, mark: Mark, tell: Callable[[int], None]) -> None:
        self._mark = mark
        self._tell = tell

    def reached(self) -> Reached:
        return self._mark.reached()

    def reach(self, reached: Reached, *, letters: int) -> None:
        self._mark.reach(reached, letters=letters)
        self._tell(letters)
