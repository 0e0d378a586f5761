"""CloudEvents 1.0 over HTTP: structured, binary and batched; the general way in for anything else.

`type` is what happened, `subject` the customer (or `kind:value` for another handle), `source` and `id`
together are the key, `data` the properties.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from desireline.intake.dialects.body import Payload, in_utf_8, inflated, payload_of
from desireline.intake.dialects.handles_said import id_text, known_id
from desireline.intake.dialects.json_text import Event, read_document
from desireline.intake.dialects.names import touchpoint_of
from desireline.intake.dialects.received import Dialect, Message, Problem, Read, Received, Refused, Setting
from desireline.intake.dialects.rows import Said, row_of
from desireline.intake.dialects.segment import key_of, warnings_about
from desireline.vocabulary.handles import BY_KIND

SPEC_VERSIONS = ("1.0", "0.3")
_PREFIX = "ce-"
_MOST_HEADERS = 100
_OUR_OWN = frozenset(("specversion", "id", "source", "type", "subject", "time", "data", "data_base64"))
_FORMATS = ("application/cloudevents", "application/cloudevents+json", "application/cloudevents-batch+json")
_BODY = "body of the request"
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')


def read(received: Received) -> Read:
    """The events of a request: its headers are the event, or its body, or a list in its body."""
    kind = received.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_structured = kind.startswith(_FORMATS[0])
    if is_structured and kind not in _FORMATS:
        says = f"{kind} is not read. Send application/cloudevents+json."
        return Read(problem=Problem(415, "cloudevents.format", says))
    if not is_structured and ("ce-specversion" in received.headers or "ce-type" in received.headers):
        return _read_binary(received, kind)
    payload = payload_of(received)
    if isinstance(payload, Problem):
        return Read(problem=payload)
    document = read_document(payload.text, batch_names=())
    if isinstance(document, Problem):
        return Read(problem=document)
    messages = tuple(_message(event, place, payload.odd) for place, event in enumerate(document.events))
    return Read(messages, warnings=(*payload.odd, *warnings_about(document.events)))


def _read_binary(received: Received, kind: str) -> Read:
    attributes: dict[str, Any] = {
        name.removeprefix(_PREFIX): _attribute(value)
        for name, value in list(received.headers.items())[:_MOST_HEADERS]
        if name.startswith(_PREFIX)
    }
    if not received.body:
        return Read((_message(Event(attributes, 0), 0, ()),))
    if kind and "json" not in kind:
        return _read_words(received, attributes, kind)
    payload = payload_of(received)
    if isinstance(payload, Problem):
        return Read(problem=payload)
    document = read_document(b'{"%s":%s}' % (_BODY.encode(), payload.text), batch_names=())
    if isinstance(document, Problem):
        return Read(problem=document)
    event = document.events[0]
    if not event.refused and (len(event.body) > 1 or any(_BODY in odd for odd in event.odd)):
        return Read(problem=Problem(400, "json.malformed", "The body is more than one JSON value. Send one."))
    body = {**attributes, "data": event.body.get(_BODY)}
    told = Event(body, event.size_bytes, event.odd, event.refused)
    return Read((_message(told, 0, payload.odd),), warnings=(*payload.odd, *warnings_about((told,))))


def _attribute(value: str) -> str:
    """An attribute as it was before it was written into a header (HTTP binding, 3.1.3.2).

    >>> _attribute('"Anna \\\\"Ann\\\\" K."'), _attribute("Euro%20%E2%82%AC")
    ('Anna "Ann" K.', 'Euro €')
    """
    if _QUOTED.fullmatch(value):
        value = re.sub(r"\\(.)", r"\1", value[1:-1])
    return unquote(value, errors="replace").replace("\x00", "\ufffd")


def _read_words(received: Received, attributes: dict[str, Any], kind: str) -> Read:
    """A body that is no JSON: text becomes the words of the event, other bytes are only counted."""
    body = inflated(received.body, received.headers.get("content-encoding", ""))
    if isinstance(body, Problem):
        return Read(problem=body)
    payload = in_utf_8(body) if kind.startswith("text/") else Payload(b"")
    if isinstance(payload, Problem):
        return Read(problem=payload)
    words = payload.text.decode().replace("\x00", "\ufffd")
    data = {"text": words} if words else {"bytes": len(body)}
    event = Event({**attributes, "datacontenttype": kind, "data": data}, len(body))
    return Read((_message(event, 0, payload.odd),), warnings=(*payload.odd, *warnings_about((event,))))


def _message(event: Event, position: int, odd: tuple[str, ...]) -> Message:
    if event.refused:
        return Message(position, None, event.body, event.refused, event.odd)
    body = event.body
    source, own = body.get("source"), key_of(body.get("id"))
    key = key_of(f"{source.strip().replace(' ', '%20')} {own}") if isinstance(source, str) and own else None
    return Message(position, key, body, _refusal(body), (*event.odd, *odd))


def _refusal(body: Mapping[str, Any]) -> str:
    version = body.get("specversion")
    if version not in SPEC_VERSIONS:
        return f"cloudevents.specversion: {str(version)[:20]!r} is not read; send specversion 1.0"
    for name in ("id", "source", "type"):
        value = body.get(name)
        if not isinstance(value, str) or not value.strip():
            return f"cloudevents.missing: the attribute '{name}' is missing; give it as a text"
    return ""


def rows_of(message: Message, received: Received, setting: Setting) -> list[dict[str, Any]]:
    """The interaction an event tells; one that was refused, or mended wrongly, is refused."""
    body = message.body
    reason = message.refused or _refusal(body)
    if reason:
        raise Refused(reason)
    data = body.get("data")
    properties = data if isinstance(data, dict) else {} if data is None else {"data": data}
    besides = {name: value for name, value in body.items() if name not in _OUR_OWN and value is not None}
    besides["ce_source"] = body["source"]
    touchpoint = touchpoint_of(body["type"])
    if touchpoint != body["type"]:
        besides["ce_type"] = body["type"]
    if "data_base64" in body:
        besides["data_base64"] = body["data_base64"]
    said = Said(
        touchpoint=touchpoint,
        channel="server",
        named=subject_handles(body.get("subject")),
        original=body.get("time"),
        sent=None,
        properties=properties,
        besides=besides,
    )
    return [row_of(said, message, received, setting)]


def subject_handles(subject: Any) -> list[tuple[str, str]]:
    """The handle a subject names: `kind:value` of a kind we know, else a customer's id.

    >>> subject_handles("cookie:c-1"), subject_handles("42")
    ([('cookie', 'c-1')], [('customer', '42')])
    """
    text = id_text(subject)
    if text is None:
        return []
    kind, colon, value = text.partition(":")
    if colon and kind in BY_KIND:
        return [(kind, value)]
    return known_id(text)


DIALECT = Dialect("cloudevents", "CloudEvents 1.0: structured, binary, batched", read, rows_of)
