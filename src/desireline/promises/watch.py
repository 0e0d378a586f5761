"""Open promises as timers: who must be judged again at which moment, though nothing more is heard of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from desireline.promises.calendars import Calendar
from desireline.promises.chosen_people import some_people
from desireline.promises.deadlines import NONE
from desireline.promises.judge import judge
from desireline.promises.judged import Judged
from desireline.promises.maps import Map
from desireline.promises.openings import O_PERSON
from desireline.promises.versions import MapVersion
from desireline.storage.journey_store import Bucket, Snapshot

Longs = NDArray[np.int64]
Moments = tuple[Longs, Longs]
"""(entries,) persons and (entries,) moments, UTC milliseconds, the earliest first."""

_FEWEST_UNSETTLED, _UNSETTLED_SHARE = 4096, 64
_FEWEST_LOOKED_AT = 16


def wake_moments(
    snapshot: Snapshot,
    maps: Iterable[Map | MapVersion],
    calendars: Mapping[str, Calendar],
    people: Iterable[int] | None,
    as_of: int,
    *,
    judged: Judged | None = None,
) -> Moments:
    """Every moment after `as_of` at which time alone changes a ledger row of these people: dues and windows that pass.

    Between two of them their ledger stays as it is. Interactions dated later than `as_of` count: they and all they
    could bring are among the moments.

    people: `None` for everybody. judged: the judgement of these people as of that moment, when there is one already.
    """
    versions = tuple(maps)
    judged = judged or judge(snapshot, versions, as_of, calendars=calendars, people=people)
    found = []
    for part in judged.parts:
        found.append(_entries(part.bucket.person[part.lines[O_PERSON]], part.ends()[0], as_of))
    ahead = [each for part in judged.parts for each in _heard_of_later(part.bucket, as_of).tolist()]
    if ahead:
        found += _of_later_facts(snapshot, versions, calendars, ahead, as_of)
    return _in_order(found)


def _heard_of_later(bucket: Bucket, as_of: int) -> Longs:
    """The people of whom something is known that has not happened yet."""
    some = bucket.length > 0
    last = np.asarray(bucket.column("occurred_at"))[(bucket.start + bucket.length)[some] - 1]
    later: Longs = bucket.person[some][last > as_of]
    return later


def _of_later_facts(
    snapshot: Snapshot,
    maps: Iterable[Map | MapVersion],
    calendars: Mapping[str, Calendar],
    people: Iterable[int],
    as_of: int,
) -> list[Moments]:
    """The moments of these people's later facts, and all dues and windows as they will be once these are known."""
    found = []
    for bucket in some_people(snapshot, people):
        shift = bucket.start - (np.cumsum(bucket.length) - bucket.length)
        place = np.arange(int(bucket.length.sum())) + np.repeat(shift, bucket.length)
        moments = np.asarray(bucket.column("occurred_at"))[place]
        found.append(_entries(np.repeat(bucket.person, bucket.length), moments, as_of))
    latest = max(int(moments[-1]) for _, moments in found)
    for part in judge(snapshot, maps, latest, calendars=calendars, people=people).parts:
        person = part.bucket.person[part.lines[O_PERSON]]
        found += [_entries(person, part.dues, as_of), _entries(person, part.ends()[1], as_of)]
    return found


def _entries(person: Longs, moment: Longs, as_of: int) -> Moments:
    later = (moment != NONE) & (moment > as_of)
    return _in_order([(person[later], moment[later])])


def _in_order(several: Iterable[Moments]) -> Moments:
    """All entries by moment and person, each once."""
    listed = list(several)
    none = np.zeros(0, dtype=np.int64)
    person = np.concatenate([none, *(each for each, _ in listed)])
    moment = np.concatenate([none, *(each for _, each in listed)])
    order = np.lexsort((person, moment))
    person, moment = person[order], moment[order]
    fresh = np.ones(len(person), dtype=bool)
    fresh[1:] = (person[1:] != person[:-1]) | (moment[1:] != moment[:-1])
    return person[fresh], moment[fresh]


class Watch:
    """Whom to judge again, and when: the moments of all who wait, 16 bytes each.

    Most entries lie settled in order of time; those of people touched since lie apart until they are many. One thread
    at a time may change it; `next_moment` changes nothing, so that another may ask it meanwhile.

    >>> watch = Watch()
    >>> watch.update([7, 8], (np.array([7, 8, 7]), np.array([100, 200, 300])))
    >>> watch.next_moment, watch.due(250).tolist(), watch.next_moment
    (100, [7, 8], 300)
    """

    def __init__(self) -> None:
        none = np.zeros(0, dtype=np.int64)
        self._settled: Moments = (none, none)
        self._passed = 0
        self._recent: Moments = (none, none)
        self._replaced = none

    def __len__(self) -> int:
        """How many entries are kept, those replaced and not yet cleared away included."""
        return len(self._settled[0]) - self._passed + len(self._recent[0])

    @property
    def next_moment(self) -> int | None:
        """The earliest moment anybody must be judged again; `None` when nobody waits."""
        (person, moment), begin, replaced = self._settled, self._passed, self._replaced
        first = self._recent[1][:1].tolist()
        width = _FEWEST_LOOKED_AT
        while begin < len(person):
            stays = np.flatnonzero(~_among(person[begin : begin + width], replaced))
            if len(stays):
                first.append(int(moment[begin + stays[0]]))
                break
            begin, width = begin + width, 2 * width
        return min(first, default=None)

    def update(self, people: Iterable[int], moments: Moments) -> None:
        """Put the moments of these people in the place of all they had; people without any are watched no more."""
        touched = np.unique(np.fromiter(people, dtype=np.int64))
        person, moment = self._recent
        stays = ~_among(person, touched)
        self._recent = _in_order([(person[stays], moment[stays]), moments])
        self._replaced = np.union1d(self._replaced, touched)
        if len(self._recent[0]) + len(self._replaced) > max(_FEWEST_UNSETTLED, len(self) // _UNSETTLED_SHARE):
            self._settle()

    def due(self, now: int) -> Longs:
        """The people to be judged as of `now`, ascending; the moments that have come are forgotten."""
        person, moment = self._settled
        end = int(np.searchsorted(moment, now, "right"))
        come = person[self._passed : end]
        self._passed = max(self._passed, end)
        recent = int(np.searchsorted(self._recent[1], now, "right"))
        others = self._recent[0][:recent]
        self._recent = (self._recent[0][recent:], self._recent[1][recent:])
        people: Longs = np.unique(np.concatenate([come[~_among(come, self._replaced)], others]))
        return people

    def _settle(self) -> None:
        person, moment = (each[self._passed :] for each in self._settled)
        stays = ~_among(person, self._replaced)
        person, moment = person[stays], moment[stays]
        place = np.searchsorted(moment, self._recent[1], "right")
        none = np.zeros(0, dtype=np.int64)
        self._settled = (np.insert(person, place, self._recent[0]), np.insert(moment, place, self._recent[1]))
        self._passed, self._recent, self._replaced = 0, (none, none), none


def _among(values: Longs, known: Longs) -> NDArray[np.bool_]:
    """Which values are among some known ones, which are in order."""
    if not len(known):
        return np.zeros(len(values), dtype=bool)
    place = np.minimum(np.searchsorted(known, values), len(known) - 1)
    found: NDArray[np.bool_] = known[place] == values
    return found
