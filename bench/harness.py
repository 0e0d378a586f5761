"""What every bench of questions needs: workers in their own process, medians, agreement, ratios, versions.

A worker is a module that is started as `python -m <module> --worker <name> …` and prints one JSON line per
question: {"question", "cold", "warm": [seconds], "answer"}. It is measured alone, so its memory is its own.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

THREADS = 2
TIMEOUT_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Measured:
    """One question asked of one engine."""

    question: str
    engine: str
    cold: float
    warm: tuple[float, ...]
    answer: str

    @property
    def seconds(self) -> float:
        """The median of the warm runs."""
        return statistics.median(self.warm)


@dataclass(frozen=True, slots=True)
class Report:
    """All a worker said. why: empty, or why it stopped early. notes: named seconds, such as building."""

    engine: str
    measured: tuple[Measured, ...] = ()
    notes: Mapping[str, float] = field(default_factory=dict)
    memory_mib: float = 0.0
    why: str = ""

    def of(self, question: str) -> Measured | None:
        """What was measured for a question, if it got so far."""
        return next((each for each in self.measured if each.question == question), None)


def size_of(text: str) -> int:
    """A number of interactions from "1M", "200k" or "1000"."""
    return int(float(text.upper().replace("M", "e6").replace("K", "e3")))


def digest(rows: Iterable[Sequence[Any]]) -> str:
    """A short fingerprint of rows in any order; numbers are compared to twelve digits."""
    texts = sorted(json.dumps([_plain(value) for value in row]) for row in rows)
    return f"{len(texts)} rows {hashlib.sha256(chr(10).join(texts).encode()).hexdigest()[:16]}"


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return int(value) if value == int(value) else float(f"{value:.12g}")
    if isinstance(value, bytes):
        return value.decode()
    if hasattr(value, "item"):
        return _plain(value.item())
    return int(value) if isinstance(value, bool) else value


def timed(question: str, ask: Callable[[], Any], fingerprint: Callable[[Any], str], runs: int) -> None:
    """Ask once cold and `runs` times warm, and print the worker's line."""
    begin = time.perf_counter()
    answer = fingerprint_of = ask()
    cold = time.perf_counter() - begin
    warm = []
    for _ in range(runs):
        begin = time.perf_counter()
        fingerprint_of = ask()
        warm.append(time.perf_counter() - begin)
    del answer
    tell({"question": question, "cold": cold, "warm": warm, "answer": fingerprint(fingerprint_of)})


def tell(line: Mapping[str, Any]) -> None:
    """One line of a worker to its parent."""
    print("@" + json.dumps(line), flush=True)


def note(name: str, seconds: float) -> None:
    """Something else a worker took time for."""
    tell({"note": name, "seconds": seconds})


def finish() -> None:
    """The last line of a worker: the most memory it held."""
    scale = 1024 if platform.system() == "Linux" else 1024 * 1024
    tell({"memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale})


def worker(
    module: str, engine: str, arguments: Sequence[str], *, environment: Mapping[str, str] | None = None
) -> Report:
    """Run a worker and read what it says; one that fails or takes too long is reported as such."""
    command = [sys.executable, "-m", module, "--worker", engine, *arguments]
    threads = {name: str(THREADS) for name in ("DESIRELINE_THREADS", "POLARS_MAX_THREADS", "OMP_NUM_THREADS")}
    given = {**os.environ, **threads, **(environment or {})}
    why = ""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, env=given, check=False)
        out = done.stdout
        if done.returncode:
            why = (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1][:300]
    except subprocess.TimeoutExpired as error:
        out = error.stdout.decode() if isinstance(error.stdout, bytes) else (error.stdout or "")
        why = f"longer than {TIMEOUT_SECONDS} s"
    lines = [json.loads(line[1:]) for line in out.splitlines() if line.startswith("@")]
    measured = tuple(
        Measured(line["question"], engine, line["cold"], tuple(line["warm"]), line["answer"])
        for line in lines
        if "question" in line
    )
    notes = {line["note"]: line["seconds"] for line in lines if "note" in line}
    memory = max((line["memory_mib"] for line in lines if "memory_mib" in line), default=0.0)
    return Report(engine, measured, notes, memory, why)


def disagreements(question: str, reports: Sequence[Report]) -> list[str]:
    """Engines whose answer differs from the first report's."""
    answers = {report.engine: found.answer for report in reports if (found := report.of(question))}
    first = next(iter(answers.values()), "")
    return [f"{engine}: {answer} instead of {first}" for engine, answer in answers.items() if answer != first]


def versions(packages: Sequence[str]) -> str:
    """The machine and the versions a figure was measured with."""
    found = []
    for package in packages:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            found.append(f"{package} not installed")
    return f"{os.cpu_count()} cores, {THREADS} threads each, Python {platform.python_version()}, {', '.join(found)}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns side by side, the first to the left and numbers to the right."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = [
        "  ".join(cell.ljust(widths[i]) if i == 0 else cell.rjust(widths[i]) for i, cell in enumerate(row)).rstrip()
        for row in [head, *rows]
    ]
    return "\n".join(lines)
