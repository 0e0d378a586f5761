"""Calendar months as people read them, for counts by month."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


def month_of(milliseconds: int, *, zone: str = "UTC") -> int:
    """The month of an instant as a number, year and month.

    >>> month_of(0)
    197001
    """
    local = datetime.fromtimestamp(milliseconds / 1000, UTC).astimezone(ZoneInfo(zone))
    return local.year * 100 + local.month


def months_between(from_ms: int, until_ms: int, *, zone: str = "UTC") -> list[int]:
    """Every month from the one of `from_ms` to the one of `until_ms`, both included.

    >>> months_between(0, 40 * 86_400_000)
    [197001, 197002]
    """
    first, last = month_of(from_ms, zone=zone), month_of(until_ms, zone=zone)
    return [
        year * 100 + month
        for year in range(first // 100, last // 100 + 1)
        for month in range(1, 13)
        if first <= year * 100 + month <= last
    ]


def month_start(month: int, *, zone: str = "UTC") -> int:
    """The first instant of a month, UTC milliseconds.

    >>> month_start(197002)
    2678400000
    """
    return int(datetime(month // 100, month % 100, 1, tzinfo=ZoneInfo(zone)).timestamp()) * 1000


def month_after(month: int) -> int:
    """The month that follows.

    >>> month_after(202612)
    202701
    """
    return month + 1 if month % 100 < 12 else month + 89


def month_text(month: int) -> str:
    """A month as people read it.

    >>> month_text(202602)
    '2026-02'
    """
    return f"{month // 100}-{month % 100:02d}"
