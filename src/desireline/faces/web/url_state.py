"""The address is the whole state of a screen: it can be sent, bookmarked and exported."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote, urlencode

from desireline.vocabulary.errors import DesirelineError, Mistake, nearest

_MONTH = re.compile(r"^(\d{4})-(0[1-9]|1[0-2])$")
KNOWN = ("from", "to", "segment", "only")
EXPORTS = ("svg", "png", "csv", "json")


@dataclass(frozen=True, slots=True)
class ScreenState:
    """What the person chose: months (first and last, both included), one segment, only broken.

    Months are `YYYY-MM` texts, empty for "from the beginning" and "to the end".
    """

    first_month: str = ""
    last_month: str = ""
    segment_column: str = ""
    segment_value: str = ""
    only_broken: bool = False

    def query(self) -> str:
        """The part of the address after `?`, in one canonical order; empty when nothing was chosen.

        >>> ScreenState(first_month="2025-03", only_broken=True).query()
        'from=2025-03&only=broken'
        """
        pairs = {"from": self.first_month, "to": self.last_month, "segment": self.segment}
        if self.only_broken:
            pairs["only"] = "broken"
        return urlencode({name: value for name, value in pairs.items() if value}, quote_via=quote)

    @property
    def segment(self) -> str:
        """The segment as one text, `column:value`, or empty."""
        return f"{self.segment_column}:{self.segment_value}" if self.segment_column else ""

    def without_segment(self) -> ScreenState:
        """The same choice for everybody."""
        return replace(self, segment_column="", segment_value="")

    def suffix(self) -> str:
        """`?query`, or empty: put behind a path."""
        query = self.query()
        return f"?{query}" if query else ""


def read_state(words: Mapping[str, str], *, columns: Iterable[str], also: Iterable[str] = ()) -> ScreenState:
    """The state an address asks for; every mistake in it at once, none taken for a default.

    columns: the columns people may be divided by. also: further words this page knows.
    """
    known = [*KNOWN, *also]
    mistakes = [
        Mistake(f"unknown word '{word}'.", "the address", do=nearest(word, known))
        for word in words
        if word not in known
    ]
    for name in ("from", "to"):
        if words.get(name) and not _MONTH.match(words[name]):
            mistakes.append(Mistake(f"'{words[name]}' is not a month.", f"'{name}'", do="Write it as 2025-03."))
    first, last = words.get("from", ""), words.get("to", "")
    if not mistakes and first and last and first > last:
        mistakes.append(Mistake(f"the time begins ({first}) after it ends ({last}).", "'from' and 'to'"))
    if words.get("only", "") not in ("", "broken"):
        mistakes.append(Mistake(f"'{words['only']}' is not known.", "'only'", do="Write only=broken or leave it out."))
    column, _, value = words.get("segment", "").partition(":")
    columns = list(columns)
    if words.get("segment") and (column not in columns or not value):
        hint = nearest(column, columns) or "Write column:value, such as channel:phone."
        mistakes.append(Mistake(f"nobody can be divided by '{words['segment']}'.", "'segment'", do=hint))
    if mistakes:
        raise DesirelineError(mistakes)
    return ScreenState(first, last, column, value, words.get("only") == "broken")


def split_suffix(name: str) -> tuple[str, str]:
    """A name and the export asked for.

    >>> split_suffix("lost-card.svg"), split_suffix("lost.card")
    (('lost-card', 'svg'), ('lost.card', ''))
    """
    stem, dot, ending = name.rpartition(".")
    return (stem, ending) if dot and ending in EXPORTS else (name, "")


def month_of(milliseconds: int) -> str:
    """The UTC month of an instant, `YYYY-MM`.

    >>> month_of(0)
    '1970-01'
    """
    from datetime import UTC, datetime

    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m")


def month_begins(month: str) -> int:
    """The first instant of a month, UTC milliseconds.

    >>> month_begins("1970-02")
    2678400000
    """
    from datetime import UTC, datetime

    return int(datetime(int(month[:4]), int(month[5:]), 1, tzinfo=UTC).timestamp() * 1000)


def month_after(month: str) -> str:
    """The month that follows.

    >>> month_after("2025-12")
    '2026-01'
    """
    year, number = int(month[:4]), int(month[5:])
    return f"{year + 1}-01" if number == 12 else f"{year}-{number + 1:02d}"


def months_between(first: str, last: str) -> tuple[str, ...]:
    """All months from the first to the last, both included.

    >>> months_between("2025-11", "2026-01")
    ('2025-11', '2025-12', '2026-01')
    """
    months = []
    month = first
    while month <= last:
        months.append(month)
        month = month_after(month)
    return tuple(months)
