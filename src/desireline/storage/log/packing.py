"""Packing a finished segment, and packing a damaged one anew: whole, read again and on disk before it gets its name."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from desireline.storage.log.disk import Disk
from desireline.storage.log.frames import OPENING, Hole, Piece, pieces
from desireline.storage.log.looking import opened
from desireline.storage.log.packed import BLOCK_BYTES, Footer, Index, Packer, plain_blocks, read_index
from desireline.storage.log.shelf import Segment


class Stopped(Exception):
    """The log is being closed; the segment will be packed another time."""


class NotSealed(Exception):
    """The segment cannot be packed: it is damaged and stays as it is."""


def pack(segment: Segment, target: Path, disk: Disk, *, previous: str, stopped: Callable[[], bool]) -> Index:
    """Write a packed copy of a plain segment; when this returns it is whole, read again and on disk."""
    return _written(target, disk, lambda packer: _add_blocks(segment, packer, previous, stopped))


def pack_anew(segment: Segment, target: Path, disk: Disk) -> Index:
    """Write a copy of a packed segment with every damaged part mended. Raises NotSealed when one cannot be."""

    def fill(packer: Packer) -> Footer:
        with opened(segment.path) as read_at:
            index = read_index(read_at, size=segment.path.stat().st_size)
            if index is None:
                raise NotSealed
            lost: list[object] = []
            for block, plain in plain_blocks(read_at, index, after=-1, lost=lost.append, mended=lambda _block: None):
                packer.add(plain, first=block.first, last=block.last)
            if lost:
                raise NotSealed
            return index.footer

    return _written(target, disk, fill)


def sum_of(segment: Segment) -> str:
    """The sum in the footer of a packed segment."""
    with opened(segment.path) as read_at:
        index = read_index(read_at, size=segment.path.stat().st_size)
    return index.footer.sha256 if index else ""


def _written(target: Path, disk: Disk, fill: Callable[[Packer], Footer]) -> Index:
    with suppress(FileNotFoundError):
        disk.remove(target)
    file = disk.create(target)
    try:
        packer = Packer(lambda data: disk.write(file, data))
        index = packer.finish(fill(packer))
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
