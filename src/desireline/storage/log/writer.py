"""The one thread that writes: it takes what is waiting, writes it at once, syncs once, then tells everybody."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from desireline.storage.log.disk import Disk
from desireline.storage.log.mark import mark_of
from desireline.storage.log.said import LogFull, LogLimits
from desireline.storage.log.segment_writer import SegmentWriter
from desireline.storage.log.shelf import Shelf
from desireline.storage.log.waiting import Order, Outcome, Tell, Waiting

_LONGEST_PATIENCE_SECONDS = 60.0


class Writer:
    """Group commit. Everything with an underscore belongs to the writer's own thread."""

    def __init__(
        self,
        folder: Path,
        waiting: Waiting,
        shelf: Shelf,
        disk: Disk,
        limits: LogLimits,
        *,
        now: Callable[[], int],
        last: int,
        counted: int,
        next_sequence: int,
        mark: int,
        rolled: Callable[[], None],
    ) -> None:
        """`last` can be read and `counted` was acknowledged last; `rolled` hears of finished segments.

        The two differ when the log lost its end. `mark` is the mark's open file.
        """
        self._folder, self._waiting, self._shelf, self._disk, self._limits = folder, waiting, shelf, disk, limits
        self._now, self._next, self._mark, self._rolled = now, next_sequence, mark, rolled
        self._current: SegmentWriter | None = None
        self._failures_in_a_row = 0
        self._try_again_at = 0.0
        self.news = threading.Condition()
        self.last, self._counted = last, counted
        self.commits = self.failed_commits = self.failed_tells = self.largest_group = 0
        self.last_commit_seconds = 0.0
        self._thread = threading.Thread(target=self._run, name="log writer", daemon=True)

    def start(self) -> None:
        """Begin to write in the background."""
        self._thread.start()

    @property
    def writing(self) -> int:
        """The first sequence of the segment that is being written; 0 for none."""
        current = self._current
        return current.segment.first if current else 0

    def close(self) -> None:
        """Write what waits, then end."""
        self._waiting.close()
        self._thread.join()

    def _run(self) -> None:
        orders: list[Order] = []
        try:
            while not self._waiting.closing or len(self._waiting):
                orders = self._waiting.take(patience_seconds=self._patience())
                if orders:
                    self._commit(orders)
                    orders = []
                self._tend()
        except BaseException as error:
            self._waiting.refuse_all(f"The writer ended: {error!r}.")
            self._refuse([*orders, *self._waiting.take(patience_seconds=0)], self._waiting.read_only())
            raise
        finally:
            self._roll()

    def _patience(self) -> float:
        if self._waiting.why_read_only:
            return self._limits.retry_seconds
        return min(_LONGEST_PATIENCE_SECONDS, self._limits.segment_seconds)

    def _commit(self, orders: list[Order]) -> None:
        """One group: one write, one sync. Its sequences are used up whether it goes well or not."""
        if self._waiting.why_read_only:
            self._refuse(orders, self._waiting.read_only())
            return
        started = self._disk.elapsed()
        first, self._next = self._next, self._next + len(orders)
        try:
            self._write(first, orders)
        except OSError as error:
            self._failed(orders, error)
            return
        outcomes = [Outcome(order.token, first + place, None) for place, order in enumerate(orders)]
        self._succeeded(self._next - 1, group=len(orders), seconds=self._disk.elapsed() - started)
        self._tell(orders, outcomes)

    def _write(self, first: int, orders: Sequence[Order]) -> None:
        """Add a group to the current segment, or to a new one."""
        current = self._current
        if current is None:
            current = self._current = SegmentWriter(
                self._folder, self._disk, first=first, after=self._counted, opened_at=self._now()
            )
        is_new = current.is_new
        current.add(first, orders)
        if is_new:
            self._shelf.add(current.segment)
        else:
            self._shelf.grow(current.segment)

    def _succeeded(self, last: int, *, group: int, seconds: float) -> None:
        with suppress(OSError):  # an older mark is never wrong, and the entries are on disk
            self._disk.write_over(self._mark, mark_of(last))
        self._failures_in_a_row = 0
        self.commits += 1
        self.largest_group = max(self.largest_group, group)
        self.last_commit_seconds = seconds
        self._counted = last
        with self.news:
            self.last = last
            self.news.notify_all()

    def _failed(self, orders: list[Order], error: OSError) -> None:
        """Nothing of the group counts. What the disk did with it is unknown, so its file is never touched again."""
        self.failed_commits += 1
        self._failures_in_a_row += 1
        self._abandon()
        if self._failures_in_a_row >= 2:
            self._wait_for_disk(f"The disk refused twice in a row ({error}).")
        refusal = LogFull(
            f"the disk refused a write ({error}).", reason="disk", retry_after_seconds=1, do="Send it again."
        )
        self._refuse(orders, refusal)

    def _refuse(self, orders: list[Order], refusal: LogFull) -> None:
        self._tell(orders, [Outcome(order.token, 0, refusal) for order in orders])

    def _tell(self, orders: list[Order], outcomes: list[Outcome]) -> None:
        self._waiting.done(orders)
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
        current = self._current
        if current is not None:
            age = self._disk.elapsed() - current.started
            if current.segment.end >= self._limits.segment_bytes or age >= self._limits.segment_seconds:
                self._roll()
        is_waiting = bool(self._waiting.why_read_only) and not self._waiting.closing
        if is_waiting and self._disk.elapsed() >= self._try_again_at:
            self._heal()

    def _roll(self) -> None:
        """Finish the segment; the next entry begins another."""
        current, self._current = self._current, None
        if current is not None:
            current.close()
            self._rolled()

    def _abandon(self) -> None:
        current, self._current = self._current, None
        if current is not None:
            current.abandon()
            self._rolled()

    def _wait_for_disk(self, why: str) -> None:
        self._waiting.refuse_all(why)
        self._try_again_at = self._disk.elapsed() + self._limits.retry_seconds

    def _heal(self) -> None:
        """Try to begin a segment; when the disk takes it, entries are taken again."""
        try:
            self._write(self._next, ())
        except OSError as error:
            self._abandon()
            self._wait_for_disk(f"The disk still refuses ({error}).")
            return
        self._failures_in_a_row = 0
        self._waiting.refuse_all("")
