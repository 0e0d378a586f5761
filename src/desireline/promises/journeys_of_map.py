"""One journey per map and key at a time: which journey a row lies in, and when that journey ends."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from desireline.promises.deadlines import NONE
from desireline.promises.row_classes import HAS_BEGIN, IS_BEGIN, IS_END, IS_TOUCH
from desireline.storage.engines import borrowing_kernel

Longs = NDArray[np.int64]


@borrowing_kernel
def walk_forward(
    journey: Longs,
    touch: NDArray[np.uint8],
    key_of: Longs,
    key_count: int,
    time: Longs,
    first: int,
    count: int,
    quiet: int,
    walks: Longs,
) -> None:
    """Fill journey[:count] with 1 + the place of the first row of the journey each row lies in, 0 for none.

    A row without key lies in the journey of all touches together; one with a key in its key's.
    walks: (3, keys + 1) to work in.
    """
    last, current = walks[0], walks[1]
    current[: key_count + 1] = 0
    for i in range(count):
        key, moment = key_of[i], time[first + i]
        journey[i] = 0
        if not touch[i] & IS_TOUCH:
            continue
        for group in range(2 if key > 0 else 1):
            state = key if group == 1 else 0
            if current[state] and quiet != NONE and moment - last[state] > quiet:
                current[state] = 0
            if not current[state]:
                begins = (touch[i] & IS_BEGIN) if touch[i] & HAS_BEGIN else quiet != NONE
                current[state] = i + 1 if begins else 0
            last[state] = moment
            journey[i] = current[state]
            if touch[i] & IS_END:
                current[state] = 0


@borrowing_kernel
def walk_back(
    ending: Longs,
    touch: NDArray[np.uint8],
    key_of: Longs,
    key_count: int,
    time: Longs,
    first: int,
    count: int,
    quiet: int,
    walks: Longs,
) -> None:
    """Fill ending[:count] with the end of the journey as seen from an opening at each row, `NONE` when not known.

    The next `ends` at the same moment or later, or the last touch and `quiet` without another.
    """
    following, beyond, finals = walks[0], walks[1], walks[2]
    following[: key_count + 1] = NONE
    finals[: key_count + 1] = 0
    high = count
    while high > 0:
        moment, low = time[first + high - 1], high - 1
        while low > 0 and time[first + low - 1] == moment:
            low -= 1
        for i in range(low, high):
            if touch[i] & IS_END:
                finals[0] += 1
                finals[key_of[i]] += 1 if key_of[i] > 0 else 0
        for i in range(low, high):
            own = 1 if touch[i] & IS_END else 0
            ended = finals[key_of[i]] > own
            ending[i] = moment if ended else end_after(moment, following[key_of[i]], beyond[key_of[i]], quiet)
        for i in range(low, high):
            if touch[i] & IS_TOUCH:
                for group in range(2 if key_of[i] > 0 else 1):
                    state = key_of[i] if group == 1 else 0
                    if following[state] != moment:
                        after = end_after(moment, following[state], beyond[state], quiet)
                        beyond[state] = moment if finals[state] else after
                        following[state] = moment
        for i in range(low, high):
            finals[key_of[i]] = 0
        finals[0] = 0
        high = low


@borrowing_kernel
def end_after(moment: int, following: int, beyond: int, quiet: int) -> int:
    """The journey's end as seen from a touch, given the next touch and the end as seen from there."""
    if quiet != NONE and (following == NONE or following - moment > quiet):
        return moment + quiet
    return NONE if following == NONE else beyond
