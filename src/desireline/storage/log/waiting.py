"""What waits to be written: a queue bounded in bytes that takes an entry at once or refuses it at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from desireline.storage.log.room import Room
from desireline.storage.log.said import LogFull, LogLimits
from desireline.vocabulary.errors import Mistake, WorkFailed


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one entry: its sequence once it is on disk, or sequence 0 and why it does not count."""

    token: object
    sequence: int
    error: Exception | None


Tell = Callable[[Sequence[Outcome]], None]


class Order(NamedTuple):
    """One entry that waits to be written, and who wants to hear of it."""

    kind: int
    received_at: int
    source: bytes
    meta: bytes
    body: bytes
    token: object
    tell: Tell
    size: int


class Waiting:
    """The queue between everybody who submits and the one writer. Bytes count until they are told about."""

    def __init__(self, limits: LogLimits, room: Room) -> None:
        self._limits, self._room = limits, room
        self._turn = threading.Lock()
        self._bell = threading.Event()
        self._orders: list[Order] = []
        self.bytes = 0
        self.closing = False
        self.why_read_only = ""

    def put(self, order: Order) -> None:
        """Let an entry wait for its turn, or refuse it."""
        with self._turn:
            if self.closing:
                raise WorkFailed(Mistake("is closed.", "the log", do="Open it again."))
            if self.why_read_only:
                raise self.read_only()
            if self.bytes and self.bytes + order.size > self._limits.queue_bytes:
                raise self._is_full()
            self._room.take(order.size, waiting_bytes=self.bytes)
            self._orders.append(order)
            self.bytes += order.size
        if not self._bell.is_set():
            self._bell.set()

    def take(self, *, patience_seconds: float) -> list[Order]:
        """Everything that waits; when nothing does, wait for it no longer than this."""
        self._bell.wait(patience_seconds)
        self._bell.clear()
        with self._turn:
            orders, self._orders = self._orders, []
        return orders

    def done(self, orders: Sequence[Order]) -> None:
        """These do not wait any longer."""
        with self._turn:
            self.bytes -= sum(order.size for order in orders)

    def close(self) -> None:
        """Take nothing more."""
        with self._turn:
            self.closing = True
        self._bell.set()

    def refuse_all(self, why: str) -> None:
        """Be read only; with an empty reason, take entries again."""
        with self._turn:
            self.why_read_only = why

    def look_at_disk(self) -> None:
        """Find out now how much room there is."""
        with self._turn:
            self._room.look(waiting_bytes=self.bytes)

    @contextmanager
    def room_for(self, size_bytes: int, *, leaving_bytes: int = 0) -> Iterator[None]:
        """Promise room on the disk to something large while the block runs, or refuse it with LogFull.

        `leaving_bytes` must then still be there for entries.
        """
        with self._turn:
            self._room.look(waiting_bytes=self.bytes)
            self._room.promise(size_bytes, leaving_bytes=leaving_bytes)
        try:
            yield
        finally:
            with self._turn:
                self._room.give_back(size_bytes)

    def __len__(self) -> int:
        return len(self._orders)

    def _is_full(self) -> LogFull:
        return LogFull(
            f"{self.bytes >> 20} MB wait to be written; more may not.",
            reason="queue",
            retry_after_seconds=1,
            do="Ask again.",
        )

    def read_only(self) -> LogFull:
        """The refusal of a log that cannot write."""
        return LogFull(
            f"nothing can be written. {self.why_read_only}",
            reason="read only",
            retry_after_seconds=max(1, round(self._limits.retry_seconds)),
            do="Look at the disk; the log tries again by itself.",
        )
