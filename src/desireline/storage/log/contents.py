"""What a plain segment holds, added up while it is written, so that sealing it need not look at entry after entry.

Sealing runs beside the collector. Parsing each entry in Python holds the interpreter's lock again and again, and on a
busy machine everybody waits for that. With the ends of its blocks known, a segment is read, summed up and packed in
a few large calls that leave the lock free.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from desireline.storage.log.frames import OPENING, Hole, Piece, ReadAt, pieces
from desireline.storage.log.packed import BLOCK_BYTES


class PlainBlock(NamedTuple):
    """Whole frames that are packed as one block: where they begin and end, the last sequence, and their CRC-32."""

    begin: int
    end: int
    last: int
    checksum: int


@dataclass(frozen=True, slots=True)
class Contents:
    """The blocks of a segment from its beginning on, and when its first and last entries came (UTC milliseconds).

    The last block grows with the segment until it is `BLOCK_BYTES` long. Without any entry there are no moments.
    """

    blocks: tuple[PlainBlock, ...] = ()
    earliest: int | None = None
    latest: int | None = None

    def grown(self, data: bytes, *, first: int, sizes: Sequence[int], times: Sequence[int]) -> Contents:
        """With more frames at the end: one of each size from sequence `first` on, perhaps behind an opening.

        `times` are the moments the entries came; `data` holds all frames, the opening included.
        """
        *blocks, last = self.blocks or (PlainBlock(0, 0, first - 1, 0),)
        if last.end - last.begin >= BLOCK_BYTES:
            blocks.append(last)
            last = PlainBlock(last.end, last.end, last.last, 0)
        base, done, view = last.end, 0, memoryview(data)
        end = base + len(data) - sum(sizes)
        for sequence, size in enumerate(sizes, start=first):
            end += size
            if end - last.begin >= BLOCK_BYTES:
                blocks.append(PlainBlock(last.begin, end, sequence, zlib.crc32(view[done : end - base], last.checksum)))
                last, done = PlainBlock(end, end, sequence, 0), end - base
        if end > last.begin:
            newest = first + len(sizes) - 1
            blocks.append(PlainBlock(last.begin, end, newest, zlib.crc32(view[done:], last.checksum)))
        moments = [each for each in (self.earliest, self.latest, *times) if each is not None]
        return Contents(tuple(blocks), min(moments, default=None), max(moments, default=None))


def contents_of(read_at: ReadAt, seed: int, *, first: int, end: int, going_on: Callable[[], None]) -> Contents | None:
    """The contents of a segment that was found when the log was opened; None when it is damaged.

    `going_on` is called between two blocks, and may raise to break off.
    """
    contents, waiting, begin = Contents(), list[Piece](), 0
    for piece in pieces(read_at, seed, start=0, end=end):
        if isinstance(piece, Hole):
            return None
        if piece.kind != OPENING:
            waiting.append(piece)
        stop = piece.offset + piece.size
        if stop - begin < BLOCK_BYTES and stop != end:
            continue
        going_on()
        if [each.sequence for each in waiting] != list(range(first, first + len(waiting))):
            return None
        data, sizes = read_at(begin, stop - begin), [each.size for each in waiting]
        contents = contents.grown(data, first=first, sizes=sizes, times=[each.received_at for each in waiting])
        waiting, begin, first = [], stop, first + len(sizes)
    return contents
