"""Loading an export into the lake against DuckDB's own reader and Polars: `python -m bench.loading --size 1M`.

The same seeded file of six columns, as CSV and as JSON lines, whole and with one broken row in a thousand. Desireline
validates, names and numbers every row and keeps what is broken with its reason; the peers only turn the file into
Parquet, and what they cannot read they give up on, or drop. Seconds are of CPU (all threads) and of the clock.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
from bench.harness import THREADS, size_of, table, versions

from desireline.intake import import_file, read_recipe, refused_rows
from desireline.storage.lake import Lake
from desireline.storage.state import State

BROKEN_EVERY = 1_000
NOW = 1_800_000_000_000
RECIPE = """
recipe: log
source: log
key: id
interactions:
  - occurred_at: {column: at}
    touchpoint: {column: step}
    channel: {column: channel}
    handles: [{kind: email, column: mail}]
    value: {column: amount}
"""
_ROWS = """
SELECT 'k' || i AS id,
       strftime(TIMESTAMP '2024-01-01' + to_seconds((i * 63) % 63072000), '%Y-%m-%d %H:%M:%S') AS moment,
       'person' || (hash(i // 4) % greatest({size} // 20, 1)) || '@example.org' AS mail,
       ['web', 'app', 'email', 'phone', 'chat', 'sms'][1 + (hash(i) % 6)::INT] AS channel,
       ['home.seen', 'cart.done', 'support.asked', 'invoice.opened', 'offer.seen'][1 + (hash(i + 7) % 5)::INT] AS step,
       printf('%.2f', (hash(i + 3) % 10000) / 100.0) AS amount, i % {every} = {every} - 1 AS broken,
       i // {every} % 2 = 0 AS cut
FROM range({size}) numbers(i)
"""
_HEADER = "id,at,mail,channel,step,amount"
_WHOLE = "id IS NOT NULL AND amount IS NOT NULL AND CAST(amount AS VARCHAR) <> 'five'"
_CSV = "concat_ws(',', id, moment, mail, channel, step, CASE WHEN broken THEN 'five' ELSE amount END)"
_JSON = """'{"id":"' || id || '","at":"' || moment || '","mail":"' || mail || '","channel":"' || channel ||
    '","step":"' || step || '","amount":' || CASE WHEN broken THEN '"five"' ELSE amount END || '}'"""


@dataclass(frozen=True, slots=True)
class Loaded:
    """One load: seconds of CPU and of the clock, rows that arrived, rows kept aside with a reason, and what failed."""

    file: str
    engine: str
    cpu: float
    clock: float
    rows: int
    kept: int = 0
    why: str = ""


def write_file(path: Path, size: int, *, broken: bool) -> None:
    """Write the export; of the broken rows half are cut off and half hold a word for an amount."""
    rows = _ROWS.format(size=size, every=BROKEN_EVERY)
    if not broken:
        rows = rows.replace(f"i % {BROKEN_EVERY} = {BROKEN_EVERY} - 1 AS broken", "false AS broken")
    line = _CSV if path.suffix == ".csv" else _JSON
    header = f"SELECT '{_HEADER}' UNION ALL " if path.suffix == ".csv" else ""
    with duckdb.connect() as connection:
        connection.execute(
            f"""COPY ({header} SELECT CASE WHEN broken AND cut THEN ({line})[:30] ELSE {line} END FROM ({rows}))
                TO '{path}' (FORMAT csv, HEADER false, QUOTE '', DELIMITER '\x01')"""
        )


def ours(path: Path, folder: Path) -> tuple[int, int, str]:
    """Take the file into a new project."""
    lake, state = Lake(folder / "lake"), State(folder / "state.sqlite")
    recipe = read_recipe(RECIPE, name="log")
    report = import_file(lake=lake, state=state, path=path, recipe=recipe, import_id="log", received_at=NOW)
    kept = len(refused_rows(state=state))
    state.close()
    return report.made, kept, ""


def duckdb_reader(path: Path, folder: Path) -> tuple[int, int, str]:
    """Turn the file into Parquet with DuckDB; when that fails, once more and told to pass over errors."""
    out = folder / "duckdb.parquet"
    kind = (
        "read_csv('{}', delim = ',', header = true{})"
        if path.suffix == ".csv"
        else "read_json('{}', format = 'newline_delimited'{})"
    )
    with duckdb.connect(config={"threads": THREADS}) as connection:
        for more in ("", ", ignore_errors = true"):
            try:
                connection.execute(f"COPY (SELECT * FROM {kind.format(path, more)}) TO '{out}' (FORMAT parquet)")
            except duckdb.Error as error:
                why = str(error).split("\n", 1)[0][:60]
                continue
            counted = f"SELECT count(*) FROM '{out}' WHERE {_WHOLE}"
            rows = int(connection.execute(counted).fetchall()[0][0])
            return rows, 0, f"failed, then told to pass over errors ({why})" if more else ""
    return 0, 0, f"failed ({why})"


def polars_reader(path: Path, folder: Path) -> tuple[int, int, str]:
    """Turn the file into Parquet with Polars; when that fails, once more and told to pass over errors."""
    import polars

    out = folder / "polars.parquet"
    scan: Callable[..., polars.LazyFrame] = polars.scan_csv if path.suffix == ".csv" else polars.scan_ndjson
    ways: list[dict[str, bool]] = [{}, {"ignore_errors": True}]
    if path.suffix == ".csv":
        ways.append({"ignore_errors": True, "truncate_ragged_lines": True})
    for more in ways:
        try:
            scan(path, **more).sink_parquet(out)
        except polars.exceptions.PolarsError as error:
            why = str(error).split("\n", 1)[0][:60]
            continue
        rows = int(polars.scan_parquet(out).filter(polars.sql_expr(_WHOLE)).select(polars.len()).collect().item())
        return rows, 0, f"failed, then told to pass over errors ({why})" if more else ""
    return 0, 0, f"failed ({why})"


ENGINES: dict[str, Callable[[Path, Path], tuple[int, int, str]]] = {
    "desireline": ours,
    "duckdb": duckdb_reader,
    "polars": polars_reader,
}


def measure(size: int, *, runs: int = 1) -> list[Loaded]:
    """Load every file with every engine, one after another; the median of the runs."""
    os.environ.setdefault("POLARS_MAX_THREADS", str(THREADS))
    os.environ.setdefault("DESIRELINE_THREADS", str(THREADS))
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for engine in ENGINES.values():
            warm = Path(folder) / "warm.csv"
            write_file(warm, 1_000, broken=False)
            _load("warm", "", engine, warm, Path(folder), 1)
        for kind in ("csv", "jsonl"):
            for broken in (False, True):
                path = Path(folder) / f"log.{kind}"
                write_file(path, size, broken=broken)
                name = f"{kind}, 0.1 % broken" if broken else kind
                found += [_load(name, engine, work, path, Path(folder), runs) for engine, work in ENGINES.items()]
                path.unlink()
    return found


def _load(
    name: str, engine: str, work: Callable[[Path, Path], tuple[int, int, str]], path: Path, folder: Path, runs: int
) -> Loaded:
    taken = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory(dir=folder) as inner:
            cpu, clock = time.process_time(), time.perf_counter()
            rows, kept, why = work(path, Path(inner))
            taken.append((time.process_time() - cpu, time.perf_counter() - clock))
    cpu, clock = (statistics.median(column) for column in zip(*taken, strict=True))
    return Loaded(name, engine, cpu, clock, rows, kept, why)


def rows_of(found: Sequence[Loaded], size: int) -> list[list[str]]:
    """The table's rows: times, the ratio to DuckDB's own reader, rows that arrived, were kept aside and got lost."""
    base = {each.file: each for each in found if each.engine == "duckdb"}
    return [
        [
            f"{each.file}: {each.engine}",
            f"{each.cpu:.2f}",
            f"{each.clock:.2f}",
            f"{each.cpu / base[each.file].cpu:.2f}",
            f"{each.clock / base[each.file].clock:.2f}",
            f"{each.rows:,}",
            f"{each.kept:,}",
            f"{size - each.rows - each.kept:,}",
            each.why,
        ]
        for each in found
    ]


HEAD = ("file: engine", "CPU s", "clock s", "x DuckDB CPU", "x DuckDB clock", "rows", "kept aside", "lost", "")


def disagreements(found: Sequence[Loaded], size: int) -> list[str]:
    """What ought not to be: rows that got lost with us, or rows missing from a whole file with anybody."""
    return [
        f"{each.file}: {each.engine} has {each.rows + each.kept:,} of {size:,} rows"
        for each in found
        if each.rows + each.kept != size and (each.engine == "desireline" or "broken" not in each.file)
    ]


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table; 1 when rows got lost where none may."""
    parser = argparse.ArgumentParser(prog="python -m bench.loading", description=__doc__)
    parser.add_argument("--size", default="1M", help="rows, such as 1M or 200k")
    parser.add_argument("--runs", type=int, default=1)
    given = parser.parse_args(argv)
    size = size_of(given.size)
    found = measure(size, runs=given.runs)
    print(f"Loading {size:,} rows. {versions(['duckdb', 'polars'])}")
    print(table(HEAD, rows_of(found, size)))
    wrong = disagreements(found, size)
    print("\n".join(wrong) if wrong else "Rows agree: with us none is lost.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
