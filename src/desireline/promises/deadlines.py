"""Dues: elapsed time, working hours and working days, on tables the kernel reads.

A duration is a row (kind, amount, calendar). The open time of all calendars lies end to end in
shared arrays; `bounds` says which stretch belongs to which calendar.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from desireline.promises.calendars import Calendar, OpenTime, open_time
from desireline.storage.engines import borrowing_kernel
from desireline.vocabulary.units import MINUTE_MS, Duration

NONE = int(np.iinfo(np.int64).min)
"""Stands for "no such moment" or "no such interaction"."""
ELAPSED, WORKING_HOURS, WORKING_DAYS = 0, 1, 2
KINDS = {"elapsed": ELAPSED, "working_hours": WORKING_HOURS, "working_days": WORKING_DAYS}
SPANS = ("bounds", "start", "end", "before", "midnight", "open_day", "close")
"""The tables of `Deadlines` that `due_after` reads, in its order."""
_YEARS_AHEAD, _MOST_YEARS_AHEAD = 2, 60
_EARLIEST_MS, _LATEST_MS = -2_208_988_800_000, 4_102_444_800_000
"""1900 and 2100: openings beyond have no working time, whatever a broken clock says."""


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Every duration of the maps and the open time they are counted on.

    durations: (durations, 3) int64: kind, amount, calendar. bounds: (calendars, 4) int64: spans
    from, to and open days from, to; then the dates' midnights from, to in columns 4 and 5.
    """

    durations: NDArray[np.int64]
    bounds: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    before: NDArray[np.int64]
    midnight: NDArray[np.int64]
    open_day: NDArray[np.int64]
    close: NDArray[np.int64]


class DurationTable:
    """Numbers each duration and calendar that the promises name."""

    def __init__(self, calendars: Mapping[str, Calendar]) -> None:
        self.calendars = calendars
        self.rows: list[tuple[int, int, int]] = []
        self.used: list[str] = []

    def add(self, duration: Duration, calendar: str) -> int:
        """The number of a duration counted by a calendar."""
        place = 0
        if duration.kind != "elapsed":
            if calendar not in self.used:
                self.used.append(calendar)
            place = self.used.index(calendar)
        self.rows.append((KINDS[duration.kind], duration.amount, place))
        return len(self.rows) - 1

    def deadlines(self, *, earliest: int, latest: int) -> Deadlines:
        """The tables, with open time from the first opening to well after the last due."""
        days = max((amount for kind, amount, _ in self.rows if kind == WORKING_DAYS), default=0)
        weeks = max(
            (amount // self._open_week(place) for kind, amount, place in self.rows if kind == WORKING_HOURS), default=0
        )
        ahead = timedelta(days=min(366 * _YEARS_AHEAD + 8 * days + 8 * weeks, 366 * _MOST_YEARS_AHEAD))
        first = _date(earliest) - timedelta(days=2)
        last = _date(latest) + ahead
        laid = [open_time(self.calendars[name], first=first.date(), last=last.date()) for name in self.used]
        return _joined(self.rows, laid)

    def _open_week(self, place: int) -> int:
        """Milliseconds that a calendar is open in a week, at least; overlapping hours count once here too."""
        hours = self.calendars[self.used[place]].hours
        return max(1, sum(max((closes - opens for opens, closes in day), default=0) for day in hours)) * MINUTE_MS


def _date(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(min(max(milliseconds, _EARLIEST_MS), _LATEST_MS) / 1000, UTC)


def _joined(rows: Sequence[tuple[int, int, int]], laid: Sequence[OpenTime]) -> Deadlines:
    bounds = np.zeros((max(1, len(laid)), 6), dtype=np.int64)
    places = np.zeros(3, dtype=np.int64)
    for i, each in enumerate(laid):
        sizes = np.array([len(each.start), len(each.open_day), len(each.midnight)])
        bounds[i, 0::2], bounds[i, 1::2] = places, places + sizes
        places = places + sizes
    durations = np.array(rows, dtype=np.int64).reshape(-1, 3)
    none = np.zeros(0, dtype=np.int64)
    names = ("start", "end", "before", "midnight", "open_day", "close")
    joined = (np.concatenate([none, *(getattr(each, name) for each in laid)]) for name in names)
    return Deadlines(durations, bounds, *joined)


@borrowing_kernel
def due_after(
    moment: int,
    kind: int,
    amount: int,
    calendar: int,
    bounds: NDArray[np.int64],
    start: NDArray[np.int64],
    end: NDArray[np.int64],
    before: NDArray[np.int64],
    midnight: NDArray[np.int64],
    open_day: NDArray[np.int64],
    close: NDArray[np.int64],
) -> int:
    """The moment a duration after `moment` is due; `NONE` when the calendar has no more open time."""
    if kind == ELAPSED or amount == 0:
        return moment + amount
    if kind == WORKING_HOURS:
        low, high = bounds[calendar, 0], bounds[calendar, 1]
        span = first_above(end, low, high, moment)
        if span == high:
            return NONE
        target = before[span] + max(0, moment - start[span]) + amount
        found = first_above(before, span, high, target - 1) - 1
        due = start[found] + target - before[found]
        return due if due <= end[found] else NONE
    low, high = bounds[calendar, 4], bounds[calendar, 5]
    today = first_above(midnight, low, high, moment) - 1 - low
    low, high = bounds[calendar, 2], bounds[calendar, 3]
    day = first_above(open_day, low, high, today) + amount - 1
    return close[day] if day < high else NONE


@borrowing_kernel
def first_above(values: NDArray[np.int64], low: int, high: int, value: int) -> int:
    """The first place in values[low:high] that lies above `value`; `high` when none does."""
    while low < high:
        middle = (low + high) // 2
        if values[middle] > value:
            high = middle
        else:
            low = middle + 1
    return low
