"""From a request to the ledger while a file of a million rows is imported into the serving demo.

    python -m bench.live_import [--project DEMO] [--rows 1000000] [--per-second 100]

The demo (two million interactions) is served, interactions come in at a steady pace, and the command line hands a
file over that speaks of the same customers. Measured is the time from sending a batch until its promises stand in
the ledger, before the import and from its first second until half a minute after its last.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from bench.harness import table
from bench.ledger_watch import arrivals
from bench.live import BATCH, MAP, Server, send
from bench.section import Line, Section

QUIET_SECONDS, AFTER_SECONDS, PATIENCE_SECONDS = 20, 30, 120
RECIPE = """\
recipe: shop_orders
source: shop_orders
files: ["orders*.csv"]
reading: {format: csv}
key: number
interactions:
  - occurred_at: {column: moment}
    handles: [{kind: crm, column: customer}]
    channel: web
    touchpoint: {column: event}
    order: {column: order}
"""
CUSTOMERS = """
CREATE TEMP TABLE known AS
SELECT row_number() OVER (ORDER BY value) - 1 AS place, value FROM handles WHERE kind = 'crm'
"""
ORDERS = """
COPY (
    SELECT 'N' || i AS number,
        strftime(make_timestamp(1700000000000000 + (i * 37000000) % 31536000000000), '%Y-%m-%dT%H:%M:%SZ') AS moment,
        CASE WHEN hash(i) % 20 = 0 THEN 'NEW' || (hash(i) % 50000) ELSE known.value END AS customer,
        CASE hash(i * 7) % 3 WHEN 0 THEN 'order.placed' WHEN 1 THEN 'order.shipped' ELSE 'order.paid' END AS event,
        'O' || (i // 4) AS "order"
    FROM range($rows) numbers(i) JOIN known ON known.place = hash(i // 4) % {customers}
    ORDER BY moment
) TO '{path}' (HEADER, DELIMITER ',')
"""


@dataclass
class Watched:
    """When each interaction was sent and how long after that its promise stood in the ledger, both in milliseconds."""

    sent_at: list[int]
    waited: list[float]

    def between(self, begin: float, end: float) -> list[float]:
        """The waits of what was sent between two moments in seconds, the longest last."""
        inside = zip(self.sent_at, self.waited, strict=True)
        return sorted(wait for sent, wait in inside if begin * 1000 <= sent < end * 1000)


def prepared(folder: Path, demo: Path | None, rows: int) -> tuple[Path, Path, str]:
    """A demo of our own with a map and a source, the file to import, and the write key."""
    from desireline.project import Project
    from desireline.project.demo import make_demo

    project_folder, orders = folder / "project", folder / "orders.csv"
    if demo is None:
        make_demo(project_folder, people=20_000, seed=7, progress=lambda _share, _what: None)
    else:
        shutil.copytree(demo, project_folder, ignore=shutil.ignore_patterns("world"))
    (project_folder / "maps" / "asked.yaml").write_text(MAP, encoding="utf-8")
    (project_folder / "recipes" / "shop_orders.yaml").write_text(RECIPE, encoding="utf-8")
    project = Project(project_folder)
    with project.lake.connection() as connection:
        customers = connection.execute(CUSTOMERS).fetchall()[0][0]
        connection.execute(ORDERS.format(path=orders, customers=customers), {"rows": rows})
    key = str(project.sources.add("bench", server_side=True)["key"])
    project.state.close()
    return project_folder, orders, key


def watch(folder: Path, watched: Watched, ending: threading.Event) -> None:
    """Note when each interaction's promise stands in a part of the ledger."""
    for sent, waited in arrivals(folder, ending):
        watched.sent_at.append(sent)
        watched.waited.append(waited)


def section(*, demo: Path | None = None, rows: int = 1_000_000, per_second: float = 100.0) -> Section:
    """A file beside a steady pace of interactions."""
    with tempfile.TemporaryDirectory(prefix="desireline-bench-") as folder, ExitStack() as held:
        project, orders, key = prepared(Path(folder), demo, rows)
        server = Server(project).start()
        held.callback(server.stop)
        server.wait_for("/ready")
        watched, ending = Watched([], []), threading.Event()
        sending = threading.Thread(target=_send, args=(server.port, key, per_second, ending), daemon=True)
        watching = threading.Thread(target=watch, args=(project, watched, ending), daemon=True)
        for thread in (sending, watching):
            thread.start()
        time.sleep(QUIET_SECONDS)
        began = time.time()
        command = [sys.executable, "-m", "desireline.faces.cli", "import", str(orders), "--project", str(project)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        ended = time.time()
        time.sleep(AFTER_SECONDS)
        until = time.time() - 10
        patience = time.monotonic() + PATIENCE_SECONDS
        while not watched.between(until - 5, until) and time.monotonic() < patience:
            time.sleep(0.5)
        ending.set()
        watching.join(30)
    before = watched.between(began - QUIET_SECONDS + 5, began)
    while_importing = watched.between(began, ended)
    return _told(before, while_importing, rows=rows, seconds=ended - began, per_second=per_second)


def _send(port: int, key: str, per_second: float, ending: threading.Event) -> None:
    from bench.live import Seen

    with suppress(OSError):  # the server ends before the sender does
        while not ending.is_set():
            send(port, key, until=time.monotonic() + 5, each_seconds=BATCH / per_second, number=0, seen=Seen())


def _told(before: list[float], during: list[float], *, rows: int, seconds: float, per_second: float) -> Section:
    shares = (0.5, 0.95, 1.0)
    cells = [
        [name, f"{len(waits):,}", *(f"{_at(waits, share):.2f}" for share in shares)]
        for name, waits in (("before the import", before), ("while it runs", during))
    ]
    text = f"{rows:,} rows imported in {seconds:.1f} s while {per_second:.0f} interactions a second come in.\n"
    text += table(["", "interactions", "p50 s", "p95 s", "longest s"], cells)
    lines = [
        Line("from request to ledger while a file is imported, p95", _at(during, 0.95), "s", 5),
        Line("from request to ledger while a file is imported, longest", _at(during, 1.0), "s", 10),
    ]
    return Section("In motion beside an import", text, len(during) >= 0.9 * seconds * per_second, lines, {})


def _at(waits: list[float], share: float) -> float:
    return waits[min(len(waits) - 1, int(len(waits) * share))] / 1000 if waits else float("nan")


def main() -> int:
    """Read the command line and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--project", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--per-second", type=float, default=100.0)
    given = parser.parse_args()
    found = section(demo=given.project, rows=given.rows, per_second=given.per_second)
    print(found.text)
    print("\n" + table(["figure", "measured", "reach", "", "of"], [line.cells() for line in found.lines]))
    return 0 if found.agreed else 1


if __name__ == "__main__":
    sys.exit(main())
