"""The verdict on one instance, from its evidence: kept, broken (and how), withdrawn or still waiting."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from desireline.promises.deadlines import NONE
from desireline.promises.terms import (
    NEVER,
    OF,
    T_CONSENT,
    T_COUNT,
    T_NEVER,
    T_THEN,
    THEN,
    UNLESS,
    WITHOUT_CONSENT,
    WRONG_CHANNEL,
    WRONG_HANDS,
)
from desireline.storage.engines import borrowing_kernel

WAITING, KEPT, BROKEN, WITHDRAWN = range(4)
FORBIDDEN, REPEATED, NO_CONSENT, IN_WRONG_CHANNEL, IN_WRONG_HANDS, LATE, MISSING = range(7)
NO_BREACH = -1

V_VERDICT, V_BREACH, V_MOMENT, V_BREAKING, V_DEADLINE = range(5)
V_WIDTH = 5
"""What `judge_one` finds: the verdict, the breach that names it, its moment and place, and the deadline's breach."""

Longs = NDArray[np.int64]


@borrowing_kernel
def judge_one(
    outcome: Longs,
    evidence: Longs,
    rows: Longs,
    opening: int,
    table: Longs,
    q: int,
    due: int,
    last: int,
    window: int,
    as_of: int,
) -> None:
    """The verdict and the breaches of one instance, as promises.md defines them.

    evidence: the first place of each part; afterwards only what the verdict rests on, -1 for the others.
    """
    settling = evidence[THEN] = until(rows, evidence[THEN], last)
    settled = rows[0, settling] if settling >= 0 else NONE
    in_time = settling >= 0 and (due == NONE or settled <= due)
    due_passed = due != NONE and due <= as_of

    limit = settled if settling >= 0 else (last if table[q, T_THEN] else due)
    forbidden = until(rows, evidence[NEVER], limit)
    repeated = evidence[OF]
    refused = until(rows, evidence[WITHOUT_CONSENT], settled if settling >= 0 else last)

    early = first_moment(rows, forbidden, first_moment(rows, repeated, first_moment(rows, refused, NONE)))
    failed = table[q, T_THEN] != 0 and due_passed and not in_time
    unasked = failed and table[q, T_CONSENT] != 0 and not consent_stood(rows, opening, due)
    verdict = WAITING
    if unasked and (early == NONE or early > due):
        verdict, failed = WITHDRAWN, False
        forbidden, repeated, refused, settling = -1, -1, -1, -1

    unless = evidence[UNLESS]
    if unless >= 0 and verdict == WAITING:
        moment = rows[0, unless]
        undone = (early == NONE or early > moment) and not (failed and due < moment)
        if undone and not kept_before(moment, settled, in_time, due, window, table, q):
            verdict, failed = WITHDRAWN, False
            forbidden, repeated, refused = -1, -1, -1
            if settling >= 0 and settled > moment:
                settling = -1

    breach, moment, breaking, kind = NO_BREACH, NONE, -1, NO_BREACH
    if failed:
        kind = LATE if settling >= 0 else MISSING
        breaking = settling
        if until(rows, evidence[WRONG_HANDS], due) >= 0:
            kind, breaking = IN_WRONG_HANDS, evidence[WRONG_HANDS]
        if until(rows, evidence[WRONG_CHANNEL], due) >= 0:
            kind, breaking = IN_WRONG_CHANNEL, evidence[WRONG_CHANNEL]
        breach, moment = kind, due
    if refused >= 0 and (breach == NO_BREACH or rows[0, refused] <= moment):
        breach, moment, breaking = NO_CONSENT, rows[0, refused], refused
    if repeated >= 0 and (breach == NO_BREACH or rows[0, repeated] <= moment):
        breach, moment, breaking = REPEATED, rows[0, repeated], repeated
    if forbidden >= 0 and (breach == NO_BREACH or rows[0, forbidden] <= moment):
        breach, moment, breaking = FORBIDDEN, rows[0, forbidden], forbidden

    if breach != NO_BREACH:
        verdict = BROKEN
    elif verdict == WAITING and all_parts_hold(in_time, due_passed, window, table, q, as_of):
        verdict = KEPT
    evidence[THEN], evidence[NEVER], evidence[OF], evidence[WITHOUT_CONSENT] = settling, forbidden, repeated, refused
    outcome[V_VERDICT], outcome[V_BREACH], outcome[V_MOMENT] = verdict, breach, moment
    outcome[V_BREAKING], outcome[V_DEADLINE] = breaking, kind


@borrowing_kernel
def consent_stood(rows: Longs, opening: int, due: int) -> bool:
    """Whether consent stood from the opening's moment to due, both included."""
    taken: int = rows[5, opening]
    stood: int = rows[4, opening]
    return stood == 1 and (taken == NONE or taken > due)


@borrowing_kernel
def until(rows: Longs, place: int, last: int) -> int:
    """The place, unless it lies after `last`; `NONE` is no limit."""
    return -1 if place < 0 or (last != NONE and rows[0, place] > last) else place


@borrowing_kernel
def first_moment(rows: Longs, place: int, moment: int) -> int:
    """The earlier of a row's moment and another; either may be missing."""
    if place < 0:
        return moment
    here: int = rows[0, place]
    return here if moment == NONE else min(here, moment)


@borrowing_kernel
def passes_at(due: int, window: int, table: Longs, q: int) -> int:
    """The moment at which the last part that only has to pass has passed; `NONE` when there is none."""
    passes = window if table[q, T_COUNT] >= 0 else NONE
    return max(passes, due) if table[q, T_NEVER] and not table[q, T_THEN] else passes


@borrowing_kernel
def kept_before(moment: int, settled: int, in_time: bool, due: int, window: int, table: Longs, q: int) -> bool:
    """Whether every part held before the `unless` of this moment could withdraw the instance.

    In one moment settlement comes first, then `unless`, then what passes.
    """
    passes = passes_at(due, window, table, q)
    if table[q, T_COUNT] >= 0 and window == NONE:
        return False
    if table[q, T_THEN]:
        if not in_time or settled > moment:
            return False
    elif table[q, T_NEVER] and due == NONE:
        return False
    return passes == NONE or passes < moment


@borrowing_kernel
def all_parts_hold(in_time: bool, due_passed: bool, window: int, table: Longs, q: int, as_of: int) -> bool:
    """Whether every part of an instance without a breach holds: settled in time, windows passed, due passed."""
    if table[q, T_COUNT] >= 0 and (window == NONE or window > as_of):
        return False
    if table[q, T_THEN]:
        return in_time
    return due_passed if table[q, T_NEVER] else True
