"""Judging: every opening of every promise gets its verdict, in one pass over each person.

For each person and promise the rows that matter are gathered, sorted by moment and id, and listed by
part and key; each opening then finds its answer, its breaches and its repair by binary search. The
work is linear in rows and openings, times a logarithm, for the heaviest person too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from desireline.promises.deadlines import ELAPSED, NONE, due_after
from desireline.promises.journeys_of_map import walk_back, walk_forward
from desireline.promises.local_keys import number_keys
from desireline.promises.occurrences import (
    FEW,
    Listed,
    gather,
    kinds_of,
    list_by_key,
    next_of,
    sort_moments,
    stand_consent,
)
from desireline.promises.terms import (
    BEGINS,
    ENDS,
    LATEST,
    MEND,
    NEVER,
    NO_WITHIN,
    OF,
    OPEN,
    T_CONSENT,
    T_COUNT,
    T_DUE_FROM,
    T_DUE_TO,
    T_MAP,
    T_MEND,
    T_NEEDS_END,
    T_NEVER,
    T_QUIET,
    T_SAME,
    T_THEN,
    T_WINDOW,
    THEN,
    TOUCH,
    UNLESS,
    WITHOUT_CONSENT,
    WRONG_CHANNEL,
    WRONG_HANDS,
)
from desireline.storage.engines import kernel

WAITING, KEPT, BROKEN, WITHDRAWN = range(4)
FORBIDDEN, REPEATED, NO_CONSENT, IN_WRONG_CHANNEL, IN_WRONG_HANDS, LATE, MISSING = range(7)
NO_BREACH = -1

(
    O_PROMISE,
    O_PERSON,
    O_OPENING,
    O_OPENED,
    O_DUE,
    O_SETTLED,
    O_SETTLING,
    O_VERDICT,
    O_BREACH,
    O_BREACHED,
    O_BREAKING,
    O_MENDED,
    O_MENDING,
    O_FORBIDDEN,
    O_REPEATED,
    O_NO_CONSENT,
    O_DEADLINE,
    O_DEADLINE_KIND,
    O_JOURNEY,
    O_KEY,
    O_CHANNEL,
) = range(21)
O_WIDTH = 21

Longs = NDArray[np.int64]
Spans = tuple[Longs, Longs, Longs, Longs, Longs, Longs, Longs]


@kernel
def judge_people(
    start: Longs,
    length: Longs,
    person: Longs,
    time: Longs,
    identity: Longs,
    channel: NDArray[np.int16],
    keys: Longs,
    bits: NDArray[np.uint64],
    table: Longs,
    parts: NDArray[np.uint64],
    touches: NDArray[np.uint64],
    within: Longs,
    durations: Longs,
    spans: Spans,
    as_of: int,
) -> Longs:
    """(instances, O_WIDTH) int64: one row for each opening of each person, in the order of people and promises."""
    out = np.empty((most_openings(start, length, bits, parts), O_WIDTH), dtype=np.int64)
    used = 0
    longest = 1
    table, within, durations = table.copy(), within.copy(), durations.copy()
    parts, touches = parts.copy(), touches.copy()
    for p in range(len(length)):
        longest = max(longest, length[p])
    # own copies above: threads that count references on shared arrays slow one another down
    words = bits.shape[1]
    either = np.zeros(words, dtype=np.uint64)
    union = np.zeros((len(table), words), dtype=np.uint64)
    for q in range(len(table)):
        for part in range(parts.shape[1]):
            for word in range(words):
                union[q, word] |= parts[q, part, word]
    key_of = np.zeros(longest, dtype=np.int64)
    slots = np.zeros(4 * longest + 8, dtype=np.int64)
    walks = np.zeros((3, longest + 2), dtype=np.int64)
    journey = np.zeros(longest, dtype=np.int64)
    ending = np.zeros(longest, dtype=np.int64)
    touch = np.zeros(longest, dtype=np.uint8)
    rows = np.empty((6, longest), dtype=np.int64)
    where = np.empty(0, dtype=np.int64)
    offset = np.empty(0, dtype=np.int64)
    for p in range(len(person)):
        first, count = start[p], length[p]
        while count > 0 and time[first + count - 1] > as_of:
            count -= 1
        either[:] = np.uint64(0)
        for row in range(first, first + count):
            for word in range(words):
                either[word] |= bits[row, word]
        ready_map, ready_same, ends_ready, key_count = -1, -2, False, 0
        for q in range(len(table)):
            terms = table[q]
            if not shares(either, parts[q, OPEN]):
                continue
            found, openings = gather(rows, bits, time, identity, first, count, parts[q], union[q], terms)
            if openings == 0:
                continue
            same, quiet = terms[T_SAME], terms[T_QUIET]
            if same != ready_same:
                key_count = number_keys(key_of, keys, same, first, count, slots)
            if same != ready_same or terms[T_MAP] != ready_map:
                classify(touch, bits, touches[terms[T_MAP]], first, count)
                walk_forward(journey, touch, key_of, key_count, time, identity, first, count, quiet, walks)
                ready_map, ready_same, ends_ready = terms[T_MAP], same, False
            if terms[T_NEEDS_END] and not ends_ready:
                walk_back(ending, touch, key_of, key_count, time, first, count, quiet, walks)
                ends_ready = True
            sort_moments(rows, found)
            if terms[T_CONSENT]:
                stand_consent(rows, found)
            channels = within[q]
            for keyed in range(2):
                present, here = kinds_of(rows, found, key_of, keyed)
                if here == 0:
                    continue
                if found > FEW:
                    where, offset = list_by_key(rows, found, key_of, key_count, keyed, where, offset)
                listed = Listed(rows, found, key_of, present, where, offset, key_count + 2)
                for i in range(found):
                    local = rows[3, i]
                    if not (rows[2, i] >> OPEN) & 1 or (key_of[local] > 0) != (keyed == 1):
                        continue
                    result = out[used]
                    result[O_PROMISE], result[O_PERSON] = q, person[p]
                    result[O_OPENING], result[O_OPENED] = rows[1, i], rows[0, i]
                    result[O_JOURNEY], result[O_CHANNEL] = journey[local], channel[first + local]
                    result[O_KEY] = keys[same, first + local] if same >= 0 else 0
                    due = due_of(rows[0, i], channel[first + local], channels, durations, terms, spans)
                    if due == NONE and terms[T_NEEDS_END]:
                        due = ending[local]
                    group = key_of[local] if keyed == 1 else 0
                    judge_one(result, listed, i, group, terms, durations, spans, due, as_of)
                    used += 1
    return out[:used]


@kernel
def most_openings(start: Longs, length: Longs, bits: NDArray[np.uint64], parts: NDArray[np.uint64]) -> int:
    """How many openings there can be at most: the room for the result, taken once."""
    count = 0
    for p in range(len(start)):
        for row in range(start[p], start[p] + length[p]):
            for q in range(parts.shape[0]):
                opens = False
                for word in range(parts.shape[2]):
                    opens |= (bits[row, word] & parts[q, OPEN, word]) != 0
                count += opens
    return count


@kernel
def shares(bits: NDArray[np.uint64], mask: NDArray[np.uint64]) -> bool:
    """Whether a row has any bit of a mask."""
    found = False
    for word in range(len(mask)):
        found |= (bits[word] & mask[word]) != 0
    return found


@kernel
def classify(
    touch: NDArray[np.uint8], bits: NDArray[np.uint64], masks: NDArray[np.uint64], first: int, count: int
) -> None:
    """Which of a person's rows touch the map (1), begin it (2), end it (4); 8 on every row when it has a begin."""
    begun = np.uint8(0)
    for word in range(masks.shape[1]):
        if masks[BEGINS, word]:
            begun = np.uint8(8)
    for i in range(count):
        flags = begun
        for word in range(masks.shape[1]):
            here = bits[first + i, word]
            if here & masks[TOUCH, word]:
                flags |= np.uint8(1)
            if here & masks[BEGINS, word]:
                flags |= np.uint8(2)
            if here & masks[ENDS, word]:
                flags |= np.uint8(4)
        touch[i] = flags


@kernel
def lasting(moment: int, number: int, durations: Longs, spans: Spans) -> int:
    """The due of one duration of the table."""
    if durations[number, 0] == ELAPSED:
        return moment + int(durations[number, 1])
    return due_after(moment, durations[number, 0], durations[number, 1], durations[number, 2], *spans)


@kernel
def due_of(moment: int, channel: int, within: Longs, durations: Longs, terms: Longs, spans: Spans) -> int:
    """The due of an opening by its channel; one not listed takes the latest. `NONE` when `within` says nothing."""
    number = within[channel + 1]
    if number == NO_WITHIN:
        if terms[T_WINDOW] >= 0 and not terms[T_NEEDS_END]:
            return lasting(moment, terms[T_WINDOW], durations, spans)
        return NONE
    if number != LATEST:
        return lasting(moment, number, durations, spans)
    latest = NONE
    for each in range(terms[T_DUE_FROM], terms[T_DUE_TO]):
        due = lasting(moment, each, durations, spans)
        if due == NONE:
            return NONE
        latest = max(latest, due)
    return latest


@kernel
def judge_one(
    result: Longs,
    listed: Listed,
    opening: int,
    group: int,
    terms: Longs,
    durations: Longs,
    spans: Spans,
    due: int,
    as_of: int,
) -> None:
    """The verdict, the breaches and the evidence of one instance, as promises.md defines them."""
    rows = listed.rows
    opened = rows[0, opening]
    last = NONE if due == NONE or terms[T_QUIET] == NONE else due + terms[T_QUIET]
    window = NONE
    if terms[T_COUNT] >= 0:
        window = lasting(opened, terms[T_WINDOW], durations, spans)

    settling = -1
    if terms[T_THEN]:
        settling = until(rows, next_of(listed, THEN, group, opened, opening, 0), last)
    settled = rows[0, settling] if settling >= 0 else NONE
    in_time = settling >= 0 and (due == NONE or settled <= due)
    due_passed = due != NONE and due <= as_of

    limit = settled if settling >= 0 else (last if terms[T_THEN] else due)
    forbidden = until(rows, next_of(listed, NEVER, group, opened, opening, 0), limit)
    repeated = -1
    if terms[T_COUNT] >= 0:
        repeated = until(rows, next_of(listed, OF, group, opened + 1, opening, terms[T_COUNT]), window)
    if repeated >= 0:
        repeated = next_of(listed, OF, group, rows[0, repeated], opening, 0)
    limit = settled if settling >= 0 else last
    refused = until(rows, next_of(listed, WITHOUT_CONSENT, group, opened, opening, 0), limit)

    early = first_moment(rows, forbidden, first_moment(rows, repeated, first_moment(rows, refused, NONE)))
    failed = terms[T_THEN] != 0 and due_passed and not in_time
    unasked = failed and terms[T_CONSENT] != 0 and not consent_stood(rows, opening, due)
    verdict = WAITING
    if unasked and (early == NONE or early > due):
        verdict, failed = WITHDRAWN, False
        forbidden, repeated, refused, settling = -1, -1, -1, -1

    unless = next_of(listed, UNLESS, group, opened, opening, 0)
    if unless >= 0 and verdict == WAITING:
        moment = rows[0, unless]
        undone = (early == NONE or early > moment) and not (failed and due < moment)
        if undone and not kept_before(moment, settled, in_time, due, window, terms):
            verdict, failed = WITHDRAWN, False
            forbidden, repeated, refused = -1, -1, -1
            if settling >= 0 and settled > moment:
                settling = -1

    kind, near = MISSING, -1
    if failed:
        near = until(rows, next_of(listed, WRONG_CHANNEL, group, opened, opening, 0), due)
        kind = IN_WRONG_CHANNEL
        if near < 0:
            near = until(rows, next_of(listed, WRONG_HANDS, group, opened, opening, 0), due)
            kind = IN_WRONG_HANDS
        if near < 0:
            near = settling
            kind = LATE if settling >= 0 else MISSING

    breach, moment, breaking = NO_BREACH, NONE, -1
    if failed:
        breach, moment, breaking = kind, due, near
    if refused >= 0 and (breach == NO_BREACH or rows[0, refused] <= moment):
        breach, moment, breaking = NO_CONSENT, rows[0, refused], refused
    if repeated >= 0 and (breach == NO_BREACH or rows[0, repeated] <= moment):
        breach, moment, breaking = REPEATED, rows[0, repeated], repeated
    if forbidden >= 0 and (breach == NO_BREACH or rows[0, forbidden] <= moment):
        breach, moment, breaking = FORBIDDEN, rows[0, forbidden], forbidden

    mended = -1
    if breach != NO_BREACH:
        verdict = BROKEN
        if terms[T_MEND] >= 0:
            mended = next_of(listed, MEND, group, moment, opening, 0)
            if mended >= 0 and mended == breaking and rows[0, breaking] == moment:
                mended = next_of(listed, MEND, group, moment, opening, 1)
            soonest = lasting(moment, terms[T_MEND], durations, spans)
            mended = until(rows, mended, soonest)
    elif verdict == WAITING and all_parts_hold(in_time, due_passed, window, terms, as_of):
        verdict = KEPT

    result[O_DUE] = NONE if verdict == WITHDRAWN else due
    result[O_VERDICT], result[O_BREACH], result[O_BREACHED] = verdict, breach, moment
    result[O_SETTLED], result[O_SETTLING] = moment_and_id(rows, settling)
    result[O_BREAKING] = moment_and_id(rows, breaking)[1]
    result[O_MENDED], result[O_MENDING] = moment_and_id(rows, mended)
    result[O_FORBIDDEN] = moment_and_id(rows, forbidden)[0]
    result[O_REPEATED] = moment_and_id(rows, repeated)[0]
    result[O_NO_CONSENT] = moment_and_id(rows, refused)[0]
    result[O_DEADLINE] = due if failed else NONE
    result[O_DEADLINE_KIND] = kind if failed else NO_BREACH


@kernel
def consent_stood(rows: Longs, opening: int, due: int) -> bool:
    """Whether consent stood from the opening's moment to due, both included."""
    taken: int = rows[5, opening]
    stood: int = rows[4, opening]
    return stood == 1 and (taken == NONE or taken > due)


@kernel
def until(rows: Longs, place: int, last: int) -> int:
    """The place, unless it lies after `last`; `NONE` is no limit."""
    return -1 if place < 0 or (last != NONE and rows[0, place] > last) else place


@kernel
def first_moment(rows: Longs, place: int, moment: int) -> int:
    """The earlier of a row's moment and another; either may be missing."""
    if place < 0:
        return moment
    here: int = rows[0, place]
    return here if moment == NONE else min(here, moment)


@kernel
def moment_and_id(rows: Longs, place: int) -> tuple[int, int]:
    """Moment and id of a row, `NONE` when there is none."""
    if place < 0:
        return NONE, NONE
    return rows[0, place], rows[1, place]


@kernel
def passes_at(due: int, window: int, terms: Longs) -> int:
    """The moment at which the last part that only has to pass has passed; `NONE` when there is none."""
    passes = window if terms[T_COUNT] >= 0 else NONE
    return max(passes, due) if terms[T_NEVER] and not terms[T_THEN] else passes


@kernel
def kept_before(moment: int, settled: int, in_time: bool, due: int, window: int, terms: Longs) -> bool:
    """Whether every part held before the `unless` of this moment could withdraw the instance.

    In one moment settlement comes first, then `unless`, then what passes.
    """
    passes = passes_at(due, window, terms)
    if terms[T_COUNT] >= 0 and window == NONE:
        return False
    if terms[T_THEN]:
        if not in_time or settled > moment:
            return False
    elif terms[T_NEVER] and due == NONE:
        return False
    return passes == NONE or passes < moment


@kernel
def all_parts_hold(in_time: bool, due_passed: bool, window: int, terms: Longs, as_of: int) -> bool:
    """Whether every part of an instance without a breach holds: settled in time, windows passed, due passed."""
    if terms[T_COUNT] >= 0 and (window == NONE or window > as_of):
        return False
    if terms[T_THEN]:
        return in_time
    return due_passed if terms[T_NEVER] else True


def fixed(values: NDArray[Any], dtype: Any) -> NDArray[Any]:
    """The same values as one read-only run of memory of one type, so that the kernel is compiled once."""
    view = np.ascontiguousarray(np.asarray(values), dtype=dtype).view()
    view.flags.writeable = False
    return view
