"""One writer at a time: a lock the operating system releases by itself when its holder ends."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from desireline.vocabulary.errors import WorkFailed

_PROCESS = re.compile(r"\(process (\d+)\)")


@contextmanager
def writing(folder: Path, *, who: str) -> Iterator[None]:
    """Hold the project's lock while the block runs; raises `WorkFailed` that names the holder.

    The lock is the operating system's (`flock`), so a killed holder never blocks the next one. A folder that is not
    there is made for its owner alone: senders' keys and what customers did lie in it.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            other = os.pread(descriptor, 500, 0).decode(errors="replace").strip() or "another process"
            do = "Wait until it has finished; if it serves, stop it first, or use its pages."
            raise WorkFailed(f"{other} is working on this project. {do}") from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{who} (process {os.getpid()})".encode(), 0)
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def holder(folder: Path) -> int | None:
    """The process that holds the project's lock; `None` when nobody does.

    What a killed holder left in the file means nothing: the lock itself went with it.
    """
    with (folder / "lock").open("r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            found = _PROCESS.search(os.pread(file.fileno(), 500, 0).decode(errors="replace"))
            return int(found[1]) if found else None
    return None
