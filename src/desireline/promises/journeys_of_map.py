"""One journey per map and key at a time: which journey a row lies in, and when that journey ends."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from desireline.promises.deadlines import NONE
from desireline.promises.local_keys import number_keys
from desireline.promises.row_classes import HAS_BEGIN, IS_BEGIN, IS_END, IS_TOUCH
from desireline.promises.terms import T_MAP, T_QUIET, T_SAME
from desireline.storage.engines import borrowing_kernel, kernel

Longs = NDArray[np.int64]


@kernel
def journeys_of(
    promise: NDArray[np.int32],
    person: NDArray[np.int32],
    opening: NDArray[np.int32],
    start: Longs,
    length: Longs,
    time: Longs,
    keys: Longs,
    of_row: NDArray[np.int32],
    touch_of: NDArray[np.uint8],
    table: Longs,
) -> NDArray[np.int32]:
    """The row at which the journey of each instance's opening began, -1 for none.

    Instances stand person by person, and those of one map and key together.
    """
    longest = 1
    for p in range(len(length)):
        longest = max(longest, length[p])
    key_of, slots = np.empty(longest, dtype=np.int64), np.empty(4 * longest + 8, dtype=np.int64)
    walks, journey = np.empty((3, longest + 2), dtype=np.int64), np.empty(longest, dtype=np.int64)
    touch = np.empty(longest, dtype=np.uint8)
    begun = np.empty(len(opening), dtype=np.int32)
    of_person, of_map, of_key = -1, -1, -1
    for line in range(len(opening)):
        p, q = person[line], promise[line]
        first, count = start[p], length[p]
        if p != of_person or table[q, T_MAP] != of_map or table[q, T_SAME] != of_key:
            of_person, of_map, of_key = p, table[q, T_MAP], table[q, T_SAME]
            key_count = number_keys(key_of, keys, of_key, first, count, slots)
            for i in range(count):
                touch[i] = touch_of[of_map, of_row[first + i]]
            walk_forward(journey, touch, key_of, key_count, time, first, count, table[q, T_QUIET], walks)
        place = journey[opening[line] - first]
        begun[line] = first + place - 1 if place > 0 else -1
    return begun


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
