"""What mail systems report back: letters not delivered (RFC 3464), recipients who complained (RFC 5965)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from desireline.intake.mail.headers import Headers, addresses_of, read_headers
from desireline.intake.mail.parts import Part, bytes_of, nested

MOST_RECIPIENTS = 50
_STATUS = re.compile(r"\b([245])\.\d{1,3}\.\d{1,3}\b")
_GROUPS = re.compile(rb"\r?\n[ \t]*\r?\n")
_BOUNCE = {
    "failed": "bounced",
    "delayed": "delayed",
    "delivered": "delivered",
    "relayed": "delivered",
    "expanded": "delivered",
}
COMPLAINTS = ("abuse", "fraud", "virus", "other")


def reports_in(raw: bytes, parts: Sequence[Part]) -> list[dict[str, Any]]:
    """What the reports in a message say: about whom, what became of it, how sure that is."""
    original = _original(raw, parts)
    found: list[dict[str, Any]] = []
    for part in parts:
        if part.kind in ("message/delivery-status", "message/global-delivery-status"):
            found += _deliveries(bytes_of(raw, part), original)
        elif part.kind == "message/feedback-report":
            found += _complaints(bytes_of(raw, part), original)
    return found[:MOST_RECIPIENTS]


def _original(raw: bytes, parts: Sequence[Part]) -> Headers:
    """The headers of the message that is reported about, as far as they came back."""
    for part in parts:
        if part.kind in ("message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers"):
            if part.headers.first("content-transfer-encoding").strip().lower() in ("base64", "quoted-printable"):
                return read_headers(bytes_of(raw, part, most=65_536).split(b"\n\n")[0])
            return nested(raw, part)[0]
    return Headers(())


def _deliveries(text: bytes, original: Headers) -> list[dict[str, Any]]:
    """One entry for each recipient: hard when it will never arrive, soft when it may be tried again."""
    found = []
    for group in _GROUPS.split(text.strip())[: MOST_RECIPIENTS + 1]:
        headers = read_headers(group)
        address = _recipient(headers.first("final-recipient")) or _recipient(headers.first("original-recipient"))
        action = headers.first("action").split("(")[0].strip().lower()
        if not address or action not in _BOUNCE:
            continue
        status = _STATUS.search(headers.first("status")) or _STATUS.search(headers.first("diagnostic-code"))
        became = _BOUNCE[action]
        hard = became == "bounced" and (status is None or status[1] == "5")
        found.append(
            {
                "what": became,
                "address": address,
                "hard": hard,
                "status": status[0] if status else "",
                "says": headers.first("diagnostic-code")[:500],
                "about": _message_id(original),
            }
        )
    return found


def _complaints(text: bytes, original: Headers) -> list[dict[str, Any]]:
    headers = read_headers(text)
    kind = headers.first("feedback-type").strip().lower()
    if kind not in COMPLAINTS:
        return []
    people = addresses_of(headers.all("original-rcpt-to")) or original.addresses("to")
    about = _message_id(original)
    return [
        {"what": "complained", "address": address, "hard": True, "status": kind, "says": "", "about": about}
        for _, address in people[:MOST_RECIPIENTS]
    ]


def _recipient(value: str) -> str:
    """The address of `rfc822; anna@example.org`."""
    found = addresses_of([value.rpartition(";")[2]])
    return found[0][1] if found else ""


def _message_id(original: Headers) -> str:
    found = original.ids("message-id")
    return found[0] if found else ""
