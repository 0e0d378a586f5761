"""Judging: every opening of every promise gets its verdict, in one pass over each person.

For each person and promise the rows that matter are gathered in order. Where they are few, each
opening walks on to its answer, its breaches and its repair; where they are many, they are listed by
part and key and searched. So the work is linear in rows and openings, times a logarithm at most.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from desireline.promises.journeys_of_map import walk_back
from desireline.promises.local_keys import number_keys
from desireline.promises.occurrences import FEW, gather, sort_moments, stand_consent
from desireline.promises.openings import O_PERSON, O_WIDTH, Ints, Longs, Spans, judge_openings
from desireline.promises.terms import (
    INDEXED,
    T_CONSENT,
    T_MAP,
    T_NEEDS_END,
    T_QUIET,
    T_SAME,
)
from desireline.promises.verdicts import (
    V_WIDTH,
)
from desireline.storage.engines import borrowing_kernel, kernel


@kernel
def judge_people(
    start: Longs,
    length: Longs,
    time: Longs,
    identity: Longs,
    channel: NDArray[np.int16],
    keys: Longs,
    of_row: Ints,
    flags: NDArray[np.int16],
    opens: NDArray[np.uint64],
    matters: NDArray[np.uint8],
    touch_of: NDArray[np.uint8],
    openings: Longs,
    table: Longs,
    within: Longs,
    durations: Longs,
    spans: Spans,
    as_of: int,
) -> tuple[Ints, Longs]:
    """(O_WIDTH, instances) int32 and (instances,) dues: one for each opening of each person.

    Interactions are given as rows of the bucket, -1 for none, persons as their number in it.
    """
    longest, room = 1, 0
    for p in range(len(length)):
        longest = max(longest, length[p])
        for row in range(start[p], start[p] + length[p]):
            room += openings[of_row[row]]
    out, dues = np.empty((O_WIDTH, room), dtype=np.int32), np.empty(room, dtype=np.int64)
    used = judge_each(
        out,
        dues,
        start,
        length,
        time,
        identity,
        channel,
        keys,
        of_row,
        flags,
        opens,
        matters,
        touch_of,
        table,
        within,
        durations,
        spans,
        as_of,
        np.zeros(opens.shape[1], dtype=np.uint64),
        np.empty(longest, dtype=np.int64),
        np.empty(4 * longest + 8, dtype=np.int64),
        np.empty((3, longest + 2), dtype=np.int64),
        np.empty(longest, dtype=np.int64),
        np.empty(longest, dtype=np.uint8),
        np.empty((7, longest), dtype=np.int64),
        np.empty(longest, dtype=np.int32),
        np.empty(INDEXED * longest, dtype=np.int64),
        np.empty(INDEXED * (longest + 2) + 1, dtype=np.int64),
        np.empty(INDEXED, dtype=np.int64),
        np.empty(V_WIDTH, dtype=np.int64),
    )
    return out[:, :used], dues[:used]


@borrowing_kernel
def judge_each(
    out: Ints,
    dues: Longs,
    start: Longs,
    length: Longs,
    time: Longs,
    identity: Longs,
    channel: NDArray[np.int16],
    keys: Longs,
    of_row: Ints,
    flags: NDArray[np.int16],
    opens: NDArray[np.uint64],
    matters: NDArray[np.uint8],
    touch_of: NDArray[np.uint8],
    table: Longs,
    within: Longs,
    durations: Longs,
    spans: Spans,
    as_of: int,
    either: NDArray[np.uint64],
    key_of: Longs,
    slots: Longs,
    walks: Longs,
    ending: Longs,
    touch: NDArray[np.uint8],
    rows: Longs,
    places: Ints,
    where: Longs,
    offset: Longs,
    evidence: Longs,
    outcome: Longs,
) -> int:
    """Judge one person after the other into `out`; how many instances there are.

    The arrays from `either` on are room to work in.
    """
    used = 0
    for p in range(len(start)):
        first, count = start[p], length[p]
        while count > 0 and time[first + count - 1] > as_of:
            count -= 1
        for word in range(len(either)):
            either[word] = 0
        kept = 0
        for i in range(count):
            kind = of_row[first + i]
            places[kept] = i
            kept += matters[kind]
            for word in range(len(either)):
                either[word] |= opens[kind, word]
        numbered, ended_map, key_count = -2, -1, 0
        for q in range(len(table)):
            if not (either[q >> 6] >> np.uint64(q & 63)) & np.uint64(1):
                continue
            found, openings, shared = gather(rows, places, kept, flags, of_row, time, identity, keys, first, table, q)
            if openings == 0:
                continue
            same, needs_end = table[q, T_SAME], table[q, T_NEEDS_END] != 0
            if (found > FEW or needs_end) and same != numbered:
                key_count, numbered, ended_map = number_keys(key_of, keys, same, first, count, slots), same, -1
            if needs_end and ended_map != table[q, T_MAP]:
                ended_map = table[q, T_MAP]
                for i in range(count):
                    touch[i] = touch_of[ended_map, of_row[first + i]]
                walk_back(ending, touch, key_of, key_count, time, first, count, table[q, T_QUIET], walks)
            if shared:
                sort_moments(rows, found)
            if table[q, T_CONSENT]:
                stand_consent(rows, found)
            begin = used
            used = judge_openings(
                out,
                dues,
                used,
                rows,
                found,
                key_of,
                key_count,
                channel,
                first,
                ending,
                table,
                q,
                within,
                durations,
                spans,
                evidence,
                outcome,
                as_of,
                where,
                offset,
            )
            for line in range(begin, used):
                out[O_PERSON, line] = p
    return used
