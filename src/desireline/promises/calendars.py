"""Opening hours, as UTC spans: working hours and working days are counted on these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from desireline.vocabulary.errors import DesirelineError, Mistake

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES_OF_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Calendar:
    """When the company is open: a time zone, hours by weekday, and the dates it is closed.

    hours: seven lists, Monday first, of (from, to) in minutes of the local day; `to` may pass
    midnight.
    """

    name: str
    time_zone: str
    hours: tuple[tuple[tuple[int, int], ...], ...]
    closed: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True)
class OpenTime:
    """A calendar laid on a range of years, in UTC milliseconds.

    start, end: sorted spans that do not overlap. before: open milliseconds ahead of each span.
    midnight: when each local date begins, one after another. open_day: the positions in `midnight`
    of the open dates; close: the end of the last span of each.
    """

    start: NDArray[np.int64]
    end: NDArray[np.int64]
    before: NDArray[np.int64]
    midnight: NDArray[np.int64]
    open_day: NDArray[np.int64]
    close: NDArray[np.int64]


def read_calendars(body: Mapping[str, Any], time_zone: str = "UTC") -> dict[str, Calendar]:
    """The calendars of the project file by name; raises `DesirelineError` with every mistake.

    >>> read_calendars({"office": {"open": {"mon": ["09:00-17:00"]}}})["office"].hours[0]
    ((540, 1020),)
    """
    mistakes: list[Mistake] = []
    found = {}
    for name, settings in body.items():
        try:
            found[str(name)] = _calendar(str(name), settings, time_zone)
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            mistakes.append(
                Mistake(f"calendar '{name}' cannot be read: {error}.", do='Write open: {mon: ["09:00-17:00"]}.')
            )
    if mistakes:
        raise DesirelineError(mistakes)
    return found


def _calendar(name: str, settings: Mapping[str, Any], time_zone: str) -> Calendar:
    unknown = [day for day in settings["open"] if day not in WEEKDAYS]
    if unknown:
        raise ValueError(f"unknown day '{unknown[0]}'")
    zone = str(settings.get("time_zone") or time_zone)
    ZoneInfo(zone)
    hours = tuple(tuple(_span(text) for text in _listed(settings["open"].get(day))) for day in WEEKDAYS)
    if not any(hours):
        raise ValueError("it never opens")
    return Calendar(name, zone, hours, frozenset(_date(day) for day in settings.get("closed") or ()))


def _listed(value: Any) -> Sequence[str]:
    return [value] if isinstance(value, str) else list(value or ())


def _date(value: Any) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value))


def _span(text: str) -> tuple[int, int]:
    opens, closes = (_minutes(part) for part in text.split("-"))
    return opens, closes if closes > opens else closes + MINUTES_OF_DAY


def _minutes(text: str) -> int:
    hour, minute = (int(part) for part in text.strip().split(":"))
    if not (0 <= hour <= 24 and 0 <= minute < 60 and hour * 60 + minute <= MINUTES_OF_DAY):
        raise ValueError(f"'{text.strip()}' is not a time of day")
    return hour * 60 + minute


def open_time(calendar: Calendar, *, first: date, last: date) -> OpenTime:
    """The calendar from one local date to another, both included, as UTC milliseconds.

    A local time that does not exist in spring becomes the moment of the change; one that exists
    twice in autumn takes the first. Overlapping spans count once.
    """
    zone = ZoneInfo(calendar.time_zone)
    days = [first + timedelta(days=i) for i in range((last - first).days + 1)]
    spans: list[tuple[int, int]] = []
    open_day: list[int] = []
    close: list[int] = []
    for i, day in enumerate(days):
        if day in calendar.closed:
            continue
        today = [(instant(day, a, zone), instant(day, b, zone)) for a, b in calendar.hours[day.weekday()]]
        today = [(a, b) for a, b in today if b > a]
        if today:
            spans += today
            open_day.append(i)
            close.append(max(b for _, b in today))
    start, end = _merged(spans)
    before = np.concatenate(([0], np.cumsum(end - start)[:-1])) if len(start) else start
    midnight = [instant(day, 0, zone) for day in days]
    return OpenTime(start, end, *(np.array(each, dtype=np.int64) for each in (before, midnight, open_day, close)))


def instant(day: date, minutes: int, zone: ZoneInfo) -> int:
    """The UTC milliseconds of a local time; one that is skipped becomes the moment of the change."""
    wall = datetime.combine(day, datetime.min.time()) + timedelta(minutes=minutes)
    before = wall.replace(tzinfo=zone, fold=0)
    moment = before.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) != wall:
        moment = _change(moment - timedelta(days=1), moment, zone)
    return round(moment.timestamp()) * 1000


def _change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The second at which the offset changes between two moments (UTC)."""
    offset = before.astimezone(zone).utcoffset()
    low, high = int(before.timestamp()), int(after.timestamp())
    while high - low > 1:
        middle = (low + high) // 2
        same = datetime.fromtimestamp(middle, UTC).astimezone(zone).utcoffset() == offset
        low, high = (middle, high) if same else (low, middle)
    return datetime.fromtimestamp(high, UTC)


def _merged(spans: Sequence[tuple[int, int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    merged: list[list[int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    table = np.array(merged, dtype=np.int64).reshape(-1, 2)
    return np.ascontiguousarray(table[:, 0]), np.ascontiguousarray(table[:, 1])
