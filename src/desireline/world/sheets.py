"""What the source systems really keep: rows late, repeated, damaged, with handles mistyped, shared or withheld."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from desireline.world import kinds
from desireline.world.clock import DAY_MS, HOUR_MS, Numbers, summer_times
from desireline.world.moments import END_MS, STORIES
from desireline.world.people import People
from desireline.world.record import CHANNEL, KIND, PART, PERSON, RECORD, TIME
from desireline.world.streams import many_between

MOST_PARTS = 4
DISTORTIONS = (
    "",
    "broken row: its time cannot be read",
    "typing error in the handle",
    "handle shared by many",
    "handle withheld",
    "local hour that exists twice",
)
(FAITHFUL, BROKEN_ROW, TYPING_ERROR, SHARED_HANDLE, WITHHELD, TWICE) = range(6)
_NOISE = 30
_OVERLAP = (1_709_251_200_000, 1_709_856_000_000)
"""The first week of March 2024 was exported twice."""

_KINDS_SOURCE = np.array([kind.source for kind in kinds.KINDS], np.int64)
_ANONYMOUS_KINDS = np.array([kinds.PAGE_VIEWED, kinds.PAGE_SEARCHED, kinds.HELP_READ])


class Sheet(NamedTuple):
    """One source's export: for each line of the file, the rows of the interactions that lie in it.

    `parts[line, part]` is a row number of the world or -1; `repeat` marks lines that only repeat an earlier one.
    """

    source: int
    parts: Numbers
    repeat: npt.NDArray[np.bool_]
    distortion: Numbers
    rows: Numbers
    people: People

    def between(self, first: int, after_last: int) -> Sheet:
        """Only the lines from `first` up to, not including, `after_last`."""
        lines = slice(first, after_last)
        return self._replace(parts=self.parts[lines], repeat=self.repeat[lines], distortion=self.distortion[lines])

    def field(self, column: int, part: int = 0, *, missing: int = -1) -> Numbers:
        """A column of the world's rows for one part of each line."""
        places = self.parts[:, part]
        return np.where(places >= 0, self.rows[np.maximum(places, 0), column], missing)

    def of_person(self, values: Numbers) -> Numbers:
        """A column of the people for the person of each line."""
        return values[self.field(PERSON) - 1]

    def is_distorted(self, how: int) -> npt.NDArray[np.bool_]:
        """Which lines are distorted in this manner."""
        return np.equal(self.distortion, how)


def source_of(rows: Numbers) -> Numbers:
    """The source system that writes down each row."""
    by_kind = _KINDS_SOURCE[rows[:, KIND]]
    return np.where(by_kind == kinds.BY_CHANNEL, rows[:, CHANNEL], by_kind)


def sheet_of(source: int, *, rows: Numbers, sources: Numbers, people: People, seed: int) -> Sheet:
    """The lines one source exports, in the order in which they arrived there."""
    mine = np.flatnonzero(sources == source)
    records, record_of = np.unique(rows[mine, RECORD], return_inverse=True)
    parts = np.full((len(records), MOST_PARTS), -1, np.int64)
    parts[record_of, rows[mine, PART]] = mine
    first = rows[parts[:, 0]]

    def chance(place: int, high: int) -> Numbers:
        return many_between(seed=seed, numbers=records, mechanism=_NOISE + source, place=place, high=high)

    late_days = np.where(chance(0, 1000) < 10, 1 + chance(1, 30), 0)
    order = np.argsort(first[:, TIME] + late_days * DAY_MS, kind="stable")
    repeated_at_once = chance(2, 1000) < 4
    times = first[:, TIME]
    overlap = order[(times[order] >= _OVERLAP[0]) & (times[order] < _OVERLAP[1])]
    lines = np.concatenate([np.repeat(order, 1 + repeated_at_once[order]), overlap])
    repeat = np.ones(len(lines), np.bool_)
    repeat[np.unique(lines, return_index=True)[1]] = False
    distortion = _distortion(source, first=first, roll=chance(3, 10_000))
    return Sheet(source, parts[lines], repeat, distortion[lines], rows, people)


def _distortion(source: int, *, first: Numbers, roll: Numbers) -> Numbers:
    spared = (first[:, PERSON] <= len(STORIES)) | (first[:, TIME] == END_MS) | (source == kinds.MASTER)
    distortion = np.where((roll < 10) & ~spared, BROKEN_ROW, FAITHFUL)

    def put(how: int, at_most: int, among: npt.NDArray[np.bool_]) -> None:
        distortion[(distortion == FAITHFUL) & (roll < at_most) & among & ~spared] = how

    everyone = np.ones(len(first), np.bool_)
    if source == kinds.EMAIL:
        distortion[(distortion == FAITHFUL) & _twice(first[:, TIME])] = TWICE
        put(SHARED_HANDLE, 210, first[:, KIND] == kinds.QUESTION_ASKED)
    elif source in (kinds.CHAT, kinds.BRANCH, kinds.COMPLAINTS):
        put(TYPING_ERROR, 110, everyone)
    elif source == kinds.PHONE:
        put(WITHHELD, 160, np.isin(first[:, KIND], (kinds.QUESTION_ASKED, kinds.DISPUTE_CHASED)))
    elif source == kinds.WEB:
        put(SHARED_HANDLE, 400, np.isin(first[:, KIND], _ANONYMOUS_KINDS))
    return distortion


def _twice(moments: Numbers) -> npt.NDArray[np.bool_]:
    back = summer_times()[1::2]
    last = back[np.maximum(np.searchsorted(back, moments, side="right") - 1, 0)]
    return (moments >= last) & (moments < last + HOUR_MS)
