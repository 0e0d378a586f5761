"""Which interactions, people and journeys a question is about: one definition for every question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

WhereIn = Literal["people", "journeys", "interactions"]
"""What a condition picks: whole people, whole journeys, or single interactions."""


@dataclass(frozen=True, slots=True)
class Which:
    """The selection a question is asked of; the same value gives the same people in every question.

    from_ms, until_ms: the period, UTC milliseconds, `from_ms <= moment < until_ms`. A path, funnel or
        journey belongs to the period in which it *begins* and is then followed to its end; counts of
        interactions take the interactions of the period.
    channels, touchpoints: only interactions on these are looked at. A touchpoint may end in `.*`.
    where: conditions on any column, `{"topic": "dispute"}` or `{"topic": ["dispute", "fraud"]}`; all must hold.
    where_in: "people" keeps everything of people who have at least one such interaction (at any time),
        "journeys" keeps whole journeys that hold at least one, "interactions" looks at nothing else.
    people: ids of persons; only they are counted, such as those with a broken promise.
    """

    from_ms: int | None = None
    until_ms: int | None = None
    channels: tuple[str, ...] = ()
    touchpoints: tuple[str, ...] = ()
    where: Mapping[str, Any] = field(default_factory=dict)
    where_in: WhereIn = "people"
    people: Sequence[int] | Any | None = None

    def says(self) -> str:
        """The selection in words, empty when it is everything.

        >>> Which(channels=("phone",), where={"topic": "dispute"}).says()
        'only channel phone; only people with topic = dispute'
        """
        parts = []
        if self.from_ms is not None or self.until_ms is not None:
            parts.append(f"period {_day(self.from_ms) or 'the start'} to {_day(self.until_ms) or 'the end'}")
        if self.channels:
            parts.append(f"only channel {', '.join(self.channels)}")
        if self.touchpoints:
            parts.append(f"only touchpoint {', '.join(self.touchpoints)}")
        if self.where:
            conditions = " and ".join(f"{name} = {_value(value)}" for name, value in self.where.items())
            parts.append(f"only {self.where_in} with {conditions}")
        if self.people is not None:
            parts.append(f"only {len(self.people):,} chosen people")
        return "; ".join(parts)


def _day(milliseconds: int | None) -> str:
    from desireline.vocabulary.units import moment_text

    return moment_text(milliseconds)[:16]


def _value(value: Any) -> str:
    if isinstance(value, str) or not isinstance(value, Sequence):
        return str(value)
    return " or ".join(str(each) for each in value)
