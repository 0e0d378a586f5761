"""The stories planted in the bank: named customers, and the moment at which each story begins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Story:
    """One story of one named customer; `begins` is UTC milliseconds, 0 where it spans the three years."""

    story: str
    person: int
    name: str
    begins: int
    says: str


def _moment(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


START_MS = _moment("2023-01-01T00:00:00")
END_MS = _moment("2025-12-31T23:59:59")
"""First and last moment of the world; the last interaction happens exactly at the end."""

TRANSFER_PERSON, FRAUD_PERSON, QUIET_PERSON, LOUD_PERSON = 1, 2, 3, 4
TRANSFER_MOMENT = _moment("2024-05-15T09:12:00")
FRAUD_MOMENT = _moment("2025-02-11T13:40:00")
SOCIAL_MOMENT = _moment("2025-06-17T08:30:00")
QUIET_FOLLOWERS, LOUD_FOLLOWERS = 20, 500_000

STORIES: tuple[Story, ...] = (
    Story(
        "transfer",
        TRANSFER_PERSON,
        "Anna Albers",
        TRANSFER_MOMENT,
        "She transfers 2,000 instead of 200 and calls; the agent may undo it, and does within ten minutes.",
    ),
    Story(
        "fraud",
        FRAUD_PERSON,
        "Bruno Brandt",
        FRAUD_MOMENT,
        "Alert by text, a call, proof by picture, two weeks later the promised note; the quarter's summary has it.",
    ),
    Story(
        "twenty-followers",
        QUIET_PERSON,
        "Clara Claus",
        SOCIAL_MOMENT,
        "20 followers; her public question is answered after 25 minutes.",
    ),
    Story(
        "half-a-million-followers",
        LOUD_PERSON,
        "David Dorn",
        SOCIAL_MOMENT,
        "500,000 followers; the same question at the same moment, answered after the same 25 minutes.",
    ),
)
