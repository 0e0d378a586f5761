"""The rows of a person that matter to one promise, listed by part and key, found by binary search.

`rows` is (7, rows) int64: moment, id, parts as bits, position among the person's rows, whether
consent stands at that moment, the next moment consent is withdrawn, and the key.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from desireline.promises.deadlines import NONE
from desireline.promises.terms import (
    GIVEN,
    INDEXED,
    OPEN,
    T_CONSENT,
    T_FROM,
    T_SAME,
    T_TO,
    TAKEN,
    THEN,
    WITHOUT_CONSENT,
)
from desireline.storage.engines import borrowing_kernel
from desireline.storage.journey_store import EMPTY_KEY

Longs = NDArray[np.int64]
FEW = 48
"""Up to so many rows of one person and promise are walked through; more are listed and searched."""


@borrowing_kernel
def gather(
    rows: Longs,
    places: NDArray[np.int32],
    kept: int,
    flags: NDArray[np.int16],
    of_row: NDArray[np.int32],
    time: Longs,
    identity: Longs,
    keys: Longs,
    first: int,
    table: Longs,
    q: int,
) -> tuple[int, int, bool]:
    """Put the rows at `places` that match any part into `rows`.

    Answers how many, how many of them open an instance, and whether any share a moment. What happened
    before the first opening's moment is left out, unless consent must be known.
    """
    found, openings, shared, same = 0, 0, False, table[q, T_SAME]
    begins, ends, consent = table[q, T_FROM], table[q, T_TO], table[q, T_CONSENT] != 0
    for each in range(kept):
        i = places[each]
        parts = np.int64(flags[q, of_row[first + i]])
        if parts == 0:
            continue
        moment = time[first + i]
        if found > 0:
            if moment == rows[0, found - 1]:
                shared = True
            elif openings == 0 and not consent:
                found = 0
        if parts & (1 << OPEN):
            if begins <= moment < ends:
                openings += 1
            else:
                parts &= ~(1 << OPEN)
        rows[0, found], rows[1, found], rows[2, found], rows[3, found] = moment, identity[first + i], parts, i
        rows[6, found] = EMPTY_KEY if same < 0 else keys[same, first + i]
        found += 1
    return found, openings, shared


@borrowing_kernel
def sort_moments(rows: Longs, count: int) -> None:
    """Sort by moment and, within one moment, by id: of equals the lowest id is the evidence. Shell sort."""
    begin = 0
    while begin < count:
        end = begin + 1
        while end < count and rows[0, end] == rows[0, begin]:
            end += 1
        gap = 1
        while gap < (end - begin) // 3:
            gap = 3 * gap + 1
        while gap > 0:
            for i in range(begin + gap, end):
                identity, flags, place, key = rows[1, i], rows[2, i], rows[3, i], rows[6, i]
                j = i
                while j >= begin + gap and rows[1, j - gap] > identity:
                    rows[1, j], rows[2, j], rows[3, j] = rows[1, j - gap], rows[2, j - gap], rows[3, j - gap]
                    rows[6, j] = rows[6, j - gap]
                    j -= gap
                rows[1, j], rows[2, j], rows[3, j], rows[6, j] = identity, flags, place, key
            gap //= 3
        begin = end


@borrowing_kernel
def stand_consent(rows: Longs, count: int) -> None:
    """Read consent at every moment; an answer without it no longer settles but is marked as such.

    In one moment a withdrawal wins over a giving, and both count already for that moment.
    """
    stands, begin = 0, 0
    while begin < count:
        end, given, taken = begin, 0, 0
        while end < count and rows[0, end] == rows[0, begin]:
            given |= (rows[2, end] >> GIVEN) & 1
            taken |= (rows[2, end] >> TAKEN) & 1
            end += 1
        stands = 0 if taken else (1 if given else stands)
        for i in range(begin, end):
            rows[4, i], rows[5, i] = stands, rows[0, i] if taken else NONE
            rows[2, i] &= ~(1 << GIVEN)
            if not stands and (rows[2, i] >> THEN) & 1:
                rows[2, i] = (rows[2, i] & ~(1 << THEN)) | (1 << WITHOUT_CONSENT)
        begin = end
    following = NONE
    for i in range(count - 1, -1, -1):
        if rows[5, i] != NONE:
            following = rows[5, i]
        rows[5, i] = following


@borrowing_kernel
def has_openings(rows: Longs, count: int, key_of: Longs, keyed: int) -> bool:
    """Whether any opening has a key (keyed) or has none."""
    openings = 0
    for i in range(count):
        if (rows[2, i] >> OPEN) & 1 and (key_of[rows[3, i]] > 0) == (keyed == 1):
            openings += 1
    return openings > 0


@borrowing_kernel
def list_by_key(
    rows: Longs, count: int, key_of: Longs, key_count: int, keyed: int, where: Longs, offset: Longs
) -> None:
    """List the rows of every part, key by key (keyed) or all together.

    The rows of part x and key k are where[offset[x * (key_count + 2) + k] : offset[... + 1]], in order.
    """
    groups = key_count + 2
    for place in range(INDEXED * groups + 1):
        offset[place] = 0
    for i in range(count):
        key = key_of[rows[3, i]]
        if keyed == 1 and key == 0:
            continue
        for part in range(1, INDEXED):
            offset[part * groups + (key if keyed == 1 else 0) + 1] += (rows[2, i] >> part) & 1
    for place in range(INDEXED * groups):
        offset[place + 1] += offset[place]
    for i in range(count - 1, -1, -1):
        key = key_of[rows[3, i]]
        if keyed == 1 and key == 0:
            continue
        for part in range(1, INDEXED):
            if (rows[2, i] >> part) & 1:
                place = part * groups + (key if keyed == 1 else 0) + 1
                offset[place] -= 1
                where[offset[place]] = i
    for place in range(INDEXED * groups):
        offset[place] = offset[place + 1]
