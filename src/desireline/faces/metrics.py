"""The figures of a running server for Prometheus: one table, from which `/metrics` and the manual are made.

No label ever holds anything about a person: labels are dialects, stable codes, kinds and our own words.
"""

from __future__ import annotations

import platform
import resource
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from desireline.storage.log import LogState

if TYPE_CHECKING:
    from desireline.faces.serve import Serving
    from desireline.intake import Condition
    from desireline.project import Live

Labelled = tuple[Mapping[str, str], float]
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Reading:
    """What is read once for all figures of one answer."""

    def __init__(self, serving: Serving) -> None:
        self.serving = serving

    @property
    def live(self) -> Live:
        """The live work."""
        return self.serving.live

    @cached_property
    def log(self) -> LogState:
        """How the log is."""
        return self.serving.log.state

    @cached_property
    def outbox(self) -> dict[str, int]:
        """How many messages to listeners stand in which status."""
        found: dict[str, int] = {}
        for row in self.serving.project.telling.outbox.book.counts():
            found[row["status"]] = found.get(row["status"], 0) + int(row["intents"])
        return found

    @cached_property
    def letters(self) -> Mapping[str, Condition]:
        """How it stands with the letters of each source."""
        return self.serving.project.letters.conditions()


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure: its name without `desireline_`, kind, what it says, and how it is read."""

    name: str
    kind: str
    says: str
    read: Callable[[Reading], float | Iterable[Labelled]]

    @property
    def full_name(self) -> str:
        """Its name on the wire; figures of the process bear the names that all programs use."""
        return self.name if self.name.startswith("process_") else f"desireline_{self.name}"

    def lines(self, reading: Reading) -> list[str]:
        """The figure in the text format of Prometheus."""
        found = self.read(reading)
        values = [({}, found)] if isinstance(found, (int, float)) else list(found)
        head = [f"# HELP {self.full_name} {self.says}", f"# TYPE {self.full_name} {self.kind}"]
        return head + [f"{self.full_name}{_labels(labels)} {_number(value)}" for labels, value in values]


def text(serving: Serving) -> str:
    """All figures of a server."""
    reading = Reading(serving)
    lines = [line for metric in METRICS for line in metric.lines(reading)]
    return serving.collector.counters.text() + "\n".join(lines) + "\n"


def _labels(labels: Mapping[str, str]) -> str:
    inside = ",".join(f'{name}="{value}"' for name, value in labels.items())
    return f"{{{inside}}}" if inside else ""


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def _hub(kind: str, label: str) -> Callable[[Reading], Iterable[Labelled]]:
    def read(reading: Reading) -> Iterable[Labelled]:
        counts = sorted(reading.serving.hub.counts.copy().items())
        return [({label: key.partition(".")[2]}, count) for key, count in counts if key.startswith(f"{kind}.")]

    return read


def _clock_steps(reading: Reading) -> float:
    clock = reading.serving.project.clock
    return clock.steps if clock is not None else 0


def _clock_differs_seconds(reading: Reading) -> float:
    clock = reading.serving.project.clock
    return clock.step.differs_ms / 1000 if clock is not None and clock.step is not None else 0


def _letters(value: Callable[[Condition], float | None]) -> Callable[[Reading], Iterable[Labelled]]:
    def read(reading: Reading) -> Iterable[Labelled]:
        found = {name: value(each) for name, each in reading.letters.items()}
        return [({"source": name}, number) for name, number in found.items() if number is not None]

    return read


def _refusing(reading: Reading) -> Iterable[Labelled]:
    found = reading.log
    return [({"why": "disk"}, bool(found.refusing)), ({"why": "read only"}, found.read_only)]


def _memory_bytes(_reading: Reading) -> float:
    with suppress(OSError):
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak if sys.platform == "darwin" else peak * 1024)


def _open_files(_reading: Reading) -> float:
    with suppress(OSError):
        return sum(1 for _ in Path("/proc/self/fd").iterdir())
    return float("nan")


def _build(_reading: Reading) -> Iterable[Labelled]:
    return [({"version": version("desireline"), "python": platform.python_version()}, 1)]


_STARTED, _STARTED_MONOTONIC = time.time(), time.monotonic()
METRICS: tuple[Metric, ...] = (
    Metric("log_sequence", "gauge", "The last entry of the log that is on disk.", lambda r: r.log.last),
    Metric("log_applied_sequence", "gauge", "The last entry that is applied.", lambda r: r.live.reached),
    Metric("log_bytes", "gauge", "What the log takes on disk.", lambda r: r.log.bytes),
    Metric("log_segments", "gauge", "Files of the log.", lambda r: r.log.segments),
    Metric(
        "log_sealed_segments", "gauge", "Files of the log that are packed and sealed.", lambda r: r.log.sealed_segments
    ),
    Metric("log_commits_total", "counter", "Group commits since start.", lambda r: r.log.commits),
    Metric(
        "log_failed_commits_total", "counter", "Group commits that the disk refused.", lambda r: r.log.failed_commits
    ),
    Metric("log_last_commit_seconds", "gauge", "How long the last commit took.", lambda r: r.log.last_commit_seconds),
    Metric("log_queued_frames", "gauge", "Entries that wait for the disk.", lambda r: r.log.queued_frames),
    Metric("log_queued_bytes", "gauge", "Bytes that wait for the disk.", lambda r: r.log.queued_bytes),
    Metric("log_refusing", "gauge", "1 while the log takes nothing in, by reason.", _refusing),
    Metric("log_damage", "gauge", "Damaged places found in the log.", lambda r: len(r.log.damage)),
    Metric("log_free_bytes", "gauge", "What the disk of the log still offers.", lambda r: r.log.disk_free_bytes),
    Metric("log_ballast_bytes", "gauge", "Room kept for cleaning up on a full disk.", lambda r: r.log.ballast_bytes),
    Metric(
        "ready", "gauge", "1 when everything the log holds is applied and live work goes well.", lambda r: r.live.ready
    ),
    Metric(
        "live_lag_seconds",
        "gauge",
        "How long the oldest interaction of the last turn had waited.",
        lambda r: r.live.lag_ms / 1000,
    ),
    Metric("live_turns_total", "counter", "Turns of live work.", lambda r: r.live.turns),
    Metric("live_turn_seconds", "gauge", "How long the last turn took.", lambda r: r.live.last_turn_seconds),
    Metric("live_failing", "gauge", "1 while live work fails and is tried again.", lambda r: bool(r.live.failing)),
    Metric("live_timers", "gauge", "People whose promise can fall due by time alone.", lambda r: len(r.live.watch)),
    Metric("people_judged_total", "counter", "People judged again by live work.", lambda r: r.live.people_judged),
    Metric("messages_total", "counter", "Messages taken from the log, by verdict.", _hub("verdict", "verdict")),
    Metric("promises_total", "counter", "Promises whose state changed, by verdict.", _hub("promise", "verdict")),
    Metric("outbox_waiting", "gauge", "Messages that wait to be told.", lambda r: r.outbox.get("waiting", 0)),
    Metric(
        "outbox_dead", "gauge", "Messages that could not be told and need a person.", lambda r: r.outbox.get("dead", 0)
    ),
    Metric("clock_steps_total", "counter", "How often the machine's clock was stepped.", _clock_steps),
    Metric(
        "clock_differs_seconds",
        "gauge",
        "By how much a stepped clock is before the server's time (behind: below 0); 0 when all is well.",
        _clock_differs_seconds,
    ),
    Metric("letters_total", "counter", "Letters fetched or taken, by source.", _letters(lambda c: c.letters)),
    Metric(
        "letters_failing",
        "gauge",
        "1 while no letters come from a source, by source.",
        _letters(lambda c: float(c.is_failing)),
    ),
    Metric(
        "letters_looked_seconds",
        "gauge",
        "When a mailbox was last read without a fault, Unix time, by source.",
        _letters(lambda c: None if c.looked_at is None else c.looked_at / 1000),
    ),
    Metric("build_info", "gauge", "Always 1; its labels say what runs.", _build),
    Metric("uptime_seconds", "gauge", "How long this server runs.", lambda _: time.monotonic() - _STARTED_MONOTONIC),
    Metric("process_start_time_seconds", "gauge", "When it was started, Unix time.", lambda _: _STARTED),
    Metric("process_cpu_seconds_total", "counter", "Processor time used.", lambda _: time.process_time()),
    Metric("process_resident_memory_bytes", "gauge", "Memory in use.", _memory_bytes),
    Metric("process_open_fds", "gauge", "Open files.", _open_files),
)
COLLECTOR: Mapping[str, str] = {
    "requests_total": "Requests answered, by dialect and status.",
    "refusals_total": "Requests refused, by code.",
    "body_bytes_total": "Bytes of bodies read.",
    "events_total": "Messages read from bodies.",
    "events_quarantined_total": "Messages among them that go to quarantine.",
    "faults_total": "Answers that failed by a fault of ours.",
    "requests_at_once": "Requests being answered now.",
    "body_bytes_at_once": "Bytes of their bodies.",
    "answer_seconds": "How long stored requests took to be answered.",
    "refusal_seconds": "How long requests took that were refused.",
    "loop_late_seconds": "How late the server came to look, which is what a request may wait before it is read.",
}
"""What the collector's own figures say."""
