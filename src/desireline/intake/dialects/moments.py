"""Moments as clients write them, and the moment an event is taken to have happened.

A client's clock is never trusted further than it has to be: what it wrote stays in `original_at`,
and `time_quality` says what was done about it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from desireline.vocabulary.units import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS

SKEW_LEFT_ALONE_MS = 2 * MINUTE_MS
"""A client's clock that is wrong by less is taken as right: the difference may be the way here."""
EARLIEST_PUBLIC_MS = 946_684_800_000
"""Before 2000 a browser's or an app's clock stands still: no page was viewed then."""
EARLIEST_MS = -2_208_988_800_000
"""Before 1900 no source is believed."""

_UNIX_DAY = date(1970, 1, 1).toordinal()
_LONGEST_TEXT = 64
_CLOCK = r"(?:[Tt ](\d{2}):?(\d{2})(?::?(\d{2})(?:[.,](\d{1,18}))?)?)?"
_ZONE = r"\s*([Zz]|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?"
_DAY = re.compile(rf"(\d{{4}})-?(\d{{2}})-?(\d{{2}}){_CLOCK}{_ZONE}", re.ASCII)
_WEEK_DAY = re.compile(rf"(\d{{4}})-?W(\d{{2}})(?:-?(\d))?{_CLOCK}{_ZONE}", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,20}(?:\.\d{1,18})?", re.ASCII)
_UNITS_MS = ((10**11, 1_000, 1), (10**14, 1, 1), (10**17, 1, 1_000), (10**20, 1, 1_000_000))
"""Below so much a bare number counts seconds, milliseconds, microseconds, nanoseconds: times, over."""


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant read from a text or a number: UTC milliseconds, how well it is known, the zone as given."""

    at: int
    quality: str
    zone: str | None


@dataclass(frozen=True, slots=True)
class Occurred:
    """When an event is taken to have happened, and what that rests on."""

    occurred_at: int
    original_at: str | None
    zone: str | None
    sent_at: int | None
    quality: str


def read_moment(given: Any, *, zone: str) -> Moment | None:
    """An instant from ISO 8601 or a count since 1970; `zone` is for texts that bear none.

    >>> read_moment("2026-11-22T24:00:00Z", zone="UTC").quality
    'corrected'
    >>> read_moment(1_763_800_000, zone="UTC").at
    1763800000000
    """
    if type(given) is str:
        text = given.strip()
        if len(text) > _LONGEST_TEXT:
            return None
        found = _DAY.fullmatch(text)
        if found is not None:
            year, month, day = int(found[1]), int(found[2]), int(found[3])
            return _moment(_days(year, month, day), found[4], found[5], found[6], found[7], found[8], zone)
        found = _WEEK_DAY.fullmatch(text)
        if found is not None:
            days = _week_days(int(found[1]), int(found[2]), int(found[3] or 1))
            return _moment(days, found[4], found[5], found[6], found[7], found[8], zone)
        if not _NUMBER.fullmatch(text):
            return None
        return _counted(float(text) if "." in text else int(text))
    if type(given) is int or type(given) is float:
        return _counted(given)
    return None


def _days(year: int, month: int, day: int) -> int | None:
    try:
        return date(year, month, day).toordinal() - _UNIX_DAY
    except ValueError:
        return None


def _week_days(year: int, week: int, day: int) -> int | None:
    try:
        return date.fromisocalendar(year, week, day).toordinal() - _UNIX_DAY
    except ValueError:
        return None


def _counted(number: int | float) -> Moment | None:
    size = abs(number)
    for below, times, over in _UNITS_MS:
        if size < below:
            return Moment(int(number * times // over), "unit_assumed", "UTC")
    return None


def _moment(
    days: int | None, hour: str | None, minute: str, second: str | None, digits: str | None, said: str | None, zone: str
) -> Moment | None:
    if days is None:
        return None
    if hour is None:
        at, _, said_zone = _instant(days * DAY_MS, said, zone)
        return Moment(at, "date_only", said_zone)
    hours, minutes, seconds = int(hour), int(minute), int(second or 0)
    turned = hours == 24 or seconds == 60
    if hours > 24 or minutes > 59 or seconds > 60 or (hours == 24 and (minutes or seconds)):
        return None
    clock = hours * HOUR_MS + minutes * MINUTE_MS + seconds * SECOND_MS + int(((digits or "") + "000")[:3])
    at, quality, said_zone = _instant(days * DAY_MS + clock, said, zone)
    return Moment(at, "corrected" if turned else quality, said_zone)


def _instant(local: int, said: str | None, zone: str) -> tuple[int, str, str]:
    if said is None:
        offset, quality = _offset_ms(local, zone)
        return local - offset, quality, zone
    if said in ("Z", "z", "UTC", "GMT"):
        return local, "exact", "UTC"
    digits = said[1:].replace(":", "")
    offset = int(digits[:2]) * HOUR_MS + int(digits[2:] or 0) * MINUTE_MS
    return local - (offset if said[0] == "+" else -offset), "exact", said


def _offset_ms(local: int, zone: str) -> tuple[int, str]:
    """What a zone is ahead of UTC at a local time: the first of two, shifted forward where it did not exist."""
    known = zone_or_none(zone)
    if known is None:
        return 0, "assumed_zone"
    try:
        moment = datetime(1970, 1, 1) + timedelta(milliseconds=local)
        first = moment.replace(tzinfo=known).utcoffset() or timedelta()
        second = moment.replace(tzinfo=known, fold=1).utcoffset() or timedelta()
    except OverflowError:
        return 0, "assumed_zone"
    quality = "assumed_zone" if first == second else "first_of_two" if first > second else "did_not_exist"
    return int(first.total_seconds()) * SECOND_MS, quality


@lru_cache(maxsize=256)
def zone_or_none(name: str) -> ZoneInfo | None:
    """A time zone by its name, or nothing when the time zone database does not know it."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_+-]{0,30}(?:/[A-Za-z0-9_+-]{1,30}){0,3}", name):
        return None
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return None


def as_written(given: Any) -> str | None:
    """A moment exactly as the client wrote it, as text."""
    if given is None or isinstance(given, (dict, list, bool)):
        return None
    return str(given)[:200] or None


def occurred(
    original: Any,
    sent: Any,
    *,
    received_at: int,
    zone: str,
    server_side: bool,
    clock_is_told: bool,
) -> Occurred:
    """The moment an event is taken to have happened.

    `clock_is_told` says that received minus sent is what the client's clock is wrong by: it is a
    first try, and the library writes `sentAt` anew at every try. Never for a source inside the company.
    """
    written = as_written(original)
    sent_moment = read_moment(sent, zone=zone) if sent is not None else None
    sent_at = sent_moment.at if sent_moment else None
    moment = read_moment(original, zone=zone) if original is not None else None
    if moment is None:
        return Occurred(received_at, written, None, sent_at, "received")
    at, quality = moment.at, moment.quality
    if sent_at is not None and clock_is_told and not server_side and abs(received_at - sent_at) > SKEW_LEFT_ALONE_MS:
        at, quality = at + received_at - sent_at, "clock_corrected"
    if at < (EARLIEST_MS if server_side else EARLIEST_PUBLIC_MS):
        at, quality = received_at, "received"
    elif at > received_at:
        at, quality = received_at, "clamped"
    return Occurred(at, written, moment.zone, sent_at, quality)
