"""The description of the collector for machines (OpenAPI 3.1), made from the table of routes."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec

from desireline.faces.collector import openapi_schemas as schemas
from desireline.faces.collector.answers import REFUSALS
from desireline.faces.collector.routes import ROUTES, Route
from desireline.faces.collector.told import RESULTS_PATH

_ALWAYS = (400, 405, 408, 431, 503)
_OF_A_KEY = (401, 404)
_OF_A_BODY = (401, 403, 404, 413, 415, 429)
_SAYS = {
    400: "The request or its body cannot be read.",
    401: "No write key, a write key nobody has, or a signature that does not fit.",
    403: "The source takes nothing from this origin.",
    404: "Nothing is here, or the source is switched off.",
    405: "This address does not take this method.",
    408: "The request did not arrive in time.",
    413: "The body is too large.",
    415: "The body is in a format or an encoding that is not read.",
    429: "The source or the network address has spent its budget.",
    431: "The head of the request is too large.",
    503: "Nothing can be taken at the moment.",
}
_WAIT = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}}


@lru_cache(maxsize=1)
def text() -> bytes:
    """The description as JSON."""
    return msgspec.json.format(msgspec.json.encode(describe()), indent=1)


def describe() -> dict[str, Any]:
    """The description: every route, every status, every code of a refusal."""
    paths: dict[str, Any] = {}
    for route in ROUTES:
        item = paths.setdefault(route.path, {})
        for method in (*route.methods, "OPTIONS"):
            item[method.lower()] = _operation(route, method)
    codes = "\n".join(f"- `{code}` ({known.status}): {known.says}" for code, known in REFUSALS.items())
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Desireline collector",
            "version": "1",
            "description": f"Takes interactions in. A success means that they lie on disk.\n\n{codes}\n",
        },
        "paths": paths,
        "components": {
            "schemas": schemas.SCHEMAS,
            "responses": _refusal_responses(),
            "securitySchemes": schemas.SECURITY,
        },
    }


def _operation(route: Route, method: str) -> dict[str, Any]:
    name = route.path.strip("/").replace("/", "_").replace("{", "").replace("}", "").replace(".", "_")
    operation: dict[str, Any] = {"operationId": f"{method.lower()}_{name}", "summary": route.says}
    parameters = [_path_parameter(word) for word in ("key", "kind") if f"{{{word}}}" in route.path]
    if method == "OPTIONS":
        operation["summary"] = "What a browser or a sender of webhooks asks first."
        operation["responses"] = {"204": {"description": "It may send."}, **_refusals(_ALWAYS)}
        if route.path == "/events":
            operation["responses"]["200"] = {"description": "It may send webhooks."}
    else:
        parameters += schemas.query_parameters(route)
        operation["responses"] = _responses(route)
        if route.dialect:
            operation["security"] = [{name: []} for name in schemas.SECURITY]
        if method == "POST":
            operation["requestBody"] = {"required": route.dialect != "", "content": schemas.body_of(route)}
    if parameters:
        operation["parameters"] = parameters
    return operation


def _path_parameter(word: str) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string", "minLength": 1}
    if word == "kind":
        schema["enum"] = ["track", "page", "screen", "identify", "group", "alias"]
    return {"name": word, "in": "path", "required": True, "schema": schema}


def _responses(route: Route) -> dict[str, Any]:
    good = {"description": "Done.", "content": _good_content(route)}
    if route.dialect:
        good["description"] = "It lies on disk."
        return {"200": good, **_refusals((*_ALWAYS, *_OF_A_BODY))}
    keyed = route.does in ("segment_settings", "rudder_settings", "posthog_config", "posthog_script")
    return {"200": good, **_refusals((*_ALWAYS, *(_OF_A_KEY if keyed else ())))}


def _good_content(route: Route) -> dict[str, Any]:
    if route.does == "pixel":
        return {"image/gif": {}}
    if route.does in ("posthog_script", "snippet.js", "snippet.mjs"):
        return {"text/javascript": {}}
    if route.path == RESULTS_PATH:
        return {"application/json": {"schema": {"$ref": "#/components/schemas/Results"}}}
    if route.dialect:
        return {"application/json": {"schema": {"$ref": "#/components/schemas/Taken"}}}
    return {"application/json": {"schema": {"type": "object"}}}


def _refusals(statuses: tuple[int, ...]) -> dict[str, Any]:
    return {str(status): {"$ref": f"#/components/responses/Refused{status}"} for status in sorted(statuses)}


def _refusal_responses() -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}
    return {
        f"Refused{status}": {
            "description": says,
            "content": content,
            **({"headers": _WAIT} if status in (429, 503) else {}),
        }
        for status, says in _SAYS.items()
    }
