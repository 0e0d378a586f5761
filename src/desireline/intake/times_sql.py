"""Moments out of texts, as SQL: what was written, which local time it is, whether it carries a zone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from desireline.intake.recipes import EPOCHS, TimeTaken
from desireline.intake.text_sql import text_sql

_ZONE_AT_END = r"(?i)([0-9]z|[a-z]{2,}|[0-9]\s*[+-][0-9]{1,2}(:?[0-9]{2}){0,2})$"

_COMPACT = ("%Y%m%dT%H%M%S", "%Y%m%d%H%M%S", "%Y%m%d")
_WITH_OFFSET = ("%Y%m%dT%H%M%S%z", "%a, %d %b %Y %H:%M:%S %z")
"""Apart from the others: in one list, DuckDB 2.0 gives a text without offset that of the row before."""


@dataclass(frozen=True, slots=True)
class TimeSql:
    """The pieces of one moment: `text` and `zone` over the row's cells; the others over the text.

    `read` is milliseconds as if the text stood for UTC (the true instant when `bears` holds);
    `mended` is tried where `read` is empty.
    """

    text: str
    zone: str
    read: str
    mended: str
    bears: str
    day_only: str
    turned: str


def time_sql(taken: TimeTaken, *, name: str, cell: Callable[[str], str], zone: str) -> TimeSql:
    """How a moment is read; `name` is the column the text stands in, `cell` gives a column's SQL."""
    filled = [cell(column) for column in taken.from_columns]
    text = filled[0] if len(filled) == 1 else f"coalesce({', '.join(filled)})"
    formats = taken.formats
    if taken.clock_column:
        day = rf"regexp_replace({text}, '[ T]00:00(:00)?(\.0+)?$', '')"
        text = f"CASE WHEN {text} IS NOT NULL THEN concat_ws(' ', {day}, {cell(taken.clock_column)}) END"
        formats = (*formats, *(word.split(" ")[0] for word in formats if "%" in word and " " in word))
    zone_sql = text_sql(taken.zone or zone)
    if taken.zone_column:
        zone_sql = f"coalesce({cell(taken.zone_column)}, {zone_sql})"
    readings = [_on_its_day(reading_sql(word, name), after_ms=taken.day_only_ms) for word in formats]
    mended = [reading_sql(word, mended_sql(name))[0] for word in formats if word == "iso" or "%" in word]
    return TimeSql(
        text=text,
        zone=zone_sql,
        read=_first([reading[0] for reading in readings]),
        mended=f"{_first(mended)} + {added_ms_sql(name)}" if mended else "NULL",
        bears=_flag(readings, 1),
        day_only=_flag(readings, 2),
        turned=f"CASE WHEN contains({name}, '24:00') THEN regexp_matches({name}, '[ T]24:00') ELSE false END"
        if mended
        else "false",
    )


def _on_its_day(reading: tuple[str, str, str], *, after_ms: int) -> tuple[str, str, str]:
    """A reading whose moment lies so long after midnight where the text is a day and no more."""
    moment, bears, day_only = reading
    if not after_ms or day_only == "false":
        return reading
    return f"({moment} + CASE WHEN {day_only} THEN {after_ms} ELSE 0 END)", bears, day_only


def mended_sql(name: str) -> str:
    """The text as it was probably meant: 24:00 as 00:00, second 60 as 59, a decimal comma as a point."""
    plain = rf"regexp_replace(regexp_replace({name}, '([ T])24:00(:00)?', '\100:00\2'), ':60($|[^0-9])', ':59\1')"
    point = rf"regexp_replace({plain}, '(:[0-9]{{2}}),([0-9])', '\1.\2')"
    return rf"regexp_replace({point}, '\s+([+-][0-9]{{2}}:?[0-9]{{2}})$', '\1')"


def added_ms_sql(name: str) -> str:
    """What the mending took away: a day for 24:00, a second for :60."""
    return (
        f"(CASE WHEN regexp_matches({name}, '[ T]24:00') THEN 86400000 ELSE 0 END"
        f" + CASE WHEN regexp_matches({name}, ':60($|[^0-9])') THEN 1000 ELSE 0 END)"
    )


def _first(expressions: list[str]) -> str:
    return expressions[0] if len(expressions) == 1 else f"coalesce({', '.join(expressions)})"


def _flag(readings: list[tuple[str, str, str]], part: int) -> str:
    if len({reading[part] for reading in readings}) == 1:
        return readings[0][part]
    cases = " ".join(f"WHEN {reading[0]} IS NOT NULL THEN {reading[part]}" for reading in readings)
    return f"(CASE {cases} ELSE false END)"


def reading_sql(word: str, text: str) -> tuple[str, str, str]:
    """Local milliseconds, whether the text bears its zone, whether it has a day only."""
    if word == "iso":
        compact, with_offset = (", ".join(map(text_sql, patterns)) for patterns in (_COMPACT, _WITH_OFFSET))
        tried = f"try_strptime({text}, [{compact}]), try_strptime({text}, [{with_offset}])"
        plain = f"coalesce(try_cast({text} AS TIMESTAMPTZ), {tried})"
        moment = f"epoch_ms({plain})"
        to_the_second = (
            f"strlen({text}) = 19 AND {text}[14] = ':' AND {text}[17] = ':' AND {text}[19] BETWEEN '0' AND '9'"
        )
        bears = f"length({text}) > 10 AND regexp_matches({text}, '{_ZONE_AT_END}')"
        return moment, f"CASE WHEN {to_the_second} THEN false ELSE {bears} END", f"(length({text}) <= 10)"
    if word in EPOCHS:
        scale = EPOCHS[word]
        number = f"try_cast({text} AS DOUBLE)"
        count = (
            f"round({number} * {scale // 1_000_000})"
            if scale >= 1_000_000
            else f"floor({number} / {1_000_000 // scale})"
        )
        return f"try_cast({count} AS BIGINT)", "true", "false"
    if word == "excel":
        number = f"try_cast({text} AS DOUBLE)"
        return f"try_cast(round(({number} - 25569) * 86400000) AS BIGINT)", "false", f"({number} = floor({number}))"
    bears = "true" if "%z" in word or "%Z" in word else "false"
    has_clock = any(part in word for part in ("%H", "%I", "%X", "%c", "%-H", "%-I"))
    return f"epoch_ms(try_strptime({text}, {text_sql(word)}))", bears, "false" if has_clock else "true"
