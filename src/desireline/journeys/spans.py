"""Where journeys begin and end: runs of interactions of one person, cut by gaps or by a map."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from desireline.storage.engines import kernel, run
from desireline.storage.journey_store import Bucket, Snapshot
from desireline.storage.journey_store.chosen import EVERYTHING, Chosen, Flags, chosen, matching, read_only
from desireline.vocabulary.errors import DesirelineError, Mistake, nearest
from desireline.vocabulary.interaction import KEY_NAMES
from desireline.vocabulary.units import DAY_MS
from desireline.vocabulary.which import Which

NEVER_MS = 2**62
"""Longer than any log."""
OPEN, QUIET, ENDED = 0, 1, 2
ENDINGS = ("open", "quiet", "ends")
"""How a journey stopped: it is under way, nobody has heard anything since, or it reached its end."""

NO_KEY = read_only(np.zeros(0, dtype=np.int64))
MaskOf = Callable[[Bucket], NDArray[np.uint8]]
"""Which rows of a bucket match a pattern: one flag per physical row, 1 yes, 0 no."""


@dataclass(frozen=True, slots=True)
class GapRule:
    """A journey is a run of interactions without a silence longer than `days`, cut after `ends`.

    days: `None` makes one journey of a person's whole life. ends: touchpoints that finish a journey
    (the next interaction begins another), `card.*` takes every touchpoint that begins so.
    """

    days: float | None = 30
    ends: tuple[str, ...] = ()

    @property
    def quiet_ms(self) -> int:
        """The longest silence within a journey, in milliseconds."""
        return NEVER_MS if self.days is None else int(self.days * DAY_MS)

    def says(self) -> str:
        """The rule in words."""
        cut = f" and after {', '.join(self.ends)}" if self.ends else ""
        if self.days is None:
            return f"a journey is all a person ever did{cut.replace(' and', ', cut', 1)}"
        return f"a journey is cut after {self.days:g} days of silence{cut}"


@dataclass(frozen=True, slots=True)
class MapRule:
    """A journey as its map says: from `begins` to `ends`, or until nothing that the map names happens.

    begins, ends, touches: which rows match; `ends` and `touches` may be `None` (no end; everything touches).
    quiet_ms: after so long without a touch the journey has stopped, `None` never.
    key: the field (`"case"`, ...) that keeps journeys of one person apart; a journey whose opening has no
        key takes any interaction, one with a key takes only those with the same.
    """

    map: str
    begins: MaskOf
    ends: MaskOf | None = None
    touches: MaskOf | None = None
    quiet_ms: int | None = None
    key: str | None = None

    def __post_init__(self) -> None:
        if self.key is not None and self.key not in KEY_NAMES:
            raise DesirelineError(Mistake(f"'{self.key}' is not a key.", "key", do=nearest(self.key, KEY_NAMES)))

    def says(self) -> str:
        """The rule in words."""
        quiet = f", or {self.quiet_ms / DAY_MS:g} days without a touch" if self.quiet_ms is not None else ""
        key = f"; one journey per {self.key}" if self.key else ""
        return f"a journey runs as the map '{self.map}' says, from its begin to its end{quiet}{key}"


JourneyRule = GapRule | MapRule


@dataclass(frozen=True, slots=True)
class Spans:
    """The journeys of one bucket.

    head, last: int32 physical rows of the first and last interaction; a journey's interactions are
        the kept rows between them, of the same key where `key` is filled. who: int32 index into
        `bucket.person`. ended: uint8 code of `ENDINGS`.
    """

    chosen: Chosen
    head: NDArray[np.int32]
    last: NDArray[np.int32]
    who: NDArray[np.int32]
    ended: NDArray[np.uint8]
    key: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.head)

    @property
    def bucket(self) -> Bucket:
        """The people and columns the journeys are made of."""
        return self.chosen.bucket

    @property
    def keep(self) -> Flags:
        """One flag per row, or empty when every row counts."""
        return self.chosen.keep


@dataclass(frozen=True, slots=True)
class Period:
    """From when (included) until when (excluded), UTC milliseconds."""

    from_ms: int
    until_ms: int


ALWAYS = Period(-NEVER_MS, NEVER_MS)


def period_of(which: Which) -> Period:
    """The period of a selection, without end where it names none."""
    return Period(
        ALWAYS.from_ms if which.from_ms is None else int(which.from_ms),
        ALWAYS.until_ms if which.until_ms is None else int(which.until_ms),
    )


def rule_of(journeys: JourneyRule | None, gap_days: float | None) -> JourneyRule:
    """The rule as asked for: the one given, else by days of silence."""
    return journeys if journeys is not None else GapRule(gap_days)


def cut(snapshot: Snapshot, rule: JourneyRule, which: Which, *, period: Period | None = None) -> tuple[Spans, ...]:
    """The journeys of every bucket, those that began in the period.

    `period=ALWAYS` takes all of them, for questions whose own opening decides about the period.
    """
    span = period_of(which) if period is None else period
    ends = matching(snapshot.words("touchpoint"), rule.ends) if isinstance(rule, GapRule) and rule.ends else EVERYTHING
    if isinstance(rule, GapRule) and rule.ends and not ends.any():
        known = list(snapshot.words("touchpoint"))
        raise DesirelineError(
            Mistake(f"no interaction has the touchpoint '{rule.ends[0]}'.", "ends", do=nearest(rule.ends[0], known))
        )

    def work(each: Chosen) -> Spans:
        found = (
            _by_gaps(each, rule, ends, span, snapshot.as_of)
            if isinstance(rule, GapRule)
            else (_by_map(each, rule, span, snapshot.as_of))
        )
        return _holding(found) if len(each.has) else found

    return tuple(run(work, chosen(snapshot, which)))


def _by_gaps(each: Chosen, rule: GapRule, ends: Flags, period: Period, as_of: int) -> Spans:
    capacity = int(each.length.sum())
    arrays = _room(capacity)
    count = cut_by_gaps(
        each.start,
        each.length,
        each.bucket.column("occurred_at"),
        each.keep,
        each.bucket.column("touchpoint"),
        ends,
        rule.quiet_ms,
        period.from_ms,
        period.until_ms,
        as_of,
        *arrays,
    )
    return _spans(each, arrays, count, NO_KEY)


def _by_map(each: Chosen, rule: MapRule, period: Period, as_of: int) -> Spans:
    bucket = each.bucket
    begins = mask(rule.begins, bucket)
    ends = mask(rule.ends, bucket) if rule.ends else EVERYTHING
    touches = mask(rule.touches, bucket) if rule.touches else EVERYTHING
    key = bucket.column(rule.key) if rule.key else NO_KEY
    arrays = _room(int(np.count_nonzero(begins)))
    quiet_ms = NEVER_MS if rule.quiet_ms is None else rule.quiet_ms
    count = cut_by_map(
        each.start,
        each.length,
        bucket.column("occurred_at"),
        each.keep,
        begins,
        ends,
        touches,
        key,
        quiet_ms,
        period.from_ms,
        period.until_ms,
        as_of,
        np.zeros(len(begins), dtype=np.uint8),
        *arrays,
    )
    return _spans(each, arrays, count, key)


def mask(of: MaskOf, bucket: Bucket) -> Flags:
    """The flags of a pattern in the one type kernels are compiled for."""
    return read_only(np.ascontiguousarray(of(bucket), dtype=np.uint8).view())


Room = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32], NDArray[np.uint8]]


def _room(capacity: int) -> Room:
    return (
        np.empty(capacity, np.int32),
        np.empty(capacity, np.int32),
        np.empty(capacity, np.int32),
        np.empty(capacity, np.uint8),
    )


def _spans(each: Chosen, arrays: Room, count: int, key: NDArray[np.int64]) -> Spans:
    head, last, who, ended = arrays
    return Spans(each, head[:count], last[:count], who[:count], ended[:count], key)


def _holding(spans: Spans) -> Spans:
    """Only the journeys with an interaction that meets the conditions."""
    holds = journeys_having(spans.head, spans.last, spans.keep, spans.key, spans.chosen.has)
    return Spans(spans.chosen, spans.head[holds], spans.last[holds], spans.who[holds], spans.ended[holds], spans.key)


@kernel
def cut_by_gaps(
    start: Any,
    length: Any,
    at: Any,
    keep: Any,
    touch: Any,
    ends: Any,
    quiet_ms: int,
    from_ms: int,
    until_ms: int,
    as_of: int,
    head: Any,
    last: Any,
    who: Any,
    ended: Any,
) -> int:
    """Fill `head`, `last`, `who`, `ended` with the journeys between silences; returns how many."""
    count = 0
    filtered = keep.size > 0
    ending = ends.size > 0
    for person in range(len(start)):
        first = -1
        before = -1
        finished = False
        for row in range(start[person], start[person] + length[person]):
            if filtered and keep[row] == 0:
                continue
            if first < 0 or finished or at[row] - at[before] > quiet_ms:
                if first >= 0 and from_ms <= at[first] < until_ms:
                    head[count] = first
                    last[count] = before
                    who[count] = person
                    ended[count] = 2 if finished else 1
                    count += 1
                first = row
            before = row
            finished = ending and ends[touch[row] + 1] == 1
        if first >= 0 and from_ms <= at[first] < until_ms:
            head[count] = first
            last[count] = before
            who[count] = person
            ended[count] = 2 if finished else (1 if as_of - at[before] > quiet_ms else 0)
            count += 1
    return count


@kernel
def cut_by_map(
    start: Any,
    length: Any,
    at: Any,
    keep: Any,
    begins: Any,
    ends: Any,
    touches: Any,
    key: Any,
    quiet_ms: int,
    from_ms: int,
    until_ms: int,
    as_of: int,
    taken: Any,
    head: Any,
    last: Any,
    who: Any,
    ended: Any,
) -> int:
    """Fill `head`, `last`, `who`, `ended` with the journeys from begin to end; returns how many.

    `taken` marks begins that happened within a journey of the same key: they open no other.
    """
    count = 0
    filtered = keep.size > 0
    ending = ends.size > 0
    touching = touches.size > 0
    keyed = key.size > 0
    for person in range(len(start)):
        stop = start[person] + length[person]
        for first in range(start[person], stop):
            if begins[first] == 0 or taken[first] == 1 or (filtered and keep[first] == 0):
                continue
            touched = first
            how = 0
            for row in range(first + 1, stop):
                if at[row] - at[touched] > quiet_ms:
                    how = 1
                    break
                if filtered and keep[row] == 0:
                    continue
                if keyed and key[first] != 0 and key[row] != key[first]:
                    continue
                finishes = ending and ends[row] == 1
                if not (finishes or begins[row] == 1 or not touching or touches[row] == 1):
                    continue
                touched = row
                if begins[row] == 1 and (not keyed or key[row] == key[first]):
                    taken[row] = 1
                if finishes:
                    how = 2
                    break
            if how == 0 and as_of - at[touched] > quiet_ms:
                how = 1
            if from_ms <= at[first] < until_ms:
                head[count] = first
                last[count] = touched
                who[count] = person
                ended[count] = how
                count += 1
    return count


@kernel
def journeys_having(head: Any, last: Any, keep: Any, key: Any, has: Any) -> NDArray[np.bool_]:
    """Which journeys hold at least one flagged interaction."""
    found = np.zeros(len(head), dtype=np.bool_)
    filtered = keep.size > 0
    keyed = key.size > 0
    for journey in range(len(head)):
        first = head[journey]
        for row in range(first, last[journey] + 1):
            if has[row] == 0 or (filtered and keep[row] == 0):
                continue
            if keyed and key[first] != 0 and key[row] != key[first]:
                continue
            found[journey] = True
            break
    return found
