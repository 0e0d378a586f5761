"""Interactions per person, month and channel, counted by hand and by kernel."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from desireline.measures import census, census_by_person
from desireline.storage.journey_store import snapshot_from_rows
from desireline.vocabulary.which import Which

DAY = 86_400_000
rows_of_people = st.lists(
    st.fixed_dictionaries(
        {
            "person": st.integers(1, 4),
            "occurred_at": st.integers(0, 500).map(lambda day: day * DAY),
            "channel": st.sampled_from(["web", "phone", None]),
        }
    ),
    min_size=1,
    max_size=40,
)


def month(row):
    moment = datetime.fromtimestamp(row["occurred_at"] / 1000, UTC)
    return moment.year * 100 + moment.month


@settings(max_examples=60, deadline=None)
@given(rows_of_people, st.booleans())
def test_each_person_month_and_channel_is_counted_once(rows, limited):
    which = Which(from_ms=100 * DAY, until_ms=300 * DAY) if limited else Which()
    snapshot = snapshot_from_rows(rows, bucket_count=2)
    found = census_by_person(snapshot, which=which)
    words = [*snapshot.words("channel"), None]
    got = {
        (person, found.months[at], words[channel]): count
        for person, at, channel, count in zip(
            found.person.tolist(),
            found.month.tolist(),
            found.channel.tolist(),
            found.interactions.tolist(),
            strict=True,
        )
    }
    seen = [row for row in rows if not limited or 100 * DAY <= row["occurred_at"] < 300 * DAY]
    assert got == dict(Counter((row["person"], month(row), row["channel"]) for row in seen))
    assert len(got) == len(found)


def test_the_totals_name_people_and_those_of_nobody():
    rows = [
        {"person": 1, "occurred_at": 0, "channel": "web"},
        {"person": 1, "occurred_at": 1, "channel": "web"},
        {"person": 2, "occurred_at": 40 * DAY, "channel": "phone"},
        {"occurred_at": 2, "channel": "web"},
    ]
    table = census(snapshot_from_rows(rows))
    assert list(table.rows()) == [
        {"month": "1970-01", "channel": "web", "interactions": 2, "people": 1, "per_person": 2.0},
        {"month": "1970-02", "channel": "phone", "interactions": 1, "people": 1, "per_person": 1.0},
    ]
    assert table.notes == {"interactions": 3, "people": 2, "of_nobody": 1}
    assert table.says == "3 interactions of 2 people, 1.5 each; the most on web (67%)."


def test_a_month_begins_where_the_people_live():
    rows = [{"person": 1, "occurred_at": 31 * DAY - 1, "channel": "web"}]
    assert census(snapshot_from_rows(rows), zone="Europe/Berlin")["month"] == ["1970-02"]


def test_an_empty_log_says_so():
    assert census(snapshot_from_rows([])).says == "There were no interactions."
