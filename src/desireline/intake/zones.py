"""Local time to instants: every day of a zone with its offsets, its hour that exists twice, its hour that does not."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from desireline.vocabulary.units import DAY_MS, SECOND_MS

FIRST_YEAR, LAST_YEAR = 1900, 2100
"""Times outside these years are refused: no interaction happened then."""

Numbers = npt.NDArray[np.int64]

EXACT, TWICE, NEVER = 0, 1, 2
"""What is odd about a stretch of local time: nothing, it existed twice, it did not exist."""


@lru_cache(maxsize=64)
def zone_days(zone: str) -> dict[str, Numbers]:
    """The days of a zone as columns: day (since 1970), before, odd_from, odd_to, after (milliseconds), odd.

    Local time earlier than `odd_to` within its day has the offset `before`, later `after`. Between
    `odd_from` and `odd_to` it existed twice (the first is taken) or not at all (shifted forward).
    """
    first = _ms(datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)) // DAY_MS
    last = _ms(datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC)) // DAY_MS
    days = np.arange(first - 1, last + 2, dtype=np.int64)
    offsets = np.array([_offset(zone, int(day) * DAY_MS) for day in days], dtype=np.int64)
    before, after = offsets.copy(), offsets.copy()
    odd_from = np.full(len(days), DAY_MS, dtype=np.int64)
    odd_to, odd = odd_from.copy(), np.zeros(len(days), dtype=np.int64)
    changes = [_change(zone, int(days[place]) * DAY_MS) for place in np.flatnonzero(np.diff(offsets))]
    moments = np.array([change[0] + change[1] for change in changes] or [np.iinfo(np.int64).max], dtype=np.int64)
    told = np.array([change[2] for change in changes] or [0], dtype=np.int64)
    last_change = np.searchsorted(moments, days * DAY_MS, side="right") - 1
    start = offsets[0] if len(offsets) else 0
    before[:] = np.where(last_change >= 0, told[np.maximum(last_change, 0)], start)
    after[:] = before
    for moment, old, new in changes:
        low, high = moment + min(old, new), moment + max(old, new)
        for day in range(low // DAY_MS, (high - 1) // DAY_MS + 1):
            place = day - int(days[0])
            before[place], after[place] = old, new
            odd_from[place] = max(0, low - day * DAY_MS)
            odd_to[place] = min(DAY_MS, high - day * DAY_MS)
            odd[place] = NEVER if new > old else TWICE
        place = high // DAY_MS - int(days[0])
        if high % DAY_MS and odd[place] == EXACT:
            before[place] = after[place] = new
    return {"day": days, "before": before, "odd_from": odd_from, "odd_to": odd_to, "after": after, "odd": odd}


def _ms(moment: datetime) -> int:
    return int(moment.timestamp()) * SECOND_MS


def _offset(zone: str, milliseconds: int) -> int:
    moment = datetime.fromtimestamp(milliseconds // SECOND_MS, UTC).astimezone(ZoneInfo(zone))
    offset = moment.utcoffset()
    return int(offset.total_seconds()) * SECOND_MS if offset is not None else 0


def _change(zone: str, day_start: int) -> tuple[int, int, int]:
    """The instant at which a zone's offset changes within a UTC day, with the offsets before and after."""
    low, high = day_start, day_start + DAY_MS
    old = _offset(zone, low)
    while high - low > SECOND_MS:
        middle = (low + high) // 2 // SECOND_MS * SECOND_MS
        if _offset(zone, middle) == old:
            low = middle
        else:
            high = middle
    return high, old, _offset(zone, high)


def known_zone(zone: str) -> bool:
    """Whether the time zone database knows a name.

    >>> known_zone("Europe/Berlin"), known_zone("Berlin")
    (True, False)
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_+/-]{1,40}", zone):
        return False
    try:
        ZoneInfo(zone)
    except (ValueError, OSError, KeyError):
        return False
    return True
