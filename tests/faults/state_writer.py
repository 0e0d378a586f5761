"""Somebody who writes to a state store in a server all the while, whatever happens to the server."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from sqlalchemy import Connection, insert

from desireline.storage.progress_book import ProgressBook
from desireline.storage.state import Patience, State
from desireline.storage.state_tables import SEEN
from state_versions import rows

PATIENT = Patience(silence_seconds=1.0)


class Writer:
    """Writes 1, 2, 3, ... with the progress, in a thread, until it is told to stop; never says a number twice."""

    def __init__(self, address: str) -> None:
        self.state = State(address, patience=PATIENT)
        self.confirmed = 0
        self.failed: BaseException | None = None
        self._progress, self._stop = ProgressBook(self.state), threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def _write(self) -> None:
        try:
            while not self._stop.is_set():
                number = self.confirmed + 1
                self.state.carry_out(lambda connection, number=number: self._write_one(connection, number))
                self.confirmed = number
        except BaseException as error:
            self.failed = error

    def _write_one(self, connection: Connection, number: int) -> None:
        connection.execute(insert(SEEN).values(id=number, content=number, sequence=number))
        self._progress.reach("live", number)

    def goes_on(self) -> None:
        """Return when ten more numbers are confirmed."""
        wanted = self.confirmed + 10
        until(lambda: self.confirmed >= wanted or self.failed is not None)
        assert self.failed is None, self.failed

    def stop(self) -> int:
        self._stop.set()
        self._thread.join(timeout=60)
        assert self.failed is None, self.failed
        return self.confirmed


def until(what: Callable[[], bool], *, seconds: float = 60.0) -> None:
    give_up_at = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < give_up_at, "it never came to that"
        time.sleep(0.01)


def everything_is_there_once(address: str, confirmed: int) -> None:
    assert rows(address, "SELECT count(*), min(id), max(id) FROM seen") == [(confirmed, 1, confirmed)]
    assert rows(address, "SELECT sequence FROM progress") == [(confirmed,)]
