"""Reads the body of a request with a limit in bytes and in time; what is too large is kept by head, hash and length."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from desireline.faces.collector.counters import Counters
from desireline.faces.collector.limits import Limits
from desireline.intake import dialects

Receive = Callable[[], Awaitable[Any]]
LARGE_BYTES = 128 * 1024
"""A body of this size and above, packed or unpacked, is read beside the loop, so that it holds nobody else up."""
_GZIP = b"\x1f\x8b\x08"


@dataclass(frozen=True, slots=True)
class Body:
    """The body of a request.

    data: all of it, or its head when it was too large.
    code: why it cannot be taken (a code of the refusals), empty when it can.
    length, sha256: of what was read; of the whole body when `whole`.
    """

    data: bytes
    code: str = ""
    length: int = 0
    sha256: str = ""
    whole: bool = True


def is_light(received: dialects.Received) -> bool:
    """Whether a request is small, also once it is unpacked. What cannot be told without unpacking is not.

    A gzip of one member ends with its unpacked size, and one that lies about it is refused before it is read.
    """
    body = received.body
    if not body:
        return "data=" not in received.query
    if len(body) >= LARGE_BYTES:
        return False
    if body[:1] in b"{[":
        return True
    return body.startswith(_GZIP) and body.count(_GZIP) == 1 and int.from_bytes(body[-4:], "little") < LARGE_BYTES


async def read_body(receive: Receive, *, limits: Limits, counters: Counters) -> Body:
    """The body; at once where it came in one piece, as nearly all do."""
    message = await receive()
    if message["type"] != "http.request":
        return Body(b"", code="body.cut_off")
    data: bytes = message.get("body", b"")
    if not message.get("more_body", False) and len(data) <= limits.body_bytes:
        return Body(data, length=len(data))
    reading = _Reading(data, limits=limits, counters=counters)
    try:
        async with asyncio.timeout(limits.body_seconds):
            return await reading.rest(receive, more=message.get("more_body", False))
    except TimeoutError:
        return reading.kept("body.too_slow")
    finally:
        counters.bytes_at_once -= reading.held


class _Reading:
    """A body that comes in pieces."""

    def __init__(self, first: bytes, *, limits: Limits, counters: Counters) -> None:
        self.limits = limits
        self.counters = counters
        self.pieces: list[bytes] = []
        self.head = b""
        self.length = 0
        self.held = 0
        self.hash = hashlib.sha256()
        self._take(first)

    def _take(self, piece: bytes) -> None:
        self.length += len(piece)
        if self.length <= self.limits.body_bytes:
            self.pieces.append(piece)
            self.held += len(piece)
            self.counters.bytes_at_once += len(piece)
            return
        if self.pieces or not self.head:
            kept = b"".join(self.pieces)
            self.hash.update(kept)
            self.head = (kept + piece)[: self.limits.head_bytes]
            self.pieces = []
            self.counters.bytes_at_once -= self.held
            self.held = 0
        self.hash.update(piece)

    async def rest(self, receive: Receive, *, more: bool) -> Body:
        while more:
            if self.length > self.limits.drain_bytes:
                return self.kept("body.too_large")
            if self.counters.bytes_at_once > self.limits.bytes_at_once:
                return self.kept("busy")
            message = await receive()
            if message["type"] != "http.request":
                return self.kept("body.cut_off")
            more = message.get("more_body", False)
            self._take(message.get("body", b""))
        if self.length > self.limits.body_bytes:
            return Body(self.head, code="body.too_large", length=self.length, sha256=self.hash.hexdigest())
        return Body(b"".join(self.pieces), length=self.length)

    def kept(self, code: str) -> Body:
        """What is known of a body that was not read to its end."""
        if self.pieces:
            self.hash.update(b"".join(self.pieces))
        head = self.head or b"".join(self.pieces)[: self.limits.head_bytes]
        return Body(head, code=code, length=self.length, sha256=self.hash.hexdigest(), whole=False)
