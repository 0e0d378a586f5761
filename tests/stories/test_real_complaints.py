"""6,623 complaints to US financial companies: by channel, answered in time, and passed on within five days."""

from __future__ import annotations

from collections import Counter

import pytest

from desireline.project import Opened
from stories.real_data import asked, needs, taken_in, verdicts

FILE = "cfpb_complaints.parquet"
CHANNELS = {
    "Web": "web",
    "Phone": "phone",
    "Postal mail": "mail",
    "Fax": "fax",
    "Email": "email",
    "Referral": "referral",
}
pytestmark = [*needs(FILE), pytest.mark.long]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Opened:
    return taken_in("complaints", FILE, tmp_path_factory.mktemp("complaints"))


def test_complaints_by_channel(desk: Opened) -> None:
    found = desk.sql(
        "SELECT channel, count(*) AS complaints FROM interactions "
        "WHERE touchpoint = 'complaint.received' GROUP BY channel"
    )
    counted = dict(zip(found["channel"], found["complaints"], strict=True))
    assert counted == {"web": 5_143, "referral": 627, "phone": 482, "mail": 267, "fax": 102, "email": 2}


def test_nearly_all_are_answered_in_time_and_the_phone_is_worst(desk: Opened) -> None:
    found = desk.sql(
        "SELECT channel, count(*) AS complaints, count(*) FILTER (properties->>'timely' = 'No') AS late "
        "FROM interactions WHERE touchpoint = 'complaint.received' GROUP BY channel"
    )
    late = {row["channel"]: (row["complaints"], row["late"]) for row in found.rows()}
    plain = asked(
        FILE, 'SELECT "Submitted via", count(*), count(*) FILTER ("Timely response?" <> \'Yes\') FROM rows GROUP BY 1'
    )
    assert late == {CHANNELS[channel]: (complaints, tardy) for channel, complaints, tardy in plain}
    timely = 1 - sum(tardy for _, tardy in late.values()) / 6_623
    assert timely == pytest.approx(0.986, abs=0.0005)
    assert max(late, key=lambda channel: late[channel][1] / late[channel][0]) == "phone"
    assert late["phone"][1] / late["phone"][0] == pytest.approx(0.025, abs=0.0005)


def test_passed_on_within_five_days_by_channel(desk: Opened) -> None:
    found = desk.keep_rates(by=("promise", "channel"))
    rates = {row["channel"]: (row["kept"], row["broken"]) for row in found.rows()}
    plain: dict[str, Counter[bool]] = {channel: Counter() for channel in CHANNELS.values()}
    for channel, days in asked(
        FILE,
        'SELECT "Submitted via", date_diff(\'day\', "Date received"::DATE, "Date sent to company"::DATE) FROM rows',
    ):
        plain[CHANNELS[channel]][days <= 5] += 1
    assert rates == {channel: (counted[True], counted[False]) for channel, counted in plain.items()}
    assert verdicts(desk, "passed-on") == {"kept": 6_097, "late": 526}


def test_a_rate_of_two_complaints_says_not_enough_yet(desk: Opened) -> None:
    by_channel = {row["channel"]: row for row in desk.keep_rates(by=("promise", "channel")).rows()}
    assert by_channel["email"]["keep_rate"] is None
    assert "2" in by_channel["email"]["note"]


def test_nobody_is_joined_with_anybody(desk: Opened) -> None:
    assert desk.project.snapshot().people == 6_623


def test_check_lets_the_complaints_pass(desk: Opened) -> None:
    assert desk.check() == []
