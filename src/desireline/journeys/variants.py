"""The ways people took: journeys with exactly the same steps in the same order are one variant."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from desireline.journeys.labels import Labels, labels_of
from desireline.journeys.spans import JourneyRule, Spans, cut, rule_of
from desireline.journeys.variants_kernels import compare_journeys, count_hashes, hash_journeys, pack_steps, put_hashes
from desireline.storage.engines import run
from desireline.storage.journey_store import Snapshot
from desireline.vocabulary.table import Table
from desireline.vocabulary.which import Which

PARTITIONS = 16
STEPS_PACKED = 4
SEEDS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x27D4EB2F165667C5)
ARROW = " > "
COUNTED = "same steps in the same order are one variant"


@dataclass(frozen=True, slots=True, repr=False)
class Variants:
    """The most frequent variants, and the steps they are made of.

    table: variant, steps, journeys, share. transitions: from, to, count within the journeys of these variants.
    """

    table: Table
    transitions: Table
    sequences: tuple[tuple[str, ...], ...]
    journeys: int
    different: int

    def __str__(self) -> str:
        return str(self.table)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.table._repr_html_() + self.transitions._repr_html_()


def variants(
    snapshot: Snapshot,
    *,
    top: int = 1_000,
    by: str = "touchpoint",
    which: Which | None = None,
    journey_gap_days: float | None = 30,
    journeys: JourneyRule | None = None,
) -> Variants:
    """The `top` most frequent variants, counted exactly; equals are ordered by their steps as text.

    Journeys are grouped by a 64-bit hash of their steps, and every journey of a variant that is shown is
    then compared step by step with it; should two different journeys ever have one hash, all is
    counted again with another.

    >>> from desireline.storage.journey_store import snapshot_from_rows
    >>> rows = [{"person": person, "occurred_at": at, "touchpoint": name}
    ...         for person in (1, 2) for at, name in ((0, "a"), (5000, "b"))]
    >>> list(variants(snapshot_from_rows(rows)).table.rows())
    [{'variant': 'a > b', 'steps': 2, 'journeys': 2, 'share': 1.0}]
    """
    rule = rule_of(journeys, journey_gap_days)
    labels = labels_of(snapshot, by)
    spans = cut(snapshot, rule, which or Which())
    for seed in SEEDS:
        found = _grouped(labels, spans, seed)
        sequences, groups = _most_frequent(labels, spans, found, top)
        if _verified(labels, spans, found, sequences, groups):
            return _answer(snapshot, rule, which or Which(), labels, sequences, found.count[groups], found)
    raise AssertionError("four different hashes of journeys met in one number")


@dataclass(frozen=True, slots=True)
class _Groups:
    """Journeys by hash: per bucket the hash of each journey; then each hash, its count, and one such journey."""

    hashes: tuple[NDArray[np.uint64], ...]
    hash: NDArray[np.uint64]
    count: NDArray[np.int64]
    bucket: NDArray[np.int64]
    journey: NDArray[np.int64]


def _grouped(labels: Labels, spans: tuple[Spans, ...], seed: int) -> _Groups:
    def hashed(each: Spans) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64]]:
        hashes = np.empty(len(each), np.uint64)
        order = np.empty(len(each), np.int64)
        bounds = np.zeros(PARTITIONS + 1, np.int64)
        with np.errstate(over="ignore"):
            hash_journeys(
                each.head,
                each.last,
                labels.codes(each.bucket),
                each.keep,
                each.key,
                np.uint64(seed),
                hashes,
                order,
                bounds,
            )
        return hashes, order, bounds

    parts = list(run(hashed, spans))

    def counted(partition: int) -> tuple[NDArray[Any], ...]:
        places = [order[bounds[partition] : bounds[partition + 1]] for _, order, bounds in parts]
        values = np.concatenate([part[0][place] for part, place in zip(parts, places, strict=True)] or [_NO_HASH])
        first, counts = _unique(values)
        lengths = np.array([len(place) for place in places], dtype=np.int64)
        bucket = np.searchsorted(np.cumsum(lengths), first, side="right")
        journeys = np.concatenate(places) if places else first
        return values[first], counts, bucket, journeys[first]

    columns = [np.concatenate(column) for column in zip(*run(counted, range(PARTITIONS)), strict=True)]
    return _Groups(tuple(part[0] for part in parts), *columns)


_NO_HASH = np.empty(0, np.uint64)


def _unique(values: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each different value stands first, and how often it occurs."""
    size = 1 << max(4, int(2 * len(values)).bit_length())
    slots = np.full(size, -1, np.int32)
    first, counts = np.empty(len(values), np.int64), np.empty(len(values), np.int64)
    found = count_hashes(values, slots, first, counts)
    return first[:found], counts[:found]


def _most_frequent(
    labels: Labels, spans: tuple[Spans, ...], found: _Groups, top: int
) -> tuple[list[tuple[int, ...]], NDArray[np.int64]]:
    """The label sequences of the most frequent variants and which groups they are, equals in order of text."""
    size = min(top, len(found.count))
    if not size:
        return [], np.empty(0, np.int64)
    least = np.partition(found.count, len(found.count) - size)[len(found.count) - size]
    more = np.flatnonzero(found.count > least)
    tied = _first_by_text(labels, spans, found, np.flatnonzero(found.count == least), size - len(more))
    groups = np.concatenate((more, tied))
    sequences = [_sequence(labels, spans[found.bucket[i]], int(found.journey[i])) for i in groups]
    ordered = sorted(range(len(groups)), key=lambda i: (-int(found.count[groups[i]]), _texts(labels, sequences[i])))[
        :size
    ]
    return [sequences[i] for i in ordered], groups[ordered]


def _first_by_text(
    labels: Labels, spans: tuple[Spans, ...], found: _Groups, tied: NDArray[np.int64], wanted: int
) -> NDArray[np.int64]:
    """Few of many equally frequent variants: at least the `wanted` first ones in order of text."""
    ranks = np.empty(len(labels), np.int64)
    ranks[sorted(range(len(labels)), key=lambda label: labels.names[label])] = np.arange(1, len(labels) + 1)
    place, sure = 0, tied[:0]
    while len(tied) > 2 * wanted + 64:
        packed = np.empty(len(tied), np.int64)
        for bucket in np.unique(found.bucket[tied]):
            inside = found.bucket[tied] == bucket
            each = spans[bucket]
            packed[inside] = pack_steps(
                each.head,
                each.last,
                labels.codes(each.bucket),
                each.keep,
                each.key,
                found.journey[tied[inside]],
                ranks,
                place,
            )
        limit = np.partition(packed, wanted - 1)[wanted - 1]
        sure = np.concatenate((sure, tied[packed < limit]))
        wanted -= int(np.count_nonzero(packed < limit))
        tied = tied[packed == limit]
        place += STEPS_PACKED
    return np.concatenate((sure, tied))


def _texts(labels: Labels, sequence: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(labels.names[label] for label in sequence)


def _sequence(labels: Labels, each: Spans, journey: int) -> tuple[int, ...]:
    first, last = int(each.head[journey]), int(each.last[journey]) + 1
    rows = labels.codes(each.bucket)[first:last].astype(np.int64) + 1
    inside = np.ones(last - first, np.bool_)
    if len(each.keep):
        inside &= each.keep[first:last] == 1
    if len(each.key) and each.key[first] != 0:
        inside &= each.key[first:last] == each.key[first]
    return tuple(rows[inside].tolist())


def _verified(
    labels: Labels,
    spans: tuple[Spans, ...],
    found: _Groups,
    sequences: list[tuple[int, ...]],
    groups: NDArray[np.int64],
) -> bool:
    """Compare every journey of the variants shown, step by step, with its variant."""
    if not sequences:
        return True
    flat = np.array([label for each in sequences for label in each], np.int64)
    bounds = np.concatenate(([0], np.cumsum([len(each) for each in sequences]))).astype(np.int64)
    size = 1 << (4 * len(sequences)).bit_length()
    slots, keys = np.full(size, -1, np.int64), np.zeros(size, np.uint64)
    put_hashes(slots, keys, found.hash[groups])

    def compared(pair: tuple[Spans, NDArray[np.uint64]]) -> NDArray[np.int64]:
        each, hashes = pair
        same = np.zeros(len(sequences), np.int64)
        compare_journeys(
            each.head,
            each.last,
            labels.codes(each.bucket),
            each.keep,
            each.key,
            hashes,
            slots,
            keys,
            flat,
            bounds,
            same,
        )
        return same

    same = np.sum(run(compared, list(zip(spans, found.hashes, strict=True))), axis=0)
    return bool(np.array_equal(same, found.count[groups]))


def _answer(
    snapshot: Snapshot,
    rule: JourneyRule,
    which: Which,
    labels: Labels,
    sequences: list[tuple[int, ...]],
    counts: NDArray[np.int64],
    found: _Groups,
) -> Variants:
    journeys = int(found.count.sum())
    names = tuple(_texts(labels, each) for each in sequences)
    counted = "; ".join(text for text in (rule.says(), COUNTED, which.says()) if text)
    says = "No journeys began in what was asked for."
    if names:
        says = (
            f"{journeys:,} journeys took {len(found.count):,} different ways; the {len(names):,} most frequent cover "
            f"{int(counts.sum()) / journeys:.0%}, the first alone {int(counts[0]) / journeys:.0%}."
        )
    table = Table(
        says,
        {
            "variant": [ARROW.join(each) for each in names],
            "steps": [len(each) for each in names],
            "journeys": counts.tolist(),
            "share": (counts / max(1, journeys)).tolist(),
        },
        counted=counted + ".",
        as_of=snapshot.as_of,
        notes={"journeys": journeys, "different": len(found.count)},
    )
    return Variants(table, _steps_table(snapshot, names, counts, counted), names, journeys, len(found.count))


def _steps_table(
    snapshot: Snapshot, names: tuple[tuple[str, ...], ...], counts: NDArray[np.int64], counted: str
) -> Table:
    steps: dict[tuple[str, str], int] = {}
    for each, count in zip(names, counts.tolist(), strict=True):
        for pair in pairwise(each):
            steps[pair] = steps.get(pair, 0) + count
    ordered = sorted(steps.items(), key=lambda item: (-item[1], item[0]))
    return Table(
        f"The steps within the {len(names):,} most frequent variants.",
        {
            "from": [pair[0] for pair, _ in ordered],
            "to": [pair[1] for pair, _ in ordered],
            "count": [count for _, count in ordered],
        },
        counted=counted + ".",
        as_of=snapshot.as_of,
    )
