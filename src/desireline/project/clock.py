"""The one place where the time of day comes from; everything else takes it as an argument."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime

from desireline.vocabulary.errors import DesirelineError


def now_ms() -> int:
    """This moment, UTC milliseconds."""
    return time.time_ns() // 1_000_000


def day_ms(text: str) -> int:
    """The first moment (UTC milliseconds) of a day written 2026-01-31, or of a whole month 2026-01.

    >>> day_ms("1970-01-02")
    86400000
    """
    whole = f"{text}-01" if len(text) == 7 else text
    try:
        day = date.fromisoformat(whole)
    except ValueError:
        raise DesirelineError(f"'{text}' is not a day. Write 2026-01-31.") from None
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000
