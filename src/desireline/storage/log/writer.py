"""The one thread that writes: it takes what is waiting, writes it at once, syncs once, then tells everybody."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from desireline.storage.log.disk import Disk
from desireline.storage.log.frames import OPENING, written
from desireline.storage.log.mark import mark_of
from desireline.storage.log.room import Room
from desireline.storage.log.said import LogFull, LogLimits
from desireline.storage.log.shelf import SPARSE_BYTES, Segment, Shelf, name_of
from desireline.vocabulary.errors import Mistake, WorkFailed


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one entry: its sequence once it is on disk, or sequence 0 and why it does not count."""

    token: object
    sequence: int
    error: Exception | None


Tell = Callable[[Sequence[Outcome]], None]


class Order(NamedTuple):
    """One entry that waits to be written."""

    kind: int
    received_at: int
    source: bytes
    meta: bytes
    body: bytes
    token: object
    tell: Tell
    size: int


@dataclass(slots=True)
class _Open:
    """The segment that is being written."""

    file: int
    segment: Segment
    places: list[tuple[int, int]]
    opened_at: float
    end: int = 0


class Writer:
    """Group commit. `put` is called from any thread; everything with an underscore belongs to the writer's thread."""

    def __init__(
        self,
        folder: Path,
        shelf: Shelf,
        disk: Disk,
        limits: LogLimits,
        room: Room,
        *,
        now: Callable[[], int],
        last: int,
        next_sequence: int,
        mark: int,
        rolled: Callable[[], None],
    ) -> None:
        """`last` is the last sequence that counts, `mark` the mark's open file; `rolled` hears of finished segments."""
        self._folder, self._shelf, self._disk, self._limits, self._room = folder, shelf, disk, limits, room
        self._now, self._next, self._mark, self._rolled = now, next_sequence, mark, rolled
        self._turn = threading.Lock()
        self._bell = threading.Event()
        self._queue: list[Order] = []
        self._open: _Open | None = None
        self._closing = False
        self._failures_in_a_row = 0
        self._try_again_at = 0.0
        self.news = threading.Condition()
        self.last = last
        self.waiting_bytes = 0
        self.why_read_only = ""
        self.commits = self.failed_commits = self.failed_tells = self.largest_group = 0
        self.last_commit_seconds = 0.0
        self._thread = threading.Thread(target=self._run, name="log writer", daemon=True)

    def start(self) -> None:
        """Begin to write in the background."""
        self._thread.start()

    def put(self, order: Order) -> None:
        """Let an entry wait for its turn, or refuse it at once."""
        with self._turn:
            if self._closing:
                raise WorkFailed(Mistake("is closed.", "the log", do="Open it again."))
            if self.why_read_only:
                raise self._is_read_only()
            if self.waiting_bytes and self.waiting_bytes + order.size > self._limits.queue_bytes:
                raise LogFull(
                    f"{self.waiting_bytes >> 20} MB wait to be written; more may not.",
                    reason="queue",
                    retry_after_seconds=1,
                    do="Ask again.",
                )
            self._room.take(order.size, waiting_bytes=self.waiting_bytes)
            self._queue.append(order)
            self.waiting_bytes += order.size
        if not self._bell.is_set():
            self._bell.set()

    @property
    def waiting_frames(self) -> int:
        """How many entries wait to be taken."""
        return len(self._queue)

    @property
    def writing(self) -> int:
        """The first sequence of the segment that is being written; 0 for none."""
        current = self._open
        return current.segment.first if current else 0

    def close(self) -> None:
        """Write what waits, then end."""
        with self._turn:
            self._closing = True
        self._bell.set()
        self._thread.join()

    def _run(self) -> None:
        orders: list[Order] = []
        try:
            while not self._closing or self._queue:
                self._bell.wait(self._patience())
                self._bell.clear()
                orders = self._take()
                if orders:
                    self._commit(orders)
                    orders = []
                self._tend()
        except BaseException as error:
            self._read_only_because(f"The writer ended: {error!r}.")
            self._refuse([*orders, *self._take()])
            raise
        finally:
            self._roll()

    def _take(self) -> list[Order]:
        with self._turn:
            orders, self._queue = self._queue, []
        return orders

    def _patience(self) -> float:
        if self.why_read_only:
            return self._limits.retry_seconds
        return min(60.0, self._limits.segment_seconds)

    def _commit(self, orders: list[Order]) -> None:
        if self.why_read_only:
            self._refuse(orders)
            return
        started = self._disk.elapsed()
        try:
            last = self._write(orders)
        except OSError as error:
            outcomes = self._failed(orders, error)
        else:
            first = last - len(orders) + 1
            outcomes = [Outcome(order.token, first + place, None) for place, order in enumerate(orders)]
            self._succeeded(last, group=len(orders), seconds=self._disk.elapsed() - started)
        self._tell(orders, outcomes)

    def _refuse(self, orders: list[Order]) -> None:
        """Answer what was taken before the log became read only."""
        refusal = self._is_read_only()
        self._tell(orders, [Outcome(order.token, 0, refusal) for order in orders])

    def _write(self, orders: list[Order]) -> int:
        """One write, one sync. The sequences are used up whether it goes well or not."""
        first, self._next = self._next, self._next + len(orders)
        current = self._open
        parts: list[bytes] = []
        if current is None:
            current = self._open = self._new_segment(first)
            parts.extend(_opening(current.segment, received_at=self._now()))
        is_new = bool(parts)
        at = current.end + sum(map(len, parts))
        places: list[tuple[int, int]] = []
        for place, order in enumerate(orders):
            parts.extend(_frame(current.segment.seed, first, place, order))
            if not places or at - places[-1][1] >= SPARSE_BYTES:
                places.append((first + place - 1, at))
            at += order.size
        self._disk.write(current.file, b"".join(parts))
        self._disk.sync(current.file)
        if is_new:
            self._disk.sync_folder(self._folder)
            self._shelf.add(current.segment)
        current.end = at
        _add_places(current.places, places)
        self._shelf.grow(last=self._next - 1, end=at)
        return self._next - 1

    def _new_segment(self, first: int) -> _Open:
        seed = self._disk.seed()
        path = self._folder / name_of(first, seed)
        places: list[tuple[int, int]] = []
        segment = Segment(path, first, seed, after=self.last, last=self.last, places=places)
        return _Open(self._disk.create(path), segment, places, self._disk.elapsed())

    def _succeeded(self, last: int, *, group: int, seconds: float) -> None:
        with suppress(OSError):  # an older mark is never wrong, and the entries are on disk
            self._disk.write_over(self._mark, mark_of(last))
        self._failures_in_a_row = 0
        self.commits += 1
        self.largest_group = max(self.largest_group, group)
        self.last_commit_seconds = seconds
        with self.news:
            self.last = last
            self.news.notify_all()

    def _failed(self, orders: list[Order], error: OSError) -> list[Outcome]:
        """Nothing of the group counts. What the disk did with it is unknown, so its file is never touched again."""
        self.failed_commits += 1
        self._failures_in_a_row += 1
        self._abandon()
        if self._failures_in_a_row >= 2:
            self._read_only_because(f"The disk refused twice in a row ({error}).")
        refusal = LogFull(
            f"the disk refused a write ({error}).", reason="disk", retry_after_seconds=1, do="Send it again."
        )
        return [Outcome(order.token, 0, refusal) for order in orders]

    def _tell(self, orders: list[Order], outcomes: list[Outcome]) -> None:
        with self._turn:
            self.waiting_bytes -= sum(order.size for order in orders)
        told: dict[Tell, list[Outcome]] = {}
        for order, outcome in zip(orders, outcomes, strict=True):
            told.setdefault(order.tell, []).append(outcome)
        for tell, group in told.items():
            try:
                tell(group)
            except Exception:  # one listener that is gone must not keep the news from the others
                self.failed_tells += 1

    def _tend(self) -> None:
        """Between commits: roll a segment that is full or old, and try a refusing disk again."""
        current = self._open
        if current is not None:
            age = self._disk.elapsed() - current.opened_at
            if current.end >= self._limits.segment_bytes or age >= self._limits.segment_seconds:
                self._roll()
        if self.why_read_only and not self._closing and self._disk.elapsed() >= self._try_again_at:
            self._heal()

    def _roll(self) -> None:
        """Finish the segment; the next entry begins another."""
        current, self._open = self._open, None
        if current is not None:
            with suppress(OSError):  # what counts in it is on disk
                self._disk.close(current.file)
            self._rolled()

    def _abandon(self) -> None:
        current = self._open
        self._roll()
        if current is not None and current.end == 0:
            with suppress(OSError):  # recovery finds nothing that counts in it
                self._disk.remove(current.segment.path)

    def _read_only_because(self, why: str) -> None:
        with self._turn:
            self.why_read_only = why
        self._try_again_at = self._disk.elapsed() + self._limits.retry_seconds

    def _heal(self) -> None:
        """Try to begin a segment; when the disk takes it, entries are taken again."""
        try:
            self._open = self._new_segment(self._next)
            opening = b"".join(_opening(self._open.segment, received_at=self._now()))
            self._disk.write(self._open.file, opening)
            self._disk.sync(self._open.file)
            self._disk.sync_folder(self._folder)
        except OSError as error:
            self._abandon()
            self._read_only_because(f"The disk still refuses ({error}).")
            return
        self._open.end = len(opening)
        self._shelf.add(self._open.segment)
        self._failures_in_a_row = 0
        with self._turn:
            self.why_read_only = ""

    def _is_read_only(self) -> LogFull:
        return LogFull(
            f"nothing can be written. {self.why_read_only}",
            reason="read only",
            retry_after_seconds=max(1, round(self._limits.retry_seconds)),
            do="Look at the disk; the log tries again by itself.",
        )


def _opening(segment: Segment, *, received_at: int) -> tuple[bytes, ...]:
    meta = json.dumps({"after": segment.after}).encode()
    return written(segment.seed, kind=OPENING, sequence=segment.first, received_at=received_at, meta=meta)


def _frame(seed: int, first: int, place: int, order: Order) -> tuple[bytes, ...]:
    return written(
        seed,
        kind=order.kind,
        place=place,
        sequence=first + place,
        received_at=order.received_at,
        source=order.source,
        meta=order.meta,
        body=order.body,
    )


def _add_places(places: list[tuple[int, int]], more: list[tuple[int, int]]) -> None:
    for place in more:
        if not places or place[1] - places[-1][1] >= SPARSE_BYTES:
            places.append(place)
