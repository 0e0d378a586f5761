"""The usual names of properties, and the fields of an interaction they fill."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from desireline.intake.values_sql import MINOR_DIGITS
from desireline.vocabulary.interaction import DIRECTIONS

USUAL_NAMES: dict[str, tuple[str, ...]] = {
    "case": ("case", "case_id", "ticket", "ticket_id", "case_number", "ticket_number", "conversation_id",
             "complaint_id", "incident_id", "claim_id"),
    "order": ("order", "order_id", "order_number", "transaction_id", "invoice_id", "checkout_id"),
    "product": ("product", "product_id", "sku", "product_sku", "item_id"),
    "campaign": ("campaign", "campaign_id", "utm_campaign", "campaign_name"),
    "content": ("content", "content_id", "creative", "creative_id", "article_id"),
    "device": ("device", "device_id"),
    "session": ("session", "session_id"),
    "topic": ("topic", "subject", "reason", "contact_reason", "category"),
    "intent": ("intent",),
    "outcome": ("outcome", "result", "resolution"),
    "text": ("text", "message", "comment", "feedback", "verbatim", "body"),
    "language": ("language", "lang", "locale"),
    "value": ("revenue", "total", "value", "amount", "order_value"),
    "currency": ("currency", "currency_code"),
    "consent": ("consent", "purpose", "consent_purpose"),
    "score": ("score",),
    "score_kind": ("score_kind",),
    "score_scale": ("score_scale",),
    "channel": ("channel",),
    "direction": ("direction",),
    "asks": ("asks",),
    "answers": ("answers",),
    "reach": ("reach", "followers"),
    "cost_seconds": ("cost_seconds", "handle_seconds"),
}  # fmt: skip
"""Fields and the properties they are read from, the first that holds something wins."""

SCORE_NAMES: dict[str, tuple[str, str, int, int]] = {
    "nps": ("nps", "0-10", 0, 10),
    "nps_score": ("nps", "0-10", 0, 10),
    "csat": ("csat", "1-5", 1, 5),
    "csat_score": ("csat", "1-5", 1, 5),
    "ces": ("ces", "1-7", 1, 7),
    "ces_score": ("ces", "1-7", 1, 7),
    "stars": ("stars", "1-5", 1, 5),
    "rating": ("stars", "1-5", 1, 5),
}
"""Properties that name their score: kind, scale, least and most. Outside the scale it is no score."""

LONGEST_KEY = 256
MOST_AMOUNT = 9 * 10**15
"""In thousandths it still fits 64 bits."""
MOST_WHOLE = 2**63 - 1
CHANNEL_NAMES = frozenset(("web", "app", "email", "sms", "chat", "phone", "branch", "social", "post", "server"))
_PLACE: dict[str, tuple[str, int]] = {
    name: (field, rank) for field, names in USUAL_NAMES.items() for rank, name in enumerate(names)
}
_PARTED = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_AMOUNT = re.compile(r"[+-]?\d{1,18}(?:\.\d{1,9})?", re.ASCII)
_CURRENCY = re.compile(r"[A-Za-z]{3}", re.ASCII)


@lru_cache(maxsize=8_192)
def snake(name: str) -> str:
    """A property's name in small letters, its words joined by `_`.

    >>> snake("orderId"), snake("Order ID"), snake("$session_id")
    ('order_id', 'order_id', 'session_id')
    """
    return "_".join(re.findall(r"[^\W_]+", _PARTED.sub(" ", name[:200]))).lower()


def key_text(value: Any) -> str | None:
    """The key of a case, an order, a product as text; nothing for what is no plain, short value.

    >>> key_text(4711), key_text(" A-1 "), key_text(""), key_text([1])
    ('4711', 'A-1', None, None)
    """
    if type(value) is str:
        text = value.strip()
    elif type(value) is int:
        text = str(value)
    elif type(value) is float and math.isfinite(value) and value == int(value) and abs(value) < 2**53:
        text = str(int(value))
    else:
        return None
    return text if 0 < len(text) <= LONGEST_KEY else None


def words_text(value: Any) -> str | None:
    """The words themselves, however many."""
    return value if type(value) is str and value.strip() else None


def flag(value: Any) -> bool | None:
    """Yes or no."""
    return value if type(value) is bool else None


def amount(value: Any) -> Decimal | None:
    """An amount of money as a number or as plain digits in a text; more than any account holds is none.

    >>> amount("19.90"), amount(True), amount("about ten")
    (Decimal('19.90'), None, None)
    """
    if type(value) is float and math.isfinite(value):
        value = repr(value)
    elif type(value) is str:
        value = value.strip() if _AMOUNT.fullmatch(value.strip()) else None
    if value is None or type(value) not in (int, str, Decimal):
        return None
    found = Decimal(value)
    return found if found.is_finite() and abs(found) <= MOST_AMOUNT else None


def minor_units(value: Decimal, currency: str) -> int:
    """An amount in integer minor units, halves rounded away from nothing, as money is.

    >>> minor_units(Decimal("19.995"), "EUR"), minor_units(Decimal(500), "JPY")
    (2000, 500)
    """
    scaled = value.scaleb(MINOR_DIGITS.get(currency, 2))
    return int(abs(scaled) + Decimal("0.5")) * (-1 if scaled < 0 else 1)


def currency_code(value: Any) -> str | None:
    """An ISO 4217 code in capitals, or nothing."""
    return value.strip().upper() if type(value) is str and _CURRENCY.fullmatch(value.strip()) else None


def whole(value: Any) -> int | None:
    """A whole number that is not negative."""
    return value if type(value) is int and 0 <= value <= MOST_WHOLE else None


def number(value: Any) -> float | None:
    """Any finite number."""
    return float(value) if type(value) in (int, float) and math.isfinite(value) else None


def channel_name(value: Any) -> str | None:
    """A channel we know by its own name; any other text stays a property."""
    small = value.strip().lower() if type(value) is str else ""
    return small if small in CHANNEL_NAMES else None


def direction_name(value: Any) -> str | None:
    """One of the four directions."""
    small = value.strip().lower() if type(value) is str else ""
    return small if small in DIRECTIONS else None


_SHORT_TEXTS = """
    touchpoint case order product campaign content device session topic intent outcome language consent
    score_kind score_scale hands role power value_to channel
"""
TAKES: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(_SHORT_TEXTS.split(), key_text),
    "text": words_text,
    "asks": flag,
    "answers": flag,
    "value": amount,
    "currency": currency_code,
    "score": number,
    "reach": whole,
    "cost_seconds": whole,
    "direction": direction_name,
}  # fmt: skip
"""How each field is read from a JSON value; what gives nothing stays among the properties."""


def taken_fields(properties: Mapping[str, Any], touchpoint: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields that properties fill by their usual names, and the properties that are left."""
    found: dict[str, tuple[int, str, Any]] = {}
    for name, value in properties.items():
        if value is None:
            continue
        place = _PLACE.get(name) or _PLACE.get(snake(name))
        if place is None or (place[0] == "consent" and not touchpoint.startswith("consent.") and name != "consent"):
            continue
        field, rank = place
        if field in found and found[field][0] <= rank:
            continue
        taken = (channel_name if field == "channel" else TAKES[field])(value)
        if taken is not None:
            found[field] = (rank, name, taken)
    fields = {field: taken for field, (_, _, taken) in found.items()}
    used = {name for _, name, _ in found.values()}
    if "currency" in found and "value" not in found:
        used.discard(found["currency"][1])
        del fields["currency"]
    _score(properties, touchpoint, fields, used)
    _one_product(properties, fields)
    return fields, {name: value for name, value in properties.items() if name not in used}


def _score(properties: Mapping[str, Any], touchpoint: str, fields: dict[str, Any], used: set[str]) -> None:
    """A score whose property names its kind, or a plain `score` of an event that does."""
    for name, value in properties.items():
        known = SCORE_NAMES.get(name) or SCORE_NAMES.get(snake(name))
        score = number(value) if known else None
        if known and score is not None and known[2] <= score <= known[3] and "score_kind" not in fields:
            fields.update(score=score, score_kind=known[0], score_scale=known[1])
            used.add(name)
            return
    if "score" not in fields or "score_kind" in fields:
        return
    for word in re.split(r"[._]", touchpoint):
        known = SCORE_NAMES.get(word)
        if known and known[2] <= fields["score"] <= known[3]:
            fields.update(score_kind=known[0], score_scale=known[1])
            return


def _one_product(properties: Mapping[str, Any], fields: dict[str, Any]) -> None:
    """A list of a single product names the product; several stay a list."""
    listed = properties.get("products")
    if "product" in fields or not isinstance(listed, list) or len(listed) != 1 or not isinstance(listed[0], dict):
        return
    taken, _ = taken_fields({name: value for name, value in listed[0].items() if name != "products"}, "")
    if "product" in taken:
        fields["product"] = taken["product"]
