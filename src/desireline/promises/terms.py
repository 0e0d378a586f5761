"""The maps in force, written as tables of numbers that the judging kernel reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from desireline.promises.calendars import Calendar
from desireline.promises.deadlines import NONE, Deadlines, DurationTable
from desireline.promises.maps import Map, Promise
from desireline.promises.masks import Bits, Tables, tables_of
from desireline.promises.patterns import (
    Alternative,
    Condition,
    Pattern,
    Test,
    alternatives,
    both,
    outward_alternatives,
)
from desireline.promises.versions import MapVersion
from desireline.storage.journey_store import Snapshot
from desireline.vocabulary.errors import DesirelineError, Mistake
from desireline.vocabulary.interaction import CONSENT_GIVEN, CONSENT_WITHDRAWN

PARTS = ("open", "then", "never", "of", "unless", "mend", "wrong_channel", "wrong_hands", "given", "taken")
OPEN, THEN, NEVER, OF, UNLESS, MEND, WRONG_CHANNEL, WRONG_HANDS, GIVEN, TAKEN = range(len(PARTS))
WITHOUT_CONSENT = GIVEN
"""Once consent is known at every row, the bit of "consent given" says "an answer without consent"."""
INDEXED = WITHOUT_CONSENT + 1
TOUCH, BEGINS, ENDS = range(3)

(T_MAP, T_SAME, T_FROM, T_TO, T_QUIET, T_THEN, T_NEVER, T_COUNT, T_WINDOW, T_MEND, T_CONSENT) = range(11)
(T_DUE_FROM, T_DUE_TO, T_WITHIN, T_NEEDS_END, T_WIDTH) = range(11, 16)
LATEST, NO_WITHIN = -1, -2

FROM_EVER = NONE
FOR_EVER = int(np.iinfo(np.int64).max)
_HANDS = ("hands", "role", "power")
_FILLED = (Test("exists", (True,)),)


@dataclass(frozen=True, slots=True)
class Terms:
    """Every promise of every map version as numbers.

    promises: what row i of each table stands for. table: (promises, T_WIDTH) int64, see the T_
    columns. parts: (promises, parts, words) uint64 masks on the row bits. touches: (maps, 3, words)
    uint64, a map's touches, begins and ends. within: (promises, channels + 1) int64, the duration
    by the opening's channel. keys: the key columns, in the order of T_SAME.
    """

    promises: tuple[tuple[MapVersion, Promise], ...]
    table: NDArray[np.int64]
    parts: NDArray[np.uint64]
    touches: NDArray[np.uint64]
    within: NDArray[np.int64]
    keys: tuple[str, ...]
    deadlines: Deadlines
    tables: Tables


def terms_of(
    versions: Sequence[MapVersion],
    snapshot: Snapshot,
    calendars: Mapping[str, Calendar],
    *,
    earliest: int,
    latest: int,
    deadlines: Deadlines | None = None,
) -> Terms:
    """The tables for judging these maps on one snapshot.

    Promises of one map and one key stand together, so that what they share is counted once.
    deadlines: those of the same maps, calendars and time, when they are known already.
    """
    ordered = [
        (version, promise)
        for version in versions
        for promise in sorted(version.map.promises, key=lambda each: each.same)
    ]
    keys = tuple(sorted({promise.same for _, promise in ordered if promise.same}))
    bits, durations = Bits(), DurationTable(calendars)
    _refuse_unknown_calendars(ordered, calendars)
    part_bits = [_parts(bits, version.map, promise) for version, promise in ordered]
    touch_bits = [_touches(bits, version.map) for version in versions]
    rows = [_row(versions, version, promise, keys, durations) for version, promise in ordered]
    channels = snapshot.words("channel")
    within = [_within(promise, row, channels) for (_, promise), row in zip(ordered, rows, strict=True)]
    return Terms(
        promises=tuple(ordered),
        table=np.array(rows, dtype=np.int64).reshape(-1, T_WIDTH),
        parts=_masks(bits, part_bits, len(PARTS)),
        touches=_masks(bits, touch_bits, 3),
        within=np.array(within, dtype=np.int64).reshape(-1, len(channels) + 1),
        keys=keys,
        deadlines=deadlines or durations.deadlines(earliest=earliest, latest=latest),
        tables=tables_of(bits, snapshot),
    )


def _masks(bits: Bits, several: Sequence[Sequence[tuple[int, ...]]], width: int) -> NDArray[np.uint64]:
    masks = [bits.mask(each) for row in several for each in row]
    return np.array(masks, dtype=np.uint64).reshape(-1, width, bits.words)


def _parts(bits: Bits, journey: Map, promise: Promise) -> list[tuple[int, ...]]:
    opening = outward_alternatives(promise.when)
    for who in (journey.who, promise.who):
        if who:
            opening = both(opening, alternatives(who))
    answers = outward_alternatives(promise.then) if promise.then else ()
    consent = [
        [(Condition("touchpoint", (Test("is", (word,)),)), Condition("consent", (Test("is", (promise.consent,)),)))]
        if promise.consent
        else []
        for word in (CONSENT_GIVEN, CONSENT_WITHDRAWN)
    ]
    parts: list[Sequence[Alternative]] = [
        opening,
        answers,
        _of(promise.never),
        _of(promise.at_most.of if promise.at_most else None),
        _of(promise.unless),
        _of(promise.if_broken.then if promise.if_broken else None),
        near_misses(answers, ("channel",)),
        near_misses(answers, _HANDS),
        *consent,
    ]
    return [bits.of(each) for each in parts]


def _of(pattern: Pattern | None) -> tuple[Alternative, ...]:
    return outward_alternatives(pattern) if pattern else ()


def near_misses(answers: Sequence[Alternative], fields: Sequence[str]) -> tuple[Alternative, ...]:
    """What an interaction fails in these fields alone, each of them filled in; alternatives without them have none.

    An interaction that matches the answers themselves matches these too: ask for that first.
    """
    return tuple(
        tuple(_filled(each) if each.field in fields else each for each in one)
        for one in answers
        if any(each.field in fields for each in one)
    )


def _filled(condition: Condition) -> Condition:
    return replace(condition, tests=() if condition.holds(None) else _FILLED)


def _touches(bits: Bits, journey: Map) -> list[tuple[int, ...]]:
    patterns = [journey.begins, journey.ends, *(step.pattern for step in journey.steps)]
    for promise in journey.promises:
        patterns += [promise.when, promise.then, promise.never, promise.unless]
        patterns += [promise.at_most.of if promise.at_most else None]
        patterns += [promise.if_broken.then if promise.if_broken else None]
    every = [alternative for pattern in patterns for alternative in _of(pattern)]
    return [bits.of(every), bits.of(_of(journey.begins)), bits.of(_of(journey.ends))]


def _row(
    versions: Sequence[MapVersion],
    version: MapVersion,
    promise: Promise,
    keys: Sequence[str],
    durations: DurationTable,
) -> list[int]:
    row = [0] * T_WIDTH
    row[T_MAP] = versions.index(version)
    row[T_SAME] = keys.index(promise.same) if promise.same else -1
    row[T_FROM], row[T_TO] = version.holds_from, version.holds_to
    row[T_QUIET] = NONE if version.map.quiet_after is None else version.map.quiet_after
    row[T_THEN], row[T_NEVER] = promise.then is not None, promise.never is not None
    row[T_COUNT] = promise.at_most.count if promise.at_most else -1
    row[T_WINDOW] = durations.add(promise.at_most.within, promise.calendar) if promise.at_most else -1
    row[T_MEND] = durations.add(promise.if_broken.within, promise.calendar) if promise.if_broken else -1
    row[T_CONSENT] = bool(promise.consent) and promise.then is not None
    row[T_DUE_FROM] = len(durations.rows)
    for duration in promise.within.durations() if promise.within else ():
        durations.add(duration, promise.calendar)
    row[T_DUE_TO] = len(durations.rows)
    row[T_WITHIN] = promise.within is not None
    row[T_NEEDS_END] = promise.within is None and (promise.then is not None or promise.at_most is None)
    return row


def _within(promise: Promise, row: Sequence[int], channels: Sequence[str]) -> list[int]:
    """The duration by channel code, the empty channel first."""
    if promise.within is None:
        return [NO_WITHIN] * (len(channels) + 1)
    if promise.within.everywhere:
        return [row[T_DUE_FROM]] * (len(channels) + 1)
    listed = list(promise.within.by_channel)
    of = {channel: row[T_DUE_FROM] + listed.index(channel) for channel in listed}
    return [LATEST, *(of.get(channel, LATEST) for channel in channels)]


def _refuse_unknown_calendars(
    promises: Sequence[tuple[MapVersion, Promise]], calendars: Mapping[str, Calendar]
) -> None:
    mistakes = []
    for version, promise in promises:
        durations = [*(promise.within.durations() if promise.within else ())]
        durations += [each.within for each in (promise.at_most, promise.if_broken) if each]
        if promise.calendar not in calendars and any(each.kind != "elapsed" for each in durations):
            what = f"calendar '{promise.calendar}' of promise '{promise.name}' does not exist."
            mistakes.append(Mistake(what, where=version.map.file_name, do="Add it to calendars in desireline.yaml."))
    if mistakes:
        raise DesirelineError(mistakes)
