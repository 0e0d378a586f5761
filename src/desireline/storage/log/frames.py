"""Frames: what one entry of the log looks like in a file, and how entries are found again in damaged files.

    magic 4 | length 4 | checksum 4 | version 1 | kind 1 | source length 2 | meta length 4 | place in group 4 |
    sequence 8 | received at 8 | source | meta | body

What is written and synced together is a group. Only the last group of a segment can be there without having been
acknowledged; the place in the group tells after a power cut what belongs to it.

The checksum is the CRC-32 of zlib over everything after it. It finds every damage of up to 32 bits in a row and
misses others once in four billion times; CRC-32C is no better and is not in Python's standard library, and a
cryptographic sum would cost the writer more than the disk. It starts from the length and from a seed of the segment
that stands in its file name: what a stranger sends as a body cannot pass for a frame when we search for the next one
after damage, and neither can old blocks of a deleted segment. The upper half of the seed is the magic: a stranger who
knew it could fill a body with beginnings of frames, and have us check megabytes for each of them. Segments of before
have seeds of 32 bits, and a magic that everybody knows.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from desireline.vocabulary.errors import DesirelineError, Mistake

MAGIC = b"\xdeDL\x01"
VERSION = 1
LARGEST_FRAME_BYTES = 16 << 20
"""No frame is longer; files go to `keep_file` and leave only their sum in a frame."""
LONGEST_SOURCE_BYTES = 1_000

OPENING = 0
"""The first frame of a segment: which sequence counted before it."""

_PREFIX = struct.Struct("<4sII")
_HEADER = struct.Struct("<BBHIIQq")
OVERHEAD_BYTES = _PREFIX.size + _HEADER.size
_CHUNK_BYTES = 1 << 20


class Kind(IntEnum):
    """What an entry of the log is: a collector's request, an imported file, or any change by a person or a program."""

    REQUEST = 1
    IMPORT = 2
    CHANGE = 3


@dataclass(frozen=True, slots=True)
class Frame:
    """One entry of the log: its place in the order of all entries, when it came (UTC milliseconds) and what came.

    `meta` is small JSON about the body; `body` the raw bytes as they came.
    """

    sequence: int
    kind: Kind
    received_at: int
    source: str
    meta: bytes
    body: bytes


class Piece(NamedTuple):
    """One whole frame at its place in a segment, also an opening; `group` is the first sequence of its group."""

    offset: int
    size: int
    kind: int
    group: int
    sequence: int
    received_at: int
    source: bytes
    meta: bytes
    body: bytes

    def frame(self) -> Frame:
        """The entry of the log that lies in this piece."""
        kind = _KINDS.get(self.kind)
        if kind is None:
            raise _newer(f"entry {self.sequence} is of kind {self.kind}")
        return Frame(self.sequence, kind, self.received_at, self.source.decode("utf-8"), self.meta, self.body)


class Hole(NamedTuple):
    """Bytes of a segment in which no whole frame lies."""

    offset: int
    size: int


_KINDS = {int(kind): kind for kind in Kind}
ReadAt = Callable[[int, int], bytes]
"""`read_at(offset, size)`: bytes of a segment, fewer at its end."""


def written(
    seed: int,
    *,
    kind: int,
    place: int = 0,
    sequence: int,
    received_at: int,
    source: bytes = b"",
    meta: bytes = b"",
    body: bytes = b"",
) -> tuple[bytes, bytes, bytes, bytes]:
    """The bytes of one frame, in four parts so that a big body is not copied; `place` counts in its group from 0."""
    length = _HEADER.size + len(source) + len(meta) + len(body)
    header = _HEADER.pack(VERSION, kind, len(source), len(meta), place, sequence, received_at)
    checksum = zlib.crc32(body, zlib.crc32(meta, zlib.crc32(source, zlib.crc32(header, _start(seed, length)))))
    return _PREFIX.pack(magic_of(seed), length, checksum) + header, source, meta, body


def magic_of(seed: int) -> bytes:
    """The four bytes with which every frame of a segment begins."""
    return (seed >> 32).to_bytes(4, "little") if seed >> 32 else MAGIC


def _start(seed: int, length: int) -> int:
    """From where the checksum of a frame starts."""
    return (seed & 0xFFFFFFFF) ^ length


def pieces(read_at: ReadAt, seed: int, *, start: int, end: int) -> Iterator[Piece | Hole]:
    """Every whole frame between two offsets of a segment, and every hole between them. Reads a megabyte at a time."""
    window = _Window(read_at, seed, end)
    at = start
    while at < end:
        piece = window.piece(at)
        if piece is None:
            found = window.next_whole(at + 1)
            yield Hole(at, found - at)
            at = found
        else:
            yield piece
            at += piece.size


def _newer(what: str) -> DesirelineError:
    return DesirelineError(Mistake(f"the log was written by a newer Desireline ({what}).", do="Update Desireline."))


class _Window:
    """The part of a segment that is in memory."""

    def __init__(self, read_at: ReadAt, seed: int, end: int) -> None:
        self._read_at, self._seed, self._end = read_at, seed, end
        self._magic = magic_of(seed)
        self._start, self._bytes = 0, b""

    def piece(self, at: int) -> Piece | None:
        """The frame that begins at an offset; None when there is none, or not a whole one."""
        if at + OVERHEAD_BYTES > self._end:
            return None
        place = self._hold(at, OVERHEAD_BYTES)
        if len(self._bytes) - place < OVERHEAD_BYTES:
            return None
        magic, length, checksum = _PREFIX.unpack_from(self._bytes, place)
        size = _PREFIX.size + length
        if magic != self._magic or length < _HEADER.size or size > LARGEST_FRAME_BYTES or at + size > self._end:
            return None
        place = self._hold(at, size)
        begin, stop = place + _PREFIX.size, place + size
        if stop > len(self._bytes):
            return None
        if zlib.crc32(memoryview(self._bytes)[begin:stop], _start(self._seed, length)) != checksum:
            return None
        return self._taken_apart(at, size, begin, stop)

    def next_whole(self, at: int) -> int:
        """The offset of the next whole frame, or the end."""
        while at < self._end:
            place = self._hold(at, _CHUNK_BYTES)
            found = self._bytes.find(self._magic, place)
            if found < 0:
                at = max(at + 1, self._start + len(self._bytes) - len(self._magic) + 1)
                if len(self._bytes) - place < len(self._magic):
                    return self._end
                continue
            at = self._start + found
            if self.piece(at) is not None:
                return at
            at += 1
        return self._end

    def _taken_apart(self, at: int, size: int, begin: int, stop: int) -> Piece | None:
        version, kind, source, meta, place, sequence, received_at = _HEADER.unpack_from(self._bytes, begin)
        if version != VERSION:
            raise _newer(f"format {version}")
        after_source = begin + _HEADER.size + source
        after_meta = after_source + meta
        if after_meta > stop:
            return None
        data = self._bytes
        return Piece(
            at,
            size,
            kind,
            sequence - place,
            sequence,
            received_at,
            data[begin + _HEADER.size : after_source],
            data[after_source:after_meta],
            data[after_meta:stop],
        )

    def _hold(self, at: int, size: int) -> int:
        """Have these bytes in memory, as far as the segment has them; returns their place in `_bytes`."""
        place = at - self._start
        if place < 0 or place + size > len(self._bytes):
            wanted = min(max(size, _CHUNK_BYTES), self._end - at)
            if place < 0 or self._start + len(self._bytes) < self._end or place > len(self._bytes):
                self._bytes, self._start = self._read_at(at, wanted), at
                place = 0
        return place
