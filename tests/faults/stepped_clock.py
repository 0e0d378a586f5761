"""Runs `python -m MODULE` with a machine's clock that a test can step: it reads by how many seconds from a file."""

from __future__ import annotations

import runpy
import sys
import time
from pathlib import Path


def step_by(file: Path) -> None:
    """From now on the clock differs by what the file says; what has passed is counted as ever."""
    real = time.time_ns

    def stepped() -> int:
        return real() + int(file.read_text() or 0) * 1_000_000_000

    time.time_ns = stepped
    time.time = lambda: stepped() / 1e9


if __name__ == "__main__":
    file, _python, _dash_m, module, *words = sys.argv[1:]
    step_by(Path(file))
    sys.argv = [module, *words]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
