"""CloudEvents in its three ways over HTTP."""

from __future__ import annotations

import json
from typing import Any

import pytest

from desireline.intake.dialects import read, rows_of
from faults.what_holds import NOW, SECRET, checked, request

EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "e-1",
    "source": "/crm/desk",
    "type": "ticket.opened",
    "subject": "42",
    "time": "2026-11-22T19:00:00Z",
    "datacontenttype": "application/json",
    "data": {"ticket_id": "T-1", "topic": "card", "desireline": {"asks": True, "channel": "phone"}},
}
HEADERS = {
    "ce-specversion": "1.0",
    "ce-id": "e-1",
    "ce-source": "/crm/desk",
    "ce-type": "ticket.opened",
    "ce-subject": "42",
    "ce-time": "2026-11-22T19:00:00Z",
    "content-type": "application/json",
}


def rows(body: Any, headers: dict[str, str]) -> list[dict[str, Any]]:
    received = request(body, "cloudevents", path="/events", headers=headers)
    told, _ = checked(received)
    assert told.problem is None
    return [row for message in told.messages for row in rows_of(message, received, SECRET)]


def test_structured_binary_and_batched_tell_the_same_interaction():
    structured = rows(EVENT, {"content-type": "application/cloudevents+json"})
    batched = rows([EVENT], {"content-type": "application/cloudevents-batch+json"})
    binary = rows(EVENT["data"], HEADERS)
    for (row,) in (structured, batched, binary):
        assert (row["touchpoint"], row["handles"], row["channel"]) == ("ticket.opened", ["customer:42"], "phone")
        assert (row["about_case"], row["topic"], row["asks"]) == ("T-1", "card", True)
        assert (row["source_key"], row["occurred_at"]) == ("/crm/desk e-1", NOW - 20 * 60_000 - 36_000)


def test_a_structured_event_may_repeat_its_attributes_in_headers():
    for kind, body in (
        ("application/cloudevents+json; charset=utf-8", EVENT),
        ("application/cloudevents-batch+json", [EVENT]),
    ):
        (row,) = rows(body, {**HEADERS, "content-type": kind})
        assert (row["about_case"], row["topic"], row["asks"]) == ("T-1", "card", True)


@pytest.mark.parametrize(
    ("written", "handle"),
    [
        ("Euro%20%E2%82%AC", "customer:Euro €"),
        ('"C 42"', "customer:C 42"),
        (r'"C \"42\" \\"', 'customer:C "42" \\'),
        ("C%2042%", "customer:C 42%"),
    ],
)
def test_attributes_in_headers_are_unquoted_and_unescaped(written, handle):
    (row,) = rows({}, {**HEADERS, "ce-subject": written})
    assert row["handles"] == [handle]


@pytest.mark.parametrize("body", [b'1,"data":2', b'{"a":1},"b":{"c":2}', b'{"a":1}}', b"1 2", b"{} {}"])
def test_a_body_of_more_than_one_value_is_no_json(body):
    told = read(request(body, "cloudevents", headers=HEADERS))
    assert told.problem is not None
    assert (told.problem.status, told.problem.code) == (400, "json.malformed")


@pytest.mark.parametrize(
    ("subject", "handles"),
    [
        ("email:Anna@Example.org", ["email:anna@example.org"]),
        ("cookie:c-1", ["cookie:c-1"]),
        ("a:b", ["customer:a:b"]),
        ("anna@example.org", ["customer:anna@example.org", "email:anna@example.org"]),
        ("undefined", None),
        (None, None),
    ],
)
def test_the_subject_is_the_customer_or_the_handle_it_says(subject, handles):
    (row,) = rows({**EVENT, "subject": subject}, {})
    assert row["handles"] == handles


def test_binary_text_is_the_words_and_other_bytes_are_only_counted():
    (row,) = rows("Grüße".encode(), {**HEADERS, "content-type": "text/plain"})
    assert row["text"] == "Grüße"
    (row,) = rows(b"\x00\x01", {**HEADERS, "content-type": "application/octet-stream"})
    assert json.loads(row["properties"])["bytes"] == 2


def test_an_event_without_its_attributes_is_refused_and_another_format_is_not_read():
    told, _ = checked(request([{**EVENT, "id": None}, {**EVENT, "specversion": "2.0"}, EVENT], "cloudevents"))
    codes = [message.refused.partition(":")[0] for message in told.messages]
    assert codes == ["cloudevents.missing", "cloudevents.specversion", ""]
    for kind in ("+xml", "+yaml; charset=utf-8", "-batch+avro", "+json2"):
        for more in ({}, HEADERS):
            headers = {**more, "content-type": f"Application/CloudEvents{kind}"}
            told = read(request(json.dumps(EVENT).encode(), "cloudevents", headers=headers))
            assert told.problem is not None
            assert (told.problem.status, told.problem.code) == (415, "cloudevents.format")
