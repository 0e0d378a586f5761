"""What can be connected, in words that people know; each kind is a way a source is set up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of source: its name, what it says, and how a source of it is set up.

    from_browsers: pages of web sites send; their origins can be named. hook: a record of another system, posted to an
    address that holds the key. signed: its sender signs with a secret that both sides know.
    """

    name: str
    label: str
    says: str
    dialect: str
    recipe: str = ""
    server_side: bool = False
    from_browsers: bool = False
    signed: bool = False


_ALL = (
    Kind("site", "A web site or shop", "with our own snippet of one line", "segment", from_browsers=True),
    Kind(
        "segment",
        "Segment or RudderStack clients",
        "you use them today: two lines change",
        "segment",
        from_browsers=True,
    ),
    Kind("posthog", "PostHog clients", "you use them today: one line changes", "posthog", from_browsers=True),
    Kind("server", "Your own program", "one HTTP request for each event, or many at once", "segment", server_side=True),
    Kind(
        "zendesk",
        "Zendesk",
        "tickets as they happen, by signed webhook",
        "recipe",
        "zendesk-webhook",
        server_side=True,
        signed=True,
    ),
    Kind(
        "chatwoot",
        "Chatwoot",
        "chats as they happen, by signed webhook",
        "recipe",
        "chatwoot-webhook",
        server_side=True,
        signed=True,
    ),
    Kind(
        "typeform",
        "Typeform",
        "answers with their scores, by signed webhook",
        "recipe",
        "typeform-webhook",
        signed=True,
    ),
    Kind(
        "survey",
        "Another survey tool",
        "answers as flat JSON, by webhook",
        "recipe",
        "survey-webhook",
        server_side=True,
        signed=True,
    ),
    Kind("webhook", "Any other system", "any JSON it can post, by webhook", "webhook", server_side=True, signed=True),
    Kind("cloudevents", "CloudEvents", "binary, structured or batched", "cloudevents", server_side=True),
    Kind("email", "E-mail", "letters to and from your service address", "email", server_side=True),
)
KINDS: Mapping[str, Kind] = MappingProxyType({kind.name: kind for kind in _ALL})


def kind_of(source: Mapping[str, Any], *, recipe: str) -> Kind:
    """The kind a source was set up as, from what is known of it."""
    for kind in _ALL:
        if kind.label == source["says"] and (kind.dialect, kind.recipe) == (source["dialect"], recipe):
            return kind
    if source["dialect"] == "recipe":
        named = next((kind for kind in _ALL if kind.recipe and kind.recipe == recipe), None)
        return named or KINDS["survey"]
    if source["dialect"] == "segment":
        return KINDS["server" if source["server_side"] else "site"]
    return next((kind for kind in _ALL if kind.dialect == source["dialect"]), KINDS["webhook"])
