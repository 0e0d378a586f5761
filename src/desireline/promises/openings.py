"""Judging a person's openings of one promise: the due, the evidence, the verdict, and the line that tells them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from desireline.promises.deadlines import ELAPSED, NONE, due_after
from desireline.promises.evidence import search, search_evidence, walk_to_evidence, walk_to_part
from desireline.promises.occurrences import FEW, has_openings, list_by_key
from desireline.promises.terms import (
    LATEST,
    MEND,
    NEVER,
    NO_WITHIN,
    OF,
    OPEN,
    T_COUNT,
    T_DUE_FROM,
    T_DUE_TO,
    T_MEND,
    T_NEEDS_END,
    T_QUIET,
    T_WINDOW,
    THEN,
    WITHOUT_CONSENT,
)
from desireline.promises.verdicts import (
    NO_BREACH,
    V_BREACH,
    V_BREAKING,
    V_DEADLINE,
    V_MOMENT,
    V_VERDICT,
    judge_one,
)
from desireline.storage.engines import borrowing_kernel

(
    O_PROMISE,
    O_PERSON,
    O_OPENING,
    O_SETTLING,
    O_BREAKING,
    O_MENDING,
    O_FORBIDDEN,
    O_REPEATED,
    O_NO_CONSENT,
    O_VERDICT,
    O_BREACH,
    O_DEADLINE,
) = range(12)
O_WIDTH = 12

Longs = NDArray[np.int64]
Ints = NDArray[np.int32]
Spans = tuple[Longs, Longs, Longs, Longs, Longs, Longs, Longs]


@borrowing_kernel
def judge_openings(
    out: Ints,
    dues: Longs,
    used: int,
    rows: Longs,
    found: int,
    key_of: Longs,
    key_count: int,
    channel: NDArray[np.int16],
    first: int,
    ending: Longs,
    table: Longs,
    q: int,
    within: Longs,
    durations: Longs,
    spans: Spans,
    evidence: Longs,
    outcome: Longs,
    as_of: int,
    where: Longs,
    offset: Longs,
) -> int:
    """Judge a person's openings of one promise into `out` from line `used` on; the next free line.

    Few rows are walked through from each opening; many are listed first, with keys and without.
    """
    if found > FEW:
        return judge_many(
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
    quiet, counted = table[q, T_QUIET], table[q, T_WINDOW]
    for i in range(found):
        if (rows[2, i] >> OPEN) & 1:
            key = rows[6, i]
            number = within[q, channel[first + rows[3, i]] + 1]
            if number >= 0 and durations[number, 0] == ELAPSED:
                due = rows[0, i] + durations[number, 1]
            else:
                due = due_at(rows, i, number, ending, table, q, durations, spans)
            last, window = NONE if due == NONE or quiet == NONE else due + quiet, NONE
            if counted >= 0:
                window = lasting(rows[0, i], counted, durations, spans)
            walk_to_evidence(evidence, rows, found, key, i, due, last, window, table, q)
            judge_one(outcome, evidence, rows, i, table, q, due, last, window, as_of)
            mended = -1
            if table[q, T_MEND] >= 0 and outcome[V_BREACH] != NO_BREACH:
                mended = walk_to_part(rows, found, key, MEND, outcome[V_MOMENT], i, excused(rows, outcome))
                mended = in_time_to_mend(rows, mended, outcome[V_MOMENT], table, q, durations, spans)
            write(out, dues, used, rows, i, first, q, mended, due, evidence, outcome)
            used += 1
    return used


@borrowing_kernel
def judge_many(
    out: Ints,
    dues: Longs,
    used: int,
    rows: Longs,
    found: int,
    key_of: Longs,
    key_count: int,
    channel: NDArray[np.int16],
    first: int,
    ending: Longs,
    table: Longs,
    q: int,
    within: Longs,
    durations: Longs,
    spans: Spans,
    evidence: Longs,
    outcome: Longs,
    as_of: int,
    where: Longs,
    offset: Longs,
) -> int:
    """The same for many rows: each opening searches the lists of its key, or of all rows together."""
    groups, quiet, counted = key_count + 2, table[q, T_QUIET], table[q, T_WINDOW]
    for keyed in range(2):
        if not has_openings(rows, found, key_of, keyed):
            continue
        list_by_key(rows, found, key_of, key_count, keyed, where, offset)
        for i in range(found):
            key = key_of[rows[3, i]]
            if not (rows[2, i] >> OPEN) & 1 or (key > 0) != (keyed == 1):
                continue
            number = within[q, channel[first + rows[3, i]] + 1]
            due = due_at(rows, i, number, ending, table, q, durations, spans)
            last = NONE if due == NONE or quiet == NONE else due + quiet
            window = NONE if counted < 0 else lasting(rows[0, i], counted, durations, spans)
            search_evidence(evidence, rows, where, offset, groups, key, i, window, table[q, T_COUNT])
            judge_one(outcome, evidence, rows, i, table, q, due, last, window, as_of)
            mended = -1
            if table[q, T_MEND] >= 0 and outcome[V_BREACH] != NO_BREACH:
                moment, other = outcome[V_MOMENT], excused(rows, outcome)
                mended = search(rows, where, offset, groups, MEND, key, moment, i, other, 0)
                mended = in_time_to_mend(rows, mended, moment, table, q, durations, spans)
            write(out, dues, used, rows, i, first, q, mended, due, evidence, outcome)
            used += 1
    return used


@borrowing_kernel
def due_at(
    rows: Longs, opening: int, number: int, ending: Longs, table: Longs, q: int, durations: Longs, spans: Spans
) -> int:
    """The due of an opening with this duration, `NONE` while it is not known."""
    due = due_of(rows[0, opening], number, durations, table, q, spans)
    return ending[rows[3, opening]] if due == NONE and table[q, T_NEEDS_END] else due


@borrowing_kernel
def excused(rows: Longs, outcome: Longs) -> int:
    """The breaking row, which repairs nothing in the moment of the breach itself; -1 for none."""
    breaking: int = outcome[V_BREAKING]
    return breaking if breaking >= 0 and rows[0, breaking] == outcome[V_MOMENT] else -1


@borrowing_kernel
def in_time_to_mend(rows: Longs, mended: int, moment: int, table: Longs, q: int, durations: Longs, spans: Spans) -> int:
    """The repair, unless it came too late after the breach."""
    if mended < 0:
        return -1
    soonest = lasting(moment, table[q, T_MEND], durations, spans)
    return -1 if soonest != NONE and rows[0, mended] > soonest else mended


@borrowing_kernel
def write(
    out: Ints,
    dues: Longs,
    used: int,
    rows: Longs,
    opening: int,
    first: int,
    q: int,
    mended: int,
    due: int,
    evidence: Longs,
    outcome: Longs,
) -> None:
    """Put one judged instance into line `used`."""
    out[O_PROMISE, used], out[O_OPENING, used] = q, first + rows[3, opening]
    out[O_SETTLING, used] = row_at(rows, evidence[THEN], first)
    out[O_BREAKING, used] = row_at(rows, outcome[V_BREAKING], first)
    out[O_MENDING, used] = row_at(rows, mended, first)
    out[O_FORBIDDEN, used] = row_at(rows, evidence[NEVER], first)
    out[O_REPEATED, used] = row_at(rows, evidence[OF], first)
    out[O_NO_CONSENT, used] = row_at(rows, evidence[WITHOUT_CONSENT], first)
    out[O_VERDICT, used], out[O_BREACH, used] = outcome[V_VERDICT], outcome[V_BREACH]
    out[O_DEADLINE, used] = outcome[V_DEADLINE]
    dues[used] = due


@borrowing_kernel
def row_at(rows: Longs, place: int, first: int) -> int:
    """The bucket's row of a gathered one; -1 for none."""
    return first + rows[3, place] if place >= 0 else -1


@borrowing_kernel
def lasting(moment: int, number: int, durations: Longs, spans: Spans) -> int:
    """The due of one duration of the table."""
    if durations[number, 0] == ELAPSED:
        return moment + int(durations[number, 1])
    return due_after(moment, durations[number, 0], durations[number, 1], durations[number, 2], *spans)


@borrowing_kernel
def due_of(moment: int, number: int, durations: Longs, table: Longs, q: int, spans: Spans) -> int:
    """The due of an opening by its channel's duration; one not listed takes the latest. `NONE` without `within`."""
    if number == NO_WITHIN:
        if table[q, T_WINDOW] >= 0 and not table[q, T_NEEDS_END]:
            return lasting(moment, table[q, T_WINDOW], durations, spans)
        return NONE
    if number != LATEST:
        return lasting(moment, number, durations, spans)
    latest = NONE
    for each in range(table[q, T_DUE_FROM], table[q, T_DUE_TO]):
        due = lasting(moment, each, durations, spans)
        if due == NONE:
            return NONE
        latest = max(latest, due)
    return latest
