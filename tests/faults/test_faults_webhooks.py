"""Faults of what others send us: webhooks forged, sent again, in parts; letters malformed in every way."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from random import Random
from typing import Any

import pytest

from desireline.intake import built_in_recipe
from desireline.intake.dialects import Received, Refused, Setting, read, rows_of
from desireline.intake.dialects.signatures import MOST_OFF_MS, verify
from desireline.intake.mail import interactions_of_mail, mail_of, slim
from faults.forms import how_many

NOW = 1_795_345_200_000
SECRET = "whsec_" + base64.b64encode(b"a secret of twenty-four.").decode()
OLD = "the secret before"
SETTING = Setting("desk", "UTC", "EUR", "49", server_side=True)


def signed(
    body: bytes, *, secret: bytes = b"a secret of twenty-four.", at_ms: int = NOW, name: str = "m1"
) -> dict[str, str]:
    seconds = str(at_ms // 1000)
    digest = hmac.new(secret, f"{name}.{seconds}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": name,
        "webhook-timestamp": seconds,
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
    }


def request(
    body: bytes, headers: dict[str, str] | None = None, *, dialect: str = "webhook", sequence: int = 1
) -> Received:
    return Received(sequence, NOW, "desk", dialect, "POST", "/hooks/{key}", "", headers or {}, body)


def keys(received: Received, setting: Setting = SETTING) -> list[str]:
    return [row["source_key"] for message in read(received).messages for row in rows_of(message, received, setting)]


def test_F35_a_forged_request_is_refused_however_it_is_forged() -> None:
    body = b'{"type":"payment.received","data":{"amount":1}}'
    good, secrets = signed(body), (SECRET, OLD)
    assert verify(good, body, secrets, NOW).accepted
    assert verify(signed(body, secret=OLD.encode()), body, secrets, NOW).accepted, "two secrets while one is changed"
    chance = Random(35)
    for _ in range(how_many(300, 20_000)):
        forged, told = bytearray(body), dict(good)
        if chance.random() < 0.5:
            place = chance.randrange(len(forged))
            forged[place] ^= 1 << chance.randrange(8)
        else:
            name = chance.choice(list(told))
            text = told[name]
            place = chance.randrange(len(text))
            told[name] = text[:place] + chr(33 + chance.randrange(90)) + text[place + 1 :]
        if bytes(forged) == body and told == good:
            continue
        assert not verify(told, bytes(forged), secrets, NOW).accepted, (told, bytes(forged))
    for stripped in good:
        assert not verify({name: good[name] for name in good if name != stripped}, body, secrets, NOW).accepted
    assert not verify({}, body, secrets, NOW, unsigned=True).accepted


def test_F35_a_request_heard_and_sent_again_is_refused_after_five_minutes_and_absorbed_before() -> None:
    body = b'[{"type":"payment.received"},{"type":"payment.received"}]'
    headers = signed(body)
    assert verify(headers, body, (SECRET,), NOW + MOST_OFF_MS).accepted
    assert verify(headers, body, (SECRET,), NOW + MOST_OFF_MS + 1000).code == "signature.time"
    assert verify(headers, body, (SECRET,), NOW - MOST_OFF_MS - 1000).code == "signature.time"
    first, again = keys(request(body, headers)), keys(request(body, headers, sequence=99))
    assert first == again
    assert len(set(first)) == 2


@pytest.mark.parametrize(
    "unsigned_header", ["x-chatwoot-delivery", "x-zendesk-webhook-invocation-id", "webhook-id", "svix-id"]
)
def test_F35_a_header_that_is_not_signed_cannot_make_a_repeat_new(unsigned_header: str) -> None:
    body = b'{"type":"payment.received"}'
    digest = hmac.new(OLD.encode(), f"{NOW // 1000}.".encode() + body, hashlib.sha256).hexdigest()
    headers = {"x-chatwoot-signature": f"sha256={digest}", "x-chatwoot-timestamp": str(NOW // 1000)}
    again = {**headers, unsigned_header: "another"}
    assert verify(again, body, (OLD,), NOW).accepted
    assert keys(request(body, headers)) == keys(request(body, again, sequence=2))


def test_F35_where_nothing_is_signed_nothing_is_taken_unless_allowed() -> None:
    assert verify({}, b"{}", (), NOW).code == "signature.no_secret"
    assert verify({}, b"{}", (), NOW, unsigned=True).accepted


def test_F16_the_same_webhook_again_has_the_same_keys_and_another_body_shows() -> None:
    recipe = Setting("desk", "UTC", "EUR", "", server_side=True, recipe=built_in_recipe("survey-webhook"))
    answer = {"id": "r-1", "submitted_at": "2026-11-22T10:00:00Z", "email": "a@b.org", "nps": 9}
    body = json.dumps(answer).encode()
    first = keys(request(body, dialect="recipe"), recipe)
    for sequence in range(2, how_many(12, 400)):
        assert keys(request(body, dialect="recipe", sequence=sequence), recipe) == first
    changed = request(json.dumps({**answer, "nps": 1}).encode(), dialect="recipe")
    assert keys(changed, recipe) == first, "the id is the same, so the other content is told as a conflict"
    assert read(changed).messages[0].body != read(request(body, dialect="recipe")).messages[0].body


def test_F17_one_bad_event_of_five_hundred_is_refused_with_its_place_and_reason() -> None:
    events: list[Any] = [{"type": "order.paid", "id": f"e{number}"} for number in range(500)]
    events[137] = {"touchpoint": "order.paid", "id": "e137", "asks": "perhaps"}
    events[138] = "no object"
    received = request(json.dumps(events).encode())
    made, refused = [], {}
    for message in read(received).messages:
        try:
            made += rows_of(message, received, SETTING)
        except Refused as reason:
            refused[message.position] = str(reason)
    assert len(made) == 498
    assert list(refused) == [137, 138]
    assert "asks cannot be 'perhaps'" in refused[137]
    assert refused[138].startswith("event.not_an_object")


HEAD = (
    b"From: anna@example.org\r\nTo: help@bank.example\r\nMessage-ID: <a@x>\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\n"
)


def nested(depth: int) -> bytes:
    begin = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(depth))
    return HEAD + begin + b"Content-Type: text/plain\r\n\r\nhello\r\n"


MALFORMED: dict[str, bytes] = {
    "nothing": b"",
    "no headers": b"\r\n\r\njust words",
    "a folded nothing": b" \r\n \r\nFrom",
    "binary": bytes(range(256)) * 20,
    "nested 100 deep": nested(100),
    "nested 5,000 deep": nested(5_000),
    "a boundary that never comes": HEAD + b"Content-Type: multipart/mixed; boundary=x\r\n\r\nwords",
    "an empty boundary": HEAD + b'Content-Type: multipart/mixed; boundary=""\r\n\r\n--\r\nwords',
    "a boundary of signs": HEAD + b'Content-Type: multipart/mixed; boundary="(.*)+["\r\n\r\n--(.*)+[\r\n\r\nwords',
    "ten thousand parts": HEAD + b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + b"--x\r\n\r\nw\r\n" * 10_000,
    "an unknown character set": HEAD + b"Content-Type: text/plain; charset=klingon-8\r\n\r\nqapla\xe9",
    "a character set of no text": HEAD + b"Content-Type: text/plain; charset=base64\r\n\r\nYQ==",
    "a NUL in the character set": HEAD + b"Content-Type: text/plain; charset=a\x00b\r\n\r\nw",
    "half a UTF-8": HEAD + b"Content-Type: text/plain; charset=utf-8\r\n\r\n\xc3\x28\xf0\x9f",
    "UTF-7 and UTF-16": HEAD + b"Content-Type: text/plain; charset=utf-16\r\n\r\nodd",
    "broken base64": HEAD + b"Content-Transfer-Encoding: base64\r\n\r\n=====A",
    "broken quoted-printable": HEAD + b"Content-Transfer-Encoding: quoted-printable\r\n\r\n=ZZ=\r\n=",
    "broken encoded words": HEAD + b"Subject: =?utf-8?b?!!!?= =?x?q?=ZZ?= =?utf-8?q?" + b"=?" * 2_000 + b"\r\n\r\nw",
    "an address of 100,000 signs": HEAD.replace(b"anna", b"a" * 100_000) + b"\r\nw",
    "brackets without end": b"From: " + b"<(" * 20_000 + b"\r\n\r\nw",
    "quotes without end": b'From: "' + b'\\"' * 20_000 + b"\r\n\r\nw",
    "a hundred thousand headers": b"X: y\r\n" * 100_000 + b"\r\nw",
    "a line of a megabyte": HEAD + b"\r\n" + b"w" * 1_000_000,
    "a million empty lines": HEAD + b"\r\n" + b"\n" * 1_000_000,
    "dates that are none": HEAD.replace(b"22 Nov 2026", b"99 Xyz 99999999999999") + b"\r\nw",
    "a date before time": HEAD.replace(b"2026", b"0000") + b"\r\nw",
    "references in thousands": HEAD + b"References: " + b"<a@x> " * 50_000 + b"\r\n\r\nw",
    "HTML of tags only": HEAD + b"Content-Type: text/html\r\n\r\n" + b"<div " * 100_000,
    "HTML of one comment": HEAD + b"Content-Type: text/html\r\n\r\n" + b"<!--" * 100_000,
    "a report without recipients": HEAD
    + b"Content-Type: multipart/report; report-type=delivery-status; boundary=x\r\n\r\n--x\r\n"
    b"Content-Type: message/delivery-status\r\n\r\nAction: failed\r\n\r\nFinal-Recipient: rfc822;\r\n--x--",
    "lone surrogates in UTF-8": HEAD + b"Content-Type: text/plain; charset=utf-8\r\n\r\n\xed\xa0\x80 w",
    "a file name of slashes": HEAD
    + b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Disposition: attachment; "
    b"filename*0*=utf-8''..%2F..%2F; filename*1*=%00%FF\r\n\r\ndata\r\n--x--",
}  # fmt: skip


@pytest.mark.parametrize("raw", MALFORMED.values(), ids=MALFORMED.keys())
def test_F18_a_malformed_letter_never_throws_and_takes_no_time(raw: bytes) -> None:
    began = time.process_time()
    mail = mail_of(raw)
    rows = interactions_of_mail(raw, source="mail", own_addresses=["@bank.example"], received_at=NOW)
    slim(raw, most=2_000)
    seconds = time.process_time() - began
    json.dumps(mail, ensure_ascii=False).encode()
    for row in rows:
        assert row["touchpoint"]
        assert 0 <= row["occurred_at"] <= NOW
        assert all("\x00" not in value for value in row.values() if isinstance(value, str))
    assert seconds < 5
    try:
        received = request(raw, dialect="email")
        for message in read(received).messages:
            rows_of(message, received, SETTING)
    except Refused as reason:
        assert reason.reason.startswith("mail.")


def test_F18_a_letter_with_fifty_megabytes_attached_is_read_and_its_file_only_named() -> None:
    attached = base64.encodebytes(b"\x00" * 37_000_000)
    raw = (
        HEAD + b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nsee my photo\r\n--x\r\n"
        b"Content-Type: image/png; name=photo.png\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + attached
        + b"\r\n--x--\r\n"
    )
    assert len(raw) > 49_000_000
    began = time.process_time()
    thin = slim(raw, most=3_000_000)
    [row] = interactions_of_mail(thin, source="mail", own_addresses=["@bank.example"], received_at=NOW)
    assert time.process_time() - began < 5
    assert len(thin) < 2_000
    assert row["text"] == "see my photo"
    assert json.loads(row["properties"])["attachments"] == [
        {"name": "photo.png", "type": "image/png", "bytes": len(attached)}
    ]


def test_F18_letters_mutilated_anyhow_never_throw() -> None:
    chance = Random(18)
    seeds = [raw for raw in MALFORMED.values() if len(raw) < 5_000]
    for _ in range(how_many(300, 30_000)):
        raw = bytearray(chance.choice(seeds) + chance.choice(seeds))
        for _ in range(chance.randrange(1, 12)):
            place = chance.randrange(len(raw) + 1)
            piece = bytes(
                chance.choice((b"\r\n", b"\n\n", b"--x", b"=?", b";", b'"', b"\x00", b"\xff", b"<", b"boundary=x"))
            )
            raw[place : place + chance.randrange(3)] = piece
        json.dumps(mail_of(bytes(raw)), ensure_ascii=False).encode()
        rows = interactions_of_mail(bytes(raw), source="mail", own_addresses=["@x"], received_at=NOW)
        assert all(row["touchpoint"] and row["source_key"] and row["occurred_at"] <= NOW for row in rows)


def test_F18_webhooks_in_odd_shapes_are_refused_or_taken_never_thrown() -> None:
    recipe = Setting("desk", "UTC", "EUR", "", server_side=True, recipe=built_in_recipe("zendesk-webhook"))
    odd: tuple[Any, ...] = (
        {"type": []}, {"type": {"a": 1}, "time": []}, {"id": {"x": 1}, "time": {}}, {"touchpoint": 5},
        {"touchpoint": "a", "handles": 5},
        {"touchpoint": "a", "handles": {"email": {"x": 1}}}, {"touchpoint": "a", "others": 7}, {"data": [1, [2]]},
        {"customer": []},
        {"time": 1e300, "type": "x"}, {"time": "9" * 60, "type": "x"},
        {"detail": [], "type": "zen:event-type:ticket.created"},
        {"type": "solved", "id": "1", "time": "2026-11-22T10:00:00Z", "ticket": {"id": {"deep": [1]}}},
        {"type": "opened", "id": "\u0000", "time": "24:00"}, {"": "", " ": None}, {"desireline": 5, "type": "x"},
    )  # fmt: skip
    for dialect, setting in (("webhook", SETTING), ("recipe", recipe)):
        for body in odd:
            received = request(json.dumps(body).encode(), dialect=dialect)
            for message in read(received).messages:
                try:
                    assert all(row["touchpoint"] for row in rows_of(message, received, setting))
                except Refused as reason:
                    assert ":" in reason.reason
