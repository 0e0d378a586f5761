"""Some of the people of a snapshot, at the cost of these people: their rows gathered into small buckets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from desireline.storage.journey_store import Bucket, Snapshot

FEW_OF = 4
"""Rows are gathered when the people chosen have fewer than this part of their bucket's rows."""


def some_people(snapshot: Snapshot, people: Iterable[int]) -> Sequence[Bucket]:
    """The buckets of a snapshot with these people alone; a person who is not there is left out."""
    asked = np.array(sorted(set(people)), dtype=np.int64)
    chosen = [_cut(bucket, asked) for bucket in snapshot.buckets if len(bucket.person)]
    return [_gathered(bucket) for bucket in chosen if len(bucket.person)]


def _cut(bucket: Bucket, people: NDArray[np.int64]) -> Bucket:
    place = np.minimum(np.searchsorted(bucket.person, people), len(bucket.person) - 1)
    place = place[bucket.person[place] == people]
    return replace(bucket, person=bucket.person[place], start=bucket.start[place], length=bucket.length[place])


def _gathered(bucket: Bucket) -> Bucket:
    """The same people with their rows alone, one person's after the other's; as it was when they are many."""
    rows = int(bucket.length.sum())
    if rows * FEW_OF >= len(bucket.column("occurred_at")):
        return bucket
    start = np.cumsum(bucket.length) - bucket.length
    place = np.arange(rows) + np.repeat(bucket.start - start, bucket.length)
    kept: dict[str, NDArray[Any]] = {}

    def read(name: str) -> NDArray[Any]:
        if name not in kept:
            kept[name] = np.asarray(bucket.column(name))[place]
        return kept[name]

    return replace(bucket, start=start, read=read)
