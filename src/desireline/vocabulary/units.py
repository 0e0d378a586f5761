"""Units people write and read: durations, working time, moments."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from desireline.vocabulary.errors import DesirelineError, nearest

DurationKind = Literal["elapsed", "working_hours", "working_days"]

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
MOST_DAYS = 36_525
"""No duration is longer than a hundred years."""

_UNITS: dict[str, int] = {
    "second": SECOND_MS,
    "minute": MINUTE_MS,
    "hour": HOUR_MS,
    "day": DAY_MS,
    "week": 7 * DAY_MS,
}
_WORDS = tuple(form for unit in _UNITS for form in (unit, unit + "s"))
_PATTERN = re.compile(r"^\s*(\d+)\s+(working\s+)?([a-z]+)\s*$")


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time as people promise it: "5 minutes", "8 working hours", "1 working day".

    `amount` is milliseconds for elapsed time and for working hours (open time), and a number
    of open days for working days.
    """

    kind: DurationKind
    amount: int
    says: str

    @classmethod
    def parse(cls, text: str) -> Duration:
        """Read a duration; raises `DesirelineError` that names the nearest known unit.

        >>> Duration.parse("5 minutes").amount
        300000
        >>> Duration.parse("8 working hours").kind
        'working_hours'
        """
        found = _PATTERN.match(text)
        if not found:
            raise DesirelineError(f"'{text}' is not a duration. Write a number and a unit, such as '5 minutes'.")
        number, working, word = int(found[1]), bool(found[2]), found[3]
        unit = word.removesuffix("s")
        if unit not in _UNITS:
            raise DesirelineError(f"'{word}' is not a unit of time. {nearest(word, _WORDS)}".strip())
        if number * _UNITS[unit] > MOST_DAYS * DAY_MS:
            raise DesirelineError(f"'{text}' is longer than a hundred years. Write a shorter time.")
        if working and unit == "day":
            return cls("working_days", number, text.strip())
        if working and unit == "week":
            raise DesirelineError(f"'{text}': working weeks are not defined. Write working days.")
        kind: DurationKind = "working_hours" if working else "elapsed"
        return cls(kind, number * _UNITS[unit], text.strip())


def moment_text(milliseconds: int | None) -> str:
    """An instant as people read it, in UTC.

    >>> moment_text(0)
    '1970-01-01 00:00:00 UTC'
    """
    if milliseconds is None:
        return ""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def counted(count: int, one: str, many: str = "") -> str:
    """So many of something, in words.

    >>> counted(1, "map"), counted(4200, "map"), counted(2, "person", "people")
    ('1 map', '4,200 maps', '2 people')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def lateness_text(seconds: int) -> str:
    """A length of time in the largest two units.

    >>> lateness_text(93784)
    '1 d 2 h'
    """
    parts: list[str] = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        if seconds >= size or (unit == "s" and not parts):
            parts.append(f"{seconds // size} {unit}")
            seconds %= size
        if len(parts) == 2:
            break
    return " ".join(parts)
