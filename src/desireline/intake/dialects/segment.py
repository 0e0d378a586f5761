"""Segment and RudderStack: identify, track, page, screen, group, alias, alone, in batches, by beacon or pixel."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from desireline.intake.dialects.body import Payload, form_value, payload_of
from desireline.intake.dialects.fields import key_text
from desireline.intake.dialects.handles_said import id_text, is_generated, known_id, traits_handles
from desireline.intake.dialects.json_text import FEW_EVENT_BYTES, FEW_EVENTS, Event, read_document
from desireline.intake.dialects.names import channel_of_library, touchpoint_of
from desireline.intake.dialects.received import Dialect, Message, Problem, Read, Received, Refused, Setting
from desireline.intake.dialects.rows import LONGEST_SOURCE_KEY, Said, row_of

KINDS = ("identify", "track", "page", "screen", "group", "alias")
_BY_ROUTE = {**{kind: kind for kind in KINDS}, **{kind[0]: kind for kind in KINDS}}
FREEZES_SENT_AT = frozenset(("@rudderstack/rudder-sdk-node", "rudder-sdk-node", "posthog-node"))
"""Libraries that send the `sentAt` of their first try again at every retry."""
_CHANNELS = {"web": "web", "server": "server", "mobile": "app", "app": "app"}
_PAGE_WORDS = ("path", "url", "referrer", "title", "search")
_MOST_PIXEL_WORDS = 200


def read(received: Received) -> Read:
    """The messages of a request; the route says what a message is that does not say it itself."""
    if received.method == "GET":
        pixel = _pixel(received)
        if isinstance(pixel, Problem):
            return Read(problem=pixel)
        if pixel is not None:
            return Read((_message(Event(pixel, len(received.query)), 0, {}, _route_kind(received.path)),))
    payload = payload_of(received)
    if isinstance(payload, Problem):
        return Read(problem=payload)
    return _read_text(payload, received)


def _read_text(payload: Payload, received: Received) -> Read:
    document = read_document(payload.text, batch_names=("batch",))
    if isinstance(document, Problem):
        return Read(problem=document)
    around = document.around
    sent = received.headers.get("sentat")
    if sent and "sentAt" not in around:
        around = {**around, "sentAt": sent}
    anonymous = _header_id(received.headers.get("anonymousid", ""))
    if anonymous:
        around = {**around, "anonymousId": anonymous}
    kind = None if document.is_batch else _route_kind(received.path)
    messages = tuple(_message(event, place, around, kind, payload.odd) for place, event in enumerate(document.events))
    return Read(messages, warnings=(*payload.odd, *warnings_about(document.events)))


def warnings_about(events: tuple[Event, ...]) -> tuple[str, ...]:
    """What is larger or more than we like, but kept."""
    warnings: list[str] = []
    if len(events) > FEW_EVENTS:
        warnings.append(f"batch.many: {len(events):,} events in one request; send up to {FEW_EVENTS:,}")
    large = sum(event.size_bytes > FEW_EVENT_BYTES and not event.refused for event in events)
    if large:
        warnings.append(f"event.large: {large:,} events are larger than 32 KB; send less with one event")
    return tuple(warnings)


def _route_kind(path: str) -> str | None:
    return _BY_ROUTE.get(path.rstrip("/").rpartition("/")[2])


def _header_id(header: str) -> str:
    """rudder-js writes the browser's id in base64 into a header."""
    try:
        return base64.b64decode(header, validate=True).decode()[:LONGEST_SOURCE_KEY]
    except (binascii.Error, ValueError):
        return ""


def _pixel(received: Received) -> dict[str, Any] | Problem | None:
    """The event a pixel's query spells out, or nothing when it is packed in `data`."""
    query = received.query.encode("utf-8", "replace")
    if form_value(query) is not None:
        return None
    try:
        words = parse_qsl(received.query, errors="replace", max_num_fields=_MOST_PIXEL_WORDS)
    except ValueError:
        return Problem(400, "query.too_many", f"The query has more than {_MOST_PIXEL_WORDS} words. Send JSON.")
    body: dict[str, Any] = {}
    for word, value in words:
        value = re.sub("[\x00\ud800-\udfff]", "\ufffd", value)
        box, parts = body, word.replace("\x00", "").split(".")[:4]
        for part in parts[:-1]:
            inner = box.setdefault(part, {})
            if not isinstance(inner, dict):
                break
            box = inner
        else:
            box[parts[-1]] = value
    body.pop("writeKey", None)
    return body or Problem(400, "body.empty", "The query holds no event. Give data, or the event's fields.")


def _message(
    event: Event, position: int, around: Mapping[str, Any], kind: str | None, odd: tuple[str, ...] = ()
) -> Message:
    if event.refused:
        return Message(position, None, event.body, event.refused, event.odd)
    body = event.body
    if kind is not None and body.get("type") not in KINDS:
        body = {**body, "type": kind}
    body.pop("writeKey", None)
    if around:
        body = _merged(body, around)
    return Message(position, key_of(body.get("messageId")), body, _refusal(body), (*event.odd, *odd))


def _merged(body: dict[str, Any], around: Mapping[str, Any]) -> dict[str, Any]:
    """The batch's context, integrations and time of sending in each of its items; the item's own wins."""
    for word in ("sentAt", "channel", "anonymousId"):
        if body.get(word) is None and around.get(word) is not None:
            body[word] = around[word]
    shared, own = around.get("context"), body.get("context")
    if isinstance(shared, dict) and shared:
        body["context"] = {**shared, **own} if isinstance(own, dict) else shared
    return body


def key_of(given: Any) -> str | None:
    """A client's message id as text; a very long one by its digest."""
    if type(given) is str and given.strip():
        if len(given) <= LONGEST_SOURCE_KEY:
            return given
        return "long-" + hashlib.sha256(given.encode()).hexdigest()
    return key_text(given)


def _refusal(body: Mapping[str, Any]) -> str:
    kind = body.get("type")
    if not isinstance(kind, str) or kind not in KINDS:
        return f"type.unknown: {str(kind)[:40]!r} is no type; give one of {', '.join(KINDS)}"
    if kind == "track" and not (isinstance(body.get("event"), str) and body["event"].strip()):
        return "event.missing: a track has no event; give its name, such as 'Order Completed'"
    if kind not in ("alias", "identify"):
        return ""
    user, anonymous = id_text(body.get("userId")), id_text(body.get("anonymousId"))
    if kind == "alias" and (user is None or id_text(body.get("previousId")) is None):
        return "id.missing: an alias needs previousId and userId"
    if kind == "identify" and user is None and anonymous is None and not traits_handles(*_traits(body)):
        return "id.missing: an identify names nobody; give userId, anonymousId or an e-mail address"
    return ""


def _traits(body: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    context = body.get("context")
    inner = context.get("traits") if isinstance(context, dict) else None
    own = body.get("traits")
    return (inner if isinstance(inner, dict) else {}), (own if isinstance(own, dict) else {})


def _box(value: Any, name: str) -> dict[str, Any]:
    inner = value.get(name) if isinstance(value, dict) else None
    return inner if isinstance(inner, dict) else {}


def rows_of(message: Message, received: Received, setting: Setting) -> list[dict[str, Any]]:
    """The interaction a message tells; one that was refused, or mended wrongly, is refused."""
    body = message.body
    reason = message.refused or _refusal(body)
    if reason:
        raise Refused(reason)
    context = _box(body, "context")
    kind = body["type"]
    library = _box(context, "library").get("name")
    library = library if isinstance(library, str) else ""
    channel = _channel(body, context, kind, library, received)
    properties, besides = _told(body, context, kind)
    touchpoint, fields = _touchpoint(body, context, kind)
    said = Said(
        touchpoint=touchpoint,
        channel=channel,
        named=_named(body, context, kind, channel, setting),
        original=_first(body, "timestamp", "originalTimestamp"),
        sent=body.get("sentAt"),
        sends_clock=library.lower() not in FREEZES_SENT_AT,
        zone=context["timezone"] if isinstance(context.get("timezone"), str) else "",
        properties=properties,
        besides=besides,
        fields={**_context_fields(context), **fields},
        joins=kind == "alias",
    )
    return [row_of(said, message, received, setting)]


def _first(body: Mapping[str, Any], *names: str) -> Any:
    return next((body[name] for name in names if body.get(name) is not None), None)


def _channel(body: Mapping[str, Any], context: Mapping[str, Any], kind: str, library: str, received: Received) -> str:
    if kind == "screen":
        return "app"
    said = body.get("channel")
    if isinstance(said, str) and said in _CHANNELS:
        return _CHANNELS[said]
    by_library = channel_of_library(library)
    if by_library != "server" or library:
        return by_library
    kind_of_device = _box(context, "device").get("type")
    if isinstance(kind_of_device, str) and kind_of_device.lower() in ("ios", "android"):
        return "app"
    return "web" if context.get("page") or kind == "page" or received.method == "GET" else "server"


def _touchpoint(body: Mapping[str, Any], context: Mapping[str, Any], kind: str) -> tuple[str, dict[str, Any]]:
    if kind == "track":
        return touchpoint_of(body["event"]), {}
    if kind == "page":
        page = {**_box(context, "page"), **_box(body, "properties")}
        return "page.viewed", _content(page.get("path"), body.get("name"), body.get("category"))
    if kind == "screen":
        return "screen.viewed", _content(body.get("name"), body.get("category"))
    return {"identify": "person.identified", "group": "group.joined", "alias": "person.linked"}[kind], {}


def _content(*given: Any) -> dict[str, Any]:
    found = next((text for text in map(key_text, given) if text), None)
    return {"content": found} if found else {}


def _told(body: Mapping[str, Any], context: Mapping[str, Any], kind: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The event's own properties, and what is kept beside them."""
    besides: dict[str, Any] = {}
    page = _box(context, "page")
    if page:
        besides["page"] = {word: page[word] for word in _PAGE_WORDS if page.get(word) not in (None, "")}
    for word in ("campaign", "library", "app", "os", "locale", "timezone"):
        if context.get(word):
            besides[word] = context[word]
    for word in ("name", "category"):
        if kind in ("page", "screen") and body.get(word):
            besides[word] = body[word]
    if kind == "track" and touchpoint_of(body["event"]) != body["event"]:
        besides["event"] = body["event"]
    if kind in ("identify", "group"):
        inner, own = _traits(body)
        besides["traits"] = {**inner, **own} if kind == "identify" else own
    group = body.get("groupId") if kind == "group" else context.get("groupId")
    if group is not None:
        besides["group"] = group
    return _box(body, "properties"), besides


def _context_fields(context: Mapping[str, Any]) -> dict[str, Any]:
    given = {
        "campaign": _box(context, "campaign").get("name"),
        "device": _box(context, "device").get("id"),
        "session": context.get("sessionId"),
    }
    return {name: text for name, text in ((name, key_text(value)) for name, value in given.items()) if text}


def _named(
    body: Mapping[str, Any], context: Mapping[str, Any], kind: str, channel: str, setting: Setting
) -> list[tuple[str, str]]:
    weak = "device" if channel == "app" else "cookie"
    if kind == "alias":
        return linked_ids(body.get("userId"), body.get("previousId"), weak=weak, server_side=setting.server_side)
    named = known_id(body.get("userId"))
    if kind != "group":
        named += traits_handles(*_traits(body))
    anonymous = id_text(body.get("anonymousId"))
    if anonymous:
        named.append((weak, anonymous))
    device = id_text(_box(context, "device").get("id"))
    if device:
        named.append(("device", device))
    return named


def linked_ids(one: Any, other: Any, *, weak: str, server_side: bool) -> list[tuple[str, str]]:
    """The handles of two ids that belong to one person, whichever way round they come.

    An id that looks generated may be a stranger's or a customer's: from inside the company it is taken
    as both, with a public key as a stranger's only.
    """
    named: list[tuple[str, str]] = []
    for text in sorted(filter(None, (id_text(one), id_text(other)))):
        if not is_generated(text):
            named += known_id(text)
        else:
            named += [("customer", text), (weak, text)] if server_side else [(weak, text)]
    return named


DIALECT = Dialect("segment", "Segment and RudderStack clients, in browsers, apps and servers", read, rows_of)
