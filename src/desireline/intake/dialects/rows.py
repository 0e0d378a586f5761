"""What an event says becomes the row of an interaction: fields, handles, moment, money, properties."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec

from desireline.intake.dialects.fields import minor_units, taken_fields
from desireline.intake.dialects.handles_said import normalised
from desireline.intake.dialects.moments import Occurred, occurred, zone_or_none
from desireline.intake.dialects.protected import without_claims
from desireline.intake.dialects.received import Message, Received, Refused, Setting
from desireline.intake.dialects.reserved import RESERVED, said_fields
from desireline.vocabulary.interaction import BY_NAME
from desireline.vocabulary.tables import INTERACTIONS

LONGEST_SOURCE_KEY = 256
COLUMNS = tuple(column for column in INTERACTIONS.columns if column not in ("id", "handle", "import_id"))
_EMPTY_ROW: dict[str, Any] = dict.fromkeys(COLUMNS)
_COLUMN = {name: BY_NAME[name].column for name in BY_NAME}
_encode = msgspec.json.encode


@dataclass(frozen=True, slots=True)
class Said:
    """What an event says, before it is a row. `fields` are what its kind of event fills in by itself.

    `properties` are the client's own, `besides` what is kept with them (page, campaign, traits).
    """

    touchpoint: str
    channel: str
    named: list[tuple[str, str]]
    original: Any
    sent: Any
    sends_clock: bool = True
    zone: str = ""
    properties: Mapping[str, Any] = field(default_factory=dict)
    besides: Mapping[str, Any] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)
    others: tuple[str, ...] = ()
    joins: bool = False


def source_key_of(message: Message, received: Received) -> str:
    """The client's own key, or one made of the place in the log."""
    return message.key or f"log-{received.sequence}-{message.position}"


def row_of(said: Said, message: Message, received: Received, setting: Setting) -> dict[str, Any]:
    """One interaction; raises `Refused` when the event says what no interaction can hold."""
    properties = said.properties
    words = None
    if RESERVED in properties:
        words = properties[RESERVED]
        properties = {name: value for name, value in properties.items() if name != RESERVED}
    own, more_named, more_others = said_fields(words)
    others = [*said.others, *more_others]
    fields, rest = taken_fields(properties, said.touchpoint)
    fields = {"channel": said.channel, **said.fields, **fields, **own}
    touchpoint = fields.pop("touchpoint", said.touchpoint)
    handles, claims, unusable = normalised(
        [*said.named, *more_named], country_code=setting.country_code, server_side=setting.server_side
    )
    odd = list(message.odd)
    if not setting.server_side:
        if said.joins and claims:
            raise Refused("protected.join: two known people are joined; send this with the source's secret key")
        touchpoint, notes = without_claims(touchpoint, fields, handles)
        odd.extend(notes)
        odd.extend(f"protected.handle: {claim.partition(':')[0]} is kept as a claim" for claim in claims)
        others = [other for other in others if not other.startswith("claimed:")]
    row = _EMPTY_ROW.copy()
    _money(fields, setting.currency)
    for name, value in fields.items():
        row[_COLUMN[name]] = value
    row["source"] = setting.source
    row["source_key"] = source_key_of(message, received)
    row["position"] = 0
    row["touchpoint"] = touchpoint
    row["direction"] = row["direction"] or "inbound"
    row["handles"] = handles or None
    row["others"] = [*others, *(f"claimed:{claim}" for claim in claims)] or None
    row["received_at"] = received.received_at
    row["raw"] = f"log:{received.sequence}:{message.position}"
    _moments(row, _occurred(said, received, setting))
    row["properties"] = _properties(rest, said.besides, unusable, odd)
    return row


def _occurred(said: Said, received: Received, setting: Setting) -> Occurred:
    tries = received.headers.get("x-retry-count", "").strip()
    zone = said.zone if said.zone and zone_or_none(said.zone) else setting.project_zone
    return occurred(
        said.original,
        said.sent,
        received_at=received.received_at,
        zone=zone,
        server_side=setting.server_side,
        clock_is_told=said.sends_clock and tries in ("", "0"),
    )


def _moments(row: dict[str, Any], when: Occurred) -> None:
    row["occurred_at"] = when.occurred_at
    row["original_at"] = when.original_at
    row["zone"] = when.zone
    row["sent_at"] = when.sent_at
    row["time_quality"] = when.quality


def _money(fields: dict[str, Any], project_currency: str) -> None:
    """Puts an amount into minor units of its currency, the project's when none is said."""
    given: Decimal | None = fields.pop("value", None)
    currency = fields.pop("currency", None) or project_currency
    if given is not None:
        fields["value"], fields["currency"] = minor_units(given, currency), currency


def _properties(rest: dict[str, Any], besides: Mapping[str, Any], unusable: list[str], odd: list[str]) -> str | None:
    kept = {**besides, **rest} if besides else rest
    if unusable:
        kept = {**kept, "unusable_handles": unusable}
    if odd:
        kept = {**kept, "odd": odd}
    return _encode(kept).decode() if kept else None
