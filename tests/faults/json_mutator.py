"""Changes JSON where it matters, one value or name at a time: the parsers are passed and the rest is reached."""

from __future__ import annotations

import json
import random
from typing import Any

VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 5, 2**31, 2**63 - 1, 2**63, -(2**63) - 1, 10**30, 0.5, 1e300, 19.995, "", " ", "0",
    "x",
    "null", "undefined", "42", "a@b.co", "A@B.CO ", "+49 170 1234567", "018f6f9e-1c5e-7c3a-9d4e-1f2a3b4c5d6e", "\u0000",
    "\ufeff", "\ud83d\ude00", "é" * 300, "2026-11-22", "2026-11-22T24:00:00Z", "2026-11-22T23:59:60Z",
    "0000-01-01T00:00Z",
    "9999-12-31T23:59:59+14:00", "2026-W47-7", "2026-03-29T02:30:00", "2026-10-25T02:30:00", "1970-01-01T00:00:00Z",
    "2026-11-22T19:20:00.123456789Z", 1795375200, 1795375200000, 1795375200000000, "1795375200", -62135596800, 1e18,
    "track", "identify", "alias", "group", "page", "screen", "$pageview", "$identify", "$create_alias", "$set",
    "$screen",
    "consent.given", "Consent Given", "Order Completed", "💥", "outbound", "EUR", "JPY", "XXX", "19.90", "web",
    "email:a@b.co", "crm:1", "1.0", "posthog-node", "analytics-ios", "Europe/Berlin", "../../etc/passwd", [], {}, [[]],
    [1, "a", None], {"sku": "A"}, {"id": 1}, {"name": "web"}, {"email": "c@d.org", "phone": "1"}, {"desireline": {}},
    {"asks": True, "handles": {"crm": [1, None]}, "others": ["partner:email:x@y.zz"]}, {"chanel": 1},
)  # fmt: skip
NAMES: tuple[str, ...] = (
    "type", "event", "userId", "anonymousId", "previousId", "messageId", "timestamp", "originalTimestamp", "sentAt",
    "context", "traits", "properties", "library", "name", "category", "page", "campaign", "device", "sessionId",
    "channel",
    "timezone", "groupId", "batch", "distinct_id", "alias", "uuid", "$set", "$lib", "$device_id", "$user_id", "options",
    "offset", "sent_at", "historical_migration", "$event_type", "specversion", "id", "source", "subject", "time",
    "data",
    "data_base64", "desireline", "touchpoint", "handles", "others", "order_id", "revenue", "value", "currency", "nps",
    "rating", "score", "score_kind", "consent", "purpose", "asks", "answers", "hands", "role", "direction", "products",
    "text", "language", "email", "phone", "reach", "cost_seconds", "$session_id", "$is_identified", "", "a" * 300,
    "\u0000",
)  # fmt: skip


def mutated(text: bytes, seed: int) -> bytes | None:
    """The JSON with one to three places changed; nothing when it is no JSON."""
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError):
        return None
    chance = random.Random(seed)
    for _ in range(chance.randint(1, 3)):
        tree = _changed(tree, chance)
    return json.dumps(tree, ensure_ascii=chance.random() < 0.7).encode("utf-8", "surrogatepass")


def _boxes(tree: Any) -> list[Any]:
    found = [tree] if isinstance(tree, (dict, list)) else []
    for box in found:
        inner = box.values() if isinstance(box, dict) else box
        found.extend(value for value in inner if isinstance(value, (dict, list)))
    return found


def _changed(tree: Any, chance: random.Random) -> Any:
    boxes = _boxes(tree)
    if not boxes:
        return chance.choice(VALUES)
    box = chance.choice(boxes)
    value = json.loads(json.dumps(chance.choice(VALUES)))
    if isinstance(box, list):
        place = chance.randint(0, len(box))
        if place < len(box) and chance.random() < 0.4:
            del box[place]
        else:
            box.insert(place, json.loads(json.dumps(box[place - 1])) if box and chance.random() < 0.3 else value)
        return tree
    if not box or chance.random() < 0.4:
        box[chance.choice(NAMES)] = value
    elif chance.random() < 0.2:
        del box[chance.choice(list(box))]
    else:
        box[chance.choice(list(box))] = value
    return tree
