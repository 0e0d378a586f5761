"""Where compiled kernels are kept: a folder named after the source of all of them together.

Numba looks only at a kernel's own file when it decides whether a kept one is still good; a kernel that calls one of
another file would go on with the old one. So the folder's name holds a hash of every file that defines a kernel,
and of the compiler's version: when any of them changes, all are compiled again, and old folders go away.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from pathlib import Path

import numba

PACKAGE = Path(__file__).parents[2]
_MARKS = (b"import kernel", b"import compiled, kernel", b", kernel", b"typed_kernel", b"borrowing_kernel")
_OLD_SECONDS = 30 * 24 * 3600


def keep_by_source() -> Path | None:
    """Point the compiler to the folder of today's kernels, unless the user chose one (`NUMBA_CACHE_DIR`)."""
    if os.environ.get("NUMBA_CACHE_DIR"):
        return None
    folder = _home() / f"kernels-{source_hash()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    numba.config.CACHE_DIR = str(folder)
    _forget_old(folder)
    return folder


def source_hash() -> str:
    """A hash of the compiler's version and of every file that defines a kernel."""
    found = hashlib.sha256(numba.__version__.encode())
    for path in sorted(PACKAGE.rglob("*.py")):
        text = path.read_bytes()
        if b"desireline.storage.engines" in text and any(mark in text for mark in _MARKS):
            found.update(str(path.relative_to(PACKAGE)).encode() + b"\0" + text)
    return found.hexdigest()[:16]


def kernels_folder() -> tuple[Path, int]:
    """Where the kernels of this source are kept, and how many of them are there already."""
    folder = Path(os.environ.get("NUMBA_CACHE_DIR") or _home() / f"kernels-{source_hash()}")
    return folder, sum(1 for _ in folder.rglob("*.nbi")) if folder.exists() else 0


def _home() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "desireline"


def _forget_old(kept: Path) -> None:
    """Delete folders of other sources that nobody used for a month."""
    os.utime(kept)
    for folder in kept.parent.glob("kernels-*"):
        if folder != kept and time.time() - folder.stat().st_mtime > _OLD_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)
