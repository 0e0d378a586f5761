"""Loading CSV and JSON lines, validated, into the lake, beside DuckDB's own reader on the same files.

    python -m bench.load [--size 1M]

One row in a thousand is broken (no moment, or a moment that is none). Ours keeps every broken row and
says why; DuckDB reads the same columns with the same types, leaves broken rows out and writes Parquet.
Good rows must be as many on both sides.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

import duckdb
from bench.harness import THREADS, Report, finish, note, size_of, table, timed, worker
from bench.log import write_log
from bench.section import Line, Section

from desireline.intake import import_file, read_recipe
from desireline.storage.lake import Lake
from desireline.storage.state import State

FORMATS = ("csv", "jsonl")
TITLE = "Loading CSV and JSON lines"
COLUMNS = {
    "key": "BIGINT",
    "customer": "BIGINT",
    "at": "TIMESTAMP",
    "channel": "VARCHAR",
    "touchpoint": "VARCHAR",
    "direction": "VARCHAR",
    "case": "VARCHAR",
    "cents": "BIGINT",
}
RECIPE = """\
recipe: bench
says: The log of the bench
source: bench
key: key
interactions:
  - occurred_at: {column: at}
    handles:
      - {kind: customer, column: customer}
    channel: {column: channel}
    touchpoint: {column: touchpoint}
    direction: {column: direction}
    case: {column: case}
"""
EXPORT = """
SELECT position AS key, handle AS customer,
       CASE WHEN position % 1000 <> 7 THEN strftime(epoch_ms(occurred_at), '%Y-%m-%dT%H:%M:%S')
            WHEN position % 2000 = 7 THEN 'yesterday' END AS at,
       channel, touchpoint, direction, about_case AS "case", value_minor AS cents
FROM read_parquet('{log}')
"""


def write_exports(folder: Path, size: int) -> None:
    """The log as a company would export it: once as CSV, once as JSON lines."""
    log = folder / "lake" / "interactions" / "log.parquet"
    if not log.exists():
        log.parent.mkdir(parents=True, exist_ok=True)
        write_log(log, size)
    with duckdb.connect() as connection:
        for ending, options in (("csv", "FORMAT csv, HEADER"), ("jsonl", "FORMAT json")):
            connection.execute(f"COPY ({EXPORT.format(log=log)}) TO '{folder / f'log.{ending}'}' ({options})")


def ours(folder: Path, ending: str) -> int:
    """Take the file in; every row becomes an interaction or lies in quarantine with its reason."""
    project = Path(tempfile.mkdtemp(dir=folder))
    lake, state = Lake(project / "lake"), State(project / "state.sqlite")
    recipe = read_recipe(RECIPE, name="bench.yaml")
    path = folder / f"log.{ending}"
    try:
        report = import_file(lake=lake, state=state, path=path, recipe=recipe, import_id="bench", received_at=0)
    finally:
        state.close()
        shutil.rmtree(project)
    assert report.rows_read == report.made + report.rows_refused, "every row must be accounted for"
    return report.made


def theirs(folder: Path, ending: str) -> int:
    """DuckDB's own reader with the types told, to Parquet; broken rows are left out."""
    kinds = ", ".join(f"'{name}': '{kind}'" for name, kind in COLUMNS.items())
    reader = "read_csv" if ending == "csv" else "read_ndjson"
    rows = f"{reader}('{folder / f'log.{ending}'}', columns = {{{kinds}}}, ignore_errors = true)"
    out = folder / "duckdb.parquet"
    with duckdb.connect(config={"threads": THREADS}) as connection:
        connection.execute(f"COPY (FROM {rows} WHERE \"at\" IS NOT NULL) TO '{out}' (FORMAT parquet)")
        found = connection.execute(f"SELECT count(*) FROM read_parquet('{out}')").fetchone()
    return int(found[0]) if found else 0


def section(folder: Path, size: int, runs: int) -> Section:
    """Both readers on both files, each in a process of its own; good rows are counted before times are compared."""
    begin = time.perf_counter()
    write_exports(folder, size)
    wrote = time.perf_counter() - begin
    reports = [
        worker("bench.load", name, ["--folder", str(folder), "--runs", str(runs)]) for name in ("ours", "duckdb")
    ]
    mine, other = reports
    rows, lines, agreed = [], [], True
    for ending in FORMATS:
        a, b = mine.of(ending), other.of(ending)
        mebibytes = (folder / f"log.{ending}").stat().st_size / 2**20
        if a is None or b is None:
            rows.append([ending, f"{mebibytes:,.0f}", *(report.why or "-" for report in reports), "", ""])
            agreed = False
            continue
        agreed = agreed and a.answer == b.answer
        ratio = a.seconds / b.seconds
        rows.append([ending, f"{mebibytes:,.0f}", f"{a.seconds:.2f}", f"{b.seconds:.2f}", f"{ratio:.2f} x", a.answer])
        lines.append(Line(f"load {ending}, times DuckDB's own reader", ratio, "x", 1.5))
    head = ["file", "MiB", "desireline s", "duckdb s", "ratio", "good rows"]
    text = [f"{size:,} rows (exports written in {wrote:.1f} s)", table(head, rows)]
    text += [f"{report.engine}: {report.memory_mib:,.0f} MiB at most" for report in reports]
    return Section(TITLE, "\n".join(text), agreed, lines, [_measured(report) for report in reports])


def _measured(report: Report) -> dict[str, object]:
    return {"engine": report.engine} | {found.question: found.warm for found in report.measured}


def work(engine: str, folder: Path, runs: int) -> None:
    """What a worker process does."""
    load = ours if engine == "ours" else theirs
    begin = time.perf_counter()
    for ending in FORMATS:
        timed(ending, lambda ending=ending: load(folder, ending), str, runs)
    note("all loads", time.perf_counter() - begin)
    finish()


def main() -> int:
    """Read the size and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="1M", help="rows, such as 1M or 10M")
    parser.add_argument("--runs", type=int, default=1, help="warm runs")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        work(given.worker, Path(given.folder), given.runs)
        return 0
    folder = Path(tempfile.mkdtemp(prefix="desireline-load-"))
    try:
        found = section(folder, size_of(given.size), given.runs)
    finally:
        shutil.rmtree(folder)
    print(found.text)
    return 0 if found.agreed else 1


if __name__ == "__main__":
    sys.exit(main())
