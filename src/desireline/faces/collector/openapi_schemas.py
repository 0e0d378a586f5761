"""The shapes that the description of the collector speaks of: bodies, answers, keys."""

from __future__ import annotations

from typing import Any

from desireline.faces.collector.routes import Route

_TEXT = {"type": "string"}
_TEXT_OR_NULL = {"type": ["string", "null"]}
_OBJECT = {"type": "object"}
_MOMENT = {"type": "string", "format": "date-time"}

SECURITY: dict[str, Any] = {
    "basic": {"type": "http", "scheme": "basic", "description": "The write key as user name, no password."},
    "bearer": {"type": "http", "scheme": "bearer", "description": "The write key."},
    "query": {"type": "apiKey", "in": "query", "name": "writeKey", "description": "The write key."},
    "body": {"type": "http", "scheme": "custom", "description": "The write key as writeKey or api_key in the body."},
}

SCHEMAS: dict[str, Any] = {
    "Segment": {
        "type": "object",
        "properties": {
            "type": {"enum": ["identify", "track", "page", "screen", "group", "alias"]},
            "messageId": _TEXT,
            "userId": _TEXT_OR_NULL,
            "anonymousId": _TEXT_OR_NULL,
            "previousId": _TEXT_OR_NULL,
            "groupId": _TEXT_OR_NULL,
            "event": _TEXT,
            "name": _TEXT_OR_NULL,
            "category": _TEXT_OR_NULL,
            "properties": _OBJECT,
            "traits": _OBJECT,
            "context": _OBJECT,
            "integrations": _OBJECT,
            "timestamp": _MOMENT,
            "originalTimestamp": _MOMENT,
            "sentAt": _MOMENT,
            "writeKey": _TEXT,
        },
    },
    "SegmentBatch": {
        "type": "object",
        "required": ["batch"],
        "properties": {
            "batch": {"type": "array", "items": {"$ref": "#/components/schemas/Segment"}},
            "sentAt": _MOMENT,
            "context": _OBJECT,
            "integrations": _OBJECT,
            "writeKey": _TEXT,
        },
    },
    "PostHog": {
        "type": "object",
        "properties": {
            "api_key": _TEXT,
            "event": _TEXT,
            "distinct_id": _TEXT,
            "uuid": _TEXT,
            "properties": _OBJECT,
            "timestamp": _MOMENT,
            "$set": _OBJECT,
            "$set_once": _OBJECT,
            "batch": {"type": "array", "items": {"$ref": "#/components/schemas/PostHog"}},
            "sent_at": _MOMENT,
            "historical_migration": {"type": "boolean"},
        },
    },
    "CloudEvent": {
        "type": "object",
        "required": ["specversion", "id", "source", "type"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": {"type": "string", "minLength": 1},
            "source": {"type": "string", "minLength": 1},
            "type": {"type": "string", "minLength": 1},
            "subject": _TEXT,
            "time": _MOMENT,
            "datacontenttype": _TEXT,
            "data": {},
        },
    },
    "Taken": {
        "type": "object",
        "properties": {
            "success": {"const": True},
            "status": {"const": 1, "description": "What PostHog's clients expect."},
            "sequence": {"type": "integer"},
            "assigned": {
                "type": "array",
                "description": "The ids given to interactions that came without one.",
                "items": {
                    "type": "object",
                    "required": ["position", "messageId"],
                    "properties": {"position": {"type": "integer"}, "messageId": _TEXT},
                },
            },
            "items": {
                "type": "array",
                "description": "With ?verbose=1: the verdict on each interaction.",
                "items": {
                    "type": "object",
                    "required": ["position", "messageId", "verdict", "reason"],
                    "properties": {
                        "position": {"type": "integer"},
                        "messageId": _TEXT,
                        "verdict": {"enum": ["accepted", "quarantined"]},
                        "reason": _TEXT,
                    },
                },
            },
            "warnings": {"type": "array", "items": _TEXT},
        },
    },
    "Results": {
        "type": "object",
        "required": ["results"],
        "properties": {
            "results": {
                "type": "object",
                "additionalProperties": {
                    "type": "object",
                    "required": ["result"],
                    "properties": {"result": {"enum": ["ok", "warning"]}, "details": _TEXT},
                },
            }
        },
    },
    "Refusal": {
        "type": "object",
        "required": ["success", "code", "message"],
        "properties": {
            "success": {"const": False},
            "code": {"type": "string", "description": "Never changes its meaning."},
            "message": {"type": "string", "description": "What the sender can do."},
        },
    },
}


def body_of(route: Route) -> dict[str, Any]:
    """The bodies a route reads, by content type; the type that is announced is not believed anyway."""
    if route.dialect == "segment":
        name = "SegmentBatch" if route.path.endswith(("/batch", "/b", "/import")) else "Segment"
        return {kind: _refer(name) for kind in ("application/json", "text/plain")}
    if route.dialect == "posthog":
        return {kind: _refer("PostHog") for kind in ("application/json", "text/plain")}
    if route.dialect == "cloudevents":
        many = {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/CloudEvent"}}}
        return {
            "application/cloudevents+json": _refer("CloudEvent"),
            "application/cloudevents-batch+json": many,
            "application/json": {"schema": {}},
        }
    return {"application/json": {"schema": {}}}


def query_parameters(route: Route) -> list[dict[str, Any]]:
    """What may stand in the query of a route."""
    named: dict[str, Any] = {}
    if route.does == "rudder_settings":
        named = {"writeKey": _TEXT, "p": _TEXT, "v": _TEXT}
    elif route.does == "pixel":
        named = dict.fromkeys(("writeKey", "data", "userId", "anonymousId", "event", "name"), _TEXT)
    elif route.does == "store":
        named = {"verbose": {"enum": ["0", "1"]}}
        if route.dialect != "webhook":
            named["writeKey"] = _TEXT
    return [{"name": name, "in": "query", "required": False, "schema": schema} for name, schema in named.items()]


def _refer(name: str) -> dict[str, Any]:
    return {"schema": {"$ref": f"#/components/schemas/{name}"}}
