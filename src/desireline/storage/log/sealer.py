"""Sealing: a finished segment is checked, summed up and packed, in the background and without haste.

The thread is not made nicer than the others: one that is put aside while it holds the interpreter's lock keeps them
all waiting (measured: the collector's 99.9th percentile was three times as long). It rests after each block instead.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from desireline.storage.log.disk import Disk
from desireline.storage.log.packed import BLOCK_BYTES
from desireline.storage.log.packing import NotSealed, pack, pack_anew, sum_of
from desireline.storage.log.reading import Report, entries
from desireline.storage.log.recovery import PART
from desireline.storage.log.room import Room
from desireline.storage.log.said import LogFull, LogLimits
from desireline.storage.log.shelf import Segment, Shelf, named
from desireline.storage.log.waiting import Waiting

_LONGEST_REST_SECONDS = 0.05


class Stopped(Exception):
    """The log is being closed; the segment will be packed another time."""


class Sealer:
    """The background thread that seals segments and looks after the ballast."""

    def __init__(
        self,
        shelf: Shelf,
        disk: Disk,
        limits: LogLimits,
        room: Room,
        waiting: Waiting,
        *,
        writing: Callable[[], int],
        report: Report,
    ) -> None:
        """`writing()` is the first sequence of the segment that is being written, 0 for none; damage is reported."""
        self._shelf, self._disk, self._limits, self._room = shelf, disk, limits, room
        self._waiting, self._writing, self._report = waiting, writing, report
        self._bell = threading.Event()
        self._stop = threading.Event()
        self._left: set[int] = set()
        self._to_mend: deque[int] = deque()
        self._rested_at = 0.0
        self.why_not = ""
        self._thread = threading.Thread(target=self._run, name="log sealer", daemon=True)

    def start(self) -> None:
        """Begin to work in the background."""
        self._thread.start()

    def ring(self) -> None:
        """There may be something to seal."""
        self._bell.set()

    def mend(self, segment: str) -> None:
        """Let a packed segment, by its name, be packed anew."""
        found = named(Path(segment))
        if found is not None and found.packed:
            self._to_mend.append(found.first)
            self.ring()

    def close(self) -> None:
        """Stop soon; a segment that is half packed is left plain."""
        self._stop.set()
        self._bell.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._lay_ballast()
                self.seal_all()
                self._mend_all()
                self.why_not = ""
            except Stopped:
                return
            except (OSError, LogFull) as error:
                self.why_not = str(error)
            except BaseException as error:
                self.why_not = f"The sealer ended: {error!r}."
                raise
            self._bell.wait(self._limits.retry_seconds)
            self._bell.clear()

    def _lay_ballast(self) -> None:
        """Lay the ballast down where there is room for it and as much again."""
        size = self._room.ballast_wanted_bytes
        if size:
            with suppress(LogFull), self._waiting.room_for(size, leaving_bytes=size):
                self._room.lay_ballast(size)

    def seal_all(self) -> None:
        """Seal every finished segment, the oldest first."""
        if not self._limits.seal:
            return
        for first in [segment.first for segment in self._shelf.segments]:
            if first == self._writing() or first in self._left:
                continue
            segment = self._shelf.beginning(first)  # asked for now, when it is known to grow no more
            if segment.packed:
                continue
            try:
                size = segment.end + 2 * BLOCK_BYTES
                with self._waiting.room_for(size, leaving_bytes=self._limits.queue_bytes):
                    self._seal(segment)
            except NotSealed:
                self._left.add(first)
                for _ in entries(segment, after=first - 1, until=segment.last, report=self._report):
                    pass  # reading it once tells what is missing

    def _seal(self, segment: Segment) -> None:
        before = [each for each in self._shelf.segments if each.packed and each.first < segment.first]
        target = segment.path.with_name(segment.path.name + ".zst")
        with self._replacing(target) as part:
            pack(segment, part, self._disk, previous=sum_of(before[-1]) if before else "", going_on=self._rest)
            assert self._shelf.beginning(segment.first) is segment, "it grew while it was sealed"
        self._shelf.exchange(replace(segment, path=target, packed=True, places=(), contents=None))
        self._disk.remove(segment.path)

    def _mend_all(self) -> None:
        """Pack anew what was read with the help of its parity, so that the next damage finds it whole."""
        while self._to_mend:
            segment = self._shelf.beginning(self._to_mend[0])
            size = segment.path.stat().st_size
            with (
                suppress(NotSealed),
                self._waiting.room_for(size, leaving_bytes=self._limits.queue_bytes),
                self._replacing(segment.path) as part,
            ):
                pack_anew(segment, part, self._disk, going_on=self._rest)
            self._to_mend.popleft()

    @contextmanager
    def _replacing(self, target: Path) -> Iterator[Path]:
        """A file to write; when the block ends well it takes its place on disk, otherwise it is removed."""
        part = target.with_name(target.name + PART)
        self._rested_at = self._disk.elapsed()
        try:
            yield part
            self._disk.rename(part, target)
        except BaseException:
            with suppress(OSError):
                self._disk.remove(part)
            raise
        self._disk.sync_folder(target.parent)

    def _rest(self) -> None:
        """Rest for as long as the last block took, so that half of the time at least is left to others."""
        took = max(0.0, self._disk.elapsed() - self._rested_at)
        if self._stop.wait(min(took, _LONGEST_REST_SECONDS)):
            raise Stopped
        self._rested_at = self._disk.elapsed()
