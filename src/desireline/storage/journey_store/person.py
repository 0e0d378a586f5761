"""One person's interactions, written out."""

from __future__ import annotations

from typing import Any

import numpy as np

from desireline.storage.journey_store.hashing import bucket_of
from desireline.storage.journey_store.snapshot import EMPTY_CODE, EMPTY_KEY, EMPTY_NUMBER, NOBODY, Snapshot
from desireline.vocabulary.interaction import BY_NAME


def person_rows(snapshot: Snapshot, person: int) -> list[dict[str, Any]]:
    """The interactions of one person in order; fields that were not given are left out."""
    bucket = snapshot.nobody if person == NOBODY else snapshot.buckets[bucket_of(person, len(snapshot.buckets))]
    place = int(np.searchsorted(bucket.person, person))
    if place == len(bucket.person) or bucket.person[place] != person:
        return []
    rows = slice(int(bucket.start[place]), int(bucket.start[place] + bucket.length[place]))
    columns = {name: bucket.column(name)[rows].tolist() for name in sorted(snapshot.columns)}
    return [
        {name: value for name, values in columns.items() if (value := _said(snapshot, name, values[i])) is not None}
        for i in range(rows.stop - rows.start)
    ]


def _said(snapshot: Snapshot, name: str, value: Any) -> Any:
    if isinstance(value, float):
        return None if np.isnan(value) else value
    if name in snapshot.vocabulary:
        return None if value == EMPTY_CODE else snapshot.words(name)[value]
    field = BY_NAME.get(name)
    if field is not None and field.key:
        return None if value == EMPTY_KEY else value
    if field is not None and field.type == "flag":
        return None if value == EMPTY_CODE else bool(value)
    return None if value == EMPTY_NUMBER else value
