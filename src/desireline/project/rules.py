"""How a map cuts journeys and lays its steps: patterns of the promises made into masks for the journeys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from desireline.journeys import Lane, MapRule
from desireline.promises import Map, Pattern, rows_matching
from desireline.storage.journey_store import Bucket, Snapshot


class MapMasks:
    """The row masks of one map on one snapshot, each worked out once."""

    def __init__(self, of_map: Map, snapshot: Snapshot) -> None:
        self.map = of_map
        self.snapshot = snapshot
        self._mask = lru_cache(maxsize=None)(self._matching)

    def rule(self) -> MapRule | None:
        """How the map cuts journeys; `None` for a map that does not say what begins one."""
        begins = self.map.begins
        if begins is None:
            return None
        ends = self.map.ends
        return MapRule(
            map=self.map.name,
            begins=self.of((begins,)),
            ends=self.of((ends,)) if ends else None,
            touches=self.of(tuple(patterns_of(self.map))),
            quiet_ms=self.map.quiet_after,
            key=key_of(self.map),
        )

    def lanes(self) -> list[Lane]:
        """The designed steps, in order, with what matches each."""
        return [
            Lane(step.name, mask_of=self.of((step.pattern,))) for step in self.map.steps if step.pattern is not None
        ]

    def of(self, patterns: Sequence[Pattern]) -> Any:
        """A function from a bucket to one flag per row: 1 where any of the patterns matches."""
        wanted = tuple(patterns)
        return lambda bucket: self._mask(bucket.number, wanted)

    def _matching(self, number: int, patterns: tuple[Pattern, ...]) -> NDArray[np.uint8]:
        bucket = self._bucket(number)
        found = rows_matching(patterns[0], self.snapshot, bucket)
        for pattern in patterns[1:]:
            found = found | rows_matching(pattern, self.snapshot, bucket)
        return found

    def _bucket(self, number: int) -> Bucket:
        return next(each for each in self.snapshot.buckets if each.number == number)


def key_of(of_map: Map) -> str | None:
    """The key that tells journeys of a map apart: the one most of its promises name in `same`."""
    named = Counter(promise.same for promise in of_map.promises if promise.same)
    return named.most_common(1)[0][0] if named else None


def patterns_of(of_map: Map) -> Iterator[Pattern]:
    """Every pattern a map names: what counts as a touch of its journeys."""
    steps = [step.pattern for step in of_map.steps]
    parts = [each for p in of_map.promises for each in (p.when, p.then, p.never, p.unless)]
    parts += [p.at_most.of for p in of_map.promises if p.at_most] + [
        p.if_broken.then for p in of_map.promises if p.if_broken
    ]
    yield from (pattern for pattern in (of_map.begins, of_map.ends, *steps, *parts) if pattern is not None)


def columns_of(of_map: Map) -> set[str]:
    """The properties a map's patterns look at (`properties.amount`), which the store reads only when asked."""
    whose = [of_map.who, *(promise.who for promise in of_map.promises)]
    patterns = [*patterns_of(of_map), *(each for each in whose if each is not None)]
    return {name for pattern in patterns for name in _fields(pattern) if name.startswith("properties.")}


def _fields(pattern: Pattern) -> Iterator[str]:
    yield from (condition.field for condition in pattern.conditions)
    for each in pattern.any:
        yield from _fields(each)
