"""Which state of the project pages see: read anew when it changed, and not at each page while it changes all the time.

Reading a large project anew costs seconds. As long as nothing comes in live, a page waits for it. Once
interactions come in second by second, pages show the state read last, say as of when, and a newer one is
read beside them: with what people look at made ready before anybody sees it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from desireline.faces.web.now import Now, settled_stamp_of, stamp_of
from desireline.vocabulary.errors import DesirelineError

PATIENCE_SECONDS = 3.0
"""So long a page waits for the newest state while it is read; then it shows the one before."""
FRESH_SECONDS = 2.0
"""Live: a state younger than this is shown as it is."""
REST_SHARE = 5.0
"""Live: after reading anew, that much longer than it took nothing is read again, so that work goes on beside it."""
LONGEST_REST_SECONDS = 30.0
OLDEST_SECONDS = 45.0
"""Live: an older state is not shown when a newer one can be had: its files go a minute after they were merged."""
LOOK_SECONDS = 0.5
"""Live: so often it is looked whether an import or a map changed."""


class Latest:
    """The state of one project that pages see.

    prepare: makes ready in a new state what was asked of the one before, for as long as nobody waits for it.
    marker: the number of the latest event of live work.
    """

    def __init__(
        self,
        project: Any,
        *,
        prepare: Callable[[Now], None] = lambda _now: None,
        marker: Callable[[], int] = lambda: 0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.project = project
        self.marker = marker
        self._prepare = prepare
        self._monotonic = monotonic
        self._turn = threading.Lock()
        self._now: Now | None = None
        self._read_at = 0.0
        self._rest_until = 0.0
        self._looked_at = 0.0
        self._awaited = 0
        self._renewing: threading.Thread | None = None

    @property
    def now(self) -> Now:
        """The state to show: of this moment, or live of some seconds ago."""
        known = self._now
        if known is None:
            return self._first()
        if self._outdated(known):
            self._renew()
            self._wait(PATIENCE_SECONDS)
        elif self.project.is_live and self._monotonic() > max(self._read_at + FRESH_SECONDS, self._rest_until):
            self._renew()
        assert self._now is not None
        return self._now

    def at_most(self, seconds: float) -> Now:
        """The state read last, if it is not older; for what lies in memory, so that nothing is read on its account."""
        known = self._now
        return known if known is not None and self._monotonic() < self._read_at + seconds else self.now

    def renewed(self) -> Now:
        """The state of this moment, if it can be had without trying anybody's patience."""
        asked_at = self._monotonic()
        self._first()
        if self._read_at < asked_at:
            self._renew()
            self._wait(PATIENCE_SECONDS)
        assert self._now is not None
        return self._now

    def close(self) -> None:
        """Let go of what was read."""
        with self._turn:
            if self._now is not None:
                self._now.close()
                self._now = None

    def _outdated(self, known: Now) -> bool:
        """Whether a page should rather wait than show this."""
        if not self.project.is_live:
            return known.stamp != stamp_of(self.project)
        moment = self._monotonic()
        if moment > self._read_at + OLDEST_SECONDS:
            return True
        if moment < self._looked_at + LOOK_SECONDS:
            return False
        self._looked_at = moment
        return known.settled_stamp != settled_stamp_of(self.project)

    def _first(self) -> Now:
        with self._turn:
            if self._now is None:
                self._read_at = self._monotonic()
                self._now = Now(self.project, number=self.marker())
            return self._now

    def _renew(self) -> None:
        renewing = self._renewing
        if renewing is None or not renewing.is_alive():
            self._renewing = threading.Thread(target=self._try_anew, name="look again", daemon=True)
            self._renewing.start()

    def _wait(self, seconds: float) -> None:
        renewing = self._renewing
        if renewing is not None:
            self._awaited += 1
            renewing.join(seconds)
            self._awaited -= 1

    def _try_anew(self) -> None:
        """While a map has a mistake nothing can be read anew: pages keep what they had, and the strip says why."""
        with suppress(DesirelineError):
            self._read_anew()

    def _read_anew(self) -> None:
        with self._turn:
            before, began = self._now, self._monotonic()
            if before is not None and before.stamp == stamp_of(self.project) and not self.project.is_live:
                return
            made = Now(self.project, before=before, number=self.marker())
            if self.project.is_live and not self._awaited and began < self._read_at + OLDEST_SECONDS:
                self._prepare(made)
            self._now, self._read_at = made, began
            self._rest_until = began + min(LONGEST_REST_SECONDS, (self._monotonic() - began) * REST_SHARE)
