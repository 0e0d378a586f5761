"""How fast the demo world is made: the kernel's interactions a second on one core, and the whole with its files.

    python -m bench.world_rate [--people 20000]

The first world (50 people) compiles or loads the kernels and is not counted.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from bench.harness import finish, note, worker
from bench.section import Section

from desireline.world import make_world


def bench(people: int) -> None:
    """Make one world and say how long it took."""
    with tempfile.TemporaryDirectory() as folder:
        make_world(people=50, seed=7, to=Path(folder) / "warm")
        busy = time.process_time()
        report = make_world(people=people, seed=7, to=Path(folder) / "world")
        busy = time.process_time() - busy
    note("interactions", report.interactions)
    note("planted verdicts", report.promises)
    note("kernel, interactions a second on one core", report.interactions_per_second)
    note("the whole with all files, s", report.seconds)
    note("the whole, processor time, s", busy)
    finish()


def section(people: int) -> Section:
    """The world's figures, measured in a process of its own with one thread."""
    report = worker("bench.world_rate", "world", ["--people", str(people)], environment={"DESIRELINE_THREADS": "1"})
    text = [f"{people:,} people", *(f"{name}: {value:,.1f}" for name, value in report.notes.items())]
    text += [f"stopped: {report.why}"] if report.why else []
    return Section("The demo world", "\n".join(text), not report.why, (), dict(report.notes))


def main() -> int:
    """Read the number of people and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        bench(given.people)
        return 0
    found = section(given.people)
    print(found.text)
    return 0 if found.agreed else 1


if __name__ == "__main__":
    sys.exit(main())
