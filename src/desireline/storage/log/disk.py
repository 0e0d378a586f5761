"""The machine under the log: every system call that writes, the clock that never goes back, and chance.

One small object, so that tests can record, slow down, fill or break the disk; nothing else in the log writes.
"""

from __future__ import annotations

import fcntl
import os
import time
from dataclasses import dataclass
from pathlib import Path

from desireline.storage.durable import take_room

_FULL_SYNC: int | None = getattr(fcntl, "F_FULLFSYNC", None)


@dataclass(frozen=True, slots=True)
class Space:
    """What a file system still offers, in bytes."""

    free_bytes: int
    total_bytes: int


class Disk:
    """The real disk. Files are named by the numbers the operating system gives them."""

    def make_folder(self, folder: Path) -> None:
        """Make a folder and those above it; the names are on disk when this returns."""
        if folder.is_dir():
            return
        self.make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        self.sync_folder(folder.parent)

    def create(self, path: Path) -> int:
        """A new, empty file to write to; one that exists is never opened."""
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)

    def open_mark(self, path: Path) -> int:
        """A small file whose few bytes are written over again and again."""
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def write(self, file: int, data: bytes) -> None:
        """Write all of the data at the end of what was written before."""
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(file, rest) :]

    def write_over(self, file: int, data: bytes) -> None:
        """Write the data over the beginning of a small file."""
        os.pwrite(file, data, 0)

    def sync(self, file: int) -> None:
        """Return when the content of the file is on disk; macOS must be asked in words of its own."""
        if _FULL_SYNC is None:
            os.fdatasync(file)
        else:
            fcntl.fcntl(file, _FULL_SYNC)

    def sync_old(self, path: Path) -> None:
        """Return when the content of a file that somebody wrote earlier is on disk."""
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self.sync(file)
        finally:
            self.close(file)

    def close(self, file: int) -> None:
        """Give a file free."""
        os.close(file)

    def sync_folder(self, folder: Path) -> None:
        """Return when the names in a folder are on disk."""
        file = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(file)
        finally:
            os.close(file)

    def rename(self, old: Path, new: Path) -> None:
        """Give a file another name, at once."""
        old.replace(new)

    def link(self, old: Path, new: Path) -> None:
        """Give a file a second name on the same disk."""
        new.hardlink_to(old)

    def remove(self, path: Path) -> None:
        """Remove a file."""
        path.unlink()

    def reserve(self, file: int, size_bytes: int) -> None:
        """Take room for a file, without writing it where the system can do that."""
        take_room(file, size_bytes)

    def space(self, folder: Path) -> Space:
        """What the file system of a folder still offers to us."""
        system = os.statvfs(folder)
        return Space(system.f_bavail * system.f_frsize, system.f_blocks * system.f_frsize)

    def elapsed(self) -> float:
        """Seconds on a clock that never goes back."""
        return time.monotonic()

    def seed(self) -> int:
        """A new seed for the frames of one segment, unknown outside (64 bits)."""
        return int.from_bytes(os.urandom(8), "big")
