"""The rows of a person that matter to one promise, listed by part and key, found by binary search.

`rows` is (6, rows) int64: moment, id, parts as bits, position among the person's rows, whether
consent stands at that moment, and the next moment consent is withdrawn.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from desireline.promises.deadlines import NONE
from desireline.promises.terms import (
    GIVEN,
    INDEXED,
    OPEN,
    T_CONSENT,
    T_FROM,
    T_TO,
    TAKEN,
    THEN,
    WITHOUT_CONSENT,
    WRONG_CHANNEL,
    WRONG_HANDS,
)
from desireline.storage.engines import kernel

Longs = NDArray[np.int64]
FEW = 48
"""Up to so many rows of one person and promise are walked through; more are listed and searched."""


class Listed(NamedTuple):
    """The rows of one person that matter to one promise, and the lists to find them by when they are many.

    present: the parts that occur, as bits. groups: how many lists each part has, one per key and two more.
    """

    rows: Longs
    found: int
    key_of: Longs
    present: int
    where: Longs
    offset: Longs
    groups: int


@kernel
def gather(
    rows: Longs,
    bits: NDArray[np.uint64],
    time: Longs,
    identity: Longs,
    first: int,
    count: int,
    parts: NDArray[np.uint64],
    union: NDArray[np.uint64],
    terms: Longs,
) -> tuple[int, int]:
    """Put the rows that match any part into `rows`; answers how many, and how many of them open an instance."""
    found, openings = 0, 0
    for i in range(count):
        row = first + i
        matters = False
        for word in range(len(union)):
            if bits[row, word] & union[word]:
                matters = True
        if not matters:
            continue
        flags = 0
        for part in range(parts.shape[0]):
            for word in range(parts.shape[1]):
                if bits[row, word] & parts[part, word]:
                    flags |= 1 << part
        if (flags >> THEN) & 1:
            flags &= ~((1 << WRONG_CHANNEL) | (1 << WRONG_HANDS))
        if (flags >> OPEN) & 1:
            if terms[T_FROM] <= time[row] < terms[T_TO]:
                openings += 1
            else:
                flags &= ~(1 << OPEN)
        if not terms[T_CONSENT]:
            flags &= ~((1 << GIVEN) | (1 << TAKEN))
        rows[0, found], rows[1, found], rows[2, found], rows[3, found] = time[row], identity[row], flags, i
        found += 1
    return found, openings


@kernel
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
                identity, flags, place = rows[1, i], rows[2, i], rows[3, i]
                j = i
                while j >= begin + gap and rows[1, j - gap] > identity:
                    rows[1, j], rows[2, j], rows[3, j] = rows[1, j - gap], rows[2, j - gap], rows[3, j - gap]
                    j -= gap
                rows[1, j], rows[2, j], rows[3, j] = identity, flags, place
            gap //= 3
        begin = end


@kernel
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


@kernel
def kinds_of(rows: Longs, count: int, key_of: Longs, keyed: int) -> tuple[int, int]:
    """The parts that occur at all, as bits, and how many openings have a key (keyed) or have none."""
    present, openings = 0, 0
    for i in range(count):
        present |= rows[2, i]
        if (rows[2, i] >> OPEN) & 1 and (key_of[rows[3, i]] > 0) == (keyed == 1):
            openings += 1
    return present, openings


@kernel
def list_by_key(
    rows: Longs, count: int, key_of: Longs, key_count: int, keyed: int, where: Longs, offset: Longs
) -> tuple[Longs, Longs]:
    """List the rows of every part, key by key (keyed) or all together.

    The rows of part x and key k are where[offset[x * (key_count + 2) + k] : offset[... + 1]], in order.
    """
    groups = key_count + 2
    if len(offset) < INDEXED * groups + 1:
        offset = np.empty(2 * INDEXED * groups + 1, dtype=np.int64)
    offset[: INDEXED * groups + 1] = 0
    for i in range(count):
        key = key_of[rows[3, i]]
        if keyed == 1 and key == 0:
            continue
        for part in range(1, INDEXED):
            offset[part * groups + (key if keyed == 1 else 0) + 1] += (rows[2, i] >> part) & 1
    for place in range(INDEXED * groups):
        offset[place + 1] += offset[place]
    total = offset[INDEXED * groups]
    if len(where) < total:
        where = np.empty(2 * total, dtype=np.int64)
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
    return where, offset


@kernel
def next_of(listed: Listed, part: int, group: int, moment: int, opening: int, skip: int) -> int:
    """The first row of a part at or after a moment, other than the opening, after skipping some; -1 for none.

    group: the number of the key, 0 for any. Few rows are walked through, many are searched in the lists.
    """
    if not (listed.present >> part) & 1:
        return -1
    if listed.found <= FEW:
        return next_of_few(listed, part, group, moment, opening, skip)
    low, end = listed.offset[part * listed.groups + group], listed.offset[part * listed.groups + group + 1]
    high = end
    while low < high:
        middle = (low + high) // 2
        if listed.rows[0, listed.where[middle]] >= moment:
            high = middle
        else:
            low = middle + 1
    while low < end:
        found: int = listed.where[low]
        if found != opening:
            if skip == 0:
                return found
            skip -= 1
        low += 1
    return -1


@kernel
def next_of_few(listed: Listed, part: int, group: int, moment: int, opening: int, skip: int) -> int:
    """The same answer by walking from the opening: back to the begin of the moment, then on."""
    rows, begin = listed.rows, opening
    while begin > 0 and rows[0, begin - 1] >= moment:
        begin -= 1
    for i in range(begin, listed.found):
        fits = (rows[2, i] >> part) & 1 and i != opening and rows[0, i] >= moment
        if fits and (group == 0 or listed.key_of[rows[3, i]] == group):
            if skip == 0:
                return i
            skip -= 1
    return -1
