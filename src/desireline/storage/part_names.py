"""Names of parts that hold a stretch of a numbered stream: `live-0000000011-0000000020` holds numbers 11 to 20.

A stream only ever grows at its end. Small stretches are merged into longer ones, so one part may lie within
another: it is covered, and whoever reads leaves it out. That makes the renaming of one file the moment of a merge.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

_STRETCH = re.compile(r"(?P<prefix>.+)-(?P<first>\d{10,})-(?P<last>\d{10,})")


class Stretch(NamedTuple):
    """A stretch of a stream, both ends included.

    >>> Stretch("live", 11, 20).name
    'live-0000000011-0000000020'
    """

    prefix: str
    first: int
    last: int

    @property
    def name(self) -> str:
        """The name of the part that holds it."""
        return f"{self.prefix}-{self.first:010d}-{self.last:010d}"

    def holds(self, other: Stretch) -> bool:
        """Whether another stretch lies within this one."""
        return self.prefix == other.prefix and self.first <= other.first and other.last <= self.last


def stretch_of(part: str) -> Stretch | None:
    """The stretch a part's name tells; none for a part that belongs to no stream, such as an import's.

    >>> stretch_of("web-0001"), stretch_of("live-0000000011-0000000020")
    (None, Stretch(prefix='live', first=11, last=20))
    >>> stretch_of("live-9999999999-10000000001").last
    10000000001
    """
    found = _STRETCH.fullmatch(part)
    return Stretch(found["prefix"], int(found["first"]), int(found["last"])) if found else None


def stretches(parts: Iterable[str], prefix: str) -> list[Stretch]:
    """The stretches of one stream among some parts that are not covered, in order."""
    found = {each for part in parts if (each := stretch_of(part)) is not None and each.prefix == prefix}
    shown: list[Stretch] = []
    for each in sorted(found, key=lambda one: (one.first, -one.last)):
        if not shown or each.last > shown[-1].last:
            shown.append(each)
    return shown


def shown(parts: Iterable[str]) -> list[str]:
    """The parts that count, in order of name: those that no other part covers.

    >>> shown(["web-0001", "live-0000000001-0000000009", "live-0000000004-0000000006"])
    ['live-0000000001-0000000009', 'web-0001']
    """
    given = list(parts)
    prefixes = {each.prefix for part in given if (each := stretch_of(part)) is not None}
    counted = {each.name for prefix in prefixes for each in stretches(given, prefix)}
    return sorted(part for part in given if part in counted or stretch_of(part) is None)


def unmatched(parts: Sequence[str], others: Sequence[str]) -> list[str]:
    """The parts whose content `others` have not, however the stretches of a stream were merged on either side.

    >>> unmatched(["live-0000000001-0000000009", "a"], ["live-0000000001-0000000004", "live-0000000007-0000000009"])
    ['a']
    >>> unmatched(["live-0000000001-0000000004"], ["live-0000000001-0000000009"])
    []
    """
    by_prefix: dict[str, list[Stretch]] = {}
    named = set(others)
    missing = []
    for part in parts:
        own = stretch_of(part)
        if part in named:
            continue
        if own is None:
            missing.append(part)
            continue
        if own.prefix not in by_prefix:
            by_prefix[own.prefix] = stretches(others, own.prefix)
        if not _matched(own, by_prefix[own.prefix]):
            missing.append(part)
    return missing


def _matched(own: Stretch, others: Sequence[Stretch]) -> bool:
    """Whether a stretch lies within one of others, which stand in order, or some of them fill it from end to end."""
    around = bisect_right(others, own.first, key=lambda each: each.first) - 1
    if around >= 0 and others[around].holds(own):
        return True
    begin = bisect_left(others, own.first, key=lambda each: each.first)
    end = bisect_right(others, own.last, key=lambda each: each.last)
    return begin < end and others[begin].first == own.first and others[end - 1].last == own.last
