"""Instants out of local times, as SQL: the day of the zone is joined, and what is odd about the hour is told.

The columns come from `times_sql`: for a moment `t1` its `t1_text`, `t1_zone`, `t1_read`, `t1_local`
and `t1_bears`; made here are `t1_ms`, `t1_odd` and `t1_known`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from desireline.intake.recipes import TimeTaken
from desireline.intake.text_sql import text_sql
from desireline.intake.times_sql import TimeSql
from desireline.intake.zones import FIRST_YEAR, LAST_YEAR
from desireline.vocabulary.units import DAY_MS

_OFFSET = "[+-][0-9:]{2,6}|[A-Za-z_/]{2,}"
ZONE_SAID_SQL = f"""CASE WHEN NOT t1_bears THEN t1_zone WHEN t1_text LIKE '%Z' THEN 'UTC'
    ELSE nullif(regexp_extract(t1_text, '({_OFFSET})$', 1), '') END"""
"""The zone as it was given: in the text, or else by the recipe or the project."""


def with_days_sql(source: str, zoned: Sequence[str]) -> str:
    """The rows with the day of their zone beside each local time that needs it."""
    columns = joins = ""
    for name in zoned:
        day = f"{name}_day"
        whole = f"{name}_local // {DAY_MS}"
        before_1970 = f"CASE WHEN {name}_local < 0 AND {name}_local % {DAY_MS} <> 0 THEN 1 ELSE 0 END"
        joins += f""" LEFT JOIN zone_days AS {day}
            ON NOT {name}_bears AND {day}.zone = {name}_zone AND {day}.day = {whole} - {before_1970}"""
        columns += f""", {day}.day * {DAY_MS} AS {name}_midnight, {day}.before AS {name}_before,
            {day}.odd_from AS {name}_odd_from, {day}.odd_to AS {name}_odd_to, {day}.after AS {name}_after,
            {day}.odd AS {name}_kind"""
    return f"SELECT cells.*{columns} FROM ({source}) AS cells{joins}"


def instants_sql(names: Iterable[str], zoned: Sequence[str]) -> str:
    """The instant of each moment, what is odd about its hour, and whether its zone is known."""
    out = ""
    for name in names:
        if name not in zoned:
            out += f", {name}_local AS {name}_ms, 0 AS {name}_odd, true AS {name}_known"
            continue
        clock = f"({name}_local - {name}_midnight)"
        out += f""", CASE WHEN {name}_bears THEN {name}_local
                WHEN {clock} < {name}_odd_to THEN {name}_local - {name}_before
                ELSE {name}_local - {name}_after END AS {name}_ms,
            CASE WHEN {clock} >= {name}_odd_from AND {clock} < {name}_odd_to THEN {name}_kind ELSE 0 END AS {name}_odd,
            {name}_local IS NULL OR {name}_bears OR {name}_midnight IS NOT NULL AS {name}_known"""
    return out


def quality_sql(time: TimeSql, *, zone_is_given: bool) -> str:
    """How well the moment `t1` is known."""
    plain = "'exact'" if zone_is_given else "CASE WHEN t1_bears THEN 'exact' ELSE 'assumed_zone' END"
    return f"""CASE WHEN t1_read IS NULL OR {time.turned} THEN 'corrected' WHEN {time.day_only} THEN 'date_only'
        WHEN t1_odd = 1 THEN 'first_of_two' WHEN t1_odd = 2 THEN 'did_not_exist' ELSE {plain} END"""


def time_reason(name: str, taken: TimeTaken) -> dict[str, str]:
    """When a moment cannot be taken, and the reason to give, both as SQL."""
    field = "occurred_at" if name == "t1" else "sent_at"
    begin = f"{text_sql(field + ': ' + chr(39))} || left({name}_text, 40) || "
    expected = "" if taken.formats == ("iso",) else f" written as {' or '.join(taken.formats)}"
    no_moment = begin + text_sql(f"' is not a moment{expected}")
    outside = begin + text_sql(f"' lies outside the years {FIRST_YEAR} to {LAST_YEAR}")
    no_zone = f"""{text_sql(field + ": unknown time zone '")} || {name}_zone || ''''"""
    low, high = f"epoch_ms(TIMESTAMP '{FIRST_YEAR}-01-01')", f"epoch_ms(TIMESTAMP '{LAST_YEAR + 1}-01-01')"
    is_outside = f"({name}_local < {low} OR {name}_local >= {high})"
    failed = f"(({name}_local IS NULL AND {name}_text IS NOT NULL) OR {is_outside} OR NOT {name}_known)"
    reason = f"CASE WHEN {name}_local IS NULL THEN {no_moment} WHEN {is_outside} THEN {outside} ELSE {no_zone} END"
    return {failed: reason}
