"""The segment that is being written: groups of frames behind an opening, each group one write and one sync."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from desireline.storage.log.contents import Contents
from desireline.storage.log.disk import Disk
from desireline.storage.log.frames import OPENING, written
from desireline.storage.log.shelf import SPARSE_BYTES, Segment, name_of
from desireline.storage.log.waiting import Order


class SegmentWriter:
    """One new file. Its opening goes to disk together with its first group."""

    def __init__(self, folder: Path, disk: Disk, *, first: int, after: int, opened_at: int) -> None:
        """`after` is the last sequence that counts before it; `opened_at` UTC milliseconds."""
        seed = disk.seed()
        path = folder / name_of(first, seed)
        meta = json.dumps({"after": after}).encode()
        self._disk, self._places = disk, list[tuple[int, int]]()
        self._opening: tuple[bytes, ...] = written(seed, kind=OPENING, sequence=first, received_at=opened_at, meta=meta)
        self._file = disk.create(path)
        self.started = disk.elapsed()
        self._contents = Contents()
        self.segment = Segment(path, first, seed, after=after, last=after, places=self._places)

    @property
    def is_new(self) -> bool:
        """Whether nothing of it is on disk yet."""
        return self.segment.end == 0

    def add(self, first: int, orders: Sequence[Order]) -> None:
        """Write entries with sequences from `first` on; they are on disk when this returns. Raises OSError."""
        parts = list(self._opening)
        at = self.segment.end + sum(map(len, parts))
        places: list[tuple[int, int]] = []
        for place, order in enumerate(orders):
            parts.extend(_frame(self.segment.seed, first, place, order))
            if at - (places or self._places or [(0, -SPARSE_BYTES)])[-1][1] >= SPARSE_BYTES:
                places.append((first + place - 1, at))
            at += order.size
        data = b"".join(parts)
        self._disk.write(self._file, data)
        self._disk.sync(self._file)
        if self.is_new:
            self._disk.sync_folder(self.segment.path.parent)
        self._opening = ()
        self._places.extend(places)
        self._contents = self._contents.grown(
            data, first=first, sizes=[order.size for order in orders], times=[order.received_at for order in orders]
        )
        last = first + len(orders) - 1 if orders else self.segment.last
        self.segment = replace(self.segment, last=last, end=at, contents=self._contents)

    def close(self) -> None:
        """Write nothing more. What counts in it is on disk, so an error now changes nothing."""
        with suppress(OSError):
            self._disk.close(self._file)

    def abandon(self) -> None:
        """Never touch it again after an error; a file in which nothing counts is removed if the disk lets us."""
        self.close()
        if self.is_new:
            with suppress(OSError):
                self._disk.remove(self.segment.path)


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
