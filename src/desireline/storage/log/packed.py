"""Packed segments: sealed, compressed, and able to mend themselves.

    block | block | ... | index | parity of the even blocks | parity of the odd blocks | index again

A block is one zstd frame of about a megabyte of whole log frames, so that reading needs little memory and can begin
anywhere; what is not a block is wrapped as zstd's skippable frame, so `zstd -d` unpacks the file to the plain one.
A flipped bit in a compressed block would cost all of its entries. So the file carries the XOR of its even blocks and
of its odd blocks: one bad block of each is computed again from the others (RAID 4 in one file), which covers any flip
and any bad page, because neighbours belong to different parities.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import zstandard

from desireline.storage.log.frames import ReadAt

BLOCK_BYTES = 1 << 20
LEVEL = 3
_SKIP = struct.Struct("<II")
_SKIPPABLE = 0x184D2A5D
_TAIL = struct.Struct("<II8s")
_TAIL_MAGIC = b"DLINDEX1"


@dataclass(frozen=True, slots=True)
class Block:
    """One compressed block: where it lies, its sum, how long it is unpacked, and its first and last sequence."""

    offset: int
    size: int
    checksum: int
    plain_size: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Footer:
    """What a sealed segment holds: entries, their sequences and times, and a sum chained to the segment before.

    `sha256` is the sum of `previous` (the sum of the sealed segment before, "" for none) and all bytes of the frames.
    """

    count: int
    after: int
    first: int
    last: int
    earliest: int
    latest: int
    previous: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Index:
    """The contents of a packed segment. `parity` holds offset, size and checksum of the even and the odd parity."""

    blocks: tuple[Block, ...]
    parity: tuple[tuple[int, int, int], ...]
    footer: Footer


class Packer:
    """Writes a packed segment through `write`, block by block."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        self._compress = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True).compress
        self._blocks: list[Block] = []
        self._parity = [b"", b""]
        self._at = 0

    def add(self, plain: bytes, *, first: int, last: int) -> None:
        """Compress whole log frames as the next block."""
        packed = self._compress(plain)
        self._blocks.append(Block(self._at, len(packed), zlib.crc32(packed), len(plain), first, last))
        way = (len(self._blocks) - 1) % 2
        self._parity[way] = exclusive_or(self._parity[way], packed)
        self._put(packed)

    def finish(self, footer: Footer) -> Index:
        """Write parity and index."""
        parity = self._parity_places(footer)
        index = Index(tuple(self._blocks), parity, footer)
        wrapped = _wrapped_index(index)
        self._put(wrapped)
        for each in self._parity:
            self._put(_SKIP.pack(_SKIPPABLE, len(each)) + each)
        self._put(wrapped)
        return index

    def _parity_places(self, footer: Footer) -> tuple[tuple[int, int, int], ...]:
        """Where the parities will lie: behind an index whose own length depends on these numbers."""
        places: tuple[tuple[int, int, int], ...] = ((0, 0, 0), (0, 0, 0))
        while True:
            at = self._at + len(_wrapped_index(Index(tuple(self._blocks), places, footer)))
            found = []
            for each in self._parity:
                found.append((at + _SKIP.size, len(each), zlib.crc32(each)))
                at += _SKIP.size + len(each)
            if tuple(found) == places:
                return places
            places = tuple(found)

    def _put(self, data: bytes) -> None:
        self._write(data)
        self._at += len(data)


def exclusive_or(one: bytes, other: bytes) -> bytes:
    """The XOR of two byte strings, as long as the longer one; numpy leaves the interpreter's lock free meanwhile."""
    longer, shorter = sorted((one, other), key=len, reverse=True)
    result = np.frombuffer(bytearray(longer), np.uint8)
    result[: len(shorter)] ^= np.frombuffer(shorter, np.uint8)
    return result.tobytes()


def read_index(read_at: ReadAt, *, size: int) -> Index | None:
    """The index of a packed segment, from its end or, when that is damaged, from its other copy."""
    return _index_ending_at(read_at, size) or _index_found(read_at, size)


def plain_blocks(
    read_at: ReadAt, index: Index, *, after: int, lost: Callable[[Block], None], mended: Callable[[Block], None]
) -> Iterator[tuple[Block, bytes]]:
    """The unpacked blocks that hold entries after a sequence; damaged ones are mended, or reported as `lost`."""
    for number, block in enumerate(index.blocks):
        if block.last <= after:
            continue
        packed = read_at(block.offset, block.size)
        if zlib.crc32(packed) != block.checksum:
            packed = _mended(read_at, index, number)
            if zlib.crc32(packed) != block.checksum:
                lost(block)
                continue
            mended(block)
        yield block, zstandard.ZstdDecompressor().decompress(packed, max_output_size=block.plain_size)


def damaged_parts(read_at: ReadAt, index: Index, *, size: int) -> list[str]:
    """Which parts of a packed segment are damaged, also those that cost nothing yet."""
    wrapped = _wrapped_index(index)
    found = [
        f"block {number}"
        for number, block in enumerate(index.blocks)
        if zlib.crc32(read_at(block.offset, block.size)) != block.checksum
    ]
    first = index.parity[0][0] - _SKIP.size - len(wrapped)
    for name, at in (("first index", first), ("last index", size - len(wrapped))):
        if read_at(at, len(wrapped)) != wrapped:
            found.append(name)
    for name, (offset, length, checksum) in zip(("even parity", "odd parity"), index.parity, strict=True):
        header = read_at(offset - _SKIP.size, _SKIP.size)
        if header != _SKIP.pack(_SKIPPABLE, length) or zlib.crc32(read_at(offset, length)) != checksum:
            found.append(name)
    return found


def _mended(read_at: ReadAt, index: Index, number: int) -> bytes:
    offset, size, checksum = index.parity[number % 2]
    result = read_at(offset, size)
    if zlib.crc32(result) != checksum:
        return b""
    for other, block in enumerate(index.blocks):
        if other % 2 == number % 2 and other != number:
            result = exclusive_or(result, read_at(block.offset, block.size))
    return result[: index.blocks[number].size]


def _wrapped_index(index: Index) -> bytes:
    said = {
        "blocks": [
            (block.offset, block.size, block.checksum, block.plain_size, block.first, block.last)
            for block in index.blocks
        ],
        "parity": index.parity,
        "footer": asdict(index.footer),
    }
    text = json.dumps(said, separators=(",", ":")).encode()
    body = text + _TAIL.pack(len(text), zlib.crc32(text), _TAIL_MAGIC)
    return _SKIP.pack(_SKIPPABLE, len(body)) + body


def _index_ending_at(read_at: ReadAt, end: int) -> Index | None:
    if end < _TAIL.size:
        return None
    tail = read_at(end - _TAIL.size, _TAIL.size)
    if len(tail) < _TAIL.size:
        return None
    length, checksum, magic = _TAIL.unpack(tail)
    if magic != _TAIL_MAGIC or length > end - _TAIL.size:
        return None
    text = read_at(end - _TAIL.size - length, length)
    if zlib.crc32(text) != checksum:
        return None
    said = json.loads(text)
    parity: Sequence[Sequence[int]] = said["parity"]
    return Index(
        tuple(Block(*block) for block in said["blocks"]),
        tuple((each[0], each[1], each[2]) for each in parity),
        Footer(**said["footer"]),
    )


def _index_found(read_at: ReadAt, size: int) -> Index | None:
    """Search backwards for the copy of the index that lies before the parities."""
    at = size
    while at > 0:
        begin = max(0, at - BLOCK_BYTES)
        chunk = read_at(begin, at - begin + len(_TAIL_MAGIC))
        found = chunk.rfind(_TAIL_MAGIC)
        while found >= 0:
            index = _index_ending_at(read_at, begin + found + len(_TAIL_MAGIC))
            if index is not None:
                return index
            found = chunk.rfind(_TAIL_MAGIC, 0, found)
        at = begin
    return None
