"""Drift: what is new or different about an event since we first saw it.

A client's next release may rename a property, or write a number as text. Nothing is lost by that - the
event is kept as it came, the typed columns stay as they are - but a promise that looks at the property
would go blind, so it is told.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from desireline.intake.dialects.received import Message

MOST_EVENT_NAMES = 2_000
MOST_PROPERTIES = 200
OTHER = "(other)"
"""Stands for all events, or all properties of an event, beyond the most we remember."""
SEEN_ENOUGH = 20
"""A property missing is only a sign of a new name when its event was seen so often."""
NEARLY_ALWAYS = 0.9
ALIKE = 0.6
_SAMPLE = 80

Change = Literal["new_event", "new_property", "changed_kind", "renamed"]
_KINDS: dict[type, str] = {bool: "yes_no", int: "number", float: "number", str: "text", list: "list", dict: "object"}


@dataclass(frozen=True, slots=True)
class Drift:
    """One change: of which event and property, what it was, what it is, and a value as a sample."""

    event: str
    change: Change
    name: str = ""
    was: str = ""
    now: str = ""
    sample: str = ""


@dataclass(slots=True)
class Shape:
    """An event as it was so far: how often seen, and how often each property with which kinds of value."""

    seen: int = 0
    properties: dict[str, tuple[int, tuple[str, ...]]] = field(default_factory=dict)


class Shapes:
    """The shapes of all events of a source, bounded in names: at most `MOST_EVENT_NAMES` x `MOST_PROPERTIES`."""

    def __init__(self, shapes: Mapping[str, Shape] | None = None) -> None:
        self.by_event: dict[str, Shape] = dict(shapes or {})

    def learn(self, event: str, properties: Mapping[str, Any]) -> tuple[Drift, ...]:
        """Takes one event in and tells what drifted; the first event of a name tells only that it is new."""
        shape = self.by_event.get(event)
        if shape is None:
            is_known = len(self.by_event) < MOST_EVENT_NAMES
            name = event if is_known else OTHER
            shape = self.by_event.setdefault(name, Shape())
            if not is_known:
                shape.seen += 1
                return ()
            _take(shape, properties)
            return (Drift(event, "new_event", sample=", ".join(list(properties)[:10])[:_SAMPLE]),)
        drifts = _drifts(event, shape, properties)
        _take(shape, properties)
        return drifts

    def as_json(self) -> dict[str, Any]:
        """The shapes as plain values, to be kept."""
        return {
            event: {"seen": shape.seen, "properties": {name: list(known) for name, known in shape.properties.items()}}
            for event, shape in self.by_event.items()
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Shapes:
        """The shapes that `as_json` gave."""
        return cls(
            {
                event: Shape(
                    shape["seen"],
                    {name: (count, tuple(kinds)) for name, (count, kinds) in shape["properties"].items()},
                )
                for event, shape in kept.items()
            }
        )


def _take(shape: Shape, properties: Mapping[str, Any]) -> None:
    shape.seen += 1
    known = shape.properties
    for name, value in properties.items():
        kind = _KINDS.get(type(value))
        if kind is None:
            continue
        place = name if name in known or len(known) < MOST_PROPERTIES else OTHER
        count, kinds = known.get(place, (0, ()))
        known[place] = (count + 1, kinds if kind in kinds else (*kinds, kind))


def _drifts(event: str, shape: Shape, properties: Mapping[str, Any]) -> tuple[Drift, ...]:
    found: list[Drift] = []
    missing: list[str] | None = None
    for name, value in properties.items():
        kind = _KINDS.get(type(value))
        if kind is None:
            continue
        known = shape.properties.get(name)
        if known is not None:
            if kind not in known[1]:
                found.append(Drift(event, "changed_kind", name, " or ".join(known[1]), kind, _sample(value)))
            continue
        if OTHER in shape.properties or len(shape.properties) >= MOST_PROPERTIES:
            continue
        if missing is None:
            missing = _missing(shape, properties)
        alike = [was for was in missing if kind in shape.properties[was][1]]
        nearest = difflib.get_close_matches(name, alike, n=1, cutoff=ALIKE)
        if nearest:
            found.append(Drift(event, "renamed", name, nearest[0], name, _sample(value)))
        else:
            found.append(Drift(event, "new_property", name, "", kind, _sample(value)))
    return tuple(found)


def _missing(shape: Shape, properties: Mapping[str, Any]) -> list[str]:
    """Properties that nearly always were there and are not now."""
    if shape.seen < SEEN_ENOUGH:
        return []
    return [
        name
        for name, (count, _) in shape.properties.items()
        if name not in properties and name != OTHER and count >= NEARLY_ALWAYS * shape.seen
    ]


def _sample(value: Any) -> str:
    return str(value)[:_SAMPLE]


def told_of(message: Message) -> tuple[str, Mapping[str, Any]]:
    """What drift looks at in a message of any dialect: the event's name and the client's own properties.

    >>> told_of(Message(0, None, {"type": "track", "event": "Paid", "properties": {"total": 3}}))
    ('Paid', {'total': 3})
    """
    body = message.body
    name = next((body[word] for word in ("event", "type") if isinstance(body.get(word), str)), "")
    for word in ("properties", "data", "traits"):
        if isinstance(body.get(word), dict):
            own = body[word]
            return name[:200], {key: value for key, value in own.items() if not key.startswith("$")}
    return name[:200], {}
