"""Who came back: people by the month they were first seen, and how many were still there months later."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from desireline.journeys.spans import Period, period_of
from desireline.journeys.svg import INK, QUIET_INK, channel_fill, mark, picture, rectangle, words
from desireline.storage.engines import kernel, run
from desireline.storage.journey_store import Snapshot
from desireline.storage.journey_store.chosen import Chosen, chosen, read_only
from desireline.vocabulary.months import month_after, month_start, month_text, months_between
from desireline.vocabulary.table import Table
from desireline.vocabulary.which import Which


def retention(snapshot: Snapshot, *, which: Which | None = None, zone: str = "UTC") -> Table:
    """Of the people first seen in a month, how many were seen again in each month after.

    Columns: cohort (year and month), month (0 is the cohort's own), people, cohort_people, share. A cohort is the
    month of a person's first interaction among those looked at; a period picks the cohorts. Months
    that have not come yet are not listed, months in which nobody came are listed with 0.

    >>> from desireline.storage.journey_store import snapshot_from_rows
    >>> rows = [{"person": 1, "occurred_at": at} for at in (0, 40 * 86_400_000)]
    >>> retention(snapshot_from_rows(rows))["share"]
    [1.0, 1.0]
    """
    which = which or Which()
    parts = chosen(snapshot, which)
    first, last = _ends_of(parts, snapshot)
    months = months_between(first, last, zone=zone)
    edges = read_only(
        np.array([month_start(month, zone=zone) for month in [*months, month_after(months[-1])]], np.int64)
    )
    period = period_of(which)
    counts = np.zeros((len(months), len(months)), np.int64)
    for part in run(lambda each: _cohorts(each, edges, period), parts):
        counts += part
    return _table(snapshot, months, counts, which)


def _ends_of(parts: tuple[Chosen, ...], snapshot: Snapshot) -> tuple[int, int]:
    """The earliest and latest moment: a person's rows are sorted, so the first one is the earliest."""
    earliest = [
        int(each.bucket.column("occurred_at")[each.start[each.length > 0]].min()) for each in parts if each.length.any()
    ]
    return min(earliest, default=snapshot.as_of), snapshot.as_of


def _cohorts(each: Chosen, edges: NDArray[np.int64], period: Period) -> NDArray[np.int64]:
    counts = np.zeros((len(edges) - 1, len(edges) - 1), np.int64)
    cohort_counts(
        each.start,
        each.length,
        each.bucket.column("occurred_at"),
        each.keep,
        edges,
        period.from_ms,
        period.until_ms,
        counts,
    )
    return counts


@kernel
def cohort_counts(
    start: Any, length: Any, at: Any, keep: Any, edges: Any, from_ms: int, until_ms: int, counts: Any
) -> None:
    """Count `counts[cohort, months later]`, each person once per month; `edges` are the months' first moments."""
    filtered = keep.size > 0
    for person in range(len(start)):
        cohort = -1
        month = 0
        until = edges[0]
        for row in range(start[person], start[person] + length[person]):
            moment = at[row]
            if moment < until or (filtered and keep[row] == 0):
                continue
            if cohort < 0:
                if not from_ms <= moment < until_ms:
                    break
                month = np.searchsorted(edges, moment, side="right") - 1
                cohort = month
            while moment >= edges[month + 1]:
                month += 1
            until = edges[month + 1]
            counts[cohort, month - cohort] += 1


def _table(snapshot: Snapshot, months: list[int], counts: NDArray[np.int64], which: Which) -> Table:
    rows = [
        (month_text(months[cohort]), later, int(counts[cohort, later]), int(counts[cohort, 0]))
        for cohort in np.flatnonzero(counts[:, 0])
        for later in range(len(months) - int(cohort))
    ]
    says = _sentence(counts)
    counted = "a person belongs to the month of their first interaction, and counts once in every month with one"
    return Table(
        says,
        {
            "cohort": [row[0] for row in rows],
            "month": [row[1] for row in rows],
            "people": [row[2] for row in rows],
            "cohort_people": [row[3] for row in rows],
            "share": [row[2] / row[3] for row in rows],
        },
        counted="; ".join(text for text in (counted, which.says()) if text) + ".",
        as_of=snapshot.as_of,
        picture=retention_picture(months, counts, says),
        notes={"people": int(counts[:, 0].sum())},
    )


def _sentence(counts: NDArray[np.int64]) -> str:
    if not counts.any():
        return "Nobody was seen."
    size = len(counts)
    later = min(3, size - 1)
    old = slice(0, size - later)
    people = int(counts[old, 0].sum())
    if not later or not people:
        return f"{int(counts[:, 0].sum()):,} people were first seen; it is too early to say who came back."
    back = int(counts[old, later].sum())
    return f"Of {people:,} people, {back:,} ({back / people:.0%}) were seen again in month {later} after their first."


def retention_picture(months: list[int], counts: NDArray[np.int64], says: str) -> str:
    """The cohorts as a triangle of squares, darker where more came back, each with its number."""
    shown = [int(cohort) for cohort in np.flatnonzero(counts[:, 0])][-24:]
    across = min(len(months), 13)
    size, parts = 34.0, []
    for later in range(across):
        parts.append(words(120 + size * later + size / 2, 18, str(later), size=10, fill=QUIET_INK, anchor="middle"))
    for line, cohort in enumerate(shown):
        y = 26 + size * line
        head = month_text(months[cohort])
        parts.append(words(10, y + 20, f"{head}  {int(counts[cohort, 0]):,}", size=11, fill=INK))
        for later in range(min(across, len(months) - cohort)):
            share = int(counts[cohort, later]) / int(counts[cohort, 0])
            x = 120 + size * later
            shade = f' fill-opacity="{0.08 + 0.55 * share:.2f}"'
            shape = rectangle(x, y, size - 2, size - 2, channel_fill("web"), extra=shade)
            text = words(x + size / 2 - 1, y + 20, f"{share:.0%}", size=10, fill=INK, anchor="middle")
            title = f"{head}, month {later}: {int(counts[cohort, later]):,} people, {share:.0%}"
            parts.append(mark(shape + text, title=title))
    return picture(130 + size * across, 40 + size * len(shown), "".join(parts), title="Who came back", says=says)
