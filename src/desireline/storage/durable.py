"""Writing files so that a crash leaves the old one or the new one, never a half: temporary, sync, rename, sync."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TEMPORARY = ".writing"
"""The ending of files that are being written; whatever bears it after a crash may be deleted."""
_CHUNK_BYTES = 1 << 20


@contextmanager
def replacing(path: Path, *, durable: bool = True) -> Iterator[Path]:
    """A temporary path to write to; when the block ends well it takes the place of `path` at once.

    Not `durable`, it survives the end of the process but perhaps not a power cut.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}{TEMPORARY}")
    try:
        yield temporary
        if durable:
            sync_file(temporary)
        temporary.replace(path)
        if durable:
            sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def sync_file(path: Path) -> None:
    """Return when the content of a file is on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Return when the names in a folder are on disk."""
    sync_file(folder)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let one process at a time do the work in the block; others wait. Freed when the process ends, however it ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def take_room(file: int, size_bytes: int) -> None:
    """Make an open file so long, with room on the disk for all of it; raises OSError when there is none.

    What lies in it stays. Without that, a full disk ends the process that writes into the file through memory.
    """
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, size_bytes)
        return
    for at in range(os.fstat(file).st_size, size_bytes, _CHUNK_BYTES):
        os.pwrite(file, bytes(min(_CHUNK_BYTES, size_bytes - at)), at)
