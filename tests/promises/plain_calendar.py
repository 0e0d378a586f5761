"""Durations and working time for the plain judge: spans are walked one by one, nothing is prepared."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LENGTHS_MS = {"second": 1_000, "minute": 60_000, "hour": 3_600_000, "day": 86_400_000, "week": 604_800_000}

Span = tuple[int, int]


def read(duration: str) -> tuple[int, bool, str]:
    """A duration's number, whether it is working time, and its unit.

    >>> read("8 working hours")
    (8, True, 'hour')
    """
    found = re.fullmatch(r"\s*(\d+)\s+(working\s+)?(second|minute|hour|day|week)s?\s*", duration)
    assert found, duration
    return int(found[1]), bool(found[2]), found[3]


def elapsed(duration: str) -> int:
    """ "Plain durations are elapsed time", in milliseconds."""
    number, working, unit = read(duration)
    assert not working, duration
    return number * LENGTHS_MS[unit]


def after(duration: str, start: int, calendar: dict[str, Any] | None) -> int:
    """The moment a duration after `start` (UTC milliseconds)."""
    number, working, unit = read(duration)
    if not working:
        return start + number * LENGTHS_MS[unit]
    assert calendar is not None, f"'{duration}' needs a calendar"
    written = json.dumps(calendar, default=str, sort_keys=True)
    if unit == "day":
        return close_of_open_day(number, start, written)
    return when_open_time_has_passed(number * LENGTHS_MS[unit], start, written)


def close_of_open_day(number: int, start: int, written: str) -> int:
    """ "Working days: the close of the n-th open day after the opening's local date."""
    zone = ZoneInfo(json.loads(written)["time_zone"])
    day = datetime.fromtimestamp(start / 1000, zone).date()
    open_days = 0
    while True:
        day += timedelta(days=1)
        spans = spans_of_day(written, day)
        if spans:
            open_days += 1
            if open_days == number:
                return max(end for _, end in spans)


def when_open_time_has_passed(wanted_ms: int, start: int, written: str) -> int:
    """ "Working hours: the earliest moment by which that many open hours have passed."""
    zone = ZoneInfo(json.loads(written)["time_zone"])
    first_day = datetime.fromtimestamp(start / 1000, zone).date() - timedelta(days=1)
    days = 10
    while True:
        left = wanted_ms
        for span_start, span_end in spans_of_days(written, first_day, days):
            begin = max(span_start, start)
            if begin < span_end:
                if left <= span_end - begin:
                    return begin + left
                left -= span_end - begin
        days *= 2


@lru_cache(maxsize=4096)
def spans_of_days(written: str, first_day: date, days: int) -> tuple[Span, ...]:
    """ "Calendars become UTC spans before they are counted, overlaps once."""
    spans = sorted(span for n in range(days) for span in spans_of_day(written, first_day + timedelta(days=n)))
    joined: list[Span] = []
    for start, end in spans:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)


@lru_cache(maxsize=65536)
def spans_of_day(written: str, day: date) -> tuple[Span, ...]:
    """The open spans of one local date, in UTC milliseconds; none when the day is closed."""
    calendar = json.loads(written)
    if day.isoformat() in calendar.get("closed", []):
        return ()
    zone = ZoneInfo(calendar["time_zone"])
    hours = [text.split("-") for text in calendar["open"].get(WEEKDAYS[day.weekday()], [])]
    spans = [(minutes_of(opens), minutes_of(closes)) for opens, closes in hours]
    past_midnight = [(opens, closes if closes > opens else closes + 24 * 60) for opens, closes in spans]
    moments = ((moment_of(day, opens, zone), moment_of(day, closes, zone)) for opens, closes in past_midnight)
    return tuple((start, end) for start, end in moments if start < end)


def minutes_of(clock: str) -> int:
    """Minutes since local midnight of a time such as 09:30."""
    hour, minute = map(int, clock.split(":"))
    return hour * 60 + minute


def moment_of(day: date, minutes: int, zone: ZoneInfo) -> int:
    """A local clock time as UTC milliseconds, found by walking the minutes of that day.

    A time that exists twice is the first of the two; one that is skipped is the moment of the change.
    """
    wanted = datetime(day.year, day.month, day.day) + timedelta(minutes=minutes)
    moment = wanted.replace(tzinfo=UTC) - timedelta(hours=16)
    steps = (timedelta(hours=1), timedelta(minutes=1))
    for step in steps:  # hours first, so that only the last hour is walked by minutes
        while (moment + step).astimezone(zone).replace(tzinfo=None) < wanted:
            moment += step
    return round((moment + steps[-1]).timestamp()) * 1000
