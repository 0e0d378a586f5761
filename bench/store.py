"""Building and keeping the journey store: seconds to build, to add a day, to join and part; what questions then cost.

python -m bench.store [--size 1M]
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from bench.harness import Report, finish, note, size_of, table, versions, worker
from bench.log import write_day, write_log
from bench.section import Line, Section

from desireline.storage.engines import kernel, run
from desireline.storage.journey_store import Bucket, JourneyStore, Snapshot
from desireline.storage.lake import Lake

TITLE = "Building and keeping the journey store"


@kernel
def scan(start: Any, length: Any, occurred_at: Any) -> int:
    """The sum of all moments: the least a question can do."""
    total = 0
    for p in range(len(start)):
        for row in range(start[p], start[p] + length[p]):
            total += occurred_at[row] & 1023
    return total


@kernel
def funnel(
    start: Any, length: Any, occurred_at: Any, touchpoint: Any, steps: Any, within_ms: int, reached: Any
) -> None:
    """How many people did so many of four steps in order within a time of the first."""
    for p in range(len(start)):
        step, began = 0, 0
        for row in range(start[p], start[p] + length[p]):
            if step > 0 and occurred_at[row] - began > within_ms:
                step = 0
            if step < len(steps) and touchpoint[row] == steps[step]:
                if step == 0:
                    began = occurred_at[row]
                step += 1
                reached[step - 1] += 1


def ask_scan(snapshot: Snapshot) -> int:
    """Sum over every interaction."""

    def part(bucket: Bucket) -> int:
        return scan(bucket.start, bucket.length, bucket.column("occurred_at"))

    return sum(run(part, snapshot.buckets))


def ask_funnel(snapshot: Snapshot) -> list[int]:
    """A funnel of four steps within fourteen days."""
    names = ("product.seen", "cart.seen", "cart.opened", "cart.done")
    steps = np.array([snapshot.code("touchpoint", name) for name in names])

    def part(bucket: Bucket) -> np.ndarray:
        reached = np.zeros(len(steps), np.int64)
        columns = bucket.column("occurred_at"), bucket.column("touchpoint")
        funnel(bucket.start, bucket.length, *columns, steps, 14 * 86_400_000, reached)
        return reached

    return np.sum(run(part, snapshot.buckets), axis=0).tolist()


def seconds(work: Callable[[], Any], times: int = 1) -> float:
    """The median time a piece of work takes."""
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken)


def bench(folder: Path, size: int) -> None:
    """All figures for one size of log."""
    lake = Lake(folder / "lake")
    log = lake.path("interactions", "log")
    if not log.exists():
        write_log(log, size)
    store = JourneyStore(folder / "store", lake)
    times = 3 if size <= 2_000_000 else 1
    processor = time.process_time()
    built = seconds(store.build, times)
    processor = (time.process_time() - processor) / times
    note("build from Parquet", built)
    note("build, processor time of all cores", processor)
    note("sync to disk, not counted above", seconds(store.sync))
    note("open", seconds(lambda: JourneyStore(store.folder, lake).snapshot(), 5))
    questions: dict[str, Callable[[Snapshot], Any]] = {"scan": ask_scan, "funnel": ask_funnel}
    before = {name: seconds(lambda ask=ask: ask(store.snapshot()), 9) for name, ask in questions.items()}
    before = {name: seconds(lambda ask=ask: ask(store.snapshot()), 9) for name, ask in questions.items()}
    write_day(lake.path("interactions", "day"), size, size // 100)
    processor_added = time.process_time()
    note("add a day of 1 %, a tenth late", seconds(lambda: store.add_parts(["day"])))
    note("add a day, processor time", time.process_time() - processor_added)
    for name, ask in questions.items():
        note(f"{name}", before[name])
        note(f"{name}, after the day", seconds(lambda ask=ask: ask(store.snapshot()), 9))
    answers = {name: ask(store.snapshot()) for name, ask in questions.items()}
    join_and_part(store)
    digest = store.digest() if size <= 2_000_000 else ""
    note("compact", seconds(store.compact))
    assert answers == {name: ask(store.snapshot()) for name, ask in questions.items()}
    assert digest in ("", store.digest())
    for name, ask in questions.items():
        note(f"{name}, after compaction", seconds(lambda ask=ask: ask(store.snapshot()), 9))
    lake.remove_part("interactions", "day")
    finish()


def join_and_part(store: JourneyStore) -> None:
    """Time single merges and splits, of people of every length."""
    people = np.concatenate([bucket.person for bucket in store.snapshot().buckets])
    chosen = np.random.default_rng(1).choice(people, 20, replace=False)
    pairs = [(int(max(pair)), int(min(pair))) for pair in chosen.reshape(10, 2)]
    merges = [seconds(lambda a=a, b=b: store.reassign([a], [b])) for a, b in pairs]
    splits = [seconds(lambda a=a: store.reassign([a], [a])) for a, _ in pairs]
    note("one merge, median of ten", statistics.median(merges))
    note("one merge, slowest of ten", max(merges))
    note("one split, median of ten", statistics.median(splits))
    note("one split, slowest of ten", max(splits))


def warm(folder: Path) -> None:
    """Compile everything once on a small log, so that the figures are of warm code."""
    lake = Lake(folder / "lake")
    write_log(lake.path("interactions", "log"), 200_000)
    store = JourneyStore(folder / "store", lake)
    store.build()
    write_day(lake.path("interactions", "day"), 200_000, 2_000)
    store.add_parts(["day"])
    ask_scan(store.snapshot())
    ask_funnel(store.snapshot())
    a, b = (int(person) for person in store.snapshot().buckets[0].person[:2])
    store.reassign([b], [a])
    store.reassign([b], [b])
    store.compact()


def section(folder: Path, size: int) -> Section:
    """The store's figures, measured in a process of their own."""
    report = worker("bench.store", "store", ["--folder", str(folder), "--size", str(size)])
    rows = [[name, f"{value:.4f}"] for name, value in report.notes.items()]
    lines = [f"{size:,} interactions, seconds.", table(["store", "s"], rows)]
    lines += [f"{report.memory_mib:,.0f} MiB at most", *([f"stopped: {report.why}"] if report.why else [])]
    return Section(TITLE, "\n".join(lines), not report.why, reach_lines(size, report), dict(report.notes))


def reach_lines(size: int, report: Report) -> list[Line]:
    """The lines on build and upkeep."""
    told = report.notes
    build, day = told.get("build from Parquet"), told.get("add a day of 1 %, a tenth late")
    most = 6 * size / 1e7 if size <= 10_000_000 else 6 + 74 * (size - 1e7) / 9e7
    slower = [
        told[f"{name}, after the day"] / told[name] for name in ("scan", "funnel") if f"{name}, after the day" in told
    ]
    milliseconds = {name: told.get(f"one {name}, median of ten") for name in ("merge", "split")}
    return [
        Line("build the store from Parquet", build, "s", most),
        Line("add a day of 1 %, share of a build", 100 * day / build if build and day else None, "%", 3),
        Line("questions after the day, times slower", max(slower, default=None), "x", 1.2, note="before compaction"),
        *(
            Line(f"one {name}", None if took is None else 1e3 * took, "ms", 10, note="median of ten")
            for name, took in milliseconds.items()
        ),
    ]


def main() -> int:
    """Read the size and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="1M", help="interactions, such as 1M or 10M")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    given = parser.parse_args()
    size = size_of(given.size)
    if given.worker:
        begin = time.perf_counter()
        warm(Path(given.folder) / "small")
        note("first use, compiling or reading the cache", time.perf_counter() - begin)
        bench(Path(given.folder), size)
        return 0
    folder = Path(tempfile.mkdtemp(prefix="desireline-store-"))
    try:
        found = section(folder, size)
    finally:
        shutil.rmtree(folder)
    print(versions(["duckdb", "numba", "numpy"]), found.text, "", *(line.cells() for line in found.lines), sep="\n")
    return 0 if found.agreed else 1


if __name__ == "__main__":
    sys.exit(main())
