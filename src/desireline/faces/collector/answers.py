"""What the collector answers: exactly what the clients in the wild need, and a stable code when it refuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import msgspec

from desireline.intake import dialects

Header = tuple[bytes, bytes]

JSON = b"application/json"
GIF = b"image/gif"
SCRIPT = b"text/javascript; charset=utf-8"
WHOLE = "desireline.whole"
"""The name under which our own server offers to send a complete answer in one write."""
READ_AT = "desireline.read_at"
"""The name under which it says when it had read the head of a request, by the gate's clock."""
PIXEL = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")
"""A picture of one transparent point, for pages that cannot run scripts."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back to the client. `code` is empty unless it is a refusal.

    `for_all` is a document that says itself which pages may read it, the same for all, so that caches keep one.
    """

    status: int
    body: bytes = b""
    media: bytes = JSON
    headers: tuple[Header, ...] = ()
    code: str = ""
    for_all: bool = False
    head: bytes = field(init=False, repr=False, default=b"")

    def __post_init__(self) -> None:
        object.__setattr__(self, "head", lines_of(self.all_headers()))

    def all_headers(self) -> list[Header]:
        """Its own headers, and those that its body asks for."""
        headers = [*self.headers]
        if self.status != 204:
            headers.append((b"content-length", b"%d" % len(self.body)))
        if self.body:
            headers.append((b"content-type", self.media))
        return headers


def lines_of(headers: Sequence[Header]) -> bytes:
    """Headers as they stand on the wire."""
    return b"".join([b"%b: %b\r\n" % header for header in headers])


@dataclass(frozen=True, slots=True)
class Refusal:
    """A reason not to take a request: its status and what the sender can do."""

    status: int
    says: str


REFUSALS: Mapping[str, Refusal] = MappingProxyType({
    "body.cut_off": Refusal(400, "The body ended before its announced end. Send it again."),
    "key.missing": Refusal(401, "No write key came with this request. Send it as Basic user, writeKey or api_key."),
    "key.unknown": Refusal(401, "No source has this write key. Copy it again from the page of the source."),
    "key.of_hook": Refusal(401, "This write key is one of webhooks. Send to /hooks/ and the key, signed."),
    **{verdict.code: Refusal(401, verdict.says) for verdict in dialects.SIGNATURE_REFUSALS},
    "origin.refused": Refusal(403, "This source takes nothing from pages of this origin. Add the origin."),
    "path.unknown": Refusal(404, "Nothing is taken in at this address. See /openapi.json."),
    "source.disabled": Refusal(404, "This source is switched off."),
    "method.refused": Refusal(405, "This address does not take this method."),
    "body.too_slow": Refusal(408, "The body did not arrive in time. Send it again."),
    "body.too_large": Refusal(413, "The body is too large. Send smaller batches."),
    "budget.spent": Refusal(429, "This source sent more than its budget. Wait as long as Retry-After says."),
    "address.budget_spent": Refusal(429, "This network address sent too much. Wait as long as Retry-After says."),
    "busy": Refusal(503, "Too much is coming in at once. Wait as long as Retry-After says."),
    "log.queue": Refusal(503, "The disk does not keep up. Wait as long as Retry-After says."),
    "log.disk": Refusal(503, "The disk is full. Wait as long as Retry-After says."),
    "log.read_only": Refusal(503, "The log takes nothing at the moment. Wait as long as Retry-After says."),
    "log.not_stored": Refusal(503, "This could not be stored. Send it again."),
    "stopping": Refusal(503, "The collector is stopping. Send it again in a moment."),
    "collector.fault": Refusal(503, "Something went wrong on our side. Send it again."),
})  # fmt: skip
"""Every refusal the collector itself can give, by its code; dialects add their own with 400, 413 and 415."""


def refuse(code: str, *, retry_after_seconds: int = 0, headers: tuple[Header, ...] = ()) -> Answer:
    """The answer for this code."""
    known = REFUSALS[code]
    return refused(known.status, code, known.says, retry_after_seconds=retry_after_seconds, headers=headers)


def refused(
    status: int, code: str, says: str, *, retry_after_seconds: int = 0, headers: tuple[Header, ...] = ()
) -> Answer:
    """An answer that says in JSON why not, and when to try again."""
    if retry_after_seconds:
        seconds = b"%d" % retry_after_seconds
        headers = (*headers, (b"retry-after", seconds))
        if status == 429:
            headers = (*headers, (b"x-ratelimit-reset", seconds))
    body = msgspec.json.encode({"success": False, "code": code, "message": says})
    return Answer(status, body, headers=headers, code=code)


def document(value: Any, *, seconds: int = 60) -> Answer:
    """A JSON document that a client may keep for a while."""
    return Answer(200, msgspec.json.encode(value), headers=kept_for(seconds))


def kept_for(seconds: int) -> tuple[Header, ...]:
    """How long a cache may keep an answer, and what else it depends on: the page that asks, and its key."""
    return (b"cache-control", b"public, max-age=%d" % seconds), (b"vary", b"Origin, Authorization")


SUCCESS = Answer(200, b'{"success":true}')
SUCCESS_POSTHOG = Answer(200, b'{"status":1}')
SUCCESS_PIXEL = Answer(
    200,
    PIXEL,
    GIF,
    ((b"cache-control", b"no-store"), (b"cross-origin-resource-policy", b"cross-origin")),
)
