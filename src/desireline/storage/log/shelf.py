"""The shelf: which segments the log has, in order, and how far each of them counts."""

from __future__ import annotations

import re
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from desireline.storage.log.contents import Contents

_NAME = re.compile(r"^(\d{20})-([0-9a-f]{8}|[0-9a-f]{16})\.log(\.zst)?$")
SPARSE_BYTES = 64 << 10
"""A plain segment remembers one place to begin reading in so many bytes."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One file of the log: entries `first` to `last` count in it, and `after` counted before it.

    Plain segments end, for a reader, at offset `end`; `places` are some sequences and where reading can begin
    to find those that follow. `packed` segments are sealed and compressed. `contents` is known of plain segments
    that were written since the log was opened.
    """

    path: Path
    first: int
    seed: int
    packed: bool = False
    after: int = 0
    last: int = 0
    end: int = 0
    places: Sequence[tuple[int, int]] = ()
    contents: Contents | None = None

    @property
    def name(self) -> str:
        """The name by which damage reports point at it."""
        return self.path.name

    def start(self, after: int) -> int:
        """The offset from which reading finds every entry that follows `after`."""
        found = bisect_right(self.places, (after, 1 << 62))
        return self.places[found - 1][1] if found else 0


def name_of(first: int, seed: int) -> str:
    """The file name of a segment: its first sequence, and the seed of its frames."""
    return f"{first:020d}-{seed:0{16 if seed >> 32 else 8}x}.log"


def named(path: Path) -> Segment | None:
    """What the name of a file says about a segment; None when it is no segment."""
    match = _NAME.match(path.name)
    return Segment(path, int(match[1]), int(match[2], 16), bool(match[3])) if match else None


class Shelf:
    """The segments of an open log. Readers take what is there now; the writer and the sealer change it."""

    def __init__(self, segments: Sequence[Segment]) -> None:
        self._turn = threading.Lock()
        self._segments = list(segments)

    @property
    def segments(self) -> tuple[Segment, ...]:
        """All segments that hold something, the oldest first."""
        with self._turn:
            return tuple(self._segments)

    def holding(self, after: int) -> Segment | None:
        """The segment in which the first entry after a sequence lies."""
        with self._turn:
            place = bisect_right(self._segments, after, key=lambda segment: segment.last)
            return self._segments[place] if place < len(self._segments) else None

    def beginning(self, first: int) -> Segment:
        """The segment that begins with a sequence, as far as it counts now."""
        with self._turn:
            return self._segments[self._place(first)]

    def add(self, segment: Segment) -> None:
        """Put the newest segment at the end."""
        with self._turn:
            self._segments.append(segment)

    def grow(self, segment: Segment) -> None:
        """More of the newest segment is on disk now."""
        with self._turn:
            self._segments[-1] = segment

    def exchange(self, segment: Segment) -> None:
        """A segment lies in another file from now on."""
        with self._turn:
            self._segments[self._place(segment.first)] = segment

    def _place(self, first: int) -> int:
        return bisect_left(self._segments, first, key=lambda segment: segment.first)
