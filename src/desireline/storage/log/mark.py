"""The mark: the last entry known to be on disk, and the lock that lets one process write.

The mark is written over after each commit and not synced by itself, so it costs a microsecond and outlives the process
but perhaps not a power cut: it is never ahead of the log. A log that ends before its mark has lost its tail. That
is the one damage that leaves no trace inside the segments.
"""

from __future__ import annotations

import fcntl
import os
import struct
import time
import zlib
from contextlib import suppress
from pathlib import Path

from desireline.vocabulary.errors import Mistake, WorkFailed

MARK = "mark"
LOCK = "lock"
_MARK = struct.Struct("<QI")
_PATIENCE_SECONDS = 0.5


def mark_of(sequence: int) -> bytes:
    """The bytes of a mark."""
    return _MARK.pack(sequence, zlib.crc32(sequence.to_bytes(8, "little")))


def read_mark(path: Path) -> int | None:
    """The sequence of a mark; 0 when none was written yet, None when it is damaged."""
    data = path.read_bytes() if path.exists() else b""
    if not any(data):
        return 0
    if len(data) != _MARK.size:
        return None
    sequence, checksum = _MARK.unpack(data)
    return int(sequence) if zlib.crc32(data[:8]) == checksum else None


def take_lock(folder: Path) -> int:
    """Be the one process that writes this log; freed when the process ends, however it ends. Names who holds it."""
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    patient_until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() < patient_until:  # a reader only looks whether somebody writes
                time.sleep(0.01)
                continue
            holder = os.pread(lock, 32, 0).decode("ascii", "replace") or "unknown"
            os.close(lock)
            raise WorkFailed(
                Mistake(
                    f"is being written by process {holder}.", str(folder), do="Stop it first, or let it do the work."
                )
            ) from None
    with suppress(OSError):  # on a full disk the holder stays unnamed
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
    return lock
