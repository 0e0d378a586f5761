"""Signed webhooks: who really sent them, and what they become - in their own words, or read by a recipe."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from dataclasses import replace
from typing import Any

import pytest

from desireline.intake import (
    built_in_names,
    built_in_recipe,
    built_in_recipes,
    built_in_text,
    read_recipe,
    write_recipe,
)
from desireline.intake.columns_of_body import columns_of_body
from desireline.intake.dialects import HEADERS_THAT_MATTER, Received, Refused, Setting, read, rows_of
from desireline.intake.dialects.signatures import SIGNING_HEADERS, verify
from desireline.vocabulary.errors import DesirelineError

NOW = 1_795_345_200_000
SECONDS = str(NOW // 1000)
SECRET, NEXT_SECRET = "our little secret", "whsec_" + base64.b64encode(b"the next one").decode()
BODY = b'{"type":"ticket.opened","id":"e-1","data":{"case":"T-7"}}'
SETTING = Setting("desk", "Europe/Berlin", "EUR", "49", server_side=True)


def signed_standard(body: bytes = BODY, *, secret: bytes = b"the next one", at: str = SECONDS) -> dict[str, str]:
    digest = hmac.new(secret, f"msg_1.{at}.".encode() + body, hashlib.sha256).digest()
    signature = "v1," + base64.b64encode(digest).decode()
    return {"webhook-id": "msg_1", "webhook-timestamp": at, "webhook-signature": signature}


def signed_chatwoot(body: bytes = BODY, *, at: str = SECONDS) -> dict[str, str]:
    digest = hmac.new(SECRET.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return {"x-chatwoot-signature": f"sha256={digest}", "x-chatwoot-timestamp": at, "x-chatwoot-delivery": "d-1"}


def signed_zendesk(body: bytes = BODY, *, at: str = "2026-11-22T11:00:00Z") -> dict[str, str]:
    digest = hmac.new(SECRET.encode(), at.encode() + body, hashlib.sha256).digest()
    encoded = base64.b64encode(digest).decode()
    return {"x-zendesk-webhook-signature": encoded, "x-zendesk-webhook-signature-timestamp": at}


def signed_typeform(body: bytes = BODY) -> dict[str, str]:
    digest = hmac.new(SECRET.encode(), body, hashlib.sha256).digest()
    return {"typeform-signature": "sha256=" + base64.b64encode(digest).decode()}


def signed_hub(body: bytes = BODY) -> dict[str, str]:
    return {"x-hub-signature-256": "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()}


ALL_SIGNED = [signed_standard(), signed_chatwoot(), signed_zendesk(), signed_typeform(), signed_hub()]


@pytest.mark.parametrize("headers", ALL_SIGNED, ids=lambda headers: next(iter(headers)))
def test_a_signed_request_is_believed_and_a_changed_one_is_not(headers: dict[str, str]) -> None:
    both = (SECRET, NEXT_SECRET)
    assert verify(headers, BODY, both, NOW).accepted
    assert verify(headers, BODY + b" ", both, NOW).code == "signature.wrong"
    assert verify(headers, BODY, ("another", "whsec_not base64"), NOW).code == "signature.wrong"
    unreadable = {**headers, next(name for name in headers if "signature" in name and "stamp" not in name): "ä=,"}
    assert verify(unreadable, BODY, both, NOW).code == "signature.wrong"


@pytest.mark.parametrize(
    "signed",
    [
        lambda ms: signed_standard(at=str(ms // 1000)),
        lambda ms: signed_chatwoot(at=str(ms // 1000)),
        lambda ms: signed_zendesk(at=f"2026-11-22T{11 + (ms - NOW) // 3_600_000:02d}:{ms // 60_000 % 60:02d}:00Z"),
    ],
    ids=["standard", "chatwoot", "zendesk"],
)
def test_what_was_signed_more_than_five_minutes_ago_or_ahead_is_refused(signed: Any) -> None:
    both = (SECRET, NEXT_SECRET)
    for minutes, code in ((-6, "signature.time"), (-5, ""), (0, ""), (5, ""), (6, "signature.time")):
        assert verify(signed(NOW + minutes * 60_000), BODY, both, NOW).code == code


def test_a_time_that_is_none_is_refused() -> None:
    assert (
        verify({**signed_chatwoot(), "x-chatwoot-timestamp": "now"}, BODY, (SECRET,), NOW).code == "signature.no_time"
    )
    headers = signed_chatwoot()
    del headers["x-chatwoot-timestamp"]
    assert verify(headers, BODY, (SECRET,), NOW).code == "signature.no_time"


def test_without_a_signature_nothing_is_taken_unless_the_source_allows_it_and_has_no_secret() -> None:
    assert verify({}, BODY, (SECRET,), NOW).code == "signature.missing"
    assert verify({}, BODY, (SECRET,), NOW, unsigned=True).code == "signature.missing"
    assert verify({}, BODY, (), NOW).code == "signature.no_secret"
    assert verify({}, BODY, ("",), NOW).code == "signature.no_secret"
    assert verify({}, BODY, (), NOW, unsigned=True).accepted
    assert "secret" in verify({}, BODY, (), NOW).says


def test_several_signatures_in_one_header_while_the_sender_changes_its_secret() -> None:
    headers = signed_standard()
    headers["webhook-signature"] = "v1,bm90IHRoaXM= v1a,bm90IHRoaXM= " + headers["webhook-signature"]
    assert verify(headers, BODY, (NEXT_SECRET,), NOW).accepted


def test_the_log_keeps_every_header_a_signature_needs() -> None:
    assert set(SIGNING_HEADERS) <= set(HEADERS_THAT_MATTER)


def received(body: Any, headers: dict[str, str] | None = None, *, dialect: str = "webhook") -> Received:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Received(7, NOW, "desk", dialect, "POST", "/hooks/{key}", "", headers or {}, data)


def rows(request: Received, setting: Setting = SETTING) -> list[dict[str, Any]]:
    return [row for message in read(request).messages for row in rows_of(message, request, setting)]


def test_an_interaction_in_our_words() -> None:
    body = {
        "touchpoint": "ticket.opened", "occurred_at": "2026-11-22T09:00:00Z", "id": "e-7", "channel": "phone",
        "handles": [{"kind": "email", "value": "Anna@Example.org"}, "phone:0170 1234567"], "customer": "C-1",
        "asks": True, "case": "T-7", "value": 19.9, "text": "where is it", "colour": "red", "data": {"deep": [1]},
        "others": ["partner:email:b@example.org"],
    }  # fmt: skip
    [row] = rows(received(body))
    assert (row["touchpoint"], row["channel"], row["about_case"], row["asks"]) == (
        "ticket.opened",
        "phone",
        "T-7",
        True,
    )
    assert row["handles"] == ["customer:C-1", "email:anna@example.org", "phone:+491701234567"]
    assert (row["value_minor"], row["currency"], row["text"]) == (1990, "EUR", "where is it")
    assert (row["source_key"], row["occurred_at"]) == ("e-7", NOW - 2 * 3_600_000)
    assert json.loads(row["properties"]) == {"colour": "red", "deep": [1]}
    assert row["others"] == ["partner:email:b@example.org"]


def test_a_value_that_does_not_fit_our_word_is_refused_with_the_word() -> None:
    for words, reason in (
        ({"asks": "perhaps"}, "asks cannot be 'perhaps'"),
        ({"handles": {"emial": "a@b.org"}}, "Did you mean 'email'?"),
        ({"handles": [{"value": "a@b.org"}]}, "handles.unfit"),
        ({"direction": "up"}, "inbound, outbound, internal, peer"),
    ):
        request = received({"touchpoint": "ticket.opened", **words})
        with pytest.raises(Refused, match=re.escape(reason)):
            rows(request)
    with pytest.raises(Refused, match=r"touchpoint\.missing"):
        rows(received({"touchpoint": " "}))


def test_a_foreign_body_is_taken_as_far_as_it_goes() -> None:
    body = {
        "type": "Invoice Paid",
        "created": 5,
        "data": {"object": {"id": "in_1"}, "amount": 12, "customer_id": "C-9"},
    }
    [row] = rows(received({**body, "time": "2026-11-22T10:00:00+01:00"}))
    assert (row["touchpoint"], row["handles"], row["value_minor"]) == ("invoice.paid", ["customer:C-9"], 1200)
    assert json.loads(row["properties"]) == {"created": 5, "customer_id": "C-9", "object": {"id": "in_1"}}
    nameless = rows(received({"hello": [1, 2], "customer": {"id": 4, "email": "a@b.org"}}))
    assert nameless[0]["touchpoint"] == "webhook.received"
    assert nameless[0]["handles"] == ["customer:4", "email:a@b.org"]
    assert nameless[0]["occurred_at"] == NOW


def test_lists_batches_and_forms() -> None:
    two = [{"type": "a.b", "id": "1"}, {"type": "c.d", "id": "2"}]
    for body in (two, {"events": two}, {"interactions": two}):
        assert [row["source_key"] for row in rows(received(body))] == ["1", "2"]
    form = received(
        b"type=call.ended&phone=%2B4930123456&note=%00", {"content-type": "application/x-www-form-urlencoded"}
    )
    [row] = rows(form)
    assert (row["touchpoint"], row["handles"]) == ("call.ended", ["phone:+4930123456"])
    packed = received(b"payload=%7B%22type%22%3A%22a.b%22%7D", {"content-type": "application/x-www-form-urlencoded"})
    assert rows(packed)[0]["touchpoint"] == "a.b"
    assert read(received(b"", {"content-type": "application/x-www-form-urlencoded"})).problem is not None
    assert read(received(b"not json")).problem is not None


def test_the_same_request_again_has_the_same_keys_whatever_else_its_headers_say() -> None:
    body = json.dumps([{"type": "a.b"}, {"type": "a.b"}]).encode()
    first = [message.key for message in read(received(body, signed_chatwoot(body))).messages]
    again = [
        message.key
        for message in read(received(body, {**signed_chatwoot(body), "x-chatwoot-delivery": "d-2"})).messages
    ]
    assert first == again
    assert len(set(first)) == 2
    assert [m.key for m in read(received(BODY, signed_standard())).messages] == ["e-1"]
    assert [m.key for m in read(received({"type": "a.b"}, signed_standard())).messages] == ["msg_1"]
    assert [m.key for m in read(received({"type": "a.b"})).messages] == [None]


CHATWOOT_SENDER = {
    "id": 4, "name": "Anna", "email": "anna@example.org", "phone_number": "+491701234567", "identifier": "C-1",
    "type": "contact",
}  # fmt: skip
CHATWOOT_MESSAGE = {
    "event": "message_created", "id": 77287, "content": "Where is my card?", "content_type": "text",
    "created_at": "2026-11-22T09:30:00.262Z", "message_type": "incoming", "private": False,
    "account": {"id": 1, "name": "Bank"}, "inbox": {"id": 3, "name": "Website"}, "sender": CHATWOOT_SENDER,
    "conversation": {
        "id": 13098, "channel": "Channel::WebWidget", "status": "open", "created_at": 1795339000,
        "meta": {"sender": CHATWOOT_SENDER, "assignee": None},
        "messages": [{"id": 77287, "content": "Where is my card?"}],
    },
}  # fmt: skip


def by(name: str) -> Setting:
    return replace(SETTING, recipe=built_in_recipe(name))


def recipe_rows(name: str, *bodies: dict[str, Any]) -> list[dict[str, Any]]:
    return [row for body in bodies for row in rows(received(body, dialect="recipe"), by(name))]


def test_a_conversation_in_chatwoot() -> None:
    agent = {"id": 9, "name": "Ben", "email": "ben@bank.example", "type": "user"}
    answer = {**CHATWOOT_MESSAGE, "id": 77288, "message_type": "outgoing", "content": "On its way.", "sender": agent}
    note = {**answer, "id": 77289, "private": True, "content": "check the address"}
    conversation = {
        "event": "conversation_status_changed", "id": 13098, "status": "resolved", "channel": "Channel::WebWidget",
        "meta": {"sender": CHATWOOT_SENDER, "assignee": {"name": "Ben"}}, "created_at": 1795339000,
        "updated_at": 1795341600.5, "timestamp": 1795341000, "inbox_id": 3,
    }  # fmt: skip
    opened = {**conversation, "event": "conversation_created", "status": "open"}
    asked, answered, noted, resolved, began = recipe_rows(
        "chatwoot-webhook", CHATWOOT_MESSAGE, answer, note, conversation, opened
    )
    assert {row["about_case"] for row in (asked, answered, noted, resolved, began)} == {"13098"}
    assert {row["handles"][0] for row in (asked, answered, noted, resolved, began)} == {"customer:C-1"}
    assert (asked["touchpoint"], asked["asks"], asked["direction"], asked["channel"]) == (
        "message.received", True, "inbound", "chat",
    )  # fmt: skip
    assert asked["text"] == "Where is my card?"
    assert (answered["answers"], answered["direction"], answered["hands"]) == (True, "outbound", "Ben")
    assert (noted["touchpoint"], noted["direction"], noted["answers"]) == ("note.written", "internal", None)
    assert (resolved["outcome"], resolved["occurred_at"]) == ("resolved", 1_795_341_600_500)
    assert (began["touchpoint"], began["occurred_at"]) == ("conversation.opened", 1_795_339_000_000)
    assert recipe_rows("chatwoot-webhook", {"event": "conversation_typing_on"}) == []


def test_a_ticket_in_zendesk_by_its_events() -> None:
    detail = {
        "id": "35436", "requester_id": "8447", "subject": "Card lost", "description": "I lost my card",
        "created_at": "2026-11-22T08:00:00Z", "via": {"channel": "web"}, "status": "OPEN", "tags": ["vip", "card"],
    }  # fmt: skip

    def event(kind: str, number: int, **event: Any) -> dict[str, Any]:
        return {
            "type": f"zen:event-type:ticket.{kind}", "id": f"01HN-{number}",
            "time": f"2026-11-22T09:0{number}:00.123456789Z", "detail": detail, "event": event,
        }  # fmt: skip

    staff = {"id": "1", "name": "Ben", "is_staff": True}
    opened, answered, noted, asked, solved = recipe_rows(
        "zendesk-webhook",
        event("created", 0),
        event("comment_added", 1, comment={"body": "Blocked.", "is_public": True, "author": staff}),
        event("comment_added", 2, comment={"body": "vip!", "is_public": False, "author": staff}),
        event(
            "comment_added", 3, comment={"body": "Thanks?", "is_public": True, "author": {**staff, "is_staff": False}}
        ),
        event("status_changed", 4, current="SOLVED", previous="OPEN"),
    )
    assert [row["touchpoint"] for row in (opened, answered, noted, asked, solved)] == [
        "ticket.opened", "ticket.answered", "ticket.noted", "ticket.commented", "ticket.solved",
    ]  # fmt: skip
    assert opened["handles"] == ["zendesk_user:8447"]
    assert (opened["channel"], opened["topic"], opened["source_key"]) == ("web", "Card lost", "01HN-0:opened")
    assert json.loads(opened["properties"])["tags"] == '["vip","card"]'
    assert (answered["hands"], answered["text"], answered["answers"]) == ("Ben", "Blocked.", True)
    assert noted["direction"] == "internal"
    assert solved["occurred_at"] == 1_795_338_240_123


def test_a_ticket_in_zendesk_rated_by_a_trigger() -> None:
    requester = {"id": "8447", "email": "anna@example.org", "phone": "", "external_id": "C-1"}
    ticket = {
        "id": "35436",
        "subject": "Card lost",
        "channel": "Mail",
        "requester": requester,
        "rating": "Bad, I'm not",
    }
    body = {"type": "rated", "id": "35436 rated", "time": "2026-11-22T10:00:00Z", "ticket": ticket}
    [rated] = recipe_rows("zendesk-webhook", body)
    assert (rated["score_kind"], rated["score_scale"], rated["score"]) == ("csat", "0-1", 0.0)
    assert rated["handles"] == ["customer:C-1", "email:anna@example.org", "zendesk_user:8447"]
    assert rated["channel"] == "email"


TYPEFORM = {
    "event_id": "LtWXD3crgy", "event_type": "form_response",
    "form_response": {
        "form_id": "lT4Z3j", "token": "a3a12ec6", "submitted_at": "2026-11-22T10:00:00Z",
        "hidden": {"customer_id": "C-1", "case": "T-7"}, "definition": {"title": "After the repair"},
        "answers": [
            {"type": "number", "number": 9, "field": {"id": "DlX", "type": "opinion_scale", "ref": "nps"}},
            {"type": "choice", "choice": {"label": "Kind"}, "field": {"id": "SME", "ref": "why"}},
            {"type": "choices", "choices": {"labels": ["a", "b"]}, "field": {"id": "SMF", "ref": "what"}},
            {"type": "text", "text": "quick", "field": {"id": "JwW", "ref": "comment"}},
            {"type": "boolean", "boolean": False, "field": {"id": "Bo", "ref": "again"}},
        ],
    },
}  # fmt: skip


def test_a_form_answered_in_typeform_becomes_an_answer_and_a_score() -> None:
    answered, nps = recipe_rows("typeform-webhook", TYPEFORM)
    assert (answered["touchpoint"], answered["text"], answered["about_case"]) == ("survey.answered", "quick", "T-7")
    assert (nps["score"], nps["score_kind"], nps["score_scale"], nps["handles"]) == (
        9.0,
        "nps",
        "0-10",
        ["customer:C-1"],
    )
    columns = columns_of_body(TYPEFORM)
    assert columns["form_response.answers.why"] == "Kind"
    assert columns["form_response.answers.SMF"] == "a, b"
    assert columns["form_response.answers.again"] is False


def test_any_survey_tool() -> None:
    body = {
        "id": "r-1",
        "submitted_at": 1795341600,
        "survey": "repair",
        "email": "a@b.org",
        "csat": 5,
        "comment": "kind",
    }
    answered, csat = recipe_rows("survey-webhook", body)
    assert (answered["text"], csat["score"], csat["about_content"]) == ("kind", 5.0, "repair")
    with pytest.raises(Refused, match=r"recipe.unfit: score: 'five' is not a number"):
        recipe_rows("survey-webhook", {**body, "csat": "five"})


def test_a_source_of_recipes_without_a_recipe_says_so() -> None:
    with pytest.raises(Refused, match=r"recipe\.missing"):
        rows(received({"a": 1}, dialect="recipe"))


def test_nothing_happens_later_than_we_hear_of_it() -> None:
    body = {"id": "r-1", "submitted_at": "2027-01-01T00:00:00Z", "email": "a@b.org"}
    [answered] = recipe_rows("survey-webhook", body)
    assert (answered["occurred_at"], answered["time_quality"]) == (NOW, "clamped")


@pytest.mark.parametrize("name", built_in_names())
def test_a_built_in_recipe_is_read_written_and_read_again(name: str) -> None:
    recipe = built_in_recipe(name)
    assert recipe.name == name
    assert built_in_recipes()[name] == recipe.says
    assert read_recipe(write_recipe(recipe), name=name) == recipe
    assert "source:" in built_in_text(name)


def test_an_unknown_built_in_recipe_is_told_from_a_known_one() -> None:
    with pytest.raises(DesirelineError, match="Did you mean 'chatwoot-webhook'"):
        built_in_text("chatwood-webhook")


def test_a_body_with_too_many_columns_or_too_deep_is_cut_not_refused() -> None:
    deep: Any = 1
    for _ in range(60):
        deep = {"a": deep}
    columns = columns_of_body({"deep": deep, "many": [{"id": n, "value": n} for n in range(3_000)]})
    assert len(columns) == 2_000
    assert columns["many.7"] == 7
