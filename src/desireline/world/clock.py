"""The world's time: three years, how needs grow over them, and when the bank is open.

All in whole milliseconds UTC. Working time is counted here by the world's own few lines, apart from
the judge's, so that planted verdicts are a second opinion and not an echo.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from desireline.storage.engines import typed_kernel
from desireline.world.moments import START_MS
from desireline.world.streams import Stream, between, draw

Numbers = npt.NDArray[np.int64]

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
DAYS = 1096
_DAILY_GROWTH = 4_297_363_936
"""1.226 ** (1 / 365.25) in units of 2**-32: interactions per customer grow 22.6 % a year."""
_HOURS = (4, 2, 2, 2, 3, 8, 22, 48, 70, 76, 74, 70, 66, 62, 64, 66, 68, 70, 66, 56, 42, 28, 20, 11)
"""How a thousand contacts spread over the hours of a day."""


Clock = Numbers
"""Every table of time in one flat array: a header of section bounds, then the sections. One array keeps the
compiled kernels small."""
GROWTH, DAY_HOURS, SUMMER, SUMMARIES, OPENS, CLOSES, OPEN_BEFORE, OPEN_DATES, LAST_CLOSES = range(9)
STATE_BEGIN, STATE_WIDTH = 2 * 9, 658
"""Between header and sections lies room for the running state of the kernel that uses the clock."""


def clock_of(calendars: Mapping[str, Any]) -> Clock:
    """The world's clock from the calendars of the bank's project file."""
    summer = summer_times()
    day_hours = np.concatenate(([0], np.cumsum(np.array(_HOURS, np.int64))))
    sections = [_growth(), day_hours, summer, _summaries(), *_hours(calendars["service"], summer)]
    bounds = STATE_BEGIN + STATE_WIDTH + np.concatenate(([0], np.cumsum([len(section) for section in sections])))
    header = np.stack((bounds[:-1], bounds[1:]), axis=1).reshape(-1)
    return np.concatenate([header, np.zeros(STATE_WIDTH, np.int64), *sections]).astype(np.int64)


def summer_times() -> Numbers:
    """Moments at which Berlin's clock goes forward and back: last Sundays of March and October, 01:00 UTC."""
    moments = []
    for year in range(2022, 2028):
        for month in (3, 10):
            last = date(year, month, 31)
            sunday = last - timedelta(days=(last.weekday() + 1) % 7)
            moments.append((sunday - date(1970, 1, 1)).days * DAY_MS + HOUR_MS)
    return np.array(moments, np.int64)


def berlin_offset_ms(moments: Numbers, summer: Numbers) -> Numbers:
    """How far Berlin's clock is ahead of UTC at each moment."""
    return (1 + np.searchsorted(summer, moments, side="right") % 2).astype(np.int64) * HOUR_MS


def _summaries() -> Numbers:
    quarters = [date(year, month, 4) for year in (2023, 2024, 2025, 2026) for month in (1, 4, 7, 10)]
    return np.array([(day - date(1970, 1, 1)).days * DAY_MS + 9 * HOUR_MS for day in quarters], np.int64)


def _growth() -> Numbers:
    weight, weights = 1 << 40, [0]
    for _ in range(DAYS - 1):
        weights.append(weights[-1] + (weight >> 20))
        weight = (weight * _DAILY_GROWTH) >> 32
    weights.append(weights[-1] + (weight >> 20))
    return np.array(weights, np.int64)


def _hours(calendar: Mapping[str, Any], summer: Numbers) -> tuple[Numbers, Numbers, Numbers, Numbers, Numbers]:
    closed = {str(day) for day in calendar.get("closed", ())}
    opens, closes, dates, last_close = [], [], [], []
    for number in range(-40, DAYS + 120):
        day = date(2023, 1, 1) + timedelta(days=number)
        spans = calendar["open"].get(("mon", "tue", "wed", "thu", "fri", "sat", "sun")[day.weekday()], ())
        if day.isoformat() in closed or not spans:
            continue
        for span in spans:
            begin, end = (_utc_ms(day, clock, summer) for clock in str(span).split("-"))
            opens.append(begin)
            closes.append(end)
        dates.append((day - date(1970, 1, 1)).days)
        last_close.append(closes[-1])
    starts, ends = np.array(opens, np.int64), np.array(closes, np.int64)
    before = np.concatenate(([0], np.cumsum(ends - starts)))
    return starts, ends, before, np.array(dates, np.int64), np.array(last_close, np.int64)


def _utc_ms(day: date, clock: str, summer: Numbers) -> int:
    hour, minute = (int(part) for part in clock.split(":"))
    local = (day - date(1970, 1, 1)).days * DAY_MS + hour * HOUR_MS + minute * MINUTE_MS
    return local - int(berlin_offset_ms(np.array([local - HOUR_MS], np.int64), summer)[0])


@typed_kernel("int64(int64[::1], int64, int64)")
def at(clock: Clock, section: int, place: int) -> int:
    """One entry of a section."""
    return int(clock[clock[2 * section] + place])


@typed_kernel("int64(int64[::1], int64, int64)")
def entries_below(clock: Clock, section: int, value: int) -> int:
    """How many entries of a sorted section are smaller than a value."""
    begin = int(clock[2 * section])
    low, high = begin, int(clock[2 * section + 1])
    while low < high:
        middle = (low + high) // 2
        if clock[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low - begin


@typed_kernel("int64(int64[::1], UniTuple(int64, 2), int64)")
def need_arises(clock: Clock, chance: Stream, place: int) -> int:
    """A moment at which a need arises: more often as the years go by, mostly in the day; whole seconds."""
    target = (draw(chance, place) * at(clock, GROWTH, DAYS)) >> 32
    day = entries_below(clock, GROWTH, target + 1) - 1
    hour = entries_below(clock, DAY_HOURS, between(chance, place + 1, 0, 1000) + 1) - 1
    return START_MS + day * DAY_MS + hour * HOUR_MS + between(chance, place + 2, 0, 3600) * 1000


@typed_kernel("int64(int64[::1], int64, int64)")
def after_open_hours(clock: Clock, moment: int, open_ms: int) -> int:
    """The earliest moment by which the bank was open for so long."""
    first = entries_below(clock, CLOSES, moment + 1)
    passed = max(0, moment - at(clock, OPENS, first))
    target = at(clock, OPEN_BEFORE, first) + passed + open_ms
    last = entries_below(clock, OPEN_BEFORE, target) - 1
    return at(clock, OPENS, last) + target - at(clock, OPEN_BEFORE, last)


@typed_kernel("int64(int64[::1], int64, int64)")
def after_open_days(clock: Clock, moment: int, days: int) -> int:
    """The close of the n-th open day after the local date of a moment."""
    ahead = HOUR_MS * (1 + entries_below(clock, SUMMER, moment + 1) % 2)
    first = entries_below(clock, OPEN_DATES, (moment + ahead) // DAY_MS + 1)
    return at(clock, LAST_CLOSES, first + days - 1)


@typed_kernel("int64(int64[::1], int64)")
def next_summary(clock: Clock, moment: int) -> int:
    """When the next quarter's summary goes out after a moment."""
    return at(clock, SUMMARIES, entries_below(clock, SUMMARIES, moment + 1))
