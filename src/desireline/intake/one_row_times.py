"""The moments of one row: which instant a text names and how well it is known. The twin of `times_sql`, in Python."""

from __future__ import annotations

import re
from calendar import timegm
from dataclasses import dataclass
from functools import lru_cache

from desireline.intake.asked import moment_of
from desireline.intake.one_row_values import Cell, first_filled
from desireline.intake.recipes import EPOCHS, TimeTaken
from desireline.intake.zones import FIRST_YEAR, LAST_YEAR, known_zone, zone_days
from desireline.vocabulary.units import DAY_MS, SECOND_MS

_USUAL = re.compile(
    r"(19[7-9]\d|20\d\d)-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])"
    r"(?:[T ]([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.(\d{1,6}))?(Z|[+-](?:0\d|1[0-4]):[0-5]\d)?)?",
    re.ASCII,
)
_COUNT = re.compile(r"[0-9]{1,13}", re.ASCII)
_PLAIN_COUNTS = {"epoch_s": SECOND_MS, "epoch_ms": 1}
_MIDNIGHT_AT_END = re.compile(r"[ T]00:00(:00)?(\.0+)?\Z")
_SAID_ZONE = re.compile(r"([+-][0-9:]{2,6}|[A-Za-z_/]{2,})\Z")
_DAY_24 = re.compile(r"([ T])24:00(:00)?")
_SECOND_60 = re.compile(r":60(\Z|[^0-9])")
_COMMA = re.compile(r"(:[0-9]{2}),([0-9])")
_APART = re.compile(r"[\t\n\f\r ]+([+-][0-9]{2}:?[0-9]{2})\Z")
_FIRST_MS = timegm((FIRST_YEAR, 1, 1, 0, 0, 0)) * SECOND_MS
_END_MS = timegm((LAST_YEAR + 1, 1, 1, 0, 0, 0)) * SECOND_MS


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment of a row: its text, the zone as it was said, the instant (milliseconds UTC), how well it is known."""

    text: str
    zone: str | None
    at: int | None
    quality: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Reading:
    """Local milliseconds, whether the text bears its zone, whether it has a day only."""

    local: int | None
    bears: bool
    day_only: bool


def moment_text(taken: TimeTaken, cell: Cell) -> str | None:
    """The text of a moment, with its time of day from a second column."""
    text = first_filled(taken.from_columns, cell)
    if text is None or not taken.clock_column:
        return text
    clock = cell(taken.clock_column)
    day = _MIDNIGHT_AT_END.sub("", text, count=1)
    return day if clock is None else f"{day} {clock}"


def moment(text: str, taken: TimeTaken, cell: Cell, *, field: str, zone: str, zone_is_given: bool) -> Moment:
    """The moment a text stands for; `zone` is the one of times that carry none."""
    zone = taken.zone or zone
    if taken.zone_column:
        zone = cell(taken.zone_column) or zone
    formats = taken.formats
    if taken.clock_column:
        formats = (*formats, *(word.split(" ")[0] for word in formats if "%" in word and " " in word))
    read = _first(text, formats)
    local, bears, corrected = read.local, read.bears, False
    if local is None:
        local, corrected = _mended(text, formats), True
    elif read.day_only:
        local += taken.day_only_ms
    turned = any(word == "iso" or "%" in word for word in formats) and re.search(r"[ T]24:00", text) is not None
    at, odd, known = _instant(local, bears=bears, zone=zone, needs_zone=taken.zone_column is not None or zone != "UTC")
    reason = _reason(text, local, field=field, taken=taken, zone=zone, known=known)
    given = bears or zone_is_given
    quality = (
        "corrected"
        if corrected or turned
        else "date_only"
        if read.day_only
        else ("", "first_of_two", "did_not_exist")[odd] or ("exact" if given else "assumed_zone")
    )
    return Moment(text, _zone_said(text, zone, bears=bears), at, quality, reason)


def _reason(text: str, local: int | None, *, field: str, taken: TimeTaken, zone: str, known: bool) -> str:
    begin = f"{field}: '{text[:40]}'"
    if local is None:
        expected = "" if taken.formats == ("iso",) else f" written as {' or '.join(taken.formats)}"
        return f"{begin} is not a moment{expected}"
    if not _FIRST_MS <= local < _END_MS:
        return f"{begin} lies outside the years {FIRST_YEAR} to {LAST_YEAR}"
    return "" if known else f"{field}: unknown time zone '{zone}'"


def _zone_said(text: str, zone: str, *, bears: bool) -> str | None:
    if not bears:
        return zone
    if text.endswith("Z"):
        return "UTC"
    found = _SAID_ZONE.search(text)
    return found[1] if found else None


def _first(text: str, formats: tuple[str, ...]) -> _Reading:
    """What the first format says that can read the text; its flags hold for texts none can read, too."""
    readings: list[_Reading] = []
    for word in formats:
        readings.append(_reading(text, word))
        if readings[-1].local is not None:
            return readings[-1]
    same_bears = len({_flags(word)[0] for word in formats}) == 1
    same_day = len({_flags(word)[1] for word in formats}) == 1
    return _Reading(None, same_bears and readings[0].bears, same_day and readings[0].day_only)


def _flags(word: str) -> tuple[str, str]:
    """What it depends on, in a format, whether a text bears its zone and whether it has a day only."""
    if word in EPOCHS:
        return "always", "never"
    if word == "iso":
        return "by text", "by length"
    if word == "excel":
        return "never", "by number"
    has_clock = any(part in word for part in ("%H", "%I", "%X", "%c", "%-H", "%-I"))
    return "always" if "%z" in word or "%Z" in word else "never", "never" if has_clock else "always"


def _reading(text: str, word: str) -> _Reading:
    if word == "iso":
        usual = _usual(text)
        if usual is not None:
            return usual
    elif word in _PLAIN_COUNTS and _COUNT.fullmatch(text):
        return _Reading(int(text) * _PLAIN_COUNTS[word], True, False)
    return _Reading(*moment_of(text, word))


@lru_cache(maxsize=8192)
def _usual(text: str) -> _Reading | None:
    """ISO 8601 as nearly everybody writes it."""
    found = _USUAL.fullmatch(text)
    if not found:
        return None
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    clock = (int(hour or 0), int(minute or 0), int(second or 0))
    milliseconds = timegm((int(year), int(month), int(day), *clock)) * SECOND_MS
    milliseconds += int((fraction or "0").ljust(6, "0")) // 1000
    if zone and zone != "Z":
        hours, minutes = zone[1:].split(":")
        offset = (int(hours) * 3600 + int(minutes) * 60) * SECOND_MS
        milliseconds -= -offset if zone[0] == "-" else offset
    return _Reading(milliseconds, bool(zone), hour is None)


def _mended(text: str, formats: tuple[str, ...]) -> int | None:
    """The moment as it was probably meant: 24:00 as 00:00 of the next day, second 60 as 59, a decimal comma."""
    usable = [word for word in formats if word == "iso" or "%" in word]
    plain = _SECOND_60.sub(r":59\1", _DAY_24.sub(r"\g<1>00:00\2", text, count=1), count=1)
    plain = _APART.sub(r"\1", _COMMA.sub(r"\1.\2", plain, count=1), count=1)
    added = DAY_MS if re.search(r"[ T]24:00", text) else 0
    added += SECOND_MS if _SECOND_60.search(text) else 0
    for word in usable:
        local = _reading(plain, word).local
        if local is not None:
            return local + added
    return None


def _instant(local: int | None, *, bears: bool, zone: str, needs_zone: bool) -> tuple[int | None, int, bool]:
    """The instant of a local time, what is odd about its hour, and whether the zone is known."""
    if local is None or bears or not needs_zone:
        return local, 0, True
    if not known_zone(zone):
        return None, 0, False
    days = zone_days(zone)
    place = local // DAY_MS - int(days["day"][0])
    if not 0 <= place < len(days["day"]):
        return None, 0, False
    clock = local % DAY_MS
    before, after = int(days["before"][place]), int(days["after"][place])
    odd_from, odd_to = int(days["odd_from"][place]), int(days["odd_to"][place])
    odd = int(days["odd"][place]) if odd_from <= clock < odd_to else 0
    return local - (before if clock < odd_to else after), odd, True
