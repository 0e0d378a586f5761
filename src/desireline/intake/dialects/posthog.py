"""PostHog capture: /e/, /i/v0/e/, /capture/, /batch/ and /i/v1/analytics/events, from browsers, apps and servers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from desireline.intake.dialects.body import Payload, payload_of
from desireline.intake.dialects.fields import key_text
from desireline.intake.dialects.handles_said import id_text, is_generated, known_id, traits_handles
from desireline.intake.dialects.json_text import Event, read_document
from desireline.intake.dialects.names import channel_of_library, touchpoint_of
from desireline.intake.dialects.received import Dialect, Message, Problem, Read, Received, Refused, Setting
from desireline.intake.dialects.rows import Said, row_of
from desireline.intake.dialects.segment import FREEZES_SENT_AT, key_of, linked_ids, warnings_about

TOUCHPOINTS = {
    "$pageview": "page.viewed",
    "$pageleave": "page.left",
    "$screen": "screen.viewed",
    "$identify": "person.identified",
    "$create_alias": "person.linked",
    "$merge_dangerously": "person.linked",
    "$groupidentify": "group.described",
    "$set": "person.described",
    "$set_once": "person.described",
    "$unset": "person.described",
    "$rageclick": "element.rage_clicked",
}
AUTOCAPTURED = {"click": "element.clicked", "submit": "form.submitted", "change": "element.changed"}
LINKS = ("$create_alias", "$merge_dangerously")
NOT_KEPT = frozenset(
    ("token", "distinct_id", "$set", "$set_once", "$ip", "$raw_user_agent", "$user_agent", "$anon_distinct_id", "alias",
     "$elements", "$elements_chain", "$time", "$insert_id", "$user_id", "$is_identified", "$process_person_profile",
     "$ignore_sent_at", "$cookieless_mode", "uuid")
)  # fmt: skip
"""Properties that are taken as something else, or that say more about a person's machine than anybody needs."""
_AROUND = ("sent_at", "historical_migration")


def read(received: Received) -> Read:
    """The events of a request, whatever they were packed in; the library's name may stand in a header."""
    if "compression=lz64" in received.query:
        return Read(problem=Problem(415, "body.lz64", "lz64 is not read. Set compression to gzip or none."))
    payload = payload_of(received)
    return Read(problem=payload) if isinstance(payload, Problem) else _read_text(payload, received)


def _read_text(payload: Payload, received: Received) -> Read:
    document = read_document(payload.text, batch_names=("batch", "data", "events"))
    if isinstance(document, Problem):
        return Read(problem=document)
    shared = {word: document.around[word] for word in _AROUND if document.around.get(word) is not None}
    sent = parse_qs(received.query, max_num_fields=None).get("_", [""])[0] if "_=" in received.query else ""
    if sent and "sent_at" not in shared and re.fullmatch(r"\d{12,14}", sent, re.ASCII):
        shared["sent_at"] = int(sent)
    messages = tuple(_message(event, place, shared, payload.odd) for place, event in enumerate(document.events))
    return Read(messages, warnings=(*payload.odd, *warnings_about(document.events)))


def _message(event: Event, position: int, shared: Mapping[str, Any], odd: tuple[str, ...]) -> Message:
    if event.refused:
        return Message(position, None, event.body, event.refused, event.odd)
    body = event.body
    for word in ("api_key", "token"):
        body.pop(word, None)
    for word, value in shared.items():
        body.setdefault(word, value)
    properties = _box(body, "properties")
    key = key_of(body.get("uuid")) or key_of(properties.get("$insert_id")) or key_of(body.get("messageId"))
    return Message(position, key, body, _refusal(body, properties), (*event.odd, *odd))


def _refusal(body: Mapping[str, Any], properties: Mapping[str, Any]) -> str:
    event = body.get("event")
    if not isinstance(event, str) or not event.strip():
        return "event.missing: an event has no name; give 'event', such as 'order completed'"
    if event in LINKS:
        one, other = _both_ids(body, properties)
        if one is None or other is None:
            return f"id.missing: {event} needs distinct_id and alias"
    if event == "$identify" and id_text(_distinct_id(body, properties)) is None:
        return "id.missing: $identify names nobody; give distinct_id"
    return ""


def _distinct_id(body: Mapping[str, Any], properties: Mapping[str, Any]) -> Any:
    given = (body.get("distinct_id"), body.get("$distinct_id"), properties.get("distinct_id"))
    return next((value for value in given if value is not None), None)


def _both_ids(body: Mapping[str, Any], properties: Mapping[str, Any]) -> tuple[str | None, str | None]:
    own = properties.get("distinct_id")
    one = body.get("distinct_id") if body.get("distinct_id") is not None else own
    other = properties.get("alias")
    if other is not None and other == one and own is not None:
        one = own
    return id_text(one), id_text(other)


def _box(value: Mapping[str, Any], name: str) -> dict[str, Any]:
    inner = value.get(name)
    return inner if isinstance(inner, dict) else {}


def rows_of(message: Message, received: Received, setting: Setting) -> list[dict[str, Any]]:
    """The interaction an event tells; one that was refused, or mended wrongly, is refused."""
    body = message.body
    reason = message.refused or _refusal(body, _box(body, "properties"))
    if reason:
        raise Refused(reason)
    properties, options = _box(body, "properties"), _box(body, "options")
    event: str = body["event"]
    library = _library(properties, received.headers)
    channel = "app" if event == "$screen" else channel_of_library(library)
    traits = {
        **_box(body, "$set_once"), **_box(properties, "$set_once"), **_box(body, "$set"), **_box(properties, "$set")
    }  # fmt: skip
    profile = options.get("process_person_profile", properties.get("$process_person_profile"))
    frozen = (
        library.lower() in FREEZES_SENT_AT
        or options.get("disable_skew_correction") is True
        or properties.get("$ignore_sent_at") is True
        or body.get("historical_migration") is True
    )
    said = Said(
        touchpoint=_touchpoint(event, properties),
        channel=channel,
        named=_named(event, body, properties, traits, channel, profile=profile is not False, setting=setting),
        original=_original(body, properties, received.received_at),
        sent=body.get("sent_at"),
        sends_clock=not frozen,
        zone=properties["$timezone"] if isinstance(properties.get("$timezone"), str) else "",
        properties={name: value for name, value in properties.items() if name not in NOT_KEPT},
        besides=_besides(event, body, traits, library),
        fields=_fields(event, body, properties),
        joins=event in LINKS,
    )
    return [row_of(said, message, received, setting)]


def _library(properties: Mapping[str, Any], headers: Mapping[str, str]) -> str:
    library = properties.get("$lib")
    if isinstance(library, str) and library:
        return library
    return headers.get("posthog-sdk-info", "").partition("/")[0].strip()


def _touchpoint(event: str, properties: Mapping[str, Any]) -> str:
    if event == "$autocapture":
        kind = properties.get("$event_type")
        return AUTOCAPTURED.get(kind if isinstance(kind, str) else "", "element.clicked")
    return TOUCHPOINTS.get(event) or touchpoint_of(event.removeprefix("$") or event)


def _original(body: Mapping[str, Any], properties: Mapping[str, Any], received_at: int) -> Any:
    if body.get("timestamp") is not None:
        return body["timestamp"]
    if properties.get("$time") is not None:
        return properties["$time"]
    offset = body.get("offset")
    if type(offset) is int and 0 <= offset < received_at:
        return received_at - offset
    return None


def _besides(event: str, body: Mapping[str, Any], traits: Mapping[str, Any], library: str) -> dict[str, Any]:
    besides: dict[str, Any] = {"event": event} if _touchpoint(event, {}) != event else {}
    if traits:
        besides["traits"] = traits
    if library:
        besides["$lib"] = library
    if body.get("window_id") is not None:
        besides["$window_id"] = body["window_id"]
    return besides


def _fields(event: str, body: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
    given = {"session": body.get("session_id")}
    if event in ("$pageview", "$pageleave"):
        given["content"] = properties.get("$pathname")
    if event == "$screen":
        given["content"] = properties.get("$screen_name")
    return {name: text for name, text in ((name, key_text(value)) for name, value in given.items()) if text}


def _named(
    event: str,
    body: Mapping[str, Any],
    properties: Mapping[str, Any],
    traits: Mapping[str, Any],
    channel: str,
    *,
    profile: bool,
    setting: Setting,
) -> list[tuple[str, str]]:
    weak = "device" if channel == "app" else "cookie"
    if event in LINKS:
        one, other = _both_ids(body, properties)
        return linked_ids(one, other, weak=weak, server_side=setting.server_side)
    distinct, user = id_text(_distinct_id(body, properties)), id_text(properties.get("$user_id"))
    if event == "$groupidentify":
        traits, distinct = {}, None if distinct is None or is_generated(distinct) else distinct
    strangers = {id_text(properties.get(name)) for name in ("$device_id", "$anon_distinct_id")} - {None}
    named = known_id(user)
    if distinct and distinct != user:
        identified = event == "$identify" or properties.get("$is_identified") is True
        made_up = is_generated(distinct) and channel != "server"
        if distinct in strangers or not profile or (made_up and not identified):
            strangers.add(distinct)
        else:
            named += known_id(distinct)
    named += traits_handles(traits)
    known = {value for _, value in named}
    return named + [(weak, text) for text in sorted(filter(None, strangers)) if text not in known]


DIALECT = Dialect("posthog", "PostHog clients, in browsers, apps and servers", read, rows_of)
