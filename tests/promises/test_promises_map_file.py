"""What a map file may get wrong, and what it is told: line, column, the nearest known word, all mistakes at once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from desireline.promises import load_map, load_maps, pattern_of
from desireline.promises.maps import Map
from desireline.promises.shape import schema
from desireline.storage.documents import Document
from desireline.vocabulary.errors import DesirelineError
from desireline.vocabulary.interaction import KEY_NAMES, PATTERN_NAMES

GOOD = """\
map: lost-card
says: Whoever loses a card is safe at once.
for: everyone
owner: cards
calendar: office
valid_from: 2026-01-31
begins: {touchpoint: card.reported_lost}
ends: {touchpoint: card.first_use}
quiet_after: 60 days
phases:
  - phase: Alarm
    sale: after
    steps:
      - step: report
        touchpoint: card.reported_lost
        channel: [phone, app]
        control: owned
        needs: Feel safe
        feels: -2
        front: App
        back: Fraud team
        system: core
        owner: operations
        outcome: {customer: safe, company: stopped}
promises:
  - promise: blocked
    at: Alarm/report
    says: Blocked at once.
    for: {product: gold}
    when: {touchpoint: card.reported_lost, score: {at_least: 5, below: 10}}
    then: {touchpoint: card.blocked, channel: [phone, branch]}
    never: {touchpoint: card.blocked, channel: {not: sms}}
    within: {phone: 5 minutes, email: 8 working hours}
    at_most: {count: 0, of: {any: [{direction: inbound}, {topic: card}]}, within: 7 days}
    same: case
    unless: {touchpoint: card.found, asks: true}
    if_broken: {then: {touchpoint: manager.called, properties.amount: {exists: true}}, within: 1 working day}
    consent: offers
    calendar: office
    keep: 99 %
    public: true
    critical: true
"""

MISTAKES: list[tuple[str, str, str, str]] = [
    ("says: Whoever", "syas: Whoever", "unknown word 'syas'", "Did you mean 'says'?"),
    ("map: lost-card", "mapp: lost-card", "lacks 'map'", "Name of the map."),
    ("map: lost-card", "map: 7", "'map' must be a text, not the number 7", ""),
    ("for: everyone", "for: evryone", "'for' does not know 'evryone'", "Did you mean 'everyone'?"),
    ("calendar: office\nvalid", "calendar: ofice\nvalid", "calendar 'ofice' does not exist", "Did you mean 'office'?"),
    ("    calendar: office", "    calendar: night", "calendar 'night' does not exist", "Add it to calendars"),
    ("valid_from: 2026-01-31", "valid_from: soon", "'valid_from' is not a moment", "Write 2026-01-31"),
    (
        "ends: {touchpoint: card.first_use}",
        "ends: card.first_use",
        "a pattern must be 'field: value' pairs",
        "Write {touchpoint",
    ),
    ("quiet_after: 60 days", "quiet_after: 60 dayz", "'dayz' is not a unit of time", "Did you mean 'day"),
    ("quiet_after: 60 days", "quiet_after: 60", "'quiet_after' must be a duration, not the number 60", ""),
    (
        "quiet_after: 60 days",
        "quiet_after: 6 working days",
        "'6 working days' cannot be a quiet time",
        "Write plain days",
    ),
    ("quiet_after: 60 days", "quiet_after: 0 days", "'0 days' cannot be a quiet time", "Write plain days"),
    ("sale: after", "sale: afer", "unknown sale 'afer'", "Did you mean 'after'?"),
    ("control: owned", "control: ownd", "unknown control 'ownd'", "Did you mean 'owned'?"),
    ("feels: -2", "feels: -3", "'feels' must lie between -2 and 2, not -3", ""),
    ("feels: -2", "feels: sad", "'feels' must be a whole number, not the text 'sad'", ""),
    ("outcome: {customer", "outcome: {custumer", "unknown word 'custumer'", "Did you mean 'customer'?"),
    (
        "        channel: [phone, app]",
        "        channel: [phone, 7]",
        "'channel' holds a text and is compared with the number 7",
        "",
    ),
    ("- step: report", "- stepp: report", "a step lacks 'step'", "Name of the step"),
    ("- phase: Alarm", "- phase: ''", "'phase' is empty", ""),
    ("steps:\n", "steps: none\n    xsteps:\n", "'steps' must be a list, not the text 'none'", ""),
    ("at: Alarm/report", "at: Alarm/reprot", "there is no step 'Alarm/reprot'", "Did you mean 'Alarm/report'?"),
    ("at: Alarm/report", "at: Nowhere", "there is no step 'Nowhere'", "Write 'Phase/step'"),
    ("{product: gold}", "{prodct: gold}", "unknown field 'prodct'", "Did you mean 'product'?"),
    (
        "when: {touchpoint: card.reported_lost",
        "when: {touchpiont: card.reported_lost",
        "unknown field 'touchpiont'",
        "Did you mean 'touchpoint'?",
    ),
    ("score: {at_least: 5", "score: {at_lest: 5", "unknown condition 'at_lest'", "Did you mean 'at_least'?"),
    ("score: {at_least: 5", "score: {at_least: five", "'at_least' needs a number, not the text 'five'", ""),
    (
        "score: {at_least: 5, below: 10}",
        "score: high",
        "'score' holds a number and is compared with the text 'high'",
        "",
    ),
    (
        "score: {at_least: 5, below: 10}",
        "topic: {at_least: 5}",
        "'at_least' compares numbers, and 'topic' holds a text",
        "",
    ),
    ("score: {at_least: 5, below: 10}", "score: {}", "'score' has no condition", "Known here: not"),
    (
        "then: {touchpoint: card.blocked, channel: [phone, branch]}",
        "then: {}",
        "an empty pattern matches everything",
        "Name at least one field",
    ),
    ("channel: [phone, branch]", "channel: []", "'channel' has an empty list", "Name at least one value"),
    (
        "channel: [phone, branch]",
        "channel: 12",
        "'channel' holds a text and is compared with the number 12",
        'Write "12" in quotes',
    ),
    ("channel: [phone, branch]", "channel: ", "'channel' needs a value, not nothing", ""),
    ("channel: {not: sms}", "channel: {not: {a: b}}", "'channel' needs a value, not a mapping", ""),
    (
        "touchpoint: card.blocked, channel: {",
        "touchpoint: c*.blocked, channel: {",
        "a wildcard stands only at the end of a touchpoint",
        "Write card.*",
    ),
    ("topic: card}", "topic: card.*}", "a wildcard stands only at the end of a touchpoint", ""),
    ("{phone: 5 minutes", "{phone: 5 mintes", "'mintes' is not a unit of time", "Did you mean 'minutes'?"),
    ("{phone: 5 minutes", "{phone: five minutes", "'five minutes' is not a duration", "Write a number and a unit"),
    ("{phone: 5 minutes", "{phone: 5", "'phone' must be a duration, not the number 5", "Write a number and a unit"),
    ("within: {phone: 5 minutes, email: 8 working hours}", "within: {}", "'within' names no channel", "Write {phone"),
    ("email: 8 working hours", "email: 0 working hours", "'0 working hours' is no working time", "Write at least 1"),
    ("email: 8 working hours", "email: 2 working weeks", "working weeks are not defined", "Write working days"),
    ("count: 0", "count: -1", "'count' must lie between 0 and 1000, not -1", ""),
    ("count: 0, ", "", "'at_most' lacks 'count'", "How many are allowed"),
    ("direction: inbound", "direction: inbund", "unknown direction 'inbund'", "Did you mean 'inbound'?"),
    (
        "any: [{direction: inbound}, {topic: card}]",
        "any: {direction: inbound}",
        "'any' needs a list of patterns",
        "Write any: [{...}",
    ),
    ("same: case", "same: cas", "unknown same 'cas'", "Did you mean 'case'?"),
    ("asks: true", "asks: maybe", "'asks' is true or false and is compared with the text 'maybe'", ""),
    ("asks: true", "text: refund", "'text' can only be asked whether it exists", "Write text: {exists: true}"),
    ("{exists: true}", "{exists: 1}", "'exists' needs true or false, not the number 1", ""),
    ("if_broken: {then:", "if_broken: {than:", "unknown word 'than'", "Did you mean 'then'?"),
    (", within: 1 working day}", "}", "'if_broken' lacks 'within'", "How soon after the breach"),
    ("keep: 99 %", "keep: 0.99", "'keep' must be a text, not the number 0.99", ""),
    ("keep: 99 %", "keep: 99", "'keep' must be a text, not the number 99", ""),
    ("keep: 99 %", "keep: 120 %", "'120 %' is not a share", "Write a percentage"),
    ("public: true", "public: yes", "'public' must be true or false, not the text 'yes'", ""),
    ("critical: true", "critcal: true", "unknown word 'critcal'", "Did you mean 'critical'?"),
    ("promise: blocked", "promise: ''", "'promise' is empty", ""),
    ("promises:\n", "promises:\n  - nothing\n", "a promise must be 'word: value' pairs, not the text 'nothing'", ""),
    (
        "promises:\n",
        "promises:\n  - {promise: idle, when: {topic: x}}\n",
        "promise 'idle' promises nothing",
        "It needs 'then', 'never' or 'at_most'",
    ),
    (
        "promises:\n",
        "promises:\n  - {promise: blocked, when: {topic: x}, then: {topic: y}}\n",
        "promise 'blocked' stands twice",
        "Give one of them another name",
    ),
    (
        "promises:\n",
        "promises:\n  - {promise: x, then: {topic: y}}\n",
        "a promise lacks 'when'",
        "Every such interaction opens",
    ),
    ("phases:\n", "phases:\n  - phase: Alarm\n", "phase 'Alarm' stands twice", "Give one of them another name"),
    ("says: Whoever", "map: again\nsays: Whoever", "cannot be read", ""),
    ("for: everyone", "for: [everyone", "cannot be read", ""),
    ("owner: cards", "owner: !!python/object x", "tag", ""),
]


def load(text: str, **more: Any) -> Map:
    return load_map(text, "lost-card.yaml", ["office"], **more)


def told(text: str, **more: Any) -> list[str]:
    with pytest.raises(DesirelineError) as refused:
        load(text, **more)
    return [str(mistake) for mistake in refused.value.mistakes]


def test_the_good_map_loads_with_everything_it_says() -> None:
    found = load(GOOD)
    promise = found.promise("blocked")
    assert (promise.keep, promise.public, promise.critical, promise.same) == (0.99, True, True, "case")
    assert promise.within and {*promise.within.by_channel} == {"phone", "email"}
    assert (found.quiet_after, found.valid_from) == (60 * 86_400_000, 1_769_817_600_000)
    assert found.steps[0].outcome == {"customer": "safe", "company": "stopped"}
    assert found.places["blocked"] == (26, 5)


@pytest.mark.parametrize(("good", "bad", "what", "do"), MISTAKES, ids=[f"{n:02}" for n in range(len(MISTAKES))])
def test_a_mistake_says_where_what_and_what_to_do(good: str, bad: str, what: str, do: str) -> None:
    assert GOOD.count(good) >= 1
    text = GOOD.replace(good, bad, 1)
    messages = told(text)
    fitting = [message for message in messages if what in message and do in message]
    assert fitting, messages
    place = re.match(r"lost-card\.yaml line (\d+), column (\d+): ", fitting[0])
    if place is None:
        assert "cannot be read" in fitting[0] or "tag" in fitting[0]
        return
    touched = {number for number, line in enumerate(text.splitlines(), 1) if line not in GOOD.splitlines()}
    first = text[: text.index(bad)].count("\n") + 1 if bad else 0
    elsewhere = ("stands twice", "lacks", "cannot be read")
    assert int(place[1]) in touched | {1, first} or any(word in what for word in elsewhere)


def test_the_list_of_mistakes_is_long_enough_and_every_one_is_different() -> None:
    assert len({(good, bad) for good, bad, _, _ in MISTAKES}) == len(MISTAKES) >= 40


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    text = GOOD.replace("says: Whoever", "syas: Whoever").replace("same: case", "same: cas").replace("99 %", "200 %")
    messages = told(text)
    assert len(messages) == 3
    lines = [int(message.split(" line ")[1].split(",")[0]) for message in messages]
    assert lines == sorted(lines) == [2, 35, 40]


def test_line_and_column_point_at_the_word() -> None:
    assert told(GOOD.replace("channel: [phone, branch]", "chanel: [phone, branch]"))[0] == (
        "lost-card.yaml line 31, column 38: unknown field 'chanel'. Did you mean 'channel'?"
    )


def test_a_promise_without_any_end_is_refused() -> None:
    text = "map: m\npromises:\n- {promise: p, when: {topic: a}, then: {topic: b}}\n"
    assert "promise 'p' has no end. Give it 'within', or the map 'quiet_after'." in told(text)[0]
    assert load(text.replace("promises:", "quiet_after: 1 day\npromises:")).promises
    assert load(text.replace("then:", "within: 1 day, then:")).promises


def test_an_at_most_with_its_own_window_needs_no_other_end() -> None:
    text = "map: m\npromises:\n- {promise: p, when: {topic: a}, at_most: {count: 0, of: {topic: a}, within: 1 day}}\n"
    assert load(text).promises[0].at_most


def test_working_time_without_a_calendar_is_refused() -> None:
    text = "map: m\npromises:\n- {promise: p, when: {topic: a}, then: {topic: b}, within: 1 working day}\n"
    with pytest.raises(DesirelineError, match="counts working time, and no calendar is named"):
        load_map(text, "m.yaml", [])
    assert load_map(text, "m.yaml", ["a", "b"], project_calendar="b").promises[0].calendar == "b"
    assert load_map(text, "m.yaml", ["only"]).promises[0].calendar == "only"


def test_then_without_same_is_warned_where_others_have_a_key() -> None:
    text = GOOD + "  - {promise: other, when: {topic: a}, then: {topic: b}, within: 1 day}\n"
    assert [str(each) for each in load(text).warnings] == [
        "lost-card.yaml line 43, column 5: promise 'other' has 'then' without 'same', and people can have several at"
        " once. Add 'same: case' if an answer to another one must not count."
    ]
    assert load(GOOD).warnings == ()


def test_bombs_and_monsters_are_refused_quickly() -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n"
    for here, before in zip("bcdefgh", "abcdefg", strict=True):
        bomb += f"{here}: &{here} [{', '.join(['*' + before] * 9)}]\n"
    assert "more than" in told(bomb)[0]
    assert "deep" in told("map: " + "[" * 60 + "]" * 60)[0]
    assert "larger than" in told("map: m\nsays: " + "x" * 1_100_000)[0]
    assert "is not a map" in told("- just\n- a list\n")[0]
    assert "is not a map" in told("")[0]


def test_a_pattern_with_too_many_alternatives_is_refused() -> None:
    inner = ", ".join(f"{{topic: t{number}}}" for number in range(70))
    assert "more than 64 alternatives" in told(GOOD.replace("{direction: inbound}, {topic: card}", inner))[0]


def test_a_folder_tells_the_mistakes_of_all_its_files(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD)
    (tmp_path / "b.yaml").write_text(GOOD.replace("keep: 99 %", "keep: 1000 %"))
    (tmp_path / "c.yaml").write_text(GOOD)
    (tmp_path / "d.yml").write_bytes(b"map: \xff\xfe")
    with pytest.raises(DesirelineError) as refused:
        load_maps(tmp_path, ["office"])
    messages = [str(each) for each in refused.value.mistakes]
    assert len(messages) == 3
    assert "map 'lost-card' stands in a.yaml too" in messages[1]
    assert "d.yml: is not UTF-8 text" in messages[2]
    for name in ("b.yaml", "c.yaml", "d.yml"):
        (tmp_path / name).unlink()
    assert [each.name for each in load_maps(tmp_path, ["office"])] == ["lost-card"]


def test_a_pattern_of_plain_words_tells_its_mistakes_too() -> None:
    with pytest.raises(DesirelineError, match="unknown field 'chanel'"):
        pattern_of({"chanel": "phone"})


# ------------------------------------------------------------------------------------------------ the schema


def plain(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text.replace("valid_from: 2026-01-31", "valid_from: '2026-01-31'"))


def test_the_schema_accepts_the_good_map_and_the_maps_of_the_package() -> None:
    Draft202012Validator.check_schema(schema())
    validator = Draft202012Validator(schema())
    assert list(validator.iter_errors(plain(GOOD))) == []
    for path in sorted(Path(__file__).parents[2].glob("examples/*/maps/*.yaml")):
        assert list(validator.iter_errors(plain(path.read_text()))) == [], path
        load_map(path.read_text(), path.name, ["office"])


def test_the_schema_refuses_most_of_what_the_reader_refuses() -> None:
    validator = Draft202012Validator(schema())
    refused = 0
    for good, bad, what, _ in MISTAKES:
        if "cannot be read" in what or what == "tag":
            continue
        refused += not validator.is_valid(plain(GOOD.replace(good, bad, 1)))
    assert refused >= 40


def test_the_schema_documents_every_word() -> None:
    def undocumented(node: Any, path: str) -> list[str]:
        found = []
        for word, rule in node.get("properties", {}).items():
            if "description" not in rule:
                found.append(f"{path}/{word}")
        for word, inner in node.items():
            for each in inner if isinstance(inner, list) else [inner]:
                if isinstance(each, dict):
                    found += undocumented(each, f"{path}/{word}")
        return found

    assert undocumented(schema(), "") == []


def test_the_schema_knows_every_field_and_every_key() -> None:
    pattern = schema()["$defs"]["pattern"]["properties"]
    assert {*pattern} == {*PATTERN_NAMES, "any"}
    assert schema()["properties"]["promises"]["items"]["properties"]["same"]["enum"] == list(KEY_NAMES)


def test_a_word_in_the_schema_is_a_word_of_the_reader() -> None:
    promise = schema()["properties"]["promises"]["items"]["properties"]
    body = plain(GOOD)["promises"][0]
    assert {*promise} == {*body}, "the good map must use every word of a promise"
    assert {*schema()["properties"]} == {*Document(text=GOOD, name="good").body}
