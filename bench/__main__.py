"""Everything that is measured, in one go: `make bench`, or

    python -m bench --size 1M --runs 3 [--json FILE] [--only questions,judging,store,load,people,world,collector,live]

Each engine works in a process of its own with two threads, one after another; answers are compared
before times, times are medians of warm runs with the first one beside them. The last table holds
every figure beside what was to be reached. Exit code 1 when answers differ or something stopped.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench import collector, judging, live, live_import, load, people, questions, store, world_rate
from bench.harness import size_of, versions
from bench.section import Section, reach_table

PACKAGES = ("desireline", "duckdb", "polars", "chdb", "numba", "numpy")
PARTS = ("questions", "judging", "store", "load", "people", "world", "collector", "live", "live_import")


def parts(folder: Path, size: int, runs: int, peers: list[str]) -> dict[str, Callable[[], Section]]:
    """Each part of the bench by its name."""
    return {
        "questions": lambda: questions.compare(folder, size, runs, peers),
        "judging": lambda: judging.compare(folder, size, runs),
        "store": lambda: store.section(folder, size),
        "load": lambda: load.section(folder, size, 1 if size > 2_000_000 else runs),
        "people": lambda: people.section(size),
        "collector": lambda: collector.section(runs=runs),
        "live": live.section,
        "live_import": live_import.section,
        "world": lambda: world_rate.section(min(20_000, max(200, size // 500))),
    }


def main() -> int:
    """Read the command line, run every part, print, write the figures down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="1M", help="interactions, such as 1M, 10M, 50M")
    parser.add_argument("--runs", type=int, default=3, help="warm runs of each question")
    parser.add_argument("--peers", default=",".join(questions.PEERS), help="any of duckdb, polars, chdb")
    parser.add_argument("--only", default=",".join(PARTS), help=f"any of {', '.join(PARTS)}")
    parser.add_argument("--json", help="a file for all figures")
    parser.add_argument("--keep", help="a folder for logs and stores, kept afterwards")
    given = parser.parse_args()
    chosen = [name for name in given.only.split(",") if name]
    peers = [name for name in given.peers.split(",") if name]
    unknown = [name for name in chosen if name not in PARTS] + [name for name in peers if name not in questions.PEERS]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; parts are {', '.join(PARTS)}", file=sys.stderr)
        return 2
    folder = Path(given.keep or tempfile.mkdtemp(prefix="desireline-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        sections = run(folder, size_of(given.size), given.runs, peers, chosen)
    finally:
        if not given.keep:
            shutil.rmtree(folder)
    if given.json:
        written = {"versions": versions(PACKAGES), "size": size_of(given.size), "runs": given.runs}
        written["sections"] = [each.as_dict() for each in sections]
        Path(given.json).write_text(json.dumps(written, indent=1), encoding="utf-8")
    return 0 if all(section.agreed for section in sections) else 1


def run(folder: Path, size: int, runs: int, peers: list[str], chosen: list[str]) -> list[Section]:
    """Run the parts one after another and print each as soon as it is done."""
    print(f"{size:,} interactions; {versions(PACKAGES)}", flush=True)
    done = []
    for name, part in parts(folder, size, runs, peers).items():
        if name not in chosen:
            continue
        begin = time.perf_counter()
        found = part()
        done.append(found)
        print(f"\n== {found.title}  ({time.perf_counter() - begin:.0f} s)\n\n{found.text}", flush=True)
    print(f"\n== What was to be reached\n\n{reach_table(done)}")
    for section in done:
        if not section.agreed:
            print(f"NOT AGREED, or stopped: {section.title}")
    return done


if __name__ == "__main__":
    sys.exit(main())
