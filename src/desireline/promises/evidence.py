"""The evidence of one instance: the first interaction of each part that counts for it.

`evidence` holds one place per part among the gathered rows, -1 for none: the settling answer, the
forbidden interaction, the one repeated too often, the answer without consent, `unless`, near misses.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from desireline.promises.deadlines import NONE
from desireline.promises.terms import (
    INDEXED,
    NEVER,
    OF,
    T_COUNT,
    T_THEN,
    THEN,
    UNLESS,
    WITHOUT_CONSENT,
    WRONG_CHANNEL,
    WRONG_HANDS,
)
from desireline.storage.engines import borrowing_kernel
from desireline.storage.journey_store import EMPTY_KEY

Longs = NDArray[np.int64]
_FIRSTS = 1 << THEN | 1 << NEVER | 1 << UNLESS | 1 << WRONG_CHANNEL | 1 << WRONG_HANDS | 1 << WITHOUT_CONSENT
_COUNTED = 1 << OF


@borrowing_kernel
def walk_to_evidence(
    evidence: Longs,
    rows: Longs,
    found: int,
    key: int,
    opening: int,
    due: int,
    last: int,
    window: int,
    table: Longs,
    q: int,
) -> None:
    """Walk from the opening on until nothing later can matter.

    key: the opening's key, `EMPTY_KEY` for any. last: how late an answer still settles.
    """
    for part in range(INDEXED):
        evidence[part] = -1
    opened, most = rows[0, opening], table[q, T_COUNT]
    if not table[q, T_THEN]:
        last = due
    begin = opening
    while begin > 0 and rows[0, begin - 1] == opened:
        begin -= 1
    horizon = NONE
    if due != NONE and last != NONE and (most < 0 or window != NONE):
        horizon = max(due, last, window)
    wanted = _FIRSTS if most < 0 else _FIRSTS | _COUNTED
    counted, counted_at, first_counted = 0, NONE, -1
    for place in range(begin, found):
        here = rows[2, place] & wanted
        if here == 0:
            continue
        moment = rows[0, place]
        if horizon != NONE and moment > horizon:
            break
        if place == opening or (key != EMPTY_KEY and rows[6, place] != key):
            continue
        if here & _COUNTED and moment > opened:
            if moment != counted_at:
                counted_at, first_counted = moment, place
            counted += 1
            if counted > most:
                wanted &= ~_COUNTED
                evidence[OF] = first_counted if window == NONE or moment <= window else -1
        here &= _FIRSTS
        wanted &= ~here
        if here & (1 << THEN):
            evidence[THEN] = place
            if due != NONE and moment <= due and most < 0:
                horizon = moment
            elif due != NONE and moment <= due and window != NONE:
                horizon = max(moment, window)
        if here & (1 << NEVER):
            evidence[NEVER] = place
        if here & (1 << UNLESS):
            evidence[UNLESS] = place
        if here & (1 << WRONG_CHANNEL):
            evidence[WRONG_CHANNEL] = place
        if here & (1 << WRONG_HANDS):
            evidence[WRONG_HANDS] = place
        if here & (1 << WITHOUT_CONSENT):
            evidence[WITHOUT_CONSENT] = place


@borrowing_kernel
def search_evidence(
    evidence: Longs,
    rows: Longs,
    where: Longs,
    offset: Longs,
    groups: int,
    key: int,
    opening: int,
    window: int,
    most: int,
) -> None:
    """The same evidence by binary search in the lists of many rows."""
    opened = rows[0, opening]
    for part in range(INDEXED):
        evidence[part] = -1
        if part != OF and (_FIRSTS >> part) & 1:
            evidence[part] = search(rows, where, offset, groups, part, key, opened, opening, -1, 0)
    if most >= 0:
        repeated = search(rows, where, offset, groups, OF, key, opened + 1, opening, -1, most)
        if repeated >= 0 and (window == NONE or rows[0, repeated] <= window):
            evidence[OF] = search(rows, where, offset, groups, OF, key, rows[0, repeated], opening, -1, 0)


@borrowing_kernel
def search(
    rows: Longs,
    where: Longs,
    offset: Longs,
    groups: int,
    part: int,
    key: int,
    moment: int,
    opening: int,
    other: int,
    skip: int,
) -> int:
    """The first row of a part at or after a moment and `skip` rows on, other than the opening and one more; or -1."""
    low, end = offset[part * groups + key], offset[part * groups + key + 1]
    high = end
    while low < high:
        middle = (low + high) // 2
        if rows[0, where[middle]] >= moment:
            high = middle
        else:
            low = middle + 1
    for place in range(low + skip, end):
        found: int = where[place]
        if found not in (opening, other):
            return found
    return -1


@borrowing_kernel
def walk_to_part(rows: Longs, found: int, key: int, part: int, moment: int, opening: int, other: int) -> int:
    """The first row of a part at or after a moment, other than the opening and one more row; -1 for none."""
    for place in range(found):
        fits = (rows[2, place] >> part) & 1 and rows[0, place] >= moment and place != opening and place != other
        if fits and (key == EMPTY_KEY or rows[6, place] == key):
            return place
    return -1
