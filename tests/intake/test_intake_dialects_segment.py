"""Segment and RudderStack messages as their clients send them, and the interactions they become."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any
from urllib.parse import quote

import pytest

from desireline.intake.dialects import Message, Problem, Refused, edited, read, rows_of
from faults.what_holds import NOW, PUBLIC, SECRET, checked, request

STRANGER = "018f6f9e-1c5e-7c3a-9d4e-1f2a3b4c5d6e"
SENT = "2026-11-22T19:20:35.500Z"


def only_row(body: Any, setting: Any = SECRET, **how: Any) -> dict[str, Any]:
    received = request(body, **how)
    told, _ = checked(received)
    assert told.problem is None
    assert len(told.messages) == 1
    (row,) = rows_of(told.messages[0], received, setting)
    return row


def track(event: str = "Order Completed", **more: Any) -> dict[str, Any]:
    return {
        "type": "track",
        "event": event,
        "messageId": "m-1",
        "userId": "42",
        "timestamp": "2026-11-22T19:20:00.123Z",
        **more,
    }


def test_an_order_from_a_server_is_an_interaction_with_its_order_its_money_and_its_customer():
    python_batch = {
        "batch": [
            {
                "integrations": {},
                "anonymousId": None,
                "properties": {"order_id": 4711, "revenue": 19.995, "currency": "jpy", "colour": "blue"},
                "timestamp": "2026-11-22T20:20:00.123456+01:00",
                "context": {"library": {"name": "analytics-python", "version": "2.4.0"}},
                "userId": "42",
                "type": "track",
                "event": "Order Completed",
                "messageId": "5f0b6bd0",
            }
        ],
        "sentAt": SENT,
        "writeKey": "key",
    }
    row = only_row(gzip.compress(json.dumps(python_batch).encode()))
    assert row["touchpoint"] == "order.completed"
    assert row["about_order"] == "4711"
    assert (row["value_minor"], row["currency"]) == (20, "JPY")
    assert row["handles"] == ["customer:42"]
    assert row["channel"] == "server"
    assert row["direction"] == "inbound"
    assert row["source_key"] == "5f0b6bd0"
    assert row["original_at"] == "2026-11-22T20:20:00.123456+01:00"
    assert row["zone"] == "+01:00"
    assert row["occurred_at"] == NOW - 35_877
    assert row["time_quality"] == "exact"
    properties = json.loads(row["properties"])
    assert properties["colour"] == "blue"
    assert properties["event"] == "Order Completed"
    assert "order_id" not in properties


def test_a_page_is_its_path_and_the_browser_is_the_person_until_a_name_is_known():
    page = {
        "type": "page",
        "messageId": "ajs-next-1",
        "anonymousId": STRANGER,
        "userId": None,
        "name": "Home",
        "properties": {"path": "/help/cards", "title": "Cards", "url": "https://example.org/help/cards"},
        "context": {
            "page": {"path": "/help/cards", "url": "https://example.org/help/cards", "referrer": "", "search": ""},
            "library": {"name": "analytics.js", "version": "next-1.84.3"},
            "campaign": {"name": "autumn", "source": "mail"},
            "ip": "192.0.2.1",
            "userAgent": "Mozilla/5.0",
        },
        "timestamp": "2026-11-22T19:20:00.000Z",
        "sentAt": SENT,
        "writeKey": "key",
    }
    row = only_row(page, PUBLIC, path="/v1/p", headers={"content-type": "text/plain"})
    assert (row["touchpoint"], row["about_content"], row["channel"]) == ("page.viewed", "/help/cards", "web")
    assert row["handles"] == [f"cookie:{STRANGER}"]
    assert row["about_campaign"] == "autumn"
    assert "192.0.2.1" not in row["properties"]
    assert "Mozilla" not in row["properties"]


@pytest.mark.parametrize("route", ["/v1/screen", "/v1/s"])
def test_a_screen_without_a_type_takes_it_from_its_route_and_is_the_app(route):
    python_screen = {"userId": "42", "category": "Home", "name": None, "anonymousId": STRANGER, "properties": {}}
    row = only_row(python_screen, path=route)
    assert (row["touchpoint"], row["channel"], row["about_content"]) == ("screen.viewed", "app", "Home")
    assert row["handles"] == ["customer:42", f"device:{STRANGER}"]


@pytest.mark.parametrize("where", ["traits", "context.traits", "both"])
def test_an_identify_gives_address_and_number_wherever_the_traits_stand(where):
    traits = {"email": " Anna@Example.org ", "phone": "0170 / 123 45 67", "name": "Anna"}
    body: dict[str, Any] = {"type": "identify", "userId": "42", "anonymousId": STRANGER, "messageId": "i"}
    if where != "context.traits":
        body["traits"] = traits
    if where != "traits":
        body["context"] = {"traits": traits}
    row = only_row(body)
    assert row["touchpoint"] == "person.identified"
    assert row["handles"] == ["customer:42", "email:anna@example.org", "phone:+491701234567", f"cookie:{STRANGER}"]
    assert json.loads(row["properties"])["traits"]["name"] == "Anna"


@pytest.mark.parametrize(
    "junk", ["undefined", "null", "[object Object]", "0", "", "00000000-0000-0000-0000-000000000000"]
)
def test_what_broken_clients_write_as_an_id_names_nobody(junk):
    row = only_row(track(userId=junk, anonymousId=STRANGER))
    assert row["handles"] == [f"cookie:{STRANGER}"]


def test_no_address_is_made_of_something_that_only_holds_an_at_sign():
    body = {"type": "identify", "userId": "42", "traits": {"email": "anna@nowhere", "phone": "call me"}}
    row = only_row(body)
    assert row["handles"] == ["customer:42"]
    assert json.loads(row["properties"])["unusable_handles"] == ["email:anna@nowhere", "phone:call me"]


def test_a_customer_whose_id_is_an_address_is_known_by_that_address_too():
    assert only_row(track(userId="Anna@Example.org"))["handles"] == [
        "customer:Anna@Example.org",
        "email:anna@example.org",
    ]
    assert only_row(track(userId="Anna@Example.org"), PUBLIC)["others"] is None


def test_the_two_ids_of_an_alias_are_linked_whichever_way_round_they_come():
    rows = [
        only_row({"type": "alias", "userId": one, "previousId": other, "messageId": "a"})
        for one, other in (("42", STRANGER), (STRANGER, "42"))
    ]
    assert rows[0]["handles"] == rows[1]["handles"]
    assert {"customer:42", f"cookie:{STRANGER}"} <= set(rows[0]["handles"])


def test_a_group_is_kept_with_the_traits_of_the_group_which_are_nobodys_handles():
    row = only_row({"type": "group", "userId": "42", "groupId": "g1", "traits": {"email": "office@example.org"}})
    assert (row["touchpoint"], row["handles"]) == ("group.joined", ["customer:42"])
    assert json.loads(row["properties"])["group"] == "g1"


def test_the_context_of_a_batch_holds_for_its_items_and_an_item_knows_better():
    batch = {
        "batch": [track(), track(context={"timezone": "Asia/Tokyo"}, timestamp="2026-11-22T20:00:00")],
        "context": {"timezone": "America/New_York", "library": {"name": "analytics-ios"}},
        "sentAt": SENT,
    }
    received = request(batch)
    first, second = (rows_of(message, received, SECRET)[0] for message in read(received).messages)
    assert first["channel"] == second["channel"] == "app"
    assert (second["zone"], second["time_quality"]) == ("Asia/Tokyo", "assumed_zone")


def test_rudder_sends_the_browsers_id_and_the_time_of_sending_in_headers():
    headers = {"anonymousid": base64.b64encode(STRANGER.encode()).decode(), "sentat": SENT}
    row = only_row(
        {"type": "track", "event": "Searched", "originalTimestamp": "2026-11-22T19:20:01Z", "channel": "web"},
        path="/v1/track",
        headers=headers,
    )
    assert row["handles"] == [f"cookie:{STRANGER}"]
    assert row["channel"] == "web"
    assert row["sent_at"] == NOW - 500


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/pixel/v1/track", f"writeKey=key&event=Mail%20Opened&anonymousId={STRANGER}&properties.campaign=autumn"),
        ("/v1/pixel/track", "data=" + quote(base64.b64encode(
            json.dumps({"event": "Mail Opened", "anonymousId": STRANGER, "properties": {"campaign": "autumn"}}).encode()
        ).decode())),
        ("/v1/pixel/track", "data=" + quote(
            json.dumps({"event": "Mail Opened", "anonymousId": STRANGER, "properties": {"campaign": "autumn"}}))),
    ],
)  # fmt: skip
def test_a_pixel_carries_its_event_in_the_query(path, query):
    row = only_row(b"", method="GET", path=path, query=query)
    assert (row["touchpoint"], row["about_campaign"], row["channel"]) == ("mail.opened", "autumn", "web")
    assert row["handles"] == [f"cookie:{STRANGER}"]


def test_without_a_message_id_the_place_in_the_log_is_the_key():
    received = request({"batch": [{"type": "track", "event": "a", "userId": "1"}] * 2}, sequence=99)
    rows = [rows_of(message, received, SECRET)[0] for message in read(received).messages]
    assert [row["source_key"] for row in rows] == ["log-99-0", "log-99-1"]
    assert [row["raw"] for row in rows] == ["log:99:0", "log:99:1"]


def test_whoever_writes_the_event_can_say_every_field_in_our_own_words():
    said = {
        "touchpoint": "card.reported_lost",
        "channel": "phone",
        "direction": "inbound",
        "asks": True,
        "topic": "card",
        "intent": "block",
        "case": "C-1",
        "hands": "Ada",
        "role": "agent",
        "power": "may_refund",
        "outcome": "blocked",
        "value": "12.50",
        "currency": "EUR",
        "value_to": "customer",
        "cost_seconds": 240,
        "score": 9,
        "score_kind": "nps",
        "score_scale": "0-10",
        "text": "I lost it",
        "language": "en",
        "reach": 3,
        "consent": "service",
        "session": "s",
        "device": "d",
        "content": "c",
        "campaign": "k",
        "product": "p",
        "order": "o",
        "handles": {"crm": "K-7", "card": "1234 5678 9012 3456"},
        "others": ["partner:email:ben@example.org"],
    }
    row = only_row(track(properties={"desireline": said, "topic": "ignored: desireline knows better"}))
    assert row["touchpoint"] == "card.reported_lost"
    assert row["handles"][:2] == ["crm:K-7", "customer:42"]
    assert row["others"] == ["partner:email:ben@example.org"]
    assert (row["value_minor"], row["currency"], row["value_to"]) == (1250, "EUR", "customer")
    for word in ("channel", "asks", "topic", "intent", "hands", "role", "power", "outcome", "score", "text", "consent"):
        assert row[word] == said[word]
    for word in ("case", "order", "product", "campaign", "content", "device", "session"):
        assert row[f"about_{word}"] == said[word]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"chanel": "web"}, "desireline.unknown_word: 'chanel' is no field. Did you mean 'channel'?"),
        ({"direction": "sideways"}, "desireline.unfit_value: direction cannot be 'sideways'"),
        (
            {"handles": {"mail": "a@b.co"}},
            "desireline.unknown_handle: 'mail' is no kind of handle. Did you mean 'email'?",
        ),
        ("web", "desireline.not_an_object"),
    ],
)
def test_a_misspelt_word_of_ours_sends_the_event_to_quarantine_with_the_nearest_one(said, reason):
    received = request(track(properties={"desireline": said}))
    with pytest.raises(Refused) as refused:
        rows_of(read(received).messages[0], received, SECRET)
    assert refused.value.reason.startswith(reason)


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"ticketId": 7}, {"about_case": "7"}),
        ({"Order ID": "A 1"}, {"about_order": "A 1"}),
        ({"products": [{"sku": "S1", "price": 3}]}, {"about_product": "S1", "value_minor": None}),
        ({"products": [{"sku": "S1"}, {"sku": "S2"}]}, {"about_product": None}),
        ({"session_id": 1.0}, {"about_session": "1"}),
        ({"nps": 10}, {"score": 10.0, "score_kind": "nps", "score_scale": "0-10"}),
        ({"nps": 11}, {"score": None, "score_kind": None}),
        ({"rating": 4}, {"score": 4.0, "score_kind": "stars", "score_scale": "1-5"}),
        ({"revenue": 10, "total": 12, "value": 14}, {"value_minor": 1000, "currency": "EUR"}),
        ({"total": "12.30", "currency": "kwd"}, {"value_minor": 12300, "currency": "KWD"}),
        ({"revenue": "about ten"}, {"value_minor": None, "currency": None}),
        ({"revenue": 1e300}, {"value_minor": None}),
        ({"message": "It is broken", "locale": "de"}, {"text": "It is broken", "language": "de"}),
        ({"channel": "News"}, {"channel": "server"}),
        ({"channel": "Chat"}, {"channel": "chat"}),
        ({"order_id": ["A"]}, {"about_order": None}),
        ({"order_id": "x" * 300}, {"about_order": None}),
        ({"role": "admin", "hands": "me"}, {"role": None, "hands": None}),
    ],
)
def test_usual_names_of_properties_fill_the_fields_and_nothing_is_lost(properties, expected):
    row = only_row(track(properties=properties))
    assert {name: row[name] for name in expected} == expected
    left = json.loads(row["properties"] or "{}")
    for name, value in properties.items():
        taken = any(row[column] is not None for column in expected if column != "currency") and len(expected) > 0
        assert taken or left[name] == value


def test_an_event_that_says_consent_is_a_consent_for_its_purpose():
    row = only_row(track("consent.given", properties={"purpose": "newsletter"}))
    assert (row["touchpoint"], row["consent"]) == ("consent.given", "newsletter")
    assert (
        only_row(track("Consent Withdrawn", properties={"purpose": "newsletter"}))["touchpoint"] == "consent.withdrawn"
    )
    assert only_row(track(properties={"purpose": "newsletter"}))["consent"] is None


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (7, "event.not_an_object"),
        ({"type": "trick"}, "type.unknown"),
        ({"type": "track", "userId": "1"}, "event.missing"),
        ({"type": "track", "event": " ", "userId": "1"}, "event.missing"),
        ({"type": "alias", "userId": "1"}, "id.missing"),
        ({"type": "identify", "userId": None, "anonymousId": None}, "id.missing"),
    ],
)
def test_a_bad_event_is_refused_with_a_reason_a_person_can_act_on(event, code):
    told, rows = checked(request({"batch": [event, track()]}))
    assert told.messages[0].refused.startswith(code + ": ")
    assert told.messages[1].refused == ""
    assert len(rows) == 1


def test_what_cannot_be_kept_shows_its_head_in_quarantine_and_is_mended_under_its_own_key():
    batch = {"batch": [track(), {**track(), "messageId": "m-2", "event": ""}, "just words"]}
    received = request(batch)
    told = read(received).messages
    assert told[2].body["head"] == '"just words"'
    assert told[2].body["length_bytes"] == 12
    mended = edited(received, 1, json.dumps({**told[1].body, "event": "Order Completed", "messageId": "x"}).encode())
    assert isinstance(mended, Message)
    assert (mended.position, mended.key, mended.refused) == (1, "m-2", "")
    assert rows_of(mended, received, SECRET)[0]["source_key"] == "m-2"
    again = edited(received, 1, b'{"type":"track"}')
    assert isinstance(again, Message)
    assert again.refused.startswith("event.missing: ")
    assert isinstance(edited(received, 1, b"{"), Problem)
    assert isinstance(edited(received, 1, b"[]"), Problem)


def test_a_screen_is_the_app_even_when_a_server_tells_of_it():
    body = {"type": "screen", "userId": "42", "channel": "server", "anonymousId": STRANGER}
    assert only_row(body)["handles"] == ["customer:42", f"device:{STRANGER}"]


@pytest.mark.parametrize(
    ("library", "channel"),
    [
        ("analytics.js", "web"),
        ("RudderLabs JavaScript SDK", "web"),
        ("analytics-kotlin", "app"),
        ("rudder-react-native-library", "app"),
        ("@segment/analytics-node", "server"),
        ("something of our own", "server"),
    ],
)
def test_the_library_tells_the_channel(library, channel):
    assert only_row(track(context={"library": {"name": library}}))["channel"] == channel
    assert only_row(track(context={"device": {"type": "iOS"}}))["channel"] == "app"
