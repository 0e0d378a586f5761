"""Reading the log: entries in order, from plain and packed segments, a megabyte in memory at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from desireline.storage.log.frames import OPENING, Frame, Hole, Piece, ReadAt, pieces
from desireline.storage.log.looking import opened
from desireline.storage.log.mark import LOCK, MARK, read_mark
from desireline.storage.log.packed import Block, plain_blocks, read_index
from desireline.storage.log.recovery import look
from desireline.storage.log.said import Damage
from desireline.storage.log.shelf import Segment

Report = Callable[[Damage], None]


def entries(segment: Segment, *, after: int, until: int, report: Report) -> Iterator[Frame]:
    """The entries of one segment after a sequence, up to another; damage found on the way is reported."""
    until = min(until, segment.last)
    with opened(segment.path) as read_at:
        if segment.packed:
            found = _packed_pieces(segment, read_at, after, report)
        else:
            found = pieces(read_at, segment.seed, start=segment.start(after), end=segment.end)
        yield from _entries(segment, found, after=after, until=until, report=report)


def _entries(
    segment: Segment, found: Iterator[Piece | Hole], *, after: int, until: int, report: Report
) -> Iterator[Frame]:
    hole: Hole | None = None
    for piece in found:
        if isinstance(piece, Hole):
            hole = piece
            continue
        if piece.kind == OPENING:
            continue
        if hole is not None:
            report(_hole_damage(segment, hole, after + 1, piece.sequence - 1))
            hole = None
        if piece.sequence > until:
            return
        if piece.sequence > after:
            yield piece.frame()
            after = piece.sequence
    if hole is not None:
        report(_hole_damage(segment, hole, after + 1, segment.last))


def _hole_damage(segment: Segment, hole: Hole, first: int, last: int) -> Damage:
    missing = (first, last) if first <= last else (0, 0)
    return Damage(segment.name, hole.offset, hole.size, *missing, says="Unreadable bytes in the middle of the log.")


def _packed_pieces(segment: Segment, read_at: ReadAt, after: int, report: Report) -> Iterator[Piece | Hole]:
    index = read_index(read_at, size=segment.path.stat().st_size)
    if index is None:
        report(unreadable(segment))
        return
    for _, plain in plain_blocks(
        read_at,
        index,
        after=after,
        lost=lambda block: report(_block_damage(segment, block, mended=False)),
        mended=lambda block: report(_block_damage(segment, block, mended=True)),
    ):
        yield from _pieces_of(plain, segment.seed)


def _pieces_of(plain: bytes, seed: int) -> Iterator[Piece | Hole]:
    return pieces(lambda offset, size: plain[offset : offset + size], seed, start=0, end=len(plain))


def unreadable(segment: Segment) -> Damage:
    """The damage of a packed segment whose two indexes are gone."""
    return Damage(segment.name, 0, 0, segment.first, segment.last, says="Both copies of its index are damaged.")


def _block_damage(segment: Segment, block: Block, *, mended: bool) -> Damage:
    if mended:
        says = "A damaged block was mended from the parity."
        return Damage(segment.name, block.offset, block.size, says=says, mended=True)
    return Damage(segment.name, block.offset, block.size, block.first, block.last, says="A block is lost.")


def read_log(folder: Path | str, after: int = 0) -> Iterator[Frame]:
    """The entries of a log that another process may be writing, or nobody; nothing in the folder changes.

    While somebody writes, the entries end with the last one that is known to be on disk.

    >>> [frame.sequence for frame in read_log("data/log", after=41)]       # doctest: +SKIP
    [42, 43]
    """
    folder = Path(folder)
    until = read_mark(folder / MARK) or 0 if _is_written(folder) else 1 << 62
    while True:
        try:
            for segment in look(folder).segments:
                for frame in entries(segment, after=after, until=until, report=lambda _damage: None):
                    yield frame
                    after = frame.sequence
            return
        except FileNotFoundError:
            continue  # a segment was packed meanwhile: look again


def _is_written(folder: Path) -> bool:
    try:
        lock = os.open(folder / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False
