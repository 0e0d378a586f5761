"""How fast the demo world is made: the kernel's interactions a second on one core, and the whole with its files.

    DESIRELINE_THREADS=1 python bench/world_rate.py [PEOPLE]

The first world (50 people) compiles or loads the kernels and is not counted.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import numba
import numpy as np

from desireline.world import make_world


def main(people: int) -> None:
    os.environ.setdefault("DESIRELINE_THREADS", "1")
    with tempfile.TemporaryDirectory() as folder:
        make_world(people=50, seed=7, to=Path(folder) / "warm")
        busy = time.process_time()
        report = make_world(people=people, seed=7, to=Path(folder) / "world")
        busy = time.process_time() - busy
    threads = os.environ["DESIRELINE_THREADS"]
    print(f"cores {os.cpu_count()}, threads {threads}, numba {numba.__version__}, numpy {np.__version__}")
    print(f"people {report.people:,}, interactions {report.interactions:,}, planted verdicts {report.promises:,}")
    print(f"kernel: {report.interactions_per_second:,.0f} interactions a second on one core")
    print(f"whole with all files: {report.seconds:.1f} s elapsed, {busy:.1f} s of processor time")
    print(f"most memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")
    print(f"digest {report.digest}")
    for file in report.files:
        print(f"{file.path.name:28s}{file.rows:>10,d} rows{file.bytes:>14,d} bytes")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
