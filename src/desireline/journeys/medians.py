"""Exact medians of many groups at once: how long the step from one thing to the next takes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from desireline.storage.engines import kernel, run

SMALL = 48
"""Groups up to this size are sorted in one compiled loop, larger ones are selected one by one."""


def offsets_of(counts: list[NDArray[np.int64]]) -> tuple[list[NDArray[np.int64]], NDArray[np.int64]]:
    """Where each bucket writes its gaps, and where each group begins.

    counts: per bucket, how many gaps of each group. Returns per bucket the first place of each group, and
    the (groups + 1,) bounds, so that all gaps of one group lie side by side.
    """
    total = np.sum(counts, axis=0)
    bounds = np.concatenate(([0], np.cumsum(total))).astype(np.int64)
    places, at = [], bounds[:-1].copy()
    for count in counts:
        places.append(at.copy())
        at += count
    return places, bounds


def medians_of(gaps: NDArray[np.int64], bounds: NDArray[np.int64]) -> NDArray[np.float64]:
    """The exact median of each group, NaN for an empty one; `gaps` is put in order within its groups.

    >>> medians_of(np.array([3, 1, 2, 9]), np.array([0, 3, 3, 4])).tolist()
    [2.0, nan, 9.0]
    """
    medians = np.full(len(bounds) - 1, np.nan)
    small_medians(gaps, bounds, SMALL, medians)
    large = np.flatnonzero(np.diff(bounds) > SMALL)
    largest_first = large[np.argsort(-np.diff(bounds)[large], kind="stable")]

    def select(lane: int) -> None:
        for group in largest_first[lane::2]:
            medians[group] = _median(gaps[bounds[group] : bounds[group + 1]])

    run(select, range(2))
    return medians


def _median(values: NDArray[np.int64]) -> float:
    middle = len(values) // 2
    if len(values) % 2:
        values.partition(middle)
        return float(values[middle])
    values.partition((middle - 1, middle))
    return (float(values[middle - 1]) + float(values[middle])) / 2


@kernel
def small_medians(gaps: Any, bounds: Any, most: int, medians: Any) -> None:
    """Sort each small group where it lies and take its middle."""
    for group in range(len(bounds) - 1):
        begin, end = bounds[group], bounds[group + 1]
        if end == begin or end - begin > most:
            continue
        for place in range(begin + 1, end):
            value = gaps[place]
            before = place - 1
            while before >= begin and gaps[before] > value:
                gaps[before + 1] = gaps[before]
                before -= 1
            gaps[before + 1] = value
        middle = begin + (end - begin) // 2
        if (end - begin) % 2 == 1:
            medians[group] = gaps[middle]
        else:
            medians[group] = (gaps[middle - 1] + gaps[middle]) / 2
