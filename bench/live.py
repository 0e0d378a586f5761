"""From a request to the ledger and the screen, while a thousand interactions a second come in.

    python -m bench.live [--seconds 30] [--per-second 1000]

The whole server in a process of its own, a map whose promise every interaction opens, batches of twenty. What
is measured: the time from sending a batch until its promises stand in the ledger's newest part, and until an
open page is told by its events. The sender runs on the same cores and is counted.
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import sys
import tempfile
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.harness import table
from bench.ledger_watch import arrivals
from bench.section import Line, Section

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from faults.running import Server

BATCH, SENDERS = 20, 4
MAP = """
map: asked
says: Whoever asks is answered.
promises:
  - promise: answered
    says: You are answered within an hour.
    when: {touchpoint: question.asked}
    then: {touchpoint: question.answered}
    same: case
    within: 1 hour
"""


@dataclass
class Seen:
    """Milliseconds from sending until seen, one for each interaction; on the page one for each change of it."""

    ledger: list[float] = field(default_factory=list)
    page: list[float] = field(default_factory=list)
    sent: int = 0


@contextmanager
def served(folder: Path) -> Iterator[tuple[Server, str]]:
    """The whole server on a new project."""
    from desireline.project import new_project

    project = new_project(folder)
    (folder / "maps" / "asked.yaml").write_text(MAP, encoding="utf-8")
    key = project.sources.add("bench", server_side=True)["key"]
    project.state.close()
    server = Server(folder).start()
    try:
        server.wait_for("/ready")
        yield server, key
    finally:
        server.stop()


def send(port: int, key: str, *, until: float, each_seconds: float, number: int, seen: Seen) -> None:
    """Send batches at a steady pace; each case is named by the moment it was sent."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"authorization": "Basic " + b64encode(f"{key}:".encode()).decode()}
    due, count = time.monotonic(), 0
    while time.monotonic() < until:
        due += each_seconds
        threading.Event().wait(max(0.0, due - time.monotonic()))
        now = time.time_ns() // 1_000_000
        batch = [_event(f"{now}-{number}-{count + each}") for each in range(BATCH)]
        count += BATCH
        connection.request("POST", "/v1/batch", json.dumps({"batch": batch}).encode(), headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
        seen.sent += BATCH


def _event(case: str) -> dict[str, Any]:
    return {
        "type": "track", "messageId": case, "event": "question.asked", "userId": f"u{hash(case) % 20_000}",
        "properties": {"case": case},
    }  # fmt: skip


def watch_ledger(folder: Path, seen: Seen, ending: threading.Event) -> None:
    """Note when each interaction's promise stands in a part of the ledger."""
    for _, waited in arrivals(folder, ending):
        seen.ledger.append(waited)


def watch_page(port: int, seen: Seen, ending: threading.Event) -> None:
    """Note how old the newest state of an open page is, whenever it is told of a change."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/live/events", headers={"accept": "text/event-stream"})
    answer = connection.getresponse()
    before = time.time()
    for line in answer:
        if ending.is_set():
            return
        if line.startswith(b"data:"):
            seen.page.append((time.time() - before) * 1000)
            before = time.time()


def section(*, seconds: float = 30.0, per_second: float = 1_000.0) -> Section:
    """End to end at a steady pace."""
    with tempfile.TemporaryDirectory(prefix="desireline-bench-") as folder:
        project = Path(folder) / "project"
        with served(project) as (server, key):
            seen, ending = Seen(), threading.Event()
            until = time.monotonic() + seconds
            pace = SENDERS * BATCH / per_second
            work = [
                threading.Thread(
                    target=send,
                    args=(server.port, key),
                    kwargs={"until": until, "each_seconds": pace, "number": number, "seen": seen},
                )
                for number in range(SENDERS)
            ]
            watchers = [
                threading.Thread(target=watch_ledger, args=(project, seen, ending), daemon=True),
                threading.Thread(target=watch_page, args=(server.port, seen, ending), daemon=True),
            ]
            for thread in (*watchers, *work):
                thread.start()
            for thread in work:
                thread.join()
            patience = time.monotonic() + 60
            while len(seen.ledger) < seen.sent and time.monotonic() < patience:
                threading.Event().wait(0.1)
            ending.set()
            memory = _memory_mib(server.process.pid)
    return _told(seen, seconds=seconds, memory=memory)


def _told(seen: Seen, *, seconds: float, memory: float) -> Section:
    times = sorted(seen.ledger)
    pick = [times[int(len(times) * share)] / 1000 if times else float("nan") for share in (0.5, 0.95, 0.99)]
    page = statistics.median(seen.page) / 1000 if seen.page else float("nan")
    rows = [[f"{seen.sent / seconds:,.0f}", *(f"{each:.2f}" for each in pick), f"{page:.2f}", f"{memory:.0f}"]]
    text = table(["interactions/s", "p50 s", "p95 s", "p99 s", "page told every s", "MiB"], rows)
    lines = [
        Line("end to end, interactions", seen.sent / seconds, "/s", 1_000 * 0.99, more=True),
        Line("from request to ledger, p95", pick[1], "s", 5),
        Line("from request to the page's events, p95 of ledger and one turn of events", pick[1] + page, "s", 5),
    ]
    return Section(
        "In motion", text, len(seen.ledger) >= seen.sent, lines, {"ledger_ms": times[:: max(1, len(times) // 200)]}
    )


def _memory_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return float("nan")


def main() -> int:
    """Read the command line and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--per-second", type=float, default=1_000.0)
    given = parser.parse_args()
    found = section(seconds=given.seconds, per_second=given.per_second)
    print(found.text)
    print("\n" + table(["figure", "measured", "reach", "", "of"], [line.cells() for line in found.lines]))
    return 0 if found.agreed else 1


if __name__ == "__main__":
    sys.exit(main())
