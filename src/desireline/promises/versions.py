"""Versions of a map: an opening is judged, for ever, by the version in force when it occurred."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from desireline.promises.maps import Map

_EVER = np.iinfo(np.int64)


@dataclass(frozen=True, slots=True)
class MapVersion:
    """One version of a map, numbered from 1, and the openings it judges: from `holds_from` until before `holds_to`."""

    map: Map
    number: int = 1
    holds_from: int = int(_EVER.min)
    holds_to: int = int(_EVER.max)


def versions_of(maps: Iterable[Map | MapVersion]) -> tuple[MapVersion, ...]:
    """Maps as versions: a map that stands alone covers all time."""
    return tuple(each if isinstance(each, MapVersion) else MapVersion(each) for each in maps)


def in_order(saved: Sequence[tuple[int, Map]]) -> tuple[MapVersion, ...]:
    """The versions of one map from (valid from, map) pairs in the order they were saved.

    The first covers all the past whatever it says; a later one holds from its moment until the
    next. Of two with the same moment the later saved one holds.
    """
    first, later = saved[0][1], sorted(saved[1:], key=lambda each: each[0])
    starts = [int(_EVER.min), *(moment for moment, _ in later)]
    ends = [*starts[1:], int(_EVER.max)]
    maps = [first, *(each for _, each in later)]
    found = zip(maps, range(1, len(maps) + 1), starts, ends, strict=True)
    return tuple(MapVersion(*each) for each in found)
