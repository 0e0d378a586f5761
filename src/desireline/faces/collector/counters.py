"""What the collector counts about itself: plain numbers, never anything about a person."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from math import inf

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the histogram of answering times; a last one without bound follows."""


@dataclass(slots=True)
class Histogram:
    """How long something took, how often: counts by bound, and the sum."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(SECONDS) + 1))
    sum: float = 0.0

    def add(self, seconds: float) -> None:
        """Once more, so long."""
        self.counts[bisect_left(SECONDS, seconds)] += 1
        self.sum += seconds

    def at_most(self, share: float) -> float:
        """The bound in seconds below which this share lies; 0 where there is nothing, infinity beyond the last bound.

        >>> taken = Histogram()
        >>> for seconds in (0.002, 0.003, 0.2): taken.add(seconds)
        >>> taken.at_most(0.5), taken.at_most(0.99)
        (0.005, 0.25)
        """
        wanted, so_far = share * sum(self.counts), 0
        for bound, count in zip((*SECONDS, inf), self.counts, strict=True):
            so_far += count
            if count and so_far >= wanted:
                return bound
        return 0.0

    def lines(self, name: str) -> list[str]:
        """In the text format of Prometheus."""
        lines, so_far = [f"# TYPE {name} histogram"], 0
        for bound, count in zip((*map(str, SECONDS), "+Inf"), self.counts, strict=True):
            so_far += count
            lines.append(f'{name}_bucket{{le="{bound}"}} {so_far}')
        return [*lines, f"{name}_sum {self.sum:.6f}", f"{name}_count {so_far}"]


@dataclass(slots=True)
class Counters:
    """Counts since start.

    requests: by (dialect, status).
    refusals: by code.
    bytes: of bodies read.
    events: messages read from them; events_refused: those among them that go to quarantine.
    stored: how long requests took that were stored, from their reading to their answer; refused: those that were not.
    late: how late the loop was when it looked, which is what a request may wait before it is read.
    at_once: requests being answered now; bytes_at_once: their bodies.
    faults: answers that failed by a fault of ours.
    """

    requests: dict[tuple[str, int], int] = field(default_factory=dict)
    refusals: dict[str, int] = field(default_factory=dict)
    bytes: int = 0
    events: int = 0
    events_refused: int = 0
    stored: Histogram = field(default_factory=Histogram)
    refused: Histogram = field(default_factory=Histogram)
    late: Histogram = field(default_factory=Histogram)
    at_once: int = 0
    bytes_at_once: int = 0
    faults: int = 0

    def answered(self, *, dialect: str, status: int, code: str) -> None:
        """A request was answered."""
        key = (dialect, status)
        self.requests[key] = self.requests.get(key, 0) + 1
        if code:
            self.refusals[code] = self.refusals.get(code, 0) + 1

    def text(self) -> str:
        """All counts in the text format of Prometheus."""
        lines = ["# TYPE desireline_collector_requests_total counter"]
        for (dialect, status), count in sorted(self.requests.items()):
            lines.append(f'desireline_collector_requests_total{{dialect="{dialect}",status="{status}"}} {count}')
        lines.append("# TYPE desireline_collector_refusals_total counter")
        for code, count in sorted(self.refusals.items()):
            lines.append(f'desireline_collector_refusals_total{{code="{code}"}} {count}')
        for name, kind, number in (
            ("body_bytes_total", "counter", self.bytes),
            ("events_total", "counter", self.events),
            ("events_quarantined_total", "counter", self.events_refused),
            ("faults_total", "counter", self.faults),
            ("requests_at_once", "gauge", self.at_once),
            ("body_bytes_at_once", "gauge", self.bytes_at_once),
        ):
            lines += [f"# TYPE desireline_collector_{name} {kind}", f"desireline_collector_{name} {number}"]
        for name, taken in (("answer", self.stored), ("refusal", self.refused), ("loop_late", self.late)):
            lines += taken.lines(f"desireline_collector_{name}_seconds")
        return "\n".join(lines) + "\n"
