"""The collector under load, durable, with key and validation; the generator runs on the same cores and is counted.

    python -m bench.collector [--seconds 5] [--runs 3] [--long]

Single requests and batches of twenty over 64 connections; then three times what it can take (ten seconds,
or five minutes with --long) over 400, where it must refuse quickly and stay small, and then once more what
it took before. Every answer of success is compared with what lies in the log.

Beside what the generator saw stands what the collector counted itself, and how long its loop was ready to run
and had no core: on a machine with other work, that is where most of a high p99 comes from.
"""

from __future__ import annotations

import argparse
import json
import os
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
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Any

from bench.harness import table
from bench.section import Line, Section

CONNECTIONS = 64
CROWD = 400
AFTER_SECONDS = 12
NORMAL_MS = 50


@dataclass
class Served:
    """A collector in a process of its own: where it listens, and at its end what lies in its log and what it took."""

    port: int
    process: int = 0
    stored: int = 0
    events: int = 0
    memory_mib: float = 0.0
    processor_seconds: float = 0.0
    own_ms: dict[str, list[float]] = field(default_factory=dict)

    def core_seconds(self) -> tuple[float, float]:
        """How long its loop ran so far, and how long it was ready to run and waited for a core (Linux; else 0)."""
        said = Path(f"/proc/{self.process}/schedstat")
        ran, waited = said.read_text().split()[:2] if said.exists() else ("0", "0")
        return int(ran) / 1e9, int(waited) / 1e9


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
    server = server_of(collector, gate=collector.gate)

    def end() -> None:
        sys.stdin.read()
        server.should_exit = True

    threading.Thread(target=end, daemon=True).start()
    print(json.dumps({"port": listening.getsockname()[1]}), flush=True)
    make_quick()
    server.run(sockets=[listening])
    used = resource.getrusage(resource.RUSAGE_SELF)
    scale = 1024 if sys.platform == "linux" else 1024 * 1024
    counters = collector.counters
    taken = {"answered": counters.stored, "refused": counters.refused, "late": counters.late}
    said = {
        "own_ms": {name: [each.at_most(share) * 1_000 for share in (0.5, 0.99)] for name, each in taken.items()},
        "stored": log.last, "events": counters.events, "memory_mib": used.ru_maxrss / scale,
        "processor_seconds": used.ru_utime + used.ru_stime,
    }  # fmt: skip
    print(json.dumps(said), flush=True)
    log.close()


@contextmanager
def served() -> Iterator[Served]:
    """A collector in a process of its own, with an empty log; in a session of its own, as a service has one, so that
    the scheduler gives it and the generator a share each."""
    with tempfile.TemporaryDirectory(prefix="desireline-bench-") as folder:
        command = [sys.executable, "-m", "bench.collector", "--serve", folder]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, start_new_session=True) as process:
            assert process.stdout is not None
            assert process.stdin is not None
            found = Served(json.loads(process.stdout.readline())["port"], process.pid)
            try:
                yield found
            finally:
                process.stdin.close()
                for name, value in json.loads(process.stdout.readline()).items():
                    setattr(found, name, value)


def load(server: Served, **given: float) -> dict[str, Any]:
    """What the generator saw of one load, run in a process of its own."""
    (found,) = loads(server, **given)
    return found


def loads(server: Served, **given: float) -> list[dict[str, Any]]:
    """What the generator saw of one load, or of two that follow each other at once (`then_seconds`).

    How long the server ran and waited for a core is that of both together.
    """
    words = [f"--{name.replace('_', '-')}={value:g}" for name, value in given.items()]
    command = [sys.executable, "-m", "bench.collector_load", f"--port={server.port}", *words]
    ran, waited = server.core_seconds()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    ran_then, waited_then = server.core_seconds()
    cores = {"ran_seconds": ran_then - ran, "waited_seconds": waited_then - waited, "others": os.getloadavg()[0]}
    return [{**json.loads(line), **cores} for line in done.stdout.splitlines()]


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
        rush, after = loads(
            server,
            seconds=seconds,
            connections=CROWD,
            events=1,
            rate=3 * capacity,
            then_seconds=AFTER_SECONDS,
            then_connections=CONNECTIONS,
        )
    accepted = calm["accepted"] + rush["accepted"] + after["accepted"]
    whole = server.stored == accepted and not rush["unanswered"]
    return {"calm": calm, "rush": rush, "after": after}, server, whole


def seconds_until_normal(crowd: dict[str, Any]) -> float | None:
    """From the end of the rush until the p99 of a second is what it was before it, or 50 ms; None when it never was.

    What it was before is the worst second of the calm.
    """
    normal_ms = max(NORMAL_MS, *crowd["calm"]["p99_of_each_second_ms"])
    begun = (crowd["after"]["begun_at"] - crowd["rush"]["ended_at"]) / 1e9
    for second, p99_ms in enumerate(crowd["after"]["p99_of_each_second_ms"]):
        if 0 < p99_ms <= normal_ms:
            return float(begun + second + 1)
    return None


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
    head = [
        "load",
        "requests/s",
        "p50 ms",
        "p99 ms",
        "refused",
        "refused p99 ms",
        "not sent",
        "ran s",
        "no core s",
        "load",
    ]
    own = [[name, *(f"{each:,.1f}" for each in shares)] for name, shares in server.own_ms.items()]
    text = (
        f"{table(head, rows)}\n\nmemory of the collector at most {server.memory_mib:.0f} MiB\n\n"
        f"what it counted itself over calm, rush and calm (bounds)\n{table(['', 'p50 ms <=', 'p99 ms <='], own)}"
    )
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
        Line("from its end until p99 is normal", seconds_until_normal(crowd), "s", 10),
    ]
    agreed = singles_whole and batches_whole and crowd_whole
    return Section("The collector", text, agreed, lines, {"single": singles, "batch": batches, **crowd})


def _quantile(share: str) -> Callable[[dict[str, Any]], float]:
    return lambda each: float(each["accepted_ms"][share])


def _row(name: str, one: dict[str, Any], per_second: float, all_of: list[dict[str, Any]]) -> list[str]:
    p50, p99 = (_median(all_of, _quantile(share)) for share in ("0.5", "0.99"))
    refused_ms = f"{one['refused_ms']['0.99']:.1f}" if one["refused"] else "-"
    found = [
        f"{per_second:,.0f}",
        f"{p50:.1f}",
        f"{p99:.1f}",
        f"{one['refused']:,}",
        refused_ms,
        f"{one['not_sent']:,}",
    ]
    ran = [f"{_median(all_of, itemgetter(which)):.1f}" for which in ("ran_seconds", "waited_seconds", "others")]
    return [name, *found, *ran]


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
    print(
        f"\nevery success lies in the log, nothing else does, nothing is unanswered: {'yes' if found.agreed else 'NO'}"
    )
    print("\n" + table(["figure", "measured", "reach", "", "of"], [line.cells() for line in found.lines]))
    return 0 if found.agreed else 1


if __name__ == "__main__":
    sys.exit(main())
