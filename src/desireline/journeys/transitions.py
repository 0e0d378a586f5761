"""What follows what within journeys, how often, and exactly how long it takes in the middle."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from desireline.journeys.labels import OTHER, Labels, labels_of, ranked
from desireline.journeys.medians import medians_of, offsets_of
from desireline.journeys.spans import JourneyRule, Spans, cut, rule_of
from desireline.storage.engines import kernel, run
from desireline.storage.journey_store import Snapshot
from desireline.vocabulary.table import Table
from desireline.vocabulary.units import lateness_text
from desireline.vocabulary.which import Which

MOST_NAMED = 400
"""Labels named at most; rarer ones are drawn together as "(other)"."""
COUNTED = "steps between neighbours of one journey; medians are exact"


def transitions(
    snapshot: Snapshot,
    *,
    by: str = "touchpoint",
    which: Which | None = None,
    journey_gap_days: float | None = 30,
    journeys: JourneyRule | None = None,
    most_named: int = MOST_NAMED,
) -> Table:
    """Every step from one thing to the next within a journey, with its count and exact median time.

    Columns: from, to, count, median_seconds, sorted by count, then by text. The counts sum to all
    interactions of the journeys less one per journey.

    >>> from desireline.storage.journey_store import snapshot_from_rows
    >>> rows = [{"person": 1, "occurred_at": at, "touchpoint": name} for at, name in ((0, "a"), (5000, "b"))]
    >>> list(transitions(snapshot_from_rows(rows)).rows())
    [{'from': 'a', 'to': 'b', 'count': 1, 'median_seconds': 5.0}]
    """
    rule = rule_of(journeys, journey_gap_days)
    labels = labels_of(snapshot, by)
    spans = cut(snapshot, rule, which or Which())
    node_of, names = _nodes(labels, spans, most_named)
    counts, medians = _measured(labels, spans, node_of, len(names))
    return _table(snapshot, rule, which or Which(), names, counts, medians)


def _nodes(labels: Labels, spans: tuple[Spans, ...], most: int) -> tuple[NDArray[np.int16], list[str]]:
    if len(labels) <= most:
        return np.arange(len(labels), dtype=np.int16), list(labels.names)
    counts = np.zeros(len(labels), np.int64)
    for each in spans:
        chosen = each.chosen
        counts += label_counts(chosen.start, chosen.length, labels.codes(each.bucket), chosen.keep, len(labels))
    named = ranked(counts, labels.names)[:most]
    table = np.full(len(labels), len(named), np.int16)
    table[named] = np.arange(len(named), dtype=np.int16)
    return table, [*(labels.names[label] for label in named), OTHER]


def _measured(
    labels: Labels, spans: tuple[Spans, ...], node_of: NDArray[np.int16], nodes: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    nothing, no_places = np.empty(0, np.int64), np.zeros((1, 1), np.int64)

    def count(each: Spans) -> NDArray[np.int64]:
        made = np.zeros((nodes, nodes), np.int64)
        _walk(labels, each, node_of, made, no_places, nothing)
        return made.reshape(-1)

    counts = list(run(count, spans))
    if not counts:
        return np.zeros((nodes, nodes), np.int64), np.full((nodes, nodes), np.nan)
    places, bounds = offsets_of(counts)
    gaps = np.empty(max(1, int(bounds[-1])), np.int64)

    def fill(pair: tuple[Spans, NDArray[np.int64]]) -> None:
        _walk(labels, pair[0], node_of, np.zeros((1, 1), np.int64), pair[1].reshape(nodes, nodes), gaps)

    run(fill, list(zip(spans, places, strict=True)))
    total = np.diff(bounds).reshape(nodes, nodes)
    return total, medians_of(gaps, bounds).reshape(nodes, nodes)


def _walk(
    labels: Labels,
    each: Spans,
    node_of: NDArray[np.int16],
    counts: NDArray[np.int64],
    places: NDArray[np.int64],
    gaps: NDArray[np.int64],
) -> None:
    bucket = each.bucket
    transition_counts(
        each.head,
        each.last,
        bucket.column("occurred_at"),
        labels.codes(bucket),
        each.keep,
        each.key,
        node_of,
        counts,
        places,
        gaps,
    )


@kernel
def transition_counts(
    head: Any, last: Any, at: Any, by: Any, keep: Any, key: Any, node_of: Any, counts: Any, places: Any, gaps: Any
) -> None:
    """Count `counts[from, to]`, or, when `gaps` is not empty, write the time of each step at its place."""
    filtered = keep.size > 0
    keyed = key.size > 0
    filling = gaps.size > 0
    for journey in range(len(head)):
        first = head[journey]
        before = first
        node = node_of[by[first] + 1]
        for row in range(first + 1, last[journey] + 1):
            if filtered and keep[row] == 0:
                continue
            if keyed and key[first] != 0 and key[row] != key[first]:
                continue
            following = node_of[by[row] + 1]
            if filling:
                gaps[places[node, following]] = at[row] - at[before]
                places[node, following] += 1
            else:
                counts[node, following] += 1
            node = following
            before = row


@kernel
def label_counts(start: Any, length: Any, by: Any, keep: Any, labels: int) -> NDArray[np.int64]:
    """How many kept rows have each label."""
    counts = np.zeros(labels, np.int64)
    filtered = keep.size > 0
    for person in range(len(start)):
        for row in range(start[person], start[person] + length[person]):
            if not filtered or keep[row] == 1:
                counts[by[row] + 1] += 1
    return counts


def _table(
    snapshot: Snapshot,
    rule: JourneyRule,
    which: Which,
    names: list[str],
    counts: NDArray[np.int64],
    medians: NDArray[np.float64],
) -> Table:
    pairs = sorted(
        ((int(counts[a, b]), names[a], names[b], float(medians[a, b]) / 1000) for a, b in np.argwhere(counts)),
        key=lambda pair: (-pair[0], pair[1], pair[2]),
    )
    says = "No journey has two steps."
    if pairs:
        count, source, target, seconds = pairs[0]
        says = (
            f"{int(counts.sum()):,} steps from one thing to the next; the most frequent, {source} to {target}, "
            f"happened {count:,} times and took {lateness_text(int(seconds))} in the middle."
        )
    return Table(
        says,
        {
            "from": [pair[1] for pair in pairs],
            "to": [pair[2] for pair in pairs],
            "count": [pair[0] for pair in pairs],
            "median_seconds": [pair[3] for pair in pairs],
        },
        counted="; ".join(text for text in (rule.says(), COUNTED, which.says()) if text) + ".",
        as_of=snapshot.as_of,
        notes={"transitions": int(counts.sum())},
    )
