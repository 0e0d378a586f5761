"""How often people and the company meet: interactions per person, month and channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from desireline.storage.engines import kernel, run
from desireline.storage.journey_store import Snapshot
from desireline.storage.journey_store.chosen import Chosen, chosen, read_only
from desireline.vocabulary.months import month_after, month_start, month_text, months_between
from desireline.vocabulary.table import Table
from desireline.vocabulary.which import Which

NOT_GIVEN = "(not given)"
FOREVER_MS = 2**62


@dataclass(frozen=True, slots=True)
class PersonMonths:
    """One entry per person, month and channel in which there was at least one interaction.

    person: ids. month: index into `months` (year and month). channel: code of the snapshot's words,
    -1 not given. interactions: how many.
    """

    months: tuple[int, ...]
    person: NDArray[np.int64]
    month: NDArray[np.int16]
    channel: NDArray[np.int16]
    interactions: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.person)


def census_by_person(snapshot: Snapshot, *, which: Which | None = None, zone: str = "UTC") -> PersonMonths:
    """Interactions per person, month and channel; `zone` decides where a month begins.

    >>> from desireline.storage.journey_store import snapshot_from_rows
    >>> rows = [{"person": 1, "occurred_at": at, "channel": "web"} for at in (0, 5)]
    >>> census_by_person(snapshot_from_rows(rows)).interactions.tolist()
    [2]
    """
    which = which or Which()
    parts = chosen(snapshot, which)
    months, edges = _months(snapshot, parts, zone)
    channels = len(snapshot.words("channel")) + 1
    from_ms = -FOREVER_MS if which.from_ms is None else which.from_ms
    until_ms = FOREVER_MS if which.until_ms is None else which.until_ms

    def work(each: Chosen) -> tuple[NDArray[Any], ...]:
        bucket = each.bucket
        capacity = int(each.length.sum())
        who, count = np.empty(capacity, np.int64), np.empty(capacity, np.int32)
        month, channel = np.empty(capacity, np.int16), np.empty(capacity, np.int16)
        found = person_months(
            bucket.person,
            each.start,
            each.length,
            bucket.column("occurred_at"),
            bucket.column("channel"),
            each.keep,
            edges,
            from_ms,
            until_ms,
            np.zeros(channels, np.int32),
            who,
            month,
            channel,
            count,
        )
        return who[:found], month[:found], channel[:found], count[:found]

    made = run(work, parts)
    return PersonMonths(tuple(months), *(np.concatenate(column) for column in zip(*made, strict=True)))


def census(snapshot: Snapshot, *, which: Which | None = None, zone: str = "UTC") -> Table:
    """Interactions and people by month and channel.

    Columns: month (year and month), channel, interactions, people (with at least one), per_person.
    Interactions without any handle belong to nobody and are counted in the notes.
    """
    found = census_by_person(snapshot, which=which, zone=zone)
    channels = len(snapshot.words("channel")) + 1
    slot = found.month.astype(np.int64) * channels + found.channel + 1
    size = len(found.months) * channels
    interactions = np.bincount(slot, weights=found.interactions, minlength=size).astype(np.int64)
    people = np.bincount(slot, minlength=size)
    cells = np.flatnonzero(people)
    names = (NOT_GIVEN, *snapshot.words("channel"))
    total = int(interactions.sum())
    persons = len(np.unique(found.person))
    return Table(
        _sentence(names, interactions.reshape(-1, channels).sum(axis=0), total, persons),
        {
            "month": [month_text(found.months[cell // channels]) for cell in cells],
            "channel": [names[cell % channels] for cell in cells],
            "interactions": interactions[cells].tolist(),
            "people": people[cells].tolist(),
            "per_person": (interactions[cells] / people[cells]).tolist(),
        },
        counted="; ".join(
            text
            for text in (
                f"every interaction of a known person, by month in {zone}; per person: of those with at least one",
                (which or Which()).says(),
            )
            if text
        )
        + ".",
        as_of=snapshot.as_of,
        notes={"interactions": total, "people": persons, "of_nobody": int(snapshot.nobody.length.sum())},
    )


def _months(snapshot: Snapshot, parts: tuple[Chosen, ...], zone: str) -> tuple[list[int], NDArray[np.int64]]:
    earliest = [
        int(each.bucket.column("occurred_at")[each.start[each.length > 0]].min()) for each in parts if each.length.any()
    ]
    months = months_between(min(earliest, default=snapshot.as_of), snapshot.as_of, zone=zone)
    starts = [month_start(month, zone=zone) for month in [*months, month_after(months[-1])]]
    return months, read_only(np.array(starts, np.int64))


def _sentence(names: tuple[str, ...], by_channel: NDArray[np.int64], total: int, persons: int) -> str:
    if not total:
        return "There were no interactions."
    most = min(np.flatnonzero(by_channel == by_channel.max()), key=lambda code: names[code])
    return (
        f"{total:,} interactions of {persons:,} people, {total / persons:.1f} each; "
        f"the most on {names[most]} ({by_channel[most] / total:.0%})."
    )


@kernel
def person_months(
    person: Any,
    start: Any,
    length: Any,
    at: Any,
    channel: Any,
    keep: Any,
    edges: Any,
    from_ms: int,
    until_ms: int,
    counts: Any,
    who: Any,
    months: Any,
    channels: Any,
    interactions: Any,
) -> int:
    """Write one entry per person, month and channel; returns how many. `counts` is zero before and after."""
    filtered = keep.size > 0
    met = np.empty(len(counts), np.int64)
    found = 0
    for each in range(len(start)):
        month = -1
        different = 0
        until = edges[0]
        for row in range(start[each], start[each] + length[each]):
            moment = at[row]
            if moment < from_ms or moment >= until_ms or (filtered and keep[row] == 0):
                continue
            if moment >= until:
                if month < 0:
                    month = np.searchsorted(edges, moment, side="right") - 1
                for place in range(different):
                    code = met[place]
                    who[found] = person[each]
                    months[found] = month
                    channels[found] = code - 1
                    interactions[found] = counts[code]
                    counts[code] = 0
                    found += 1
                different = 0
                while moment >= edges[month + 1]:
                    month += 1
                until = edges[month + 1]
            code = channel[row] + 1
            if counts[code] == 0:
                met[different] = code
                different += 1
            counts[code] += 1
        for place in range(different):
            code = met[place]
            who[found] = person[each]
            months[found] = month
            channels[found] = code - 1
            interactions[found] = counts[code]
            counts[code] = 0
            found += 1
    return found
