"""Packing a finished segment, and packing a damaged one anew: whole, read again and on disk before it gets its name."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from desireline.storage.log.contents import contents_of
from desireline.storage.log.disk import Disk
from desireline.storage.log.looking import opened
from desireline.storage.log.packed import Footer, Index, Packer, plain_blocks, read_index
from desireline.storage.log.shelf import Segment

GoingOn = Callable[[], None]
"""Called between two blocks; it may take a rest, and may raise to break off."""


class NotSealed(Exception):
    """The segment cannot be packed: it is damaged and stays as it is."""


def pack(segment: Segment, target: Path, disk: Disk, *, previous: str, going_on: GoingOn) -> Index:
    """Write a packed copy of a plain segment; when this returns it is whole, read again and on disk."""
    return _written(target, disk, lambda packer: _add_blocks(segment, packer, previous, going_on), going_on)


def pack_anew(segment: Segment, target: Path, disk: Disk, *, going_on: GoingOn) -> Index:
    """Write a copy of a packed segment with every damaged part mended. Raises NotSealed when one cannot be."""

    def fill(packer: Packer) -> Footer:
        with opened(segment.path) as read_at:
            index = read_index(read_at, size=segment.path.stat().st_size)
            if index is None:
                raise NotSealed
            lost: list[object] = []
            for block, plain in plain_blocks(read_at, index, after=-1, lost=lost.append, mended=lambda _block: None):
                going_on()
                packer.add(plain, first=block.first, last=block.last)
            if lost:
                raise NotSealed
            return index.footer

    return _written(target, disk, fill, going_on)


def sum_of(segment: Segment) -> str:
    """The sum in the footer of a packed segment."""
    with opened(segment.path) as read_at:
        index = read_index(read_at, size=segment.path.stat().st_size)
    return index.footer.sha256 if index else ""


def _written(target: Path, disk: Disk, fill: Callable[[Packer], Footer], going_on: GoingOn) -> Index:
    with suppress(FileNotFoundError):
        disk.remove(target)
    file = disk.create(target)
    try:
        packer = Packer(lambda data: disk.write(file, data))
        index = packer.finish(fill(packer))
        disk.sync(file)
    finally:
        disk.close(file)
    _check(target, index, going_on)
    return index


def _add_blocks(segment: Segment, packer: Packer, previous: str, going_on: GoingOn) -> Footer:
    digest, begin, first = hashlib.sha256(previous.encode()), 0, segment.first
    with opened(segment.path) as read_at:
        contents = segment.contents or contents_of(
            read_at, segment.seed, first=segment.first, end=segment.end, going_on=going_on
        )
        if contents is None or contents.earliest is None or contents.latest is None:
            raise NotSealed
        for block in contents.blocks:
            going_on()
            plain = read_at(begin, block.end - begin)
            if zlib.crc32(plain) != block.checksum:
                raise NotSealed
            digest.update(plain)
            packer.add(plain, first=first, last=block.last)
            begin, first = block.end, block.last + 1
    if (begin, first) != (segment.end, segment.last + 1):
        raise NotSealed
    return Footer(
        segment.last - segment.first + 1,
        segment.after,
        segment.first,
        segment.last,
        contents.earliest,
        contents.latest,
        previous,
        digest.hexdigest(),
    )


def _check(path: Path, index: Index, going_on: GoingOn) -> None:
    """Read the packed segment again: it must unpack to what was summed up."""
    digest = hashlib.sha256(index.footer.previous.encode())
    lost: list[object] = []
    with opened(path) as read_at:
        for _, plain in plain_blocks(read_at, index, after=-1, lost=lost.append, mended=lost.append):
            going_on()
            digest.update(plain)
    if lost or digest.hexdigest() != index.footer.sha256:
        raise OSError(f"{path.name} does not unpack to what was packed")
