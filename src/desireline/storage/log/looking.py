"""Looking into files: reading at any place, also from a disk that cannot give back every page."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from desireline.storage.log.frames import ReadAt

_PAGE_BYTES = 4096


@contextmanager
def opened(path: Path) -> Iterator[ReadAt]:
    """A file to read from; it can be read to its end even when it is removed meanwhile."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield lambda offset, size: _read(file, offset, size)
    finally:
        os.close(file)


def _read(file: int, offset: int, size: int) -> bytes:
    try:
        return os.pread(file, size, offset)
    except OSError as error:
        if error.errno != errno.EIO:
            raise
    return b"".join(
        _page(file, at, min(_PAGE_BYTES, offset + size - at)) for at in range(offset, offset + size, _PAGE_BYTES)
    )


def _page(file: int, offset: int, size: int) -> bytes:
    """One page; zeros in place of one that the disk cannot read, which the checksums then find."""
    try:
        return os.pread(file, size, offset)
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        return bytes(size)
