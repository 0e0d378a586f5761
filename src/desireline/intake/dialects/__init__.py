"""Dialects: what arrives over the wire is read here, and its messages become interactions.

Pure functions: no clock, no storage. `read` is used before a request is answered and again when it is
taken from the log; both give the same messages.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import msgspec

from desireline.intake.dialects.body import Payload, payload_of
from desireline.intake.dialects.drift import Drift, Shapes, told_of
from desireline.intake.dialects.known import BUILT_IN, DIALECTS, GROUP
from desireline.intake.dialects.received import (
    HEADERS_THAT_MATTER,
    Dialect,
    Message,
    Problem,
    Read,
    Received,
    Refused,
    Setting,
)
from desireline.intake.dialects.signatures import REFUSALS as SIGNATURE_REFUSALS
from desireline.intake.dialects.signatures import verify

CHANGES_AT_A_RETRY = frozenset(("sentAt", "sent_at", "receivedAt", "offset", "_metadata"))
"""Words of a message that differ between two tries of the same event."""
LIKELY_REPEAT = "repeat.likely: the same came within a second before and has no id; both are kept"


def read(received: Received) -> Read:
    """The messages of a request, or the problem with it; never an exception for anything a client can send."""
    dialect = DIALECTS.get(received.dialect)
    if dialect is None:
        return Read(problem=Problem(400, "dialect.unknown", f"No dialect is called '{received.dialect[:40]}'."))
    told = dialect.read(received)
    return _marked(told) if received.likely_repeat else told


def _marked(told: Read) -> Read:
    """Events without an id of their own, marked: their like came a moment before, and both may be meant."""
    messages = [
        replace(message, odd=(*message.odd, LIKELY_REPEAT)) if message.key is None else message
        for message in told.messages
    ]
    return replace(told, messages=tuple(messages))


def edited(received: Received, position: int, text: bytes) -> Message | Problem:
    """A message as a person mended it in quarantine: read as strictly as any other, under the key it came with."""
    alone = replace(received, method="POST", query="", headers={}, body=text)
    told = read(alone)
    if told.problem is not None:
        return told.problem
    if len(told.messages) != 1:
        return Problem(400, "edit.not_one", "A mended message is one event. Edit it into one JSON object.")
    before = next((message for message in read(received).messages if message.position == position), None)
    key = (before.key if before else None) or told.messages[0].key
    return replace(told.messages[0], position=position, key=key)


def rows_of(message: Message, received: Received, setting: Setting) -> list[dict[str, Any]]:
    """The interactions a message tells; raises `Refused` with the reason when it goes to quarantine."""
    return DIALECTS[received.dialect].rows_of(message, received, setting)


def content_of(message: Message) -> int:
    """A number for what a message says, the same at every retry: 63 bits of md5.

    Two messages with one key and different numbers are a conflict.
    """
    told = {name: value for name, value in message.body.items() if name not in CHANGES_AT_A_RETRY}
    told = {name: told[name] for name in message.same_by if name in told} or told
    digest = hashlib.md5(msgspec.json.encode(told, order="deterministic"), usedforsecurity=False).digest()
    return int.from_bytes(digest[8:], "little") >> 1


__all__ = [
    "BUILT_IN",
    "CHANGES_AT_A_RETRY",
    "DIALECTS",
    "GROUP",
    "HEADERS_THAT_MATTER",
    "SIGNATURE_REFUSALS",
    "Dialect",
    "Drift",
    "Message",
    "Payload",
    "Problem",
    "Read",
    "Received",
    "Refused",
    "Setting",
    "Shapes",
    "content_of",
    "edited",
    "payload_of",
    "read",
    "rows_of",
    "told_of",
    "verify",
]
