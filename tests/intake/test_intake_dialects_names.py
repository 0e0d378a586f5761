"""Names of events as touchpoints, words of fields as columns, shapes that drift, dialects that are registered."""

from __future__ import annotations

import doctest
import importlib
import json
import re
import tomllib
from pathlib import Path

import pytest

from desireline.intake.dialects import BUILT_IN, DIALECTS, GROUP, Dialect, Problem, Received, read
from desireline.intake.dialects.drift import MOST_EVENT_NAMES, MOST_PROPERTIES, OTHER, Shapes, told_of
from desireline.intake.dialects.fields import USUAL_NAMES
from desireline.intake.dialects.names import touchpoint_of
from desireline.intake.dialects.posthog import TOUCHPOINTS
from desireline.intake.dialects.received import Message
from desireline.intake.dialects.reserved import FIELD_WORDS
from desireline.intake.recipes import TAKEN_FIELDS


@pytest.mark.parametrize(
    ("name", "touchpoint"),
    [
        ("Order Completed", "order.completed"),
        ("order_completed", "order.completed"),
        ("orderCompleted", "order.completed"),
        ("ORDER-COMPLETED", "order.completed"),
        ("Product List Viewed", "product_list.viewed"),
        ("Email Sent", "email.sent"),
        ("Added to Cart", "added_to_cart"),
        ("Signed Up", "signed_up"),
        ("Completed", "completed"),
        ("card.reported_lost", "card.reported_lost"),
        ("A.B.C", "A.B.C"),
        ("End. Of", "end_of"),
        ("Kündigung bestätigt", "kündigung_bestätigt"),
        ("Don't Know", "dont_know"),
        (" 💥 ", "💥"),
    ],
)
def test_an_events_name_becomes_a_touchpoint_by_one_rule(name, touchpoint):
    assert touchpoint_of(name) == touchpoint
    assert touchpoint_of(touchpoint) == touchpoint


@pytest.mark.parametrize("module", ["received", "fields", "handles_said", "moments", "names", "cloudevents", "drift"])
def test_examples_in_the_docstrings_run(module):
    found = doctest.testmod(importlib.import_module(f"desireline.intake.dialects.{module}"))
    assert found.attempted > 0
    assert found.failed == 0


def test_live_events_and_files_know_the_same_fields():
    assert set(FIELD_WORDS) == set(TAKEN_FIELDS)


def test_built_in_dialects_are_registered_as_a_strangers_would_be():
    project = tomllib.loads(Path(__file__).resolve().parents[2].joinpath("pyproject.toml").read_text())["project"]
    assert project["entry-points"][GROUP] == BUILT_IN
    assert set(BUILT_IN) <= set(DIALECTS)
    assert len(DIALECTS) >= len(BUILT_IN)
    for name in ("segment", "posthog", "cloudevents"):
        assert isinstance(DIALECTS[name], Dialect)
        assert DIALECTS[name].name == name


def test_an_unknown_dialect_is_a_problem_and_no_crash():
    told = read(Received(1, 0, "s", "smoke signals", "POST", "/", "", {}, b"{}"))
    assert told.problem == Problem(400, "dialect.unknown", "No dialect is called 'smoke signals'.")


def test_drift_tells_a_new_event_a_new_property_another_kind_and_a_new_name():
    shapes = Shapes()
    assert [drift.change for drift in shapes.learn("paid", {"total": 3, "order_id": "A"})] == ["new_event"]
    for _ in range(30):
        assert shapes.learn("paid", {"total": 3, "order_id": "A"}) == ()
    (changed,) = shapes.learn("paid", {"total": "3", "order_id": "A"})
    assert (changed.change, changed.was, changed.now, changed.sample) == ("changed_kind", "number", "text", "3")
    assert shapes.learn("paid", {"total": "3", "order_id": "A"}) == ()
    (renamed,) = shapes.learn("paid", {"total": 3, "orderId": "A"})
    assert (renamed.change, renamed.was, renamed.now) == ("renamed", "order_id", "orderId")
    (new,) = shapes.learn("paid", {"total": 3, "order_id": "A", "gift": True, "note": None})
    assert (new.change, new.name, new.now) == ("new_property", "gift", "yes_no")
    again = Shapes.from_json(json.loads(json.dumps(shapes.as_json())))
    assert again.as_json() == shapes.as_json()
    assert again.learn("paid", {"gift": False}) == ()


def test_drift_remembers_so_many_names_and_no_more():
    shapes = Shapes()
    for number in range(MOST_PROPERTIES + 50):
        shapes.learn("e", {f"p{number}": 1})
    assert len(shapes.by_event["e"].properties) == MOST_PROPERTIES + 1
    assert shapes.by_event["e"].properties[OTHER] == (50, ("number",))
    for number in range(MOST_EVENT_NAMES + 50):
        shapes.learn(f"e{number}", {})
    assert len(shapes.by_event) == MOST_EVENT_NAMES + 1
    assert shapes.by_event[OTHER].seen == 51


def test_drift_looks_at_the_clients_own_properties():
    assert told_of(Message(0, None, {"event": "$pageview", "properties": {"$lib": "web", "a": 1}})) == (
        "$pageview",
        {"a": 1},
    )
    assert told_of(Message(0, None, {"type": "identify", "traits": {"plan": "a"}})) == ("identify", {"plan": "a"})
    assert told_of(Message(0, None, {})) == ("", {})


def test_every_code_and_every_usual_name_stands_in_the_manual():
    root = Path(__file__).resolve().parents[2]
    manual = root.joinpath("docs", "reference", "dialects.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"`([a-z0-9_.]+)`", manual))
    folder = root / "src" / "desireline" / "intake" / "dialects"
    ours = ("__init__", "body", "json_text", "segment", "posthog", "cloudevents", "reserved", "protected", "rows")
    source = "".join((folder / f"{name}.py").read_text(encoding="utf-8") for name in ours)
    codes = set(re.findall(r'"([a-z]+\.[a-z0-9_]+)(?:: |",\s)', source))
    assert len(codes) > 30
    assert codes - documented - set(TOUCHPOINTS.values()) == set()
    assert {name for names in USUAL_NAMES.values() for name in names} - documented == set()
