"""The journey questions beside DuckDB, Polars and ClickHouse on the same log, in ratios of one run.

python -m bench.questions --size 1M --runs 3 --peers duckdb,polars,chdb [--keep DIR]

Answers are compared before times. Each engine works in its own process with two threads, one after
another; times are medians of warm runs, the first run is printed apart. Ratios three ways: on the store
(peers read Parquet, or DuckDB a table sorted by person), from Parquet (the store is built for the one
question), and with the store's build and a day's upkeep counted in.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench import definitions as d
from bench.harness import Report, disagreements, size_of, table, versions, worker
from bench.log import write_log
from bench.section import Line, Section

PEERS = ("duckdb", "polars", "chdb")
PACKAGES = ("desireline", "duckdb", "polars", "chdb", "numba", "numpy")
MODULE = "bench.questions"
TITLE = "The first seven questions"


def compare(folder: Path, size: int, runs: int, peers: list[str]) -> Section:
    """Run every engine, compare answers, then times."""
    log = folder / "lake" / "interactions" / "log.parquet"
    log.parent.mkdir(parents=True, exist_ok=True)
    if not log.exists():
        write_log(log, size)
    shutil.rmtree(folder / "cache", ignore_errors=True)
    given = ["--folder", str(folder), "--runs", str(runs)]
    built = worker(MODULE, "build", given)
    cold = worker(MODULE, "desireline", [*given[:-1], "1"], environment={"NUMBA_CACHE_DIR": str(folder / "cache")})
    ours = worker(MODULE, "desireline", given)
    others = [worker(MODULE, peer, given) for peer in peers]
    on_table = [worker(MODULE, "duckdb-sorted", given)] if "duckdb" in peers else []
    reports = [ours, *others, *on_table]
    wrong = [f"{name}: {text}" for name in d.SAYS for text in disagreements(name, reports)]
    lines = [
        f"{size:,} interactions, {runs} warm runs each, medians in seconds.",
        versions(PACKAGES),
        "",
        seconds_table(ours, others, on_table),
        "",
        ratio_table(ours, others, on_table, built),
        "",
        notes(built, cold, reports),
        "Left out: the operating system's file cache is warm for everybody; reading Parquet counts for the peers.",
        *(f"NOT EQUAL {line}" for line in wrong),
        *(f"{report.engine} stopped: {report.why}" for report in (built, cold, *reports) if report.why),
    ]
    complete = all(report.of(name) for report in reports if not report.why for name in d.SAYS)
    reached = reach_lines(size, ours, others)
    return Section(TITLE, "\n".join(lines), not wrong and complete, reached, measured([built, cold, *reports]))


def reach_lines(size: int, ours: Report, others: list[Report]) -> list[Line]:
    """How many times faster than the best peer each question was, beside what was to be reached."""
    lines = []
    for name in d.SAYS:
        mine = ours.of(name)
        found = [each for report in others if (each := report.of(name))]
        best = min(found, key=lambda each: each.seconds) if found else None
        ratio = best.seconds / mine.seconds if mine and best else None
        note = f"best peer {best.engine}" if best else ""
        lines.append(Line(f"{name}, times faster than the best peer", ratio, "x", d.REACH[name], more=True, note=note))
    flow = ours.of("flow")
    most = 0.1 + 0.9 * max(0, size - 1_000_000) / 99_000_000
    lines.append(Line("flow by itself", flow.seconds if flow else None, "s", most))
    return lines


def measured(reports: list[Report]) -> dict[str, Any]:
    """Every engine's seconds by question, and what else it took time for."""
    return {
        f"{report.engine}{' (cold cache)' if number == 1 else ''}": {
            "questions": {each.question: {"cold": each.cold, "warm": each.warm} for each in report.measured},
            "seconds": dict(report.notes),
            "memory_mib": report.memory_mib,
            "stopped": report.why,
        }
        for number, report in enumerate(reports)
    }


def seconds_table(ours: Report, others: list[Report], on_table: list[Report]) -> str:
    """Warm medians, and the first run of ours in brackets."""
    rows = []
    for name, says in d.SAYS.items():
        mine = ours.of(name)
        cells = [f"{mine.seconds:.4f} ({mine.cold:.4f})" if mine else "-"]
        for report in [*others, *on_table]:
            found = report.of(name)
            cells.append(f"{found.seconds:.3f} ({found.cold:.3f})" if found else "-")
        rows.append([says, *cells])
    return table(["question, warm (cold)", "desireline", *(r.engine for r in [*others, *on_table])], rows)


def ratio_table(ours: Report, others: list[Report], on_table: list[Report], built: Report) -> str:
    """How many times faster than the best peer, three ways, beside what was to be reached."""
    build = built.notes.get("build", 0.0)
    upkeep = build + built.notes.get("upkeep", 0.0)
    rows, mine_all, best_all = [], 0.0, 0.0
    for name in d.SAYS:
        mine = ours.of(name)
        found = [each for report in others if (each := report.of(name))]
        if mine is None or not found:
            continue
        best = min(found, key=lambda each: each.seconds)
        sorted_table = [each for report in on_table if (each := report.of(name))]
        mine_all, best_all = mine_all + mine.seconds, best_all + best.seconds
        rows.append(
            [
                name,
                f"{best.seconds / mine.seconds:.1f} x",
                best.engine,
                f"{d.REACH[name]:.0f} x",
                f"{best.cold / mine.cold:.1f} x",
                f"{sorted_table[0].seconds / mine.seconds:.1f} x" if sorted_table else "-",
                f"{best.seconds / (mine.seconds + build):.2f} x",
                f"{best.seconds / (mine.seconds + upkeep):.2f} x",
            ]
        )
    if rows:
        whole = [f"{best_all / (mine_all + more):.2f} x" for more in (build, upkeep)]
        rows.append(["all seven", f"{best_all / mine_all:.1f} x", "", "", "", "", *whole])
    head = ["times faster", "on the store", "best peer", "reach", "cold", "DuckDB sorted", "from Parquet", "and upkeep"]
    return table(head, rows)


def notes(built: Report, cold: Report, reports: list[Report]) -> str:
    """What else took time, and the most memory each engine held."""
    lines = [f"store: {name} {seconds:.3f} s" for name, seconds in built.notes.items()]
    lines += [f"desireline, nothing compiled yet: {name} {seconds:.2f} s" for name, seconds in cold.notes.items()]
    for report in reports:
        lines += [f"{report.engine}: {name} {seconds:.3f} s" for name, seconds in report.notes.items()]
        lines.append(f"{report.engine}: {report.memory_mib:,.0f} MiB at most")
    return "\n".join(lines)


def work(engine: str, folder: Path, runs: int) -> None:
    """What a worker process does."""
    log = folder / "lake" / "interactions" / "log.parquet"
    if engine in ("desireline", "build"):
        from bench import ours

        (ours.build if engine == "build" else ours.work)(folder, log, runs)
    elif engine == "polars":
        from bench import peer_polars

        peer_polars.work(folder, log, runs)
    elif engine == "chdb":
        from bench import peer_chdb

        peer_chdb.work(folder, log, runs)
    else:
        from bench import peer_duckdb

        peer_duckdb.work(folder, log, runs, as_table=engine == "duckdb-sorted")


def main() -> int:
    """Read the command line, run, print; 1 when answers differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="1M", help="interactions, such as 1M or 10M")
    parser.add_argument("--runs", type=int, default=3, help="warm runs of each question")
    parser.add_argument("--peers", default=",".join(PEERS), help="any of duckdb, polars, chdb")
    parser.add_argument("--keep", help="a folder for log and store, kept afterwards")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        work(given.worker, Path(given.folder), given.runs)
        return 0
    peers = [peer for peer in given.peers.split(",") if peer]
    unknown = [peer for peer in peers if peer not in PEERS]
    if unknown:
        print(f"unknown peers: {', '.join(unknown)}; known are {', '.join(PEERS)}", file=sys.stderr)
        return 2
    folder = Path(given.keep or tempfile.mkdtemp(prefix="desireline-questions-"))
    try:
        found = compare(folder, size_of(given.size), given.runs, peers)
    finally:
        if not given.keep:
            shutil.rmtree(folder)
    print(found.text)
    return 0 if found.agreed else 1


if __name__ == "__main__":
    sys.exit(main())
