"""Texts read by the database itself, one at a time: so that a live message is read exactly as a file would be.

What is written in the usual ways is read in Python (`one_row_times`, `one_row_values`); only the rest is asked here.
"""

from __future__ import annotations

import re
import threading
from functools import lru_cache
from typing import Any

import duckdb

from desireline.intake.times_sql import reading_sql

LONGEST = 200
"""A text longer than this is no number and no moment."""

_ASKING = threading.Lock()
_PLAIN_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?")


@lru_cache(maxsize=1)
def _database() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def _ask(sql: str, text: str) -> Any:
    if len(text) > LONGEST or "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        return None
    with _ASKING:
        found = _database().execute(f"SELECT {sql} FROM (SELECT $text AS text)", {"text": text}).fetchall()
    return found[0][0]


@lru_cache(maxsize=4096)
def double_of(text: str) -> float | None:
    """A text as a number with a fraction, None when it is none.

    >>> double_of("1e3"), double_of("many") is None
    (1000.0, True)
    """
    if _PLAIN_NUMBER.fullmatch(text):
        return float(text)
    found = _ask("try_cast(text AS DOUBLE)", text)
    return None if found is None else float(found)


@lru_cache(maxsize=1024)
def seconds_of_clock(text: str) -> int | None:
    """Hours, minutes and seconds as seconds, None when the text is no such thing.

    >>> seconds_of_clock("1:02:03")
    3723
    """
    found = _ask("try_cast(round(epoch(try_cast(text AS INTERVAL))) AS BIGINT)", text)
    return None if found is None else int(found)


@lru_cache(maxsize=8192)
def moment_of(text: str, word: str) -> tuple[int | None, bool, bool]:
    """Milliseconds as if the text stood for UTC, whether it bears its zone, whether it has a day only."""
    milliseconds, bears, day_only = reading_sql(word, "text")
    found = _ask(f"[{milliseconds}, ({bears})::BIGINT, ({day_only})::BIGINT]", text)
    if found is None:
        return None, False, False
    return found[0], bool(found[1]), bool(found[2])
