"""The collector under load, durable, with key and validation; the generator runs on the same cores and is counted.

    python -m bench.collector [--seconds 5] [--runs 3] [--long]

Single requests and batches of twenty over 64 connections; then three times what it can take (ten seconds,
or five minutes with --long) over 400, where it must refuse quickly and stay small, and then once more what
it took before. Every answer of success is compared with what lies in the log.
"""

from __future__ import annotations

import argparse
import json
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.harness import table
from bench.section import Line, Section

CONNECTIONS = 64
CROWD = 400


@dataclass
class Served:
    """A collector in a process of its own: where it listens, and at its end what lies in its log and what it took."""

    port: int
    stored: int = 0
    events: int = 0
    memory_mib: float = 0.0
    processor_seconds: float = 0.0


def serve(folder: Path) -> None:
    """A collector over a log in a folder until its input is closed; says where it listens, and then what it did."""
    from desireline.faces.collector import Collector, Source, Sources, make_quick, server_of
    from desireline.storage.log import Log

    def now() -> int:
        return time.time_ns() // 1_000_000

    log = Log(folder / "log", now=now)
    collector = Collector(log, Sources([Source("bench", "segment", "bench-key")]), now=now)
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(2_048)
    server = server_of(collector)

    def end() -> None:
        sys.stdin.read()
        server.should_exit = True

    threading.Thread(target=end, daemon=True).start()
    print(json.dumps({"port": listening.getsockname()[1]}), flush=True)
    make_quick()
    server.run(sockets=[listening])
    used = resource.getrusage(resource.RUSAGE_SELF)
    scale = 1024 if sys.platform == "linux" else 1024 * 1024
    said = {
        "stored": log.last, "events": collector.counters.events, "memory_mib": used.ru_maxrss / scale,
        "processor_seconds": used.ru_utime + used.ru_stime,
    }  # fmt: skip
    print(json.dumps(said), flush=True)
    log.close()


@contextmanager
def served() -> Iterator[Served]:
    """A collector in a process of its own, with an empty log."""
    with tempfile.TemporaryDirectory(prefix="desireline-bench-") as folder:
        command = [sys.executable, "-m", "bench.collector", "--serve", folder]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdin is not None
            found = Served(json.loads(process.stdout.readline())["port"])
            try:
                yield found
            finally:
                process.stdin.close()
                for name, value in json.loads(process.stdout.readline()).items():
                    setattr(found, name, value)


def load(server: Served, **given: float) -> dict[str, Any]:
    """What the generator saw, run in a process of its own."""
    words = [f"--{name}={value:g}" for name, value in given.items()]
    command = [sys.executable, "-m", "bench.collector_load", f"--port={server.port}", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def steady(events: int, *, seconds: float, runs: int) -> tuple[list[dict[str, Any]], bool]:
    """Some runs of the same load, and whether every success lies in the log, and nothing else."""
    with served() as server:
        warm = load(server, seconds=1, connections=CONNECTIONS, events=events)
        found = [load(server, seconds=seconds, connections=CONNECTIONS, events=events) for _ in range(runs)]
    accepted = sum(each["accepted"] for each in [warm, *found])
    return found, server.stored == accepted and not any(each["lost"] or each["unanswered"] for each in found)


def overload(*, capacity: float, seconds: float) -> tuple[dict[str, Any], Served, bool]:
    """Three times what it can take, then at once what it took before."""
    with served() as server:
        calm = load(server, seconds=3, connections=CONNECTIONS, events=1)
        rush = load(server, seconds=seconds, connections=CROWD, events=1, rate=3 * capacity)
        after = load(server, seconds=3, connections=CONNECTIONS, events=1)
    accepted = calm["accepted"] + rush["accepted"] + after["accepted"]
    whole = server.stored == accepted and not rush["unanswered"]
    return {"calm": calm, "rush": rush, "after": after}, server, whole


def _median(found: list[dict[str, Any]], of: Callable[[dict[str, Any]], float]) -> float:
    return statistics.median(of(each) for each in found)


def section(*, seconds: float = 5.0, runs: int = 3, long: bool = False) -> Section:
    """Everything about the collector."""
    singles, singles_whole = steady(1, seconds=seconds, runs=runs)
    batches, batches_whole = steady(20, seconds=seconds, runs=runs)
    per_second = _median(singles, lambda each: each["per_second"])
    crowd, server, crowd_whole = overload(capacity=per_second, seconds=300 if long else 10)
    rush, after = crowd["rush"], crowd["after"]
    rows = [
        _row("single requests", singles[0], per_second, singles),
        _row("batches of 20", batches[0], _median(batches, lambda each: each["per_second"]), batches),
        _row("calm", crowd["calm"], crowd["calm"]["per_second"], [crowd["calm"]]),
        _row(f"3 x for {rush['seconds']:.0f} s", rush, rush["per_second"], [rush]),
        _row("calm again", after, after["per_second"], [after]),
    ]
    head = ["load", "requests/s", "p50 ms", "p99 ms", "refused", "refused p99 ms", "not sent"]
    text = table(head, rows) + f"\n\nmemory of the collector at most {server.memory_mib:.0f} MiB"
    lines = [
        Line("single requests, durable", per_second, "/s", 5_000, more=True),
        Line("their p99", _median(singles, lambda each: each["accepted_ms"]["0.99"]), "ms", 50),
        Line(
            "interactions in batches of 20",
            _median(batches, lambda each: each["interactions_per_second"]),
            "/s",
            40_000,
            more=True,
        ),
        Line("p99 of refusals at three times the load", rush["refused_ms"]["0.99"], "ms", 50),
        Line("p99 of what is taken then", rush["accepted_ms"]["0.99"], "ms", 250),
        Line("memory of the collector then", server.memory_mib, "MiB", 512),
        Line("p99 right after it", after["accepted_ms"]["0.99"], "ms", 50),
    ]
    agreed = singles_whole and batches_whole and crowd_whole
    return Section("The collector", text, agreed, lines, {"single": singles, "batch": batches, **crowd})


def _row(name: str, one: dict[str, Any], per_second: float, all_of: list[dict[str, Any]]) -> list[str]:
    times = [_median(all_of, lambda each, share=share: each["accepted_ms"][share]) for share in ("0.5", "0.99")]
    refused = f"{one['refused']:,}"
    refused_ms = f"{one['refused_ms']['0.99']:.1f}" if one["refused"] else "-"
    return [name, f"{per_second:,.0f}", *(f"{each:.1f}" for each in times), refused, refused_ms, f"{one['not_sent']:,}"]


def main() -> int:
    """Read the command line and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--long", action="store_true", help="five minutes of three times the load")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(Path(given.serve))
        return 0
    found = section(seconds=given.seconds, runs=given.runs, long=given.long)
    print(found.text)
    print("\n" + table(["figure", "measured", "reach", "", "of"], [line.cells() for line in found.lines]))
    return 0 if found.agreed else 1


if __name__ == "__main__":
    sys.exit(main())
