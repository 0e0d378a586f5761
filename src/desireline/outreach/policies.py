"""What we do when nobody can tell whether a message arrived: it depends on what the message is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Policy:
    """`send_again`: a message that perhaps arrived goes out once more, with the same id; else it is left and shown."""

    purpose: str
    send_again: bool
    says: str


POLICIES: Mapping[str, Policy] = {
    "service": Policy(
        "service",
        send_again=True,
        says="At least once: a service notice is sent again, with the same id, until somebody surely has it.",
    ),
    "marketing": Policy(
        "marketing",
        send_again=False,
        says="At most once: what perhaps arrived is never sent again; it lies in the dead-letter list.",
    ),
}
"""By purpose. Nothing is sent for marketing yet; the rule stands before the first message does."""
