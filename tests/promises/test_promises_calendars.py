"""Working time in UTC: the clocks that change, the days that are closed, the zones with odd hours."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from desireline.promises import read_calendars
from desireline.promises.calendars import open_time
from desireline.promises.deadlines import NONE, WORKING_DAYS, WORKING_HOURS, DurationTable, due_after
from desireline.vocabulary.errors import DesirelineError
from desireline.vocabulary.units import Duration

HOUR = 3_600_000
EVERY_DAY = {day: ["09:00-17:00"] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}


def moment(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def due(
    zone: str, opened: str, duration: str, hours: dict[str, list[str]] | None = None, closed: tuple[str, ...] = ()
) -> str:
    settings = {"c": {"time_zone": zone, "open": hours or EVERY_DAY, "closed": list(closed)}}
    table = DurationTable(read_calendars(settings))
    table.add(Duration.parse(duration), "c")
    laid = table.deadlines(earliest=moment(opened), latest=moment(opened))
    spans = (laid.bounds, laid.start, laid.end, laid.before, laid.midnight, laid.open_day, laid.close)
    found = due_after(moment(opened), *(int(each) for each in laid.durations[0]), *spans)
    return "never" if found == NONE else datetime.fromtimestamp(found / 1000, UTC).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("zone", "opened", "duration", "expected"),
    [
        # Europe/Berlin: summer begins 29 March 2026 (23 hours), ends 25 October (25 hours)
        ("Europe/Berlin", "2026-03-28 15:00", "2 working hours", "2026-03-29 08:00"),
        ("Europe/Berlin", "2026-03-28 12:00", "1 working day", "2026-03-29 15:00"),
        ("Europe/Berlin", "2026-10-24 14:00", "2 working hours", "2026-10-25 09:00"),
        ("Europe/Berlin", "2026-10-24 23:30", "1 working day", "2026-10-26 16:00"),
        ("Europe/Berlin", "2026-10-24 21:30", "1 working day", "2026-10-25 16:00"),
        # America/Sao_Paulo: midnight of 4 November 2018 did not exist
        ("America/Sao_Paulo", "2018-11-03 19:00", "2 working hours", "2018-11-04 12:00"),
        ("America/Sao_Paulo", "2018-11-04 02:59", "1 working day", "2018-11-04 19:00"),
        ("America/Sao_Paulo", "2018-11-04 03:00", "1 working day", "2018-11-05 19:00"),
        # Asia/Kolkata: half an hour
        ("Asia/Kolkata", "2026-06-01 11:00", "1 working hour", "2026-06-02 04:00"),
        ("Asia/Kolkata", "2026-06-01 18:29", "1 working day", "2026-06-02 11:30"),
        ("Asia/Kolkata", "2026-06-01 18:30", "1 working day", "2026-06-03 11:30"),
        # Pacific/Apia: 30 December 2011 did not exist
        ("Pacific/Apia", "2011-12-30 09:00", "1 working day", "2011-12-31 03:00"),
        ("Pacific/Apia", "2011-12-30 02:00", "2 working hours", "2011-12-30 20:00"),
        # Australia/Lord_Howe: half an hour of summer time, ends 5 April 2026
        ("Australia/Lord_Howe", "2026-04-04 05:00", "2 working hours", "2026-04-04 23:30"),
        ("Australia/Lord_Howe", "2026-10-03 06:00", "1 working hour", "2026-10-03 22:30"),
    ],
)
def test_dues_where_the_clocks_change(zone: str, opened: str, duration: str, expected: str) -> None:
    assert due(zone, opened, duration) == expected


def test_around_the_clock_a_day_has_the_hours_it_has() -> None:
    always = {day: ["00:00-24:00"] for day in EVERY_DAY}
    assert due("Europe/Berlin", "2026-03-28 23:00", "24 working hours", always) == "2026-03-29 23:00"
    assert due("Europe/Berlin", "2026-03-28 22:00", "1 working day", always) == "2026-03-29 22:00"
    assert due("Europe/Berlin", "2026-10-24 12:00", "1 working day", always) == "2026-10-25 23:00"


def test_hours_that_do_not_exist_or_exist_twice() -> None:
    night = {"sun": ["02:30-04:00"]}
    spring = open_time(
        read_calendars({"c": {"time_zone": "Europe/Berlin", "open": night}})["c"],
        first=date(2026, 3, 29),
        last=date(2026, 3, 29),
    )
    assert (spring.start[0], spring.end[0]) == (moment("2026-03-29 01:00"), moment("2026-03-29 02:00"))
    autumn = open_time(
        read_calendars({"c": {"time_zone": "Europe/Berlin", "open": night}})["c"],
        first=date(2026, 10, 25),
        last=date(2026, 10, 25),
    )
    assert (autumn.start[0], autumn.end[0]) == (moment("2026-10-25 00:30"), moment("2026-10-25 03:00"))


def test_overlaps_count_once_and_closed_days_not_at_all() -> None:
    hours = {"mon": ["09:00-12:00", "11:00-13:00"], "tue": ["09:00-10:00"]}
    assert due("UTC", "2026-06-01 08:00", "4 working hours", hours) == "2026-06-01 13:00"
    assert due("UTC", "2026-06-01 08:00", "5 working hours", hours) == "2026-06-02 10:00"
    assert due("UTC", "2026-06-01 08:00", "5 working hours", hours, ("2026-06-02",)) == "2026-06-08 10:00"
    assert due("UTC", "2026-06-01 08:00", "1 working day", hours, ("2026-06-02",)) == "2026-06-08 13:00"


def test_a_shift_past_midnight_closes_the_next_morning() -> None:
    nights = {"fri": ["22:00-06:00"]}
    assert due("UTC", "2026-06-04 12:00", "1 working day", nights) == "2026-06-06 06:00"
    assert due("UTC", "2026-06-05 23:00", "2 working hours", nights) == "2026-06-06 01:00"


def test_when_a_calendar_has_no_more_open_time_the_due_is_not_known() -> None:
    hours = {"mon": ["09:00-10:00"]}
    table = DurationTable(read_calendars({"c": {"open": hours}}))
    table.add(Duration.parse("1 working hour"), "c")
    laid = table.deadlines(earliest=0, latest=0)
    spans = (laid.bounds, laid.start, laid.end, laid.before, laid.midnight, laid.open_day, laid.close)
    assert due_after(moment("2090-01-01 00:00"), WORKING_HOURS, HOUR, 0, *spans) == NONE
    assert due_after(moment("2090-01-01 00:00"), WORKING_DAYS, 1, 0, *spans) == NONE


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"open": {"monday": ["09:00-17:00"]}}, "unknown day 'monday'"),
        ({"open": {"mon": ["9-17"]}}, "cannot be read"),
        ({"open": {"mon": ["25:00-26:00"]}}, "'25:00' is not a time of day"),
        ({"open": {}}, "never opens"),
        ({"open": {"mon": ["09:00-17:00"]}, "time_zone": "Europe/Berln"}, "Europe/Berln"),
        ({"open": {"mon": ["09:00-17:00"]}, "closed": ["2026-13-01"]}, "cannot be read"),
        ({}, "'open'"),
    ],
)
def test_a_calendar_that_cannot_be_read_says_why(settings: dict[str, object], says: str) -> None:
    with pytest.raises(DesirelineError, match="calendar 'c' cannot be read") as refused:
        read_calendars({"c": settings})
    assert says in str(refused.value)


def test_a_broken_clock_far_in_the_future_costs_nothing() -> None:
    table = DurationTable(read_calendars({"c": {"open": EVERY_DAY}}))
    table.add(Duration.parse("1 working hour"), "c")
    laid = table.deadlines(earliest=moment("2099-01-01 00:00"), latest=253_402_300_799_000_000)
    assert laid.midnight[-1] < moment("2110-01-01 00:00")
