"""Judge ten promises with deadlines, keys, channels and repeats; DuckDB does it with SQL by hand.

    python -m bench.judging --size 1M

Both make the same table, a row per instance: promise, opening, person, due, settled, verdict, breach,
lateness and the interactions that are its evidence. All rows must be equal, and the clock stops when the
table is there. Printed three ways: DuckDB from Parquet, DuckDB on a table sorted by person, and with the
building of that table and of our store counted in. A second question only counts the verdicts: less work
for the SQL, the same for us.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from bench.harness import THREADS, Report, digest, disagreements, finish, note, size_of, table, timed, versions, worker
from bench.log import write_log
from bench.section import Line, Section

from desireline.promises import Judged, judge, load_map, warm
from desireline.storage.journey_store import JourneyStore
from desireline.storage.lake import Lake
from desireline.vocabulary.promise import BREACHES, VERDICTS

QUESTION = "judge 10 promises"
COUNTING = "only count their verdicts"
TITLE = "Judging ten promises"
ENGINES = ("desireline", "duckdb parquet", "duckdb sorted")
MAP = """\
map: bench
quiet_after: 30 days
promises:
- {promise: a1, when: {touchpoint: support.asked}, then: {touchpoint: support.answered}, within: 1 day}
- {promise: a2, when: {touchpoint: support.asked}, then: {touchpoint: support.answered}, same: case, within: 4 hours}
- promise: a3
  when: {touchpoint: invoice.*, asks: true}
  then: {direction: outbound, answers: true}
  within: {phone: 10 minutes, chat: 10 minutes, email: 1 day, web: 2 hours}
- promise: a4
  when: {touchpoint: invoice.opened}
  then: {touchpoint: invoice.done, channel: [phone, branch]}
  within: 7 days
- promise: a5
  when: {touchpoint: cart.done}
  at_most: {count: 0, of: {touchpoint: support.*, direction: inbound}, within: 14 days}
- promise: a6
  when: {touchpoint: delivery.opened}
  then: {touchpoint: delivery.done}
  within: 3 days
  unless: {touchpoint: cart.asked}
- promise: a7
  when: {touchpoint: support.opened}
  at_most: {count: 1, of: {touchpoint: support.opened}, within: 7 days}
  same: case
- promise: a8
  when: {touchpoint: offer.opened}
  never: {touchpoint: [offer.seen, offer.asked, offer.answered, offer.done], channel: sms}
  within: 2 days
- promise: a9
  when: {touchpoint: account.asked}
  then: {touchpoint: account.answered}
  within: 8 hours
  if_broken: {then: {channel: phone, direction: outbound}, within: 1 day}
- promise: a10
  when: {touchpoint: product.asked}
  then: {touchpoint: product.answered, channel: [email, chat]}
  never: {touchpoint: product.answered, channel: social}
  within: 2 days
"""


NUMBERS = (
    *("opening_id", "person", "due_at", "settled_at", "lateness_seconds", "settling_id", "breaking_id"),
    "made_good_id",
)
CODES = ("promise", "verdict", "breach")
EMPTY = int(np.iinfo(np.int64).min)
FINGERPRINT = """
SELECT count(*), bit_xor(row), sum(row >> 12)::VARCHAR
FROM (SELECT hash(promise, verdict, breach, {numbers}) AS row FROM judged)
"""
OURS = """
CREATE TABLE judged AS
SELECT p.word AS promise, v.word AS verdict, b.word AS breach, {numbers}
FROM ours AS o JOIN promises AS p ON p.code = o.promise JOIN verdicts AS v ON v.code = o.verdict
LEFT JOIN breaches AS b ON b.code = o.breach
"""
Columns = dict[str, Any]


def judge_table(judged: Judged) -> tuple[Judged, Columns]:
    """The table asked for, as arrays."""
    return judged, judged.columns(*CODES, *NUMBERS)


def fingerprint_of_ours(found: tuple[Judged, Columns]) -> str:
    """The fingerprint that DuckDB gives the same rows."""
    judged, columns = found
    names = [promise.name for _, promise in judged.promises]
    numbers = ", ".join(f"nullif(o.{name}, {EMPTY}) AS {name}" for name in NUMBERS)
    with duckdb.connect() as connection:
        connection.register("ours", columns)
        for table_name, words in (("promises", names), ("verdicts", VERDICTS), ("breaches", BREACHES)):
            connection.register(table_name, {"code": np.arange(len(words)), "word": np.array(words, dtype=object)})
        connection.execute(OURS.format(numbers=numbers))
        return fingerprint(connection)


def fingerprint(connection: duckdb.DuckDBPyConnection) -> str:
    """How many rows the table has, and a hash of all of them in any order."""
    return str(connection.execute(FINGERPRINT.format(numbers=", ".join(NUMBERS))).fetchone())


def counted(judged: Judged) -> list[tuple[Any, ...]]:
    """How many instances of each promise have each verdict and breach, and how many were made good."""
    columns = judged.columns(*CODES, "made_good_id")
    groups, place = np.unique(np.stack([columns[name] for name in CODES]), axis=1, return_inverse=True)
    counts = np.bincount(place, minlength=groups.shape[1]).tolist()
    mended = np.bincount(place[columns["made_good_id"] != EMPTY], minlength=groups.shape[1]).tolist()
    return [
        (judged.promises[p][1].name, VERDICTS[v], BREACHES[b] if b >= 0 else "", count, good)
        for (p, v, b), count, good in zip(groups.T.tolist(), counts, mended, strict=True)
    ]


def work(engine: str, folder: Path, runs: int) -> None:
    """One engine alone in its process."""
    lake = Lake(folder / "lake")
    if engine == "desireline":
        begin = time.perf_counter()
        warm()
        note("compiling, or reading the cache", time.perf_counter() - begin)
        store = JourneyStore(folder / "store", lake)
        begin = time.perf_counter()
        store.build()
        note("build", time.perf_counter() - begin)
        snapshot, made = store.snapshot(), load_map(MAP, "bench.yaml")
        timed(QUESTION, lambda: judge_table(judge(snapshot, [made])), fingerprint_of_ours, runs)
        timed(COUNTING, lambda: judge(snapshot, [made]), lambda found: digest(counted(found)), runs)
    else:
        connection = duckdb.connect(config={"threads": THREADS})
        source = f"read_parquet('{lake.path('interactions', 'log')}')"
        begin = time.perf_counter()
        if engine == "duckdb sorted":
            connection.execute(f"CREATE TABLE interactions AS FROM {source} ORDER BY handle, occurred_at")
        else:
            connection.execute(f"CREATE VIEW interactions AS FROM {source}")
        note("build", time.perf_counter() - begin)
        making, counting = (Path(__file__).with_name(f"{name}.sql") for name in ("judging", "judging_counts"))
        text = making.read_text(encoding="utf-8")
        timed(QUESTION, lambda: connection.execute(text), fingerprint, runs)
        text = counting.read_text(encoding="utf-8")
        timed(COUNTING, lambda: connection.execute(text).fetchall(), digest, runs)
    finish()


def compare(folder: Path, size: int, runs: int) -> Section:
    """Run every engine, one after another, and compare every row before the times."""
    lake = Lake(folder / "lake")
    path = lake.path("interactions", "log")
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_log(path, size)
    arguments = ["--folder", str(folder), "--runs", str(runs)]
    reports = [worker("bench.judging", engine, arguments) for engine in ENGINES]
    lines = [f"{QUESTION} on {size:,} interactions", versions(["duckdb", "numba", "numpy"])]
    different = []
    for question, says in ((QUESTION, "the table of all instances"), (COUNTING, "the SQL only counts, ours judges")):
        different += disagreements(question, reports)
        lines += ["", f"{question}: {says}", "", compared(question, reports)]
    lines += [f"DIFFERENT: {each}" for each in different]
    compiling = reports[0].notes.get("compiling, or reading the cache")
    lines += [f"compiling, or reading the cache: {compiling:.1f} s"] if compiling is not None else []
    complete = all(report.of(QUESTION) and report.of(COUNTING) for report in reports)
    return Section(TITLE, "\n".join(lines), complete and not different, reach_lines(size, reports), measured(reports))


def compared(question: str, reports: list[Report]) -> str:
    """One line for every engine: its times, and how many times slower than ours it is."""
    ours = reports[0].of(question)
    rows = []
    for report in reports:
        found, build = report.of(question), report.notes.get("build", 0.0)
        if found is None or ours is None:
            rows.append([report.engine, report.why or "no answer", "", "", "", ""])
            continue
        whole = (found.seconds + build) / (ours.seconds + reports[0].notes.get("build", 0.0))
        times = [f"{each:.3f}" for each in (found.cold, found.seconds, build)]
        rows.append([report.engine, *times, f"{found.seconds / ours.seconds:.1f} x", f"{whole:.1f} x"])
    return table(["engine", "cold s", "warm s", "build s", "ratio", "with build"], rows)


def reach_lines(size: int, reports: list[Report]) -> list[Line]:
    """How many times faster than SQL by hand, and the seconds by themselves."""
    ours, peers = reports[0].of(QUESTION), [found for report in reports[1:] if (found := report.of(QUESTION))]
    best = min((each.seconds for each in peers), default=None)
    ratio = best / ours.seconds if ours and best else None
    return [
        Line("judging, times faster than DuckDB by hand", ratio, "x", 20, more=True, note="the faster of its two ways"),
        Line("judging by itself", ours.seconds if ours else None, "s", 2 * size / 1e7),
    ]


def measured(reports: list[Report]) -> dict[str, Any]:
    """Every engine's seconds."""
    return {
        report.engine: {"cold": found.cold, "warm": found.warm, "seconds": dict(report.notes)}
        for report in reports
        if (found := report.of(QUESTION))
    }


def main() -> int:
    """Read the command line, run, print; 1 when the verdicts differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="1M", help="interactions, such as 1M or 10M")
    parser.add_argument("--runs", type=int, default=3, help="warm runs")
    parser.add_argument("--keep", help="a folder for log and store, kept afterwards")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        work(given.worker, Path(given.folder), given.runs)
        return 0
    folder = Path(given.keep or tempfile.mkdtemp(prefix="desireline-judging-"))
    try:
        found = compare(folder, size_of(given.size), given.runs)
    finally:
        if not given.keep:
            shutil.rmtree(folder)
    print(found.text)
    return 0 if found.agreed else 1


if __name__ == "__main__":
    sys.exit(main())
