"""Building and keeping the journey store: seconds to build, to add a day, to join and part; what questions then cost.

python bench/store.py [--size 1M]
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from desireline.storage.engines import kernel, run
from desireline.storage.journey_store import Bucket, JourneyStore, Snapshot
from desireline.storage.lake import Lake
from log import write_day, write_log


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


def say(what: str, value: float, reach: str = "") -> None:
    """One line of the report."""
    print(f"{what:<58} {value:>10.4f}  {reach}", flush=True)


def bench(folder: Path, size: int) -> None:
    """All figures for one size of log."""
    lake = Lake(folder / "lake")
    say(f"write the log, {size:,} interactions, s", seconds(lambda: write_log(lake.path("interactions", "log"), size)))
    store = JourneyStore(folder / "store", lake)
    times = 3 if size <= 2_000_000 else 2
    processor = time.process_time()
    built = seconds(store.build, times)
    processor = time.process_time() - processor
    say("build from Parquet, s", built, f"reach {6 * size / 1e7:.2f}")
    say("  processor time, all cores together, s", processor / times)
    say("sync to disk, s (not counted above)", seconds(store.sync))
    say("open, s", seconds(lambda: JourneyStore(store.folder, lake).snapshot(), 5))
    questions: dict[str, Callable[[Snapshot], Any]] = {"scan": ask_scan, "funnel": ask_funnel}
    before = {name: seconds(lambda ask=ask: ask(store.snapshot()), 9) for name, ask in questions.items()}
    before = {name: seconds(lambda ask=ask: ask(store.snapshot()), 9) for name, ask in questions.items()}
    write_day(lake.path("interactions", "day"), size, size // 100)
    processor_added = time.process_time()
    added = seconds(lambda: store.add_parts(["day"]))
    processor_added = time.process_time() - processor_added
    say("add a day of 1 %, a tenth late, s", added)
    say("  processor time, s", processor_added)
    say("  as share of the build's processor time", processor_added * times / processor)
    say("  as share of the build", added / built, "reach 0.03")
    for name, ask in questions.items():
        after = seconds(lambda ask=ask: ask(store.snapshot()), 9)
        say(f"  {name} before, s", before[name])
        say(f"  {name} after / before", after / before[name], "reach 1.2")
    answers = {name: ask(store.snapshot()) for name, ask in questions.items()}
    join_and_part(store)
    digest = store.digest() if size <= 2_000_000 else ""
    say("compact, s", seconds(store.compact))
    assert answers == {name: ask(store.snapshot()) for name, ask in questions.items()}
    assert digest in ("", store.digest())
    for name, ask in questions.items():
        say(f"  {name} after compaction / before", seconds(lambda ask=ask: ask(store.snapshot()), 9) / before[name])


def join_and_part(store: JourneyStore) -> None:
    """Time single merges and splits, of people of every length."""
    people = np.concatenate([bucket.person for bucket in store.snapshot().buckets])
    chosen = np.random.default_rng(1).choice(people, 20, replace=False)
    pairs = [(int(max(pair)), int(min(pair))) for pair in chosen.reshape(10, 2)]
    merges = [seconds(lambda a=a, b=b: store.reassign([a], [b])) for a, b in pairs]
    splits = [seconds(lambda a=a: store.reassign([a], [a])) for a, _ in pairs]
    say("one merge, median of ten, ms", 1e3 * statistics.median(merges), "reach 10")
    say("  slowest of ten, ms", 1e3 * max(merges))
    say("one split, median of ten, ms", 1e3 * statistics.median(splits), "reach 10")
    say("  slowest of ten, ms", 1e3 * max(splits))


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
    join_and_part_once(store)


def join_and_part_once(store: JourneyStore) -> None:
    """One merge and one split."""
    a, b = (int(person) for person in store.snapshot().buckets[0].person[:2])
    store.reassign([b], [a])
    store.reassign([b], [b])


def main() -> None:
    """Read the size and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="1M", help="interactions, such as 1M or 10M")
    size = int(float(parser.parse_args().size.upper().replace("M", "e6").replace("K", "e3")))
    print(f"{os.cpu_count()} cores, DuckDB {duckdb.__version__}, numpy {np.__version__}")
    folder = Path(tempfile.mkdtemp(prefix="desireline-bench-"))
    try:
        begin = time.perf_counter()
        warm(folder / "warm")
        say("first use, compiling or reading the cache, s", time.perf_counter() - begin)
        bench(folder / "bench", size)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
