"""How a column writes its moments: which formats, and whether another reading is possible."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

_ISO = re.compile(
    r"\d{4}-\d{1,2}-\d{1,2}([T ]+\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?)?\s*(Z|[A-Z]{3,4}|[+-]\d{2}:?\d{2}|[+-]\d{2})?", re.I
)
_SLASHED_ISO = re.compile(r"\d{4}/\d{1,2}/\d{1,2}([T ]\d{1,2}:\d{2}(:\d{2})?)?")
_NUMBERED = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(.*)")
_CLOCK = re.compile(r"\d{1,2}:\d{2}(:\d{2})?( ?[AaPp][Mm])?")
_TAILS = (
    "",
    " %H:%M",
    " %H:%M:%S",
    " %I:%M %p",
    " %I:%M:%S %p",
    ", %H:%M",
    ", %H:%M:%S",
    "T%H:%M:%S",
    " %H:%M:%S.%f",
    " %H:%M %z",
)
_NAMED = tuple(
    day + tail
    for day in ("%d %b %Y", "%d-%b-%Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%d. %B %Y", "%a, %d %b %Y")
    for tail in ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %H:%M:%S %z")
)
_EPOCHS = (("epoch_s", 10), ("epoch_ms", 13), ("epoch_us", 16), ("epoch_ns", 19))
SURE_SHARE = 0.95
"""A format must read this share of the values; what is left is refused on import, with its reason."""


@dataclass(frozen=True, slots=True)
class TimeFormat:
    """The formats of a column of times; `why_unsure` says which other reading there is."""

    formats: tuple[str, ...]
    day_only: bool = False
    why_unsure: str = ""
    others: tuple[tuple[str, ...], ...] = ()


def time_format(values: Sequence[str], *, named_time: bool = False) -> TimeFormat | None:
    """How moments are written in the values; None when they are no moments.

    >>> time_format(["31.12.2026 10:00", "1.2.2026 9:30"]).formats
    ('%d.%m.%Y %H:%M',)
    """
    if not values:
        return None
    for pattern in (_ISO, _SLASHED_ISO):
        found = [value for value in values if pattern.fullmatch(value)]
        if len(found) >= SURE_SHARE * len(values):
            return TimeFormat(("iso",), all(len(value) <= 10 for value in found))
    return _epoch(values, named_time=named_time) or _numbered(values) or _named(values)


def is_clock(values: Sequence[str]) -> bool:
    """Whether the values are times of day."""
    return bool(values) and sum(bool(_CLOCK.fullmatch(value)) for value in values) >= SURE_SHARE * len(values)


def clock_tail(values: Sequence[str]) -> str:
    """The pattern of times of day, to be put after a day's."""
    value = max(values, key=len, default="")
    seconds = ":%S" if value.count(":") == 2 else ""
    return f" %I:%M{seconds} %p" if value[-1:] in "mM" and value else f" %H:%M{seconds}"


def _epoch(values: Sequence[str], *, named_time: bool) -> TimeFormat | None:
    lengths = Counter(len(value.split(".")[0]) for value in values if re.fullmatch(r"\d+(\.\d+)?", value))
    for word, digits in _EPOCHS:
        near = lengths[digits] + lengths[digits - 1]
        if near >= SURE_SHARE * len(values) and lengths[digits] and all(value[:1] in "123456789" for value in values):
            unsure = "" if named_time else f"numbers that would be moments as {word}"
            return TimeFormat((word,), False, unsure)
    if named_time and all(re.fullmatch(r"[2-6]\d{4}(\.\d+)?", value) for value in values):
        return TimeFormat(("excel",), False, "numbers that would be days as a spreadsheet counts them")
    return None


def _numbered(values: Sequence[str]) -> TimeFormat | None:
    parts = [found.groups() for value in values if (found := _NUMBERED.fullmatch(value))]
    if len(parts) < SURE_SHARE * len(values):
        return None
    mark = Counter(part[1] for part in parts).most_common(1)[0][0]
    year = "%Y" if all(len(part[3]) == 4 for part in parts) else "%y"
    day_first = any(int(part[0]) > 12 for part in parts)
    month_first = any(int(part[2]) > 12 for part in parts)
    orders = {True: f"%d{mark}%m{mark}{year}", False: f"%m{mark}%d{mark}{year}"}
    tails = _tails([part[4] for part in parts])
    if not tails:
        return None
    both = {first: tuple(order + tail for tail in tails) for first, order in orders.items()}
    day_only = tails == ("",)
    if day_first and month_first:
        most = sum(int(part[0]) > 12 for part in parts) >= sum(int(part[2]) > 12 for part in parts)
        return TimeFormat(both[most], day_only, "some days stand first and some stand second", (both[not most],))
    if day_first or month_first:
        return TimeFormat(both[day_first], day_only)
    if mark == ".":
        return TimeFormat(both[True], day_only)
    return TimeFormat(both[True], day_only, "day and month could be either way round", (both[False],))


def _tails(rests: Sequence[str]) -> tuple[str, ...]:
    found = []
    for tail in _TAILS:
        if any(_reads(f"01.01.2000{rest}", "%d.%m.%Y" + tail) for rest in set(rests)):
            found.append(tail)
    read = sum(any(_reads(f"01.01.2000{rest}", "%d.%m.%Y" + tail) for tail in found) for rest in rests)
    return tuple(found) if read >= SURE_SHARE * len(rests) else ()


def _named(values: Sequence[str]) -> TimeFormat | None:
    found = tuple(word for word in _NAMED if any(_reads(value, word) for value in values))
    if sum(any(_reads(value, word) for word in found) for value in values) < SURE_SHARE * len(values):
        return None
    return TimeFormat(found, all("%H" not in word and "%I" not in word for word in found))


def _reads(value: str, pattern: str) -> bool:
    try:
        datetime.strptime(value.replace("24:00", "00:00"), pattern)
    except ValueError:
        return False
    return True
