"""The addresses at which interactions are taken in, one table; `/openapi.json` is made from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Route:
    """One address of the collector.

    path: the address; `{key}` stands for a write key, `{kind}` for a kind of interaction.
    methods: the methods it takes, besides OPTIONS.
    dialect: who reads the body; empty where there is nothing to read.
    does: `store` (take a body in), `pixel` (take what the query says in, answer with a picture),
        or the name of a document for clients.
    says: what it is for.
    """

    path: str
    methods: tuple[str, ...]
    dialect: str
    does: str
    says: str

    @property
    def methods_text(self) -> str:
        """The methods as a header lists them."""
        return ", ".join((*self.methods, "OPTIONS"))


_KINDS = ("identify", "track", "page", "screen", "group", "alias")
_POST, _GET, _GET_POST = ("POST",), ("GET",), ("GET", "POST")


def _segment() -> list[Route]:
    routes = [Route(f"/v1/{kind}", _POST, "segment", "store", f"One {kind}.") for kind in _KINDS]
    routes += [Route(f"/v1/{kind[0]}", _POST, "segment", "store", f"The short form of /v1/{kind}.") for kind in _KINDS]
    for path in ("/v1/batch", "/v1/b", "/v1/import", "/beacon/v1/batch"):
        routes.append(Route(path, _POST, "segment", "store", "Many interactions at once."))
    for path in ("/pixel/v1/{kind}", "/v1/pixel/{kind}"):
        routes.append(Route(path, _GET, "segment", "pixel", "One interaction in the query of a picture."))
    routes.append(Route("/v1/m", _POST, "", "ignored", "What a browser client counts about itself; not kept."))
    return routes


def _posthog() -> list[Route]:
    routes = [
        Route(path, _POST, "posthog", "store", "One interaction or many, as PostHog's clients send them.")
        for path in ("/e", "/i/v0/e", "/capture", "/batch", "/track", "/engage")
    ]
    routes.append(Route("/i/v1/analytics/events", _POST, "posthog", "store", "Many, with a verdict for each."))
    for path in ("/flags", "/decide"):
        routes.append(Route(path, _GET_POST, "", "flags", "Feature flags of PostHog's clients: there are none."))
    routes.append(Route("/array/{key}/config", _GET, "", "posthog_config", "What posthog-js asks at its start."))
    routes.append(Route("/array/{key}/config.js", _GET, "", "posthog_script", "The same as a script."))
    return routes


ROUTES: tuple[Route, ...] = (
    *_segment(),
    Route("/v1/projects/{key}/settings", _GET, "", "segment_settings", "What analytics-next asks at its start."),
    Route("/sourceConfig", _GET, "", "rudder_settings", "What RudderStack's clients ask at their start."),
    *_posthog(),
    Route("/events", _POST, "cloudevents", "store", "CloudEvents: binary, structured, batched."),
    Route("/hooks/{key}", _POST, "webhook", "store", "Signed records of other systems, read as the source says."),
    Route("/mail/{key}", _POST, "webhook", "store", "One e-mail, whole (RFC 5322), for a source of e-mails."),
    Route("/snippet.js", _GET, "", "snippet.js", "Our own client for pages, for a script tag."),
    Route("/snippet.mjs", _GET, "", "snippet.mjs", "The same as a module that exports start, for any bundler."),
    Route("/openapi.json", _GET, "", "openapi", "This description."),
)

OPEN_DIALECTS = frozenset(route.dialect for route in ROUTES if route.dialect not in ("", "webhook"))
"""Dialects with addresses of their own. All others come in at `/hooks/{key}` and `/mail/{key}` only, signed."""


def _exact() -> Mapping[str, Route]:
    return MappingProxyType({route.path: route for route in ROUTES if "{" not in route.path})


def _open() -> tuple[tuple[str, str, Route], ...]:
    parts = []
    for route in ROUTES:
        if "{" in route.path:
            before, _, rest = route.path.partition("{")
            parts.append((before, rest.partition("}")[2], route))
    return tuple(sorted(parts, key=lambda part: -len(part[1])))


_EXACT = _exact()
_OPEN = _open()


def find(path: str) -> tuple[Route, str] | None:
    """The route of an address, and what stands in its braces. A slash at the end changes nothing.

    >>> found = find("/array/phc_1/config.js/")
    >>> found[0].does, found[1]
    ('posthog_script', 'phc_1')
    >>> find("/people") is None
    True
    """
    route = _EXACT.get(path)
    if route is not None:
        return route, ""
    plain = path.rstrip("/") or "/"
    route = _EXACT.get(plain)
    if route is not None:
        return route, ""
    for before, after, route in _OPEN:
        if plain.startswith(before) and plain.endswith(after):
            inner = plain[len(before) : len(plain) - len(after)] if after else plain[len(before) :]
            if inner and "/" not in inner:
                return route, inner
    return None


_FOREIGN = ("/v1/", "/beacon/", "/pixel/", "/i/", "/array/", "/hooks/", "/mail/")


def claims(path: str) -> bool:
    """Whether the collector answers this address, be it with a refusal; the pages answer all others."""
    return path.startswith(_FOREIGN) or find(path) is not None
