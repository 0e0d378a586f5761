"""Whatever anybody sends: never an exception, the same keys again, and no row that depends on its neighbours."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as some

from desireline.intake.dialects import Message, Refused, content_of, edited, read, rows_of
from faults.forms import how_many
from faults.json_mutator import NAMES, VALUES
from faults.what_holds import SECRET, check_rows, checked, known_dialects, request

FEW, MANY = 120, 5_000
scalars = some.one_of(
    some.none(), some.booleans(), some.integers(-(2**70), 2**70), some.floats(), some.text(max_size=20),
    some.sampled_from(VALUES)
)  # fmt: skip
trees = some.recursive(
    scalars,
    lambda inner: some.one_of(
        some.lists(inner, max_size=4),
        some.dictionaries(some.one_of(some.sampled_from(NAMES), some.text(max_size=5)), inner),
    ),
    max_leaves=25,
)
events = some.fixed_dictionaries(
    {"type": some.sampled_from(["track", "identify", "page", "alias", "group", "screen"]),
    "event": some.sampled_from(VALUES)},
    optional={
        "userId": scalars, "anonymousId": scalars, "previousId": scalars, "messageId": scalars, "timestamp": scalars,
        "sentAt": scalars, "context": trees, "traits": trees, "properties": trees, "distinct_id": scalars,
        "uuid": scalars,
        "specversion": some.just("1.0"), "id": some.just("1"), "source": some.just("/s"), "subject": scalars,
        "data": trees,
    },
)  # fmt: skip
dialects = some.sampled_from(known_dialects())
paths = some.sampled_from(["/v1/batch", "/v1/t", "/v1/page", "/batch/", "/events", "/"])


@settings(max_examples=how_many(FEW, MANY), deadline=None)
@given(some.binary(max_size=300), dialects, paths, some.sampled_from(["GET", "POST"]), some.text(max_size=60))
def test_any_bytes_give_messages_or_a_problem(body, dialect, path, method, query):
    checked(request(body, dialect, path=path, method=method, query=query))


@settings(max_examples=how_many(FEW, MANY), deadline=None)
@given(trees, dialects, paths)
def test_any_json_gives_messages_or_a_problem(tree, dialect, path):
    checked(request(tree, dialect, path=path))


@settings(max_examples=how_many(FEW, MANY), deadline=None)
@given(some.lists(events, max_size=4), dialects)
def test_anything_like_an_event_gives_rows_that_fit_or_a_reason(batch, dialect):
    checked(request({"batch": batch} if dialect != "cloudevents" else batch, dialect))


@settings(max_examples=how_many(FEW, MANY), deadline=None)
@given(some.dictionaries(some.sampled_from(NAMES), trees), some.sampled_from(["segment", "posthog", "cloudevents"]))
def test_a_message_mended_by_hand_is_taken_or_refused_whatever_stands_in_it(tree, dialect):
    received = request(b"{}", dialect)
    told = edited(received, 3, json.dumps(tree).encode())
    if isinstance(told, Message):
        assert told.position == 3
        check_rows(told, received)


@settings(max_examples=how_many(FEW, MANY), deadline=None)
@given(some.lists(events, min_size=2, max_size=5), some.randoms(use_true_random=False))
def test_the_order_of_a_batch_is_of_no_matter_to_its_rows(batch, chance):
    batch = [{**event, "messageId": f"m-{number}"} for number, event in enumerate(batch)]
    turned = list(batch)
    chance.shuffle(turned)
    assert _rows_by_key(batch) == _rows_by_key(turned)


def _rows_by_key(batch: list[Any]) -> dict[str, Any]:
    received = request({"batch": batch})
    found: dict[str, Any] = {}
    for message in read(received).messages:
        if message.refused:
            found[str(message.key)] = message.refused
            continue
        try:
            rows = rows_of(message, received, SECRET)
        except Refused as refused:
            found[str(message.key)] = str(refused)
            continue
        found[str(message.key)] = [{**row, "raw": None} for row in rows]
    return found


@settings(max_examples=how_many(FEW, MANY), deadline=None)
@given(some.lists(events, max_size=4), some.integers(10**12, 2 * 10**12), some.integers(10**12, 2 * 10**12))
def test_a_retry_tells_the_same_keys_and_the_same_content(batch, first_sent, second_sent):
    batch = [{name: value for name, value in event.items() if name != "sentAt"} for event in batch]
    first = read(request({"batch": batch, "sentAt": first_sent}))
    retry = read(request({"batch": batch, "sentAt": second_sent}, sequence=8))
    assert [message.key for message in first.messages] == [message.key for message in retry.messages]
    assert [content_of(message) for message in first.messages] == [content_of(message) for message in retry.messages]


@settings(max_examples=how_many(FEW, MANY), deadline=None)
@given(events)
def test_fast_and_careful_reading_tell_the_same(event):
    clean = json.loads(json.dumps(event), parse_constant=lambda word: None)
    fast = read(request({"batch": [clean]}))
    careful = read(request({"batch": [clean, {"type": "track", "event": "x", "twice": float("nan")}]}))
    assert careful.messages[0] == fast.messages[0]
