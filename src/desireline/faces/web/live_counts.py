"""How many interactions came in, second by second, with their verdicts: the last quarter of an hour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

VERDICTS = ("accepted", "repeated", "quarantined")
"""What can become of a message, in the order in which pages name it."""
KEPT_SECONDS = 900
UNTOLD = ""
"""The source of messages that came faster than each could be told."""


@dataclass(frozen=True, slots=True)
class SourceCount:
    """What one source sent: by verdict since this server began, and when it was last heard (UTC milliseconds)."""

    source: str
    verdicts: Counter[str]
    last_at: int


@dataclass
class Counts:
    """Counts by second of arrival (UTC seconds) and verdict, and by source since the beginning.

    began_at: when counting began, UTC milliseconds; before it nothing is known.
    """

    began_at: int = 0
    by_second: dict[int, Counter[str]] = field(default_factory=dict)
    by_source: dict[str, SourceCount] = field(default_factory=dict)

    def add(self, *, at: int, source: str, verdict: str, number: int = 1) -> None:
        """Count messages that came at a moment, UTC milliseconds."""
        self.by_second.setdefault(at // 1000, Counter())[verdict] += number
        known = self.by_source.get(source)
        verdicts = known.verdicts if known else Counter()
        verdicts[verdict] += number
        self.by_source[source] = SourceCount(source, verdicts, max(at, known.last_at if known else 0))

    def forget_before(self, now: int) -> None:
        """Let go of what is older than is kept."""
        oldest = now // 1000 - KEPT_SECONDS
        for second in [second for second in self.by_second if second < oldest]:
            del self.by_second[second]

    def within(self, now: int, *, seconds: int, verdicts: Iterable[str] = VERDICTS) -> int:
        """How many came in the last so many seconds.

        >>> counts = Counts()
        >>> counts.add(at=99_500, source="shop", verdict="accepted", number=4)
        >>> counts.within(100_000, seconds=60), counts.within(300_000, seconds=60)
        (4, 0)
        """
        end = now // 1000
        wanted = tuple(verdicts)
        return sum(
            counted[verdict]
            for second, counted in self.by_second.items()
            if end - seconds < second <= end
            for verdict in wanted
        )

    def series(self, now: int, *, seconds: int, step: int) -> list[tuple[int, Counter[str]]]:
        """The counts of the last so many seconds in whole steps, the oldest first: (first second, by verdict)."""
        end = now // 1000 // step * step - step
        begins = range(end - seconds + step, end + step, step)
        found: dict[int, Counter[str]] = {begin: Counter() for begin in begins}
        for second, counted in self.by_second.items():
            begin = second // step * step
            if begin in found:
                found[begin].update(counted)
        return sorted(found.items())
