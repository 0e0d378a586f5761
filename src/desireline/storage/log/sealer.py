"""Sealing: a finished segment is checked, summed up and packed, in the background and without haste."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from desireline.storage.log.disk import Disk
from desireline.storage.log.frames import OPENING, Hole, Piece, pieces
from desireline.storage.log.looking import opened
from desireline.storage.log.packed import BLOCK_BYTES, Footer, Index, Packer, plain_blocks, read_index
from desireline.storage.log.reading import Report, entries
from desireline.storage.log.recovery import PART
from desireline.storage.log.room import Room
from desireline.storage.log.said import LogFull, LogLimits
from desireline.storage.log.shelf import Segment, Shelf
from desireline.storage.log.waiting import Waiting

_GENTLE = 10
"""How much nicer than the rest of the process the sealing thread is."""


class Stopped(Exception):
    """The log is being closed; the segment will be sealed another time."""


class NotSealed(Exception):
    """The segment cannot be sealed: it is damaged and stays as it is."""


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
        self.why_not = ""
        self._thread = threading.Thread(target=self._run, name="log sealer", daemon=True)

    def start(self) -> None:
        """Begin to work in the background."""
        self._thread.start()

    def ring(self) -> None:
        """There may be something to seal."""
        self._bell.set()

    def close(self) -> None:
        """Stop soon; a segment that is half packed is left plain."""
        self._stop.set()
        self._bell.set()
        self._thread.join()

    def _run(self) -> None:
        with suppress(OSError):  # only Linux lets a thread be nice by itself
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _GENTLE)
        while not self._stop.is_set():
            try:
                self._lay_ballast()
                self.seal_all()
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
        part = target.with_name(target.name + PART)
        try:
            pack(segment, part, self._disk, previous=_sum_of(before[-1]) if before else "", stopped=self._stop.is_set)
            assert self._shelf.beginning(segment.first) is segment, "it grew while it was sealed"
            self._disk.rename(part, target)
        except BaseException:
            with suppress(OSError):
                self._disk.remove(part)
            raise
        self._disk.sync_folder(target.parent)
        self._shelf.exchange(replace(segment, path=target, packed=True, places=()))
        self._disk.remove(segment.path)


def _sum_of(segment: Segment) -> str:
    with opened(segment.path) as read_at:
        index = read_index(read_at, size=segment.path.stat().st_size)
    return index.footer.sha256 if index else ""


def pack(segment: Segment, target: Path, disk: Disk, *, previous: str, stopped: Callable[[], bool]) -> Index:
    """Write a packed copy of a plain segment; when this returns it is whole, read again and on disk."""
    with suppress(FileNotFoundError):
        disk.remove(target)
    file = disk.create(target)
    try:
        packer = Packer(lambda data: disk.write(file, data))
        summed = _add_blocks(segment, packer, previous, stopped)
        index = packer.finish(summed)
        disk.sync(file)
    finally:
        disk.close(file)
    _check(target, index)
    return index


@dataclass(slots=True)
class _Sums:
    """What is counted while a segment is read."""

    count: int = 0
    last: int = 0
    earliest: int = 0
    latest: int = 0

    def add(self, piece: Piece) -> None:
        self.earliest = min(self.earliest, piece.received_at) if self.count else piece.received_at
        self.latest = max(self.latest, piece.received_at) if self.count else piece.received_at
        self.count += 1
        self.last = piece.sequence


def _add_blocks(segment: Segment, packer: Packer, previous: str, stopped: Callable[[], bool]) -> Footer:
    digest, sums, begin, first = hashlib.sha256(previous.encode()), _Sums(), 0, segment.first
    with opened(segment.path) as read_at:
        for piece in pieces(read_at, segment.seed, start=0, end=segment.end):
            if isinstance(piece, Hole):
                raise NotSealed
            stop = piece.offset + piece.size
            if piece.kind != OPENING:
                sums.add(piece)
            if stop - begin >= BLOCK_BYTES or stop == segment.end:
                if stopped():
                    raise Stopped
                plain = read_at(begin, stop - begin)
                digest.update(plain)
                packer.add(plain, first=first, last=sums.last)
                begin, first = stop, sums.last + 1
    if sums.last != segment.last or sums.count != segment.last - segment.first + 1:
        raise NotSealed
    return Footer(
        sums.count,
        segment.after,
        segment.first,
        segment.last,
        sums.earliest,
        sums.latest,
        previous,
        digest.hexdigest(),
    )


def _check(path: Path, index: Index) -> None:
    """Read the packed segment again: it must unpack to what was summed up."""
    digest = hashlib.sha256(index.footer.previous.encode())
    lost: list[object] = []
    with opened(path) as read_at:
        for _, plain in plain_blocks(read_at, index, after=-1, lost=lost.append, mended=lost.append):
            digest.update(plain)
    if lost or digest.hexdigest() != index.footer.sha256:
        raise OSError(f"{path.name} does not unpack to what was packed")
