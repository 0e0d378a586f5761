"""4,580 tickets of an Italian help desk: promises in working days, counted again without our calendars."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from desireline.project import Opened
from stories.real_data import asked, needs, taken_in, verdicts

FILE = "helpdesk.parquet"
ROME = ZoneInfo("Europe/Rome")
QUIET = timedelta(days=90)
pytestmark = [*needs(FILE), pytest.mark.long]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Opened:
    return taken_in("help-desk", FILE, tmp_path_factory.mktemp("help-desk"))


def plain_verdicts(*, when: str, then: str, working_days: int) -> dict[str, int]:
    """Kept, late, missing, waiting, counted one ticket after the other."""
    events = asked(
        FILE, """SELECT "case:concept:name", "concept:name", epoch_ms(ts)::BIGINT FROM rows ORDER BY ts, place"""
    )
    tickets: dict[str, list[tuple[str, datetime]]] = {}
    for ticket, step, at_ms in events:
        tickets.setdefault(ticket, []).append((step, datetime.fromtimestamp(at_ms / 1000, UTC)))
    as_of = max(at for steps in tickets.values() for _, at in steps)
    counted: Counter[str] = Counter()
    for steps in tickets.values():
        for step, opened in steps:
            if step == when:
                due = close_of_open_day(opened, working_days)
                answers = [at for other, at in steps if other == then and at >= opened]
                counted[how(min(answers, default=None), due, as_of)] += 1
    return dict(counted)


def close_of_open_day(opened: datetime, working_days: int) -> datetime:
    day = opened.astimezone(ROME).date()
    while working_days:
        day += timedelta(days=1)
        working_days -= day.weekday() < 5
    return datetime.combine(day, time(18), ROME).astimezone(UTC)


def how(answered: datetime | None, due: datetime, as_of: datetime) -> str:
    if answered is not None and answered <= due:
        return "kept"
    if answered is not None and answered <= due + QUIET:
        return "late"
    return "missing" if as_of > due else "waiting"


def test_every_ticket_is_there(desk: Opened) -> None:
    found = desk.sql("SELECT count(*) AS rows, count(DISTINCT about_case) AS tickets FROM interactions")
    assert (found["rows"][0], found["tickets"][0]) == (21_348, 4_580)
    assert desk.variants(gap="never").different == 226


def test_taken_in_charge_within_a_working_day(desk: Opened) -> None:
    plain = plain_verdicts(when="Assign seriousness", then="Take in charge ticket", working_days=1)
    assert verdicts(desk, "taken-in-charge") == plain
    assert plain == {"kept": 2_949, "late": 1_672, "missing": 317}


def test_resolved_within_ten_working_days(desk: Opened) -> None:
    plain = plain_verdicts(when="Take in charge ticket", then="Resolve ticket", working_days=10)
    assert verdicts(desk, "resolved") == plain
    assert plain == {"kept": 4_032, "late": 1_019, "missing": 9}


def test_a_draft_from_the_tickets_loads_as_a_map(desk: Opened) -> None:
    text = desk.draft(name="tickets-as-lived")
    (desk.project.folder / "maps" / "tickets-as-lived.yaml").write_text(text, encoding="utf-8")
    assert "tickets-as-lived" in [each.name for each in desk.project.map_set().maps]
