"""What a public key may not say: a write key stands in every page, so anybody can send with it.

Kept is the event; the claim is left out and noted. Never with a public key: who acted for the company
and what they may decide, that the company answered, what it cost, a direction other than the customer's
own, consent given for a known person, two known people joined.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from desireline.vocabulary.handles import is_strong
from desireline.vocabulary.interaction import CONSENT_GIVEN

COMPANY_FIELDS = ("hands", "role", "power", "answers", "cost_seconds", "value_to")
CUSTOMER_DIRECTIONS = ("inbound", "peer")
CONSENT_CLAIMED = "consent.claimed"
"""What becomes of a consent that a public key states for a known person."""


def without_claims(touchpoint: str, fields: dict[str, Any], handles: Sequence[str]) -> tuple[str, list[str]]:
    """Takes out of `fields` what a public key may not say; gives the touchpoint and the notes."""
    notes: list[str] = []
    for field in COMPANY_FIELDS:
        if fields.get(field):
            notes.append(f"protected.{field}: '{str(fields[field])[:40]}' needs a secret key and was left out")
        fields.pop(field, None)
    direction = fields.get("direction")
    if direction is not None and direction not in CUSTOMER_DIRECTIONS:
        notes.append(f"protected.direction: '{direction}' needs a secret key; inbound was taken")
        del fields["direction"]
    if touchpoint.lower() == CONSENT_GIVEN and any(is_strong(handle.partition(":")[0]) for handle in handles):
        notes.append("protected.consent: consent of a known person needs a secret key; it is kept as a claim")
        return CONSENT_CLAIMED, notes
    return touchpoint, notes
