"""The general webhook: any signed JSON, in the words of an interaction or in the sender's own.

    {"type": "order.completed", "id": "e-1", "time": "2026-11-22T10:00:00Z", "data": {"order_id": "A-1"}}
    {"touchpoint": "ticket.opened", "occurred_at": "...", "handles": {"email": "anna@example.org"}, "asks": true}

One event, a list of them, or a list under `events`, `interactions` or `batch`; a form is read as its fields.
A body that names its `touchpoint` speaks our words, and a value that does not fit one is refused. In any
other body known names are taken where they fit; the rest is kept as properties.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from desireline.intake.dialects.body import payload_of
from desireline.intake.dialects.handles_said import known_id, traits_handles
from desireline.intake.dialects.json_text import Document, Event, read_document
from desireline.intake.dialects.names import touchpoint_of
from desireline.intake.dialects.received import Dialect, Message, Problem, Read, Received, Refused, Setting
from desireline.intake.dialects.reserved import FIELD_WORDS, RESERVED
from desireline.intake.dialects.rows import Said, row_of
from desireline.intake.dialects.segment import key_of, warnings_about
from desireline.intake.dialects.signatures import delivery_key
from desireline.vocabulary.handles import BY_KIND

NAMELESS = "webhook.received"
"""The touchpoint of a body that says nothing about what happened."""
BATCH_NAMES = ("events", "interactions", "batch")
ID_WORDS = ("id", "message_id", "messageId", "event_id")
TYPE_WORDS = ("type", "event", "event_type", "action")
TIME_WORDS = ("occurred_at", "time", "timestamp", "created_at")
PERSON_WORDS = ("customer", "contact", "person", "user", "requester")
CUSTOMER_WORDS = ("customer_id", "customerId", "user_id", "userId", *PERSON_WORDS)
MOST_FORM_FIELDS = 1_000
_BASE_WORDS = frozenset((*ID_WORDS, *TIME_WORDS, "sent_at", "type", "data"))
_OUR_WORDS = frozenset((*_BASE_WORDS, *BY_KIND, "handles", "others"))


def read(received: Received) -> Read:
    """The events of a signed request. The same request sent again has the same keys."""
    document = document_of(received)
    if isinstance(document, Problem):
        return Read(problem=document)
    delivery = delivery_key(received.headers, received.body)
    several = len(document.events) > 1
    messages = tuple(
        _message(event, place, f"{delivery}#{place}" if delivery and several else delivery)
        for place, event in enumerate(document.events)
    )
    return Read(messages, warnings=warnings_about(document.events))


def document_of(received: Received, *, batch_names: tuple[str, ...] = BATCH_NAMES) -> Document | Problem:
    """The JSON a webhook carries; of a form its fields, or the JSON in its field `payload`."""
    kind = received.headers.get("content-type", "")
    if "form-urlencoded" in kind and received.body.lstrip()[:1] not in (b"{", b"[", b"\x1f"):
        return _form(received.body, batch_names)
    payload = payload_of(received)
    if isinstance(payload, Problem):
        return payload
    document = read_document(payload.text, batch_names=batch_names)
    if isinstance(document, Problem) or not payload.odd:
        return document
    events = tuple(
        Event(each.body, each.size_bytes, (*each.odd, *payload.odd), each.refused) for each in document.events
    )
    return Document(document.around, events, document.is_batch)


def _form(body: bytes, batch_names: tuple[str, ...]) -> Document | Problem:
    try:
        fields = dict(parse_qsl(body.decode("utf-8", "replace"), errors="replace", max_num_fields=MOST_FORM_FIELDS))
    except ValueError:
        return Problem(400, "form.too_many", f"The form has more than {MOST_FORM_FIELDS:,} fields. Send JSON.")
    inner = fields.get("payload", "")
    if inner[:1] in ("{", "["):
        return read_document(inner.encode("utf-8", "replace"), batch_names=batch_names)
    clean = {_clean(name): _clean(value) for name, value in fields.items()}
    if not clean:
        return Problem(400, "body.empty", "The body is empty. Send JSON.")
    return read_document(msgspec.json.encode(clean), batch_names=())


def _clean(text: str) -> str:
    return re.sub("[\x00\ud800-\udfff]", "\ufffd", text)


def _message(event: Event, position: int, delivery: str | None) -> Message:
    own = next((key for word in ID_WORDS if (key := key_of(event.body.get(word))) is not None), None)
    return Message(position, own or key_of(delivery), event.body, event.refused, event.odd)


def rows_of(message: Message, received: Received, setting: Setting) -> list[dict[str, Any]]:
    """The interaction an event tells; one refused while reading stays refused."""
    if message.refused:
        raise Refused(message.refused)
    said = _in_our_words(message.body) if "touchpoint" in message.body else _in_their_words(message.body)
    return [row_of(said, message, received, setting)]


def _in_our_words(body: Mapping[str, Any]) -> Said:
    """Words of an interaction are fields, and a value that does not fit is refused; the rest are properties."""
    words = {word: value for word, value in body.items() if word in FIELD_WORDS}
    if not isinstance(words["touchpoint"], str) or not words["touchpoint"].strip():
        raise Refused("touchpoint.missing: say what happened, such as ticket.opened")
    rest = {word: value for word, value in body.items() if word not in FIELD_WORDS and word not in _OUR_WORDS}
    data = body.get("data")
    properties = data if isinstance(data, dict) else {} if data is None else {"data": data}
    words |= {"handles": _handles(body), "others": body.get("others")}
    return Said(
        touchpoint=words["touchpoint"],
        channel="server",
        named=[],
        original=_first(body, TIME_WORDS),
        sent=body.get("sent_at"),
        properties={**rest, **properties, RESERVED: words},
    )


def _handles(body: Mapping[str, Any]) -> dict[str, list[Any]] | None:
    """Handles as {kind: value}, as a list of {kind, value} or of 'kind:value'; or a kind as a word of its own."""
    given = body.get("handles")
    found: dict[str, list[Any]] = {}
    if isinstance(given, Mapping):
        for kind, values in given.items():
            found.setdefault(kind, []).extend(values if isinstance(values, list) else [values])
    elif given is not None:
        for handle in given if isinstance(given, list) else [given]:
            kind, value = _handle(handle)
            found.setdefault(kind, []).append(value)
    for kind in BY_KIND:
        if isinstance(body.get(kind), (str, int)) and kind not in FIELD_WORDS:
            found.setdefault(kind, []).append(body[kind])
    return found or None


def _handle(given: Any) -> tuple[str, Any]:
    if isinstance(given, Mapping) and isinstance(given.get("kind"), str):
        return given["kind"], given.get("value")
    if isinstance(given, str) and ":" in given:
        kind, _, value = given.partition(":")
        return kind, value
    raise Refused("handles.unfit: write handles as {email: anna@example.org} or [{kind: email, value: ...}]")


def _in_their_words(body: Mapping[str, Any]) -> Said:
    data = body.get("data")
    inner = data if isinstance(data, dict) else {}
    name = _first(body, TYPE_WORDS)
    touchpoint = touchpoint_of(name) if isinstance(name, str) else ""
    rest = {word: value for word, value in body.items() if word not in _BASE_WORDS and value is not None}
    if "data" in body and not isinstance(data, dict) and data is not None:
        rest["data"] = data
    if touchpoint and touchpoint == name:
        rest = {word: value for word, value in rest.items() if value != name or word not in TYPE_WORDS}
    return Said(
        touchpoint=touchpoint or NAMELESS,
        channel="server",
        named=_named(body, inner),
        original=_first(body, TIME_WORDS) or _first(inner, TIME_WORDS),
        sent=body.get("sent_at"),
        properties={**rest, **inner},
    )


def _named(*boxes: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Whom a foreign body names: ids of customers, e-mail addresses, phone numbers, also one level down."""
    named: list[tuple[str, str]] = []
    for box in boxes:
        for word in CUSTOMER_WORDS:
            named += known_id(box.get(word))
        people = [box[word] for word in PERSON_WORDS if isinstance(box.get(word), dict)]
        named += traits_handles(box, *people)
        for person in people:
            named += known_id(person.get("id"))
    return named


def _first(body: Mapping[str, Any], words: tuple[str, ...]) -> Any:
    return next((body[word] for word in words if body.get(word) is not None), None)


DIALECT = Dialect(
    "webhook", "any signed webhook: JSON in an interaction's words, or in the sender's own", read, rows_of
)
