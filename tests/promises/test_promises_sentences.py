"""Every sentence about promises as a small case: interactions, minutes after the opening, and the verdict."""

from __future__ import annotations

import json
from typing import Any

import pytest

from desireline.promises import Calendar, judge, load_map, read_calendars
from desireline.promises.versions import in_order
from desireline.storage.journey_store import snapshot_from_rows

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
MONDAY_NOON = 1_782_129_600_000  # Monday 22 June 2026, 12:00 UTC
OFFICE = {"office": {"time_zone": "UTC", "open": {day: ["09:00-17:00"] for day in ("mon", "tue", "wed", "thu", "fri")}}}

ASK = {"touchpoint": "asked", "direction": "inbound"}
ANSWER = {"touchpoint": "answered", "direction": "outbound"}


def at(minutes: float, **fields: Any) -> dict[str, Any]:
    return {"person": 1, "minutes": minutes, **fields}


def judged(
    promise: dict[str, Any],
    *rows: dict[str, Any],
    as_of: float = 100_000,
    calendars: dict[str, Calendar] | None = None,
    **of_map: Any,
) -> list[dict[str, Any]]:
    body = {"map": "m", "quiet_after": "1 day", **of_map}
    body["promises"] = [{"promise": "p", "when": {"touchpoint": "asked"}, **promise}]
    body = {word: value for word, value in body.items() if value is not None}
    given = calendars if calendars is not None else read_calendars(OFFICE)
    made = load_map(json.dumps(body), "m.yaml", given)
    log = [
        {"id": number + 1, **row, "occurred_at": round(MONDAY_NOON + row["minutes"] * MINUTE)}
        for number, row in enumerate(rows)
    ]
    for row in log:
        del row["minutes"]
    found = judge(snapshot_from_rows(log), [made], round(MONDAY_NOON + as_of * MINUTE), calendars=given).rows()
    return sorted(found, key=lambda row: row["opening_id"])


def one(promise: dict[str, Any], *rows: dict[str, Any], **more: Any) -> dict[str, Any]:
    found = judged(promise, *rows, **more)
    assert len(found) == 1
    return found[0]


THEN = {"then": {"touchpoint": "answered"}, "within": "10 minutes"}
NEVER = {"never": {"touchpoint": "nagged"}, "within": "10 minutes"}
ONCE = {"at_most": {"count": 0, "of": {"touchpoint": "asked.again"}, "within": "10 minutes"}}
BY_PHONE = {"then": {"touchpoint": "answered", "channel": ["phone", "branch"]}, "within": "10 minutes"}
BY_MANAGER = {"then": {"touchpoint": "answered", "role": "manager"}, "within": "10 minutes"}
MENDED = {**THEN, "if_broken": {"then": {"touchpoint": "called"}, "within": "1 hour"}}
CONSENT = {**THEN, "consent": "offers"}

opened = at(0, touchpoint="asked")
GIVEN = {"touchpoint": "consent.given", "consent": "offers"}
TAKEN = {"touchpoint": "consent.withdrawn", "consent": "offers"}

CASES: list[tuple[str, dict[str, Any], list[dict[str, Any]], str, str | None]] = [
    ("settled exactly at due is in time", THEN, [opened, at(10, touchpoint="answered")], "kept", None),
    ("a moment past due is late", THEN, [opened, at(10.001, touchpoint="answered")], "broken", "late"),
    ("up to quiet_after past due it is late", THEN, [opened, at(10 + 1440, touchpoint="answered")], "broken", "late"),
    ("past quiet_after it is missing", THEN, [opened, at(10 + 1441, touchpoint="answered")], "broken", "missing"),
    ("nothing settles: missing", THEN, [opened], "broken", "missing"),
    ("at the same moment settles", THEN, [opened, at(0, touchpoint="answered")], "kept", None),
    ("earlier does not touch", THEN, [at(-1, touchpoint="answered"), opened], "broken", "missing"),
    (
        "the opening plays no other part",
        {"then": {"touchpoint": "asked"}, "within": "10 minutes"},
        [opened],
        "broken",
        "missing",
    ),
    (
        "only that channel failed: wrong channel",
        BY_PHONE,
        [opened, at(5, touchpoint="answered", channel="sms")],
        "broken",
        "wrong_channel",
    ),
    ("an empty channel is no wrong channel", BY_PHONE, [opened, at(5, touchpoint="answered")], "broken", "missing"),
    (
        "a wrong channel, then right in time, is kept",
        BY_PHONE,
        [opened, at(5, touchpoint="answered", channel="sms"), at(6, touchpoint="answered", channel="phone")],
        "kept",
        None,
    ),
    (
        "the wrong channel names it even if the right one comes later",
        BY_PHONE,
        [opened, at(5, touchpoint="answered", channel="sms"), at(30, touchpoint="answered", channel="phone")],
        "broken",
        "wrong_channel",
    ),
    ("wrong hands", BY_MANAGER, [opened, at(5, touchpoint="answered", role="clerk")], "broken", "wrong_hands"),
    (
        "a wrong channel past due is just missing",
        BY_PHONE,
        [opened, at(11, touchpoint="answered", channel="sms")],
        "broken",
        "missing",
    ),
    (
        "channel first",
        {"then": {"touchpoint": "answered", "channel": "phone", "role": "manager"}, "within": "10 minutes"},
        [
            opened,
            at(1, touchpoint="answered", channel="phone", role="clerk"),
            at(2, touchpoint="answered", channel="sms", role="manager"),
        ],
        "broken",
        "wrong_channel",
    ),
    ("forbidden at once", NEVER, [opened, at(1, touchpoint="nagged")], "broken", "forbidden"),
    ("forbidden at due still", NEVER, [opened, at(10, touchpoint="nagged")], "broken", "forbidden"),
    ("never, after due: kept", NEVER, [opened, at(11, touchpoint="nagged")], "kept", None),
    ("forbidden at the opening's moment", NEVER, [opened, at(0, touchpoint="nagged")], "broken", "forbidden"),
    (
        "never with then: forbidden until settlement, that moment included",
        {**THEN, **NEVER},
        [opened, at(5, touchpoint="answered"), at(5, touchpoint="nagged")],
        "broken",
        "forbidden",
    ),
    (
        "never with then: not after settlement",
        {**THEN, **NEVER},
        [opened, at(5, touchpoint="answered"), at(6, touchpoint="nagged")],
        "kept",
        None,
    ),
    ("one more is repeated", ONCE, [opened, at(1, touchpoint="asked.again")], "broken", "repeated"),
    ("strictly after the opening", ONCE, [opened, at(0, touchpoint="asked.again")], "kept", None),
    ("to the window's end", ONCE, [opened, at(10, touchpoint="asked.again")], "broken", "repeated"),
    ("after the window: kept", ONCE, [opened, at(10.001, touchpoint="asked.again")], "kept", None),
    (
        "at most counts settled or not",
        {**THEN, **ONCE},
        [opened, at(1, touchpoint="answered"), at(9, touchpoint="asked.again")],
        "broken",
        "repeated",
    ),
    (
        "unless withdraws before kept",
        {**THEN, "unless": {"touchpoint": "never.mind"}},
        [opened, at(5, touchpoint="never.mind")],
        "withdrawn",
        None,
    ),
    (
        "unless at due comes before the due passes",
        {**THEN, "unless": {"touchpoint": "never.mind"}},
        [opened, at(10, touchpoint="never.mind")],
        "withdrawn",
        None,
    ),
    (
        "unless after the breach does nothing",
        {**THEN, "unless": {"touchpoint": "never.mind"}},
        [opened, at(11, touchpoint="never.mind")],
        "broken",
        "missing",
    ),
    (
        "settlement comes before unless in one moment",
        {**THEN, "unless": {"touchpoint": "never.mind"}},
        [opened, at(5, touchpoint="never.mind"), at(5, touchpoint="answered")],
        "kept",
        None,
    ),
    (
        "forbidden comes before unless in one moment",
        {**NEVER, "unless": {"touchpoint": "never.mind"}},
        [opened, at(5, touchpoint="never.mind"), at(5, touchpoint="nagged")],
        "broken",
        "forbidden",
    ),
    ("consent stood: settles", CONSENT, [at(-5, **GIVEN), opened, at(5, touchpoint="answered")], "kept", None),
    ("an answer without consent", CONSENT, [opened, at(5, touchpoint="answered")], "broken", "without_consent"),
    (
        "consent is read at the answer's moment",
        CONSENT,
        [opened, at(5, **GIVEN), at(5, touchpoint="answered")],
        "kept",
        None,
    ),
    (
        "in one moment a withdrawal wins",
        CONSENT,
        [opened, at(5, **GIVEN), at(5, **TAKEN), at(5, touchpoint="answered")],
        "broken",
        "without_consent",
    ),
    ("no consent and nothing settled: withdrawn at due", CONSENT, [opened], "withdrawn", None),
    ("consent lost before due: withdrawn", CONSENT, [at(-5, **GIVEN), opened, at(9, **TAKEN)], "withdrawn", None),
    ("consent stood, nothing settled: missing", CONSENT, [at(-5, **GIVEN), opened], "broken", "missing"),
    (
        "consent to something else is none",
        CONSENT,
        [at(-5, touchpoint="consent.given", consent="study"), opened],
        "withdrawn",
        None,
    ),
    (
        "unnamed patterns skip internal",
        {"then": {"topic": "card"}, "within": "10 minutes"},
        [opened, at(5, topic="card", direction="internal")],
        "broken",
        "missing",
    ),
    (
        "a pattern that names direction sees internal",
        {"then": {"direction": "internal"}, "within": "10 minutes"},
        [opened, at(5, direction="internal")],
        "kept",
        None,
    ),
    (
        "empty fields match nothing",
        {"then": {"topic": {"not": "card"}}, "within": "10 minutes"},
        [opened, at(5, touchpoint="x")],
        "broken",
        "missing",
    ),
    (
        "exists false matches an empty field",
        {"then": {"topic": {"exists": False}}, "within": "10 minutes"},
        [opened, at(5, touchpoint="x")],
        "kept",
        None,
    ),
    (
        "a list is any of",
        {"then": {"touchpoint": ["a", "answered"]}, "within": "10 minutes"},
        [opened, at(5, touchpoint="answered")],
        "kept",
        None,
    ),
    (
        "a tail wildcard",
        {"then": {"touchpoint": "card.*"}, "within": "10 minutes"},
        [opened, at(5, touchpoint="card.blocked.now")],
        "kept",
        None,
    ),
    (
        "the wildcard needs a tail",
        {"then": {"touchpoint": "card.*"}, "within": "10 minutes"},
        [opened, at(5, touchpoint="card")],
        "broken",
        "missing",
    ),
    (
        "numbers between",
        {"then": {"score": {"at_least": 5, "below": 10}}, "within": "10 minutes"},
        [opened, at(5, score=10.0), at(6, score=5.0)],
        "kept",
        None,
    ),
    (
        "numbers outside",
        {"then": {"score": {"above": 5, "at_most": 9}}, "within": "10 minutes"},
        [opened, at(5, score=5.0), at(6, score=9.5)],
        "broken",
        "missing",
    ),
    (
        "properties hold the rest",
        {"then": {"properties.amount": {"at_least": 100}}, "within": "10 minutes"},
        [opened, at(5, properties={"amount": 100.0})],
        "kept",
        None,
    ),
    (
        "any of several patterns",
        {
            "then": {"any": [{"touchpoint": "a"}, {"touchpoint": "answered", "channel": "phone"}]},
            "within": "10 minutes",
        },
        [opened, at(5, touchpoint="answered", channel="phone")],
        "kept",
        None,
    ),
    (
        "text exists",
        {"then": {"text": {"exists": True}}, "within": "10 minutes"},
        [opened, at(5, text="hello")],
        "kept",
        None,
    ),
    (
        "another person does not touch",
        THEN,
        [opened, {"person": 2, "minutes": 5, "touchpoint": "answered"}],
        "broken",
        "missing",
    ),
]


@pytest.mark.parametrize(("sentence", "promise", "rows", "verdict", "breach"), CASES, ids=[case[0] for case in CASES])
def test_sentence(
    sentence: str, promise: dict[str, Any], rows: list[dict[str, Any]], verdict: str, breach: str | None
) -> None:
    found = one(promise, *rows)
    assert (found["verdict"], found["breach"]) == (verdict, breach), sentence


def test_until_it_is_known_it_waits() -> None:
    assert one(THEN, opened, as_of=9)["verdict"] == "waiting"
    assert one(THEN, opened, as_of=10)["verdict"] == "broken"
    assert one(NEVER, opened, as_of=9.9)["verdict"] == "waiting"
    assert one({**THEN, **ONCE}, opened, at(1, touchpoint="answered"), as_of=9)["verdict"] == "waiting"


def test_interactions_later_than_as_of_do_not_exist() -> None:
    found = one(THEN, opened, at(20, touchpoint="answered"), as_of=15)
    assert found["breach"] == "missing"
    assert found["settled_at"] is None


def test_every_matching_interaction_opens_its_own_instance() -> None:
    found = judged(THEN, opened, at(0, touchpoint="asked"), at(3, touchpoint="asked"), at(5, touchpoint="answered"))
    assert [row["verdict"] for row in found] == ["kept"] * 3
    assert {row["settling_id"] for row in found} == {4}


def test_an_interaction_without_any_handle_opens_nothing_and_is_counted_beside() -> None:
    body = {"map": "m", "promises": [{"promise": "p", "when": {"touchpoint": "asked"}, **THEN}]}
    log = [{"id": 1, "occurred_at": 0, "touchpoint": "asked"}, {"id": 2, "occurred_at": DAY, "touchpoint": "asked"}]
    found = judge(snapshot_from_rows(log), [load_map(json.dumps(body), "m")], 0)
    assert (len(found), found.unknown) == (0, (1,))


def test_of_equals_the_lowest_id_is_the_evidence() -> None:
    found = one(THEN, opened, at(5, touchpoint="answered", id=90), at(5, touchpoint="answered", id=40))
    assert found["settling_id"] == 40


SAME = {**THEN, "same": "case"}


@pytest.mark.parametrize(
    ("opening", "answer", "verdict"),
    [
        ({"case": "a"}, {"case": "a"}, "kept"),
        ({"case": "a"}, {"case": "b"}, "broken"),
        ({"case": "a"}, {}, "broken"),
        ({}, {"case": "b"}, "kept"),
        ({}, {}, "kept"),
    ],
    ids=["keys equal", "keys differ", "answer without key", "opening without key takes any", "no keys at all"],
)
def test_with_same_keys_must_be_equal(opening: dict[str, Any], answer: dict[str, Any], verdict: str) -> None:
    assert one(SAME, {**opened, **opening}, at(5, touchpoint="answered", **answer))["verdict"] == verdict


def test_lateness_is_recorded_in_seconds_also_beside_a_wrong_channel() -> None:
    late = one(THEN, opened, at(12.5, touchpoint="answered"))
    assert (late["lateness_seconds"], late["settling_id"], late["breaking_id"]) == (150, 2, 2)
    wrong = one(
        BY_PHONE, opened, at(5, touchpoint="answered", channel="sms"), at(30, touchpoint="answered", channel="phone")
    )
    assert (wrong["breaking_id"], wrong["settling_id"], wrong["lateness_seconds"]) == (2, 3, 1200)


def test_each_kind_of_breach_once_with_its_first_moment_and_the_earliest_names_it() -> None:
    promise = {**THEN, **ONCE, "never": {"touchpoint": "nagged"}}
    found = one(
        promise, opened, at(3, touchpoint="asked.again"), at(3, touchpoint="nagged"), at(4, touchpoint="nagged")
    )
    moments = [(kind, (moment - MONDAY_NOON) // MINUTE) for kind, moment in found["breaches"]]
    assert moments == [("forbidden", 3), ("repeated", 3), ("missing", 10)]
    assert (found["breach"], found["breaking_id"]) == ("forbidden", 3)


def test_made_good_stays_broken_and_is_made_good() -> None:
    found = one(MENDED, opened, at(30, touchpoint="called"))
    assert (found["verdict"], found["made_good_id"]) == ("broken", 2)
    assert one(MENDED, opened, at(70, touchpoint="called"))["made_good_id"] == 2
    assert one(MENDED, opened, at(70.01, touchpoint="called"))["made_good_id"] is None
    assert one(MENDED, opened, at(9, touchpoint="called"))["made_good_id"] is None


def test_the_breaking_interaction_does_not_make_itself_good() -> None:
    promise = {**NEVER, "if_broken": {"then": {"touchpoint": "nagged"}, "within": "1 hour"}}
    assert one(promise, opened, at(1, touchpoint="nagged"))["made_good_id"] is None
    assert one(promise, opened, at(1, touchpoint="nagged"), at(1, touchpoint="nagged"))["made_good_id"] == 3


def test_withdrawn_rows_have_no_due() -> None:
    found = one({**THEN, "unless": {"touchpoint": "never.mind"}}, opened, at(5, touchpoint="never.mind"))
    assert found["due_at"] is None


def test_per_channel_one_not_listed_takes_the_latest() -> None:
    promise = {"then": {"touchpoint": "answered"}, "within": {"phone": "2 minutes", "email": "4 hours"}}
    for channel, minutes in (("phone", 2), ("email", 240), ("fax", 240), (None, 240)):
        found = one(promise, at(0, touchpoint="asked", channel=channel))
        assert found["due_at"] == MONDAY_NOON + minutes * MINUTE


def test_working_hours_and_working_days() -> None:
    hours = one({"then": {"touchpoint": "answered"}, "within": "8 working hours"}, opened)
    assert hours["due_at"] == MONDAY_NOON + DAY  # five hours today, three tomorrow
    friday = one({"then": {"touchpoint": "answered"}, "within": "1 working day"}, at(4 * 1440, touchpoint="asked"))
    assert friday["due_at"] == MONDAY_NOON + 7 * DAY + 5 * HOUR  # the close of Monday
    closing = one({"then": {"touchpoint": "answered"}, "within": "5 working hours"}, opened)
    assert closing["due_at"] == MONDAY_NOON + 5 * HOUR  # the earliest moment, not the next morning


def test_without_within_the_due_is_the_window_or_the_journeys_end() -> None:
    assert one(ONCE, opened)["due_at"] == MONDAY_NOON + 10 * MINUTE
    answer = {"then": {"touchpoint": "answered"}}
    assert one(answer, opened)["due_at"] == MONDAY_NOON + DAY
    ended = one(answer, opened, at(7, touchpoint="bye"), at(9, touchpoint="answered"), ends={"touchpoint": "bye"})
    assert (ended["due_at"], ended["breach"]) == (MONDAY_NOON + 7 * MINUTE, "late")


def test_a_touch_lets_the_journey_go_on_and_an_end_never_shortens_a_within() -> None:
    answer = {"then": {"touchpoint": "answered"}, "unless": {"touchpoint": "never.mind"}}
    touched = one(
        answer, opened, at(1440, touchpoint="asked.not"), at(1000, touchpoint="bye"), ends={"touchpoint": "x"}
    )
    assert touched["due_at"] == MONDAY_NOON + DAY
    extended = one(answer, opened, at(1440, touchpoint="begun"), begins={"touchpoint": "begun"})
    assert extended["due_at"] == MONDAY_NOON + 2 * DAY
    assert one(THEN, opened, at(5, touchpoint="bye"), ends={"touchpoint": "bye"})["due_at"] == MONDAY_NOON + 10 * MINUTE


def test_the_journey_of_a_row_is_the_first_interaction_of_its_journey() -> None:
    rows = (at(-10, touchpoint="begun"), opened, at(5000, touchpoint="begun"), at(5001, touchpoint="asked"))
    found = judged(THEN, *rows, begins={"touchpoint": "begun"})
    assert [row["journey"] for row in found] == [1, 3]
    assert one(THEN, opened, begins={"touchpoint": "begun"})["journey"] == 0


def test_for_is_asked_of_the_opening_of_map_and_promise() -> None:
    gold = at(0, touchpoint="asked", product="gold", channel="web")
    assert len(judged({**THEN, "for": {"product": "gold"}}, gold, opened)) == 1
    assert len(judged({**THEN, "for": {"channel": "app"}}, gold, **{"for": {"product": "gold"}})) == 0


def test_the_version_in_force_when_it_opened_judges_it_for_ever() -> None:
    def version(minutes: int) -> Any:
        body = {
            "map": "m",
            "promises": [{"promise": "p", "when": {"touchpoint": "asked"}, **THEN, "within": f"{minutes} minutes"}],
        }
        return load_map(json.dumps(body), "m")

    versions = in_order([(50 * MINUTE, version(10)), (100 * MINUTE, version(20))])
    log = [{"id": i, "person": 1, "occurred_at": i * 90 * MINUTE, "touchpoint": "asked"} for i in (0, 1, 2)]
    found = sorted(judge(snapshot_from_rows(log), versions, 10 * DAY).rows(), key=lambda row: row["opened_at"])
    assert [row["map_version"] for row in found] == [1, 1, 2]
    assert [(row["due_at"] - row["opened_at"]) // MINUTE for row in found] == [10, 10, 20]


def test_only_the_people_asked_for_are_judged() -> None:
    body = {"map": "m", "promises": [{"promise": "p", "when": {"touchpoint": "asked"}, **THEN}]}
    log = [{"person": person, "occurred_at": 0, "touchpoint": "asked"} for person in range(1, 9)]
    found = judge(snapshot_from_rows(log, bucket_count=4), [load_map(json.dumps(body), "m")], DAY, people=[3, 5, 99])
    assert sorted(row["person"] for row in found.rows()) == [3, 5]


def test_one_person_with_many_openings_is_judged_by_the_lists() -> None:
    rows = [at(minute, touchpoint="asked", case=f"c{minute % 7}", id=minute + 1) for minute in range(60)]
    rows += [
        at(minute + 7, touchpoint="answered", case=f"c{minute % 7}", id=1000 + minute) for minute in range(0, 60, 2)
    ]
    found = judged(SAME, *rows)
    answers = {minute + 7: f"c{minute % 7}" for minute in range(0, 60, 2)}
    for row in found:
        minute = row["opening_id"] - 1
        first = min(m for m in [*answers, 10**9] if m == 10**9 or (m >= minute and answers[m] == f"c{minute % 7}"))
        assert row["verdict"] == ("kept" if first - minute <= 10 else "broken")
