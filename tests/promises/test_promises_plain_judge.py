"""The plain judge, sentence by sentence of the definition: it must be right before it may judge the real one."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from promises.plain_calendar import after
from promises.plain_judge import judge
from promises.plain_patterns import matches, nearly

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
LATER = 1_000 * DAY
OFFICE = {
    "time_zone": "Europe/Berlin",
    "open": {day: ["09:00-12:00", "11:00-17:00"] for day in ("mon", "tue", "wed", "thu", "fri")},
    "closed": ["2026-12-25"],
}
BLOCKED: dict[str, Any] = {
    "promise": "blocked",
    "when": {"touchpoint": "card.lost"},
    "then": {"touchpoint": "card.blocked"},
    "within": "5 minutes",
}


def touch(number: int, moment: int, touchpoint: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"id": number, "occurred_at": moment, "person": 1, "touchpoint": touchpoint} | fields


def row(promise: dict[str, Any], *touches: dict[str, Any], as_of: int = LATER, **of_map: Any) -> dict[str, Any]:
    """The one row of a map with one promise."""
    written = {"map": "trial", "quiet_after": "10 days", "promises": [promise]} | of_map
    rows = judge(list(touches), [(0, written)], {"default": OFFICE}, as_of)
    assert len(rows) == 1
    return rows[0]


def without(promise: dict[str, Any], *words: str, **instead: Any) -> dict[str, Any]:
    return {word: value for word, value in promise.items() if word not in words} | instead


def berlin(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin")).timestamp() * 1000)


@pytest.mark.parametrize(
    ("pattern", "fields", "expected"),
    [
        ({"channel": "phone"}, {"channel": "phone"}, True),
        ({"channel": ["phone", "sms"]}, {"channel": "sms"}, True),
        ({"channel": {"not": "sms"}}, {"channel": "phone"}, True),
        ({"channel": {"not": ["sms", "phone"]}}, {"channel": "phone"}, False),
        ({"channel": {"not": "sms"}}, {}, False),
        ({"channel": {"exists": True}}, {}, False),
        ({"channel": {"exists": False}}, {}, True),
        ({"score": {"at_least": 5, "below": 10}}, {"score": 5.0}, True),
        ({"score": {"at_least": 5, "below": 10}}, {"score": 10.0}, False),
        ({"score": {"above": 5}}, {"score": 5.0}, False),
        ({"score": {"at_most": 5}}, {}, False),
        ({"touchpoint": "card.*"}, {"touchpoint": "card.lost.again"}, True),
        ({"touchpoint": "card.*"}, {"touchpoint": "card"}, False),
        ({"touchpoint": {"not": "card.*"}}, {"touchpoint": "card.lost"}, False),
        ({"properties.amount": {"below": 3}}, {"properties": {"amount": 2}}, True),
        ({"properties.tier": "gold"}, {"properties": '{"tier": "gold"}'}, True),
        ({"asks": False}, {}, False),
        ({"any": [{"channel": "sms"}, {"channel": "phone"}], "asks": True}, {"channel": "phone", "asks": True}, True),
        ({"any": [{"channel": "sms"}, {"channel": "phone"}], "asks": True}, {"channel": "phone"}, False),
        ({"channel": "phone"}, {"channel": "phone", "direction": "internal"}, False),
        ({"channel": "phone"}, {"channel": "phone", "direction": "peer"}, False),
        ({"touchpoint": "a.b"}, {"touchpoint": "a.b", "direction": "internal"}, True),
        ({"direction": ["internal"]}, {"direction": "internal"}, True),
        ({"any": [{"asks": True}, {"touchpoint": "a.b"}]}, {"asks": True, "direction": "internal"}, False),
    ],
)
def test_a_pattern_is_a_set_of_conditions(pattern: dict[str, Any], fields: dict[str, Any], expected: bool) -> None:
    assert matches(pattern, fields) is expected


def test_near_means_only_that_condition_failed_with_the_field_filled_in() -> None:
    pattern = {"touchpoint": "told", "channel": "phone", "role": "manager"}
    assert nearly(pattern, {"touchpoint": "told", "channel": "sms", "role": "manager"}, ["channel"])
    assert not nearly(pattern, {"touchpoint": "told", "role": "manager"}, ["channel"])
    assert not nearly(pattern, {"touchpoint": "told", "channel": "sms", "role": "clerk"}, ["channel"])
    assert not nearly(pattern, {"touchpoint": "told", "channel": "phone", "role": "manager"}, ["channel"])


def test_working_hours_count_overlaps_once_and_end_at_the_earliest_moment() -> None:
    assert after("1 working hour", berlin("2026-06-10 16:00"), OFFICE) == berlin("2026-06-10 17:00")
    assert after("8 working hours", berlin("2026-06-10 09:00"), OFFICE) == berlin("2026-06-10 17:00")
    assert after("90 working minutes", berlin("2026-06-12 16:00"), OFFICE) == berlin("2026-06-15 09:30")
    assert after("1 working hour", berlin("2026-06-13 03:00"), OFFICE) == berlin("2026-06-15 10:00")


def test_working_hours_across_the_end_of_summer_time() -> None:
    always = {"time_zone": "Europe/Berlin", "open": {day: ["01:00-05:00"] for day in ("sat", "sun")}}
    assert after("5 working hours", berlin("2026-10-25 00:00"), always) == berlin("2026-10-25 05:00")
    assert after("3 working hours", berlin("2026-03-29 00:00"), always) == berlin("2026-03-29 05:00")


def test_hours_may_pass_midnight_and_a_skipped_time_is_the_moment_of_the_change() -> None:
    night = {"time_zone": "Europe/Berlin", "open": {"sat": ["22:00-02:30"]}}
    assert after("1 working day", berlin("2026-03-27 12:00"), night) == berlin("2026-03-29 03:00")
    assert after("4 working hours", berlin("2026-03-27 12:00"), night) == berlin("2026-03-29 03:00")
    assert after("1 working day", berlin("2026-10-23 12:00"), night) == berlin("2026-10-25 02:30")


def test_working_days_end_at_the_close_of_the_nth_later_open_day() -> None:
    assert after("1 working day", berlin("2026-12-24 08:00"), OFFICE) == berlin("2026-12-28 17:00")
    assert after("2 working days", berlin("2026-06-13 08:00"), OFFICE) == berlin("2026-06-16 17:00")


def test_every_match_opens_its_own_instance_and_nobody_opens_none() -> None:
    promises = [BLOCKED]
    touches = [touch(1, 0, "card.lost"), touch(2, 0, "card.lost"), touch(3, 0, "card.lost", person=None)]
    rows = judge(touches, [(0, {"map": "trial", "promises": promises})], {}, LATER)
    assert [one["opening_id"] for one in rows] == [1, 2]


def test_the_version_in_force_at_the_opening_holds_for_ever() -> None:
    first = {"map": "trial", "promises": [BLOCKED]}
    second = {"map": "trial", "promises": [without(BLOCKED, within="1 hour")]}
    touches = [touch(1, 99, "card.lost"), touch(2, 100, "card.lost")]
    rows = judge(touches, [(50, first), (100, second)], {}, LATER)
    assert [one["due_at"] for one in rows] == [99 + 5 * MINUTE, 100 + HOUR]


def test_for_must_hold_for_the_opening() -> None:
    versions = [(0, {"map": "trial", "for": {"topic": "gold"}, "promises": [BLOCKED]})]
    touches = [touch(1, 0, "card.lost", topic="gold"), touch(2, 0, "card.lost")]
    assert [one["opening_id"] for one in judge(touches, versions, {}, LATER)] == [1]


def test_the_opening_plays_no_other_part_in_its_own_instance() -> None:
    promise = without(BLOCKED, then={"touchpoint": "card.*"}, never={"touchpoint": "card.lost"})
    assert row(promise, touch(1, 0, "card.lost"))["breach"] == "missing"


def test_keys_must_be_equal_unless_the_opening_has_none() -> None:
    promise = without(BLOCKED, same="case")
    keyed = touch(1, 0, "card.lost", case="c1")
    assert row(promise, keyed, touch(2, 1, "card.blocked", case="c1"))["verdict"] == "kept"
    assert row(promise, keyed, touch(2, 1, "card.blocked", case="c2"))["verdict"] == "broken"
    assert row(promise, keyed, touch(2, 1, "card.blocked"))["verdict"] == "broken"
    assert row(promise, touch(1, 0, "card.lost"), touch(2, 1, "card.blocked", case="c2"))["verdict"] == "kept"


def test_what_others_or_the_past_did_does_not_touch() -> None:
    assert row(BLOCKED, touch(1, 9, "card.lost"), touch(2, 8, "card.blocked"))["breach"] == "missing"
    assert row(BLOCKED, touch(1, 9, "card.lost"), touch(2, 10, "card.blocked", person=2))["breach"] == "missing"


@pytest.mark.parametrize(
    ("moment", "verdict", "breach", "lateness"),
    [
        (0, "kept", None, None),
        (5 * MINUTE, "kept", None, None),
        (5 * MINUTE + 1_999, "broken", "late", 1),
        (5 * MINUTE + 10 * DAY, "broken", "late", 864_000),
        (5 * MINUTE + 10 * DAY + 1, "broken", "missing", None),
    ],
)
def test_an_answer_is_in_time_late_or_missing(
    moment: int, verdict: str, breach: str | None, lateness: int | None
) -> None:
    found = row(BLOCKED, touch(1, 0, "card.lost"), touch(2, moment, "card.blocked"))
    assert (found["verdict"], found["breach"], found["lateness_seconds"]) == (verdict, breach, lateness)
    assert found["breaches"] == ([(breach, 5 * MINUTE)] if breach else [])
    assert found["settled_at"] == (None if breach == "missing" else moment)


def test_before_the_due_an_unanswered_promise_waits() -> None:
    opening = touch(1, 0, "card.lost")
    assert row(BLOCKED, opening, as_of=5 * MINUTE - 1)["verdict"] == "waiting"
    assert row(BLOCKED, opening, as_of=5 * MINUTE)["breach"] == "missing"


def test_of_equals_the_lowest_id_is_the_evidence() -> None:
    touches = [touch(1, 0, "card.lost"), touch(9, 1, "card.blocked"), touch(3, 1, "card.blocked")]
    assert row(BLOCKED, *touches)["settling_id"] == 3


def test_deadlines_per_channel_and_the_latest_for_others() -> None:
    promise = without(BLOCKED, within={"phone": "2 minutes", "email": "1 day"})
    assert row(promise, touch(1, 0, "card.lost", channel="phone"))["due_at"] == 2 * MINUTE
    assert row(promise, touch(1, 0, "card.lost", channel="sms"))["due_at"] == DAY
    assert row(promise, touch(1, 0, "card.lost"))["due_at"] == DAY


def test_without_within_the_window_or_the_journeys_end_is_the_due() -> None:
    counting = {"of": {"touchpoint": "card.lost"}, "count": 0, "within": "1 hour"}
    assert row(without(BLOCKED, "then", "within", at_most=counting), touch(1, 0, "card.lost"))["due_at"] == HOUR
    open_ended = without(BLOCKED, "within")
    assert row(open_ended, touch(1, 0, "card.lost"))["due_at"] == 10 * DAY
    ends = {"touchpoint": "card.used"}
    assert row(open_ended, touch(1, 0, "card.lost"), touch(2, 7, "card.used"), ends=ends)["due_at"] == 7
    assert row(BLOCKED, touch(1, 0, "card.lost"), touch(2, 7, "card.used"), ends=ends)["due_at"] == 5 * MINUTE


def test_a_journey_ends_when_it_has_been_quiet_for_long_enough() -> None:
    promise = without(BLOCKED, "within", "then", then={"touchpoint": "solved"}, unless={"topic": "named"})
    opening = touch(1, 0, "card.lost")
    assert row(promise, opening, touch(2, 10 * DAY, "x", topic="other"))["due_at"] == 10 * DAY
    assert row(promise, opening, touch(2, 10 * DAY, "card.lost"), begins={"touchpoint": "z"}, as_of=10 * DAY - 1)
    steps = [{"steps": [{"touchpoint": "x", "channel": "sms"}]}]
    assert row(promise, opening, touch(2, 10 * DAY, "x", channel="sms"), phases=steps)["due_at"] == 20 * DAY
    assert row(promise, opening, touch(2, 10 * DAY, "x", channel="web"), phases=steps)["due_at"] == 10 * DAY
    assert row(promise, opening, touch(2, 10 * DAY + 1, "x", channel="sms"), phases=steps)["due_at"] == 10 * DAY


def test_wrong_channel_comes_first_and_its_lateness_is_kept() -> None:
    promise = without(BLOCKED, then={"touchpoint": "told", "channel": "phone", "role": "manager"})
    hands = touch(2, 1, "told", channel="phone", role="clerk")
    channel = touch(3, 2, "told", channel="sms", role="manager")
    right = touch(4, 5 * MINUTE + 3_000, "told", channel="phone", role="manager")
    found = row(promise, touch(1, 0, "card.lost"), hands, channel, right)
    assert (found["breaches"], found["breaking_id"]) == ([("wrong_channel", 5 * MINUTE)], 3)
    assert (found["settling_id"], found["lateness_seconds"]) == (4, 3)
    assert row(promise, touch(1, 0, "card.lost"), hands)["breach"] == "wrong_hands"


def test_an_answer_without_consent_breaks_at_once_and_does_not_settle() -> None:
    promise = without(BLOCKED, consent="offers")
    given = touch(5, 0, "consent.given", consent="offers")
    taken = touch(6, 3, "consent.withdrawn", consent="offers")
    opening = touch(1, 0, "card.lost")
    assert row(promise, opening, given, touch(2, 2, "card.blocked"))["verdict"] == "kept"
    broken = row(promise, opening, given, taken, touch(2, 3, "card.blocked"))
    assert broken["breaches"] == [("without_consent", 3), ("missing", 5 * MINUTE)]
    assert row(promise, opening, given, taken)["verdict"] == "withdrawn"
    assert row(promise, opening)["verdict"] == "withdrawn"
    assert row(promise, opening, given)["breach"] == "missing"
    other = touch(6, 3, "consent.withdrawn", consent="study")
    assert row(promise, opening, given, other)["breach"] == "missing"


def test_forbidden_from_opening_to_settlement() -> None:
    promise = without(BLOCKED, never={"touchpoint": "advert"})
    opening, answer = touch(1, 0, "card.lost"), touch(2, 10, "card.blocked")
    assert row(promise, opening, answer, touch(3, 10, "advert"))["breaches"] == [("forbidden", 10)]
    assert row(promise, opening, answer, touch(3, 11, "advert"))["verdict"] == "kept"
    last = 5 * MINUTE + 10 * DAY
    assert len(row(promise, opening, touch(3, last, "advert"))["breaches"]) == 2
    assert len(row(promise, opening, touch(3, last + 1, "advert"))["breaches"]) == 1


def test_never_alone_is_kept_when_the_due_has_passed() -> None:
    promise = without(BLOCKED, "then", never={"touchpoint": "advert"})
    opening = touch(1, 0, "card.lost")
    assert row(promise, opening, as_of=5 * MINUTE - 1)["verdict"] == "waiting"
    assert row(promise, opening)["verdict"] == "kept"
    assert row(promise, opening, touch(2, 5 * MINUTE, "advert"))["breach"] == "forbidden"
    assert row(promise, opening, touch(2, 5 * MINUTE + 1, "advert"))["verdict"] == "kept"


def test_at_most_counts_strictly_after_the_opening_to_the_windows_end() -> None:
    counting = {"of": {"touchpoint": "asked"}, "count": 1, "within": "1 hour"}
    promise = without(BLOCKED, at_most=counting)
    opening, answer = touch(1, 0, "card.lost"), touch(2, 1, "card.blocked")
    at_once, first = touch(3, 0, "asked"), touch(4, 2, "asked")
    assert row(promise, opening, answer, at_once, first)["verdict"] == "kept"
    assert row(promise, opening, answer, at_once, first, as_of=HOUR - 1)["verdict"] == "waiting"
    broken = row(promise, opening, answer, first, touch(5, HOUR, "asked"))
    assert (broken["breaches"], broken["breaking_id"]) == ([("repeated", HOUR)], 5)
    assert row(promise, opening, answer, first, touch(5, HOUR + 1, "asked"))["verdict"] == "kept"


def test_unless_withdraws_only_before_kept_or_broken() -> None:
    promise = without(BLOCKED, unless={"touchpoint": "found"})
    opening = touch(1, 0, "card.lost")
    withdrawn = row(promise, opening, touch(2, 5 * MINUTE, "found"))
    assert (withdrawn["verdict"], withdrawn["due_at"], withdrawn["breaches"]) == ("withdrawn", None, [])
    assert row(promise, opening, touch(2, 5 * MINUTE + 1, "found"))["breach"] == "missing"
    assert row(promise, opening, touch(2, 1, "found"), touch(3, 1, "card.blocked"))["verdict"] == "kept"


def test_ties_between_breaches_follow_the_order_of_kinds() -> None:
    counting = {"of": {"touchpoint": "advert"}, "count": 0, "within": "1 hour"}
    promise = without(BLOCKED, never={"touchpoint": "advert"}, at_most=counting)
    found = row(promise, touch(1, 0, "card.lost"), touch(2, 5 * MINUTE, "advert"))
    assert found["breaches"] == [("forbidden", 5 * MINUTE), ("repeated", 5 * MINUTE), ("missing", 5 * MINUTE)]


def test_made_good_from_the_first_breach_through_its_within() -> None:
    promise = without(BLOCKED, if_broken={"then": {"touchpoint": "called"}, "within": "1 hour"})
    opening, due = touch(1, 0, "card.lost"), 5 * MINUTE
    assert row(promise, opening, touch(2, due - 1, "called"))["made_good_at"] is None
    assert row(promise, opening, touch(2, due, "called"))["made_good_id"] == 2
    good = row(promise, opening, touch(2, due + HOUR, "called"))
    assert (good["verdict"], good["made_good_at"]) == ("broken", due + HOUR)
    assert row(promise, opening, touch(2, due + HOUR + 1, "called"))["made_good_at"] is None


def test_the_breaking_interaction_does_not_make_good_its_own_breach() -> None:
    promise = without(BLOCKED, never={"topic": "advert"}, if_broken={"then": {"topic": "advert"}, "within": "1 hour"})
    opening = touch(1, 0, "card.lost")
    assert row(promise, opening, touch(2, 5, topic="advert"))["made_good_id"] is None
    assert row(promise, opening, touch(2, 5, topic="advert"), touch(3, 5, topic="advert"))["made_good_id"] == 3
