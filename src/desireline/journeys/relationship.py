"""One person's line of years: every interaction and every journey, from the first to the last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from desireline.journeys.relationship_picture import relationship_picture
from desireline.journeys.spans import ENDINGS, GapRule, JourneyRule, cut
from desireline.storage.journey_store import EMPTY_CODE, EMPTY_NUMBER, Bucket, Snapshot
from desireline.vocabulary.errors import DesirelineError, Mistake
from desireline.vocabulary.table import Table
from desireline.vocabulary.units import lateness_text, moment_text
from desireline.vocabulary.which import Which

SHOWN = ("channel", "touchpoint", "direction", "topic", "outcome", "source")


@dataclass(frozen=True, slots=True)
class LivedJourney:
    """One journey of the person: named by its first interaction; `ended` says how it stands."""

    journey: int
    map: str
    started_at: int
    ended_at: int
    ended: str
    interactions: int


@dataclass(frozen=True, slots=True, repr=False)
class Relationship:
    """All interactions of one person in order, and the journeys they belong to.

    interactions: dictionaries with id, occurred_at, channel, touchpoint, direction, topic, outcome, source
    (empty text where the source said nothing) and the journeys' ids. as_of: the moment "now" of the project.
    """

    person: int
    interactions: tuple[Mapping[str, Any], ...]
    journeys: tuple[LivedJourney, ...]
    as_of: int

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels of the person, the most used first."""
        counts: dict[str, int] = {}
        for each in self.interactions:
            counts[each["channel"]] = counts.get(each["channel"], 0) + 1
        return tuple(sorted(counts, key=lambda name: (-counts[name], name)))

    @property
    def says(self) -> str:
        """The relationship in one sentence."""
        first, last = self.interactions[0]["occurred_at"], self.interactions[-1]["occurred_at"]
        years = lateness_text(max(0, (last - first) // 1000))
        return (
            f"{len(self.interactions):,} interactions in {len(self.journeys):,} journeys on {len(self.channels)} "
            f"channels over {years}, the last on {moment_text(last)[:10]}."
        )

    def table(self) -> Table:
        """The interactions, one row each."""
        names = ("occurred_at", *SHOWN, "id", "journey")
        columns = {name: [each[name] for each in self.interactions] for name in names}
        columns["occurred_at"] = [moment_text(value) for value in columns["occurred_at"]]
        return Table(
            self.says,
            columns,
            counted="every interaction of the handles that belong to this person, in order of occurrence",
            as_of=self.as_of,
            picture=self._repr_svg_(),
            notes={"person": self.person, "journeys": len(self.journeys)},
        )

    def __str__(self) -> str:
        return str(self.table())

    __repr__ = __str__

    def _repr_svg_(self) -> str:
        return relationship_picture(self)

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()


def relationship(snapshot: Snapshot, person: int, *, rules: tuple[JourneyRule, ...] = (GapRule(),)) -> Relationship:
    """The line of years of one person, with the journeys cut by each rule (gaps, maps).

    Raises `DesirelineError` when there is no such person.

    >>> from desireline.storage.journey_store import snapshot_from_rows
    >>> relationship(snapshot_from_rows([{"person": 7, "occurred_at": 0}]), 7).journeys[0].interactions
    1
    """
    bucket, place = _place(snapshot, person)
    rows = np.arange(bucket.start[place], bucket.start[place] + bucket.length[place])
    alone = Snapshot((_only(bucket, place),), snapshot.nobody, snapshot.as_of, snapshot.columns, snapshot.vocabulary)
    journeys, belongs = [], np.zeros(len(rows), np.int64)
    for rule in rules:
        for spans in cut(alone, rule, Which()):
            for head, last, ended in zip(spans.head, spans.last, spans.ended, strict=True):
                inside = (rows >= head) & (rows <= last)
                if len(spans.key) and spans.key[head] != 0:
                    inside &= spans.key[rows] == spans.key[head]
                made = _journey(bucket, rule, int(head), int(last), ENDINGS[ended], int(inside.sum()))
                journeys.append(made)
                belongs[inside] = made.journey
    journeys.sort(key=lambda each: (each.started_at, each.map, each.journey))
    return Relationship(person, _interactions(snapshot, bucket, rows, belongs), tuple(journeys), snapshot.as_of)


def _place(snapshot: Snapshot, person: int) -> tuple[Bucket, int]:
    for bucket in snapshot.buckets:
        place = int(np.searchsorted(bucket.person, person))
        if place < len(bucket.person) and bucket.person[place] == person and bucket.length[place]:
            return bucket, place
    raise DesirelineError(Mistake(f"there is no person {person}.", do="Find people with `desireline person`."))


def _only(bucket: Bucket, place: int) -> Bucket:
    one = slice(place, place + 1)
    return Bucket(bucket.number, bucket.person[one], bucket.start[one], bucket.length[one], bucket.read)


def _journey(bucket: Bucket, rule: JourneyRule, head: int, last: int, ended: str, count: int) -> LivedJourney:
    at = bucket.column("occurred_at")
    name = "" if isinstance(rule, GapRule) else rule.map
    return LivedJourney(int(bucket.column("id")[head]), name, int(at[head]), int(at[last]), ended, count)


def _interactions(
    snapshot: Snapshot, bucket: Bucket, rows: NDArray[np.int64], belongs: NDArray[np.int64]
) -> tuple[Mapping[str, Any], ...]:
    columns: dict[str, list[Any]] = {
        "id": bucket.column("id")[rows].tolist(),
        "occurred_at": bucket.column("occurred_at")[rows].tolist(),
        "journey": [journey or None for journey in belongs.tolist()],
    }
    for name in SHOWN:
        words = snapshot.words(name)
        codes = bucket.column(name)[rows].tolist() if name in snapshot.columns else [EMPTY_CODE] * len(rows)
        columns[name] = [words[code] if code >= 0 else "" for code in codes]
    if "value" in snapshot.columns:
        values = bucket.column("value")[rows].tolist()
        columns["value"] = [None if value == EMPTY_NUMBER else value for value in values]
    return tuple(dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True))
