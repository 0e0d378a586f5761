"""The one record everything rests on: one touch between a customer and the company.

`FIELDS` is the registry of every field an interaction has. The lake's columns, the words a
pattern in a map may use, the roles `desireline import` guesses and the journey store's columns
are all read from here, so a field is added in one place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FieldType = Literal["text", "number", "moment", "flag", "texts", "json"]
"""What a field holds: text, a number, an instant (UTC milliseconds), yes/no, several texts, JSON."""

DIRECTIONS = ("inbound", "outbound", "internal", "peer")
"""Who speaks to whom: customer to company, company to customer, inside the company, between customers."""

TIME_QUALITIES = (
    "exact",
    "date_only",
    "first_of_two",
    "did_not_exist",
    "assumed_zone",
    "corrected",
    "unit_assumed",
    "clock_corrected",
    "clamped",
    "received",
)
"""How well the moment is known; `first_of_two` marks a local time that existed twice in autumn.

From `unit_assumed` on they come with what arrives live: a bare number whose unit its size told; a
client's wrong clock set right by when it sent; a moment in the future, taken as received; no moment
that can be read, taken as received.
"""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an interaction: its word in maps, its column in the lake, what it holds."""

    name: str
    column: str
    type: FieldType
    says: str
    in_patterns: bool = True
    key: bool = False


FIELDS: tuple[Field, ...] = (
    Field("id", "id", "number", "63 bits of md5(source, unit separator, key); the same everywhere", False),
    Field("source", "source", "text", "the system it came from"),
    Field("source_key", "source_key", "text", "the source's own key, or content hash and occurrence", False),
    Field("position", "position", "number", "place within the source; breaks ties of time", False),
    Field("import", "import_id", "text", "the import that brought it; undo works on this", False),
    Field("occurred_at", "occurred_at", "moment", "when it happened, UTC milliseconds", False),
    Field("original_at", "original_at", "text", "the time exactly as the source wrote it", False),
    Field("zone", "zone", "text", "the time zone of the time as given", False),
    Field("sent_at", "sent_at", "moment", "when the client sent it", False),
    Field("received_at", "received_at", "moment", "when we received it", False),
    Field("time_quality", "time_quality", "text", "how well the moment is known", False),
    Field("handles", "handles", "texts", "the person's handles, each 'kind:value', normalised", False),
    Field(
        "handle", "handle", "number", "63 bits of md5 of the handle that names the person; null: nobody known", False
    ),
    Field("others", "others", "texts", "other parties, each 'role:kind:value'", False),
    Field("channel", "channel", "text", "where it happened: web, app, email, sms, chat, phone, branch, social, ..."),
    Field("touchpoint", "touchpoint", "text", "what happened: dotted name, such as card.reported_lost"),
    Field("direction", "direction", "text", "inbound, outbound, internal or peer"),
    Field("asks", "asks", "flag", "the customer asks for an answer"),
    Field("answers", "answers", "flag", "the company answers"),
    Field("topic", "topic", "text", "what it is about"),
    Field("intent", "intent", "text", "what the person wants"),
    Field("case", "about_case", "text", "the case or ticket it is about", key=True),
    Field("order", "about_order", "text", "the order it is about", key=True),
    Field("product", "about_product", "text", "the product it is about", key=True),
    Field("campaign", "about_campaign", "text", "the campaign it belongs to", key=True),
    Field("content", "about_content", "text", "the content that was shown", key=True),
    Field("device", "about_device", "text", "the device that was used", key=True),
    Field("session", "about_session", "text", "the session it belongs to", key=True),
    Field("hands", "hands", "text", "who acted for the company"),
    Field("role", "role", "text", "the role of who acted"),
    Field("power", "power", "text", "what who acted may decide"),
    Field("outcome", "outcome", "text", "how it ended"),
    Field("value", "value_minor", "number", "money in integer minor units"),
    Field("currency", "currency", "text", "the currency of the value, ISO 4217"),
    Field("value_to", "value_to", "text", "to whom the value goes: company or customer"),
    Field("cost_seconds", "cost_seconds", "number", "working time it took, in seconds"),
    Field("score_kind", "score_kind", "text", "which score: nps, csat, ces, stars, ..."),
    Field("score_scale", "score_scale", "text", "its scale, such as 0-10 or 1-5"),
    Field("score", "score", "number", "the answer on that scale"),
    Field("text", "text", "text", "the words themselves"),
    Field("language", "language", "text", "the language of the words"),
    Field("reach", "reach", "number", "how many could see it"),
    Field("consent", "consent", "text", "the purpose of consent under which it was taken"),
    Field("properties", "properties", "json", "everything else, a JSON object", False),
    Field("raw", "raw", "text", "where the original lies: file and row", False),
)

BY_NAME: dict[str, Field] = {field.name: field for field in FIELDS}
BY_COLUMN: dict[str, Field] = {field.column: field for field in FIELDS}
KEY_NAMES: tuple[str, ...] = tuple(field.name for field in FIELDS if field.key)
PATTERN_NAMES: tuple[str, ...] = tuple(field.name for field in FIELDS if field.in_patterns)

SQL_TYPES: dict[FieldType, str] = {
    "text": "VARCHAR",
    "number": "BIGINT",
    "moment": "BIGINT",
    "flag": "BOOLEAN",
    "texts": "VARCHAR[]",
    "json": "VARCHAR",
}
"""The column type of each kind of field in the lake; `score` alone is DOUBLE (see `sql_type`)."""


def sql_type(field: Field) -> str:
    """The lake's column type of a field.

    >>> sql_type(BY_NAME["score"]), sql_type(BY_NAME["value"])
    ('DOUBLE', 'BIGINT')
    """
    return "DOUBLE" if field.name == "score" else SQL_TYPES[field.type]


CONSENT_GIVEN = "consent.given"
CONSENT_WITHDRAWN = "consent.withdrawn"
"""Touchpoints by which consent to the purpose named in `consent` begins and ends."""
