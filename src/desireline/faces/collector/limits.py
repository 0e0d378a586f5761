"""Every limit of the collector in one place."""

from __future__ import annotations

from dataclasses import dataclass

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """What the collector takes at most.

    body_bytes: a body larger than this is refused (413); its head, hash and length are kept.
    head_bytes: how much is kept of a body that is too large.
    drain_bytes: how far a body that is too large is read on, so that its hash and length are known.
    body_seconds: a body must have arrived within this time (408).
    head_seconds: the head of a request must have arrived within this time; the connection is closed.
    request_head_bytes: address and headers together (431).
    connections: open connections; further ones are answered 503.
    requests_at_once: requests being answered; further ones are answered 503 before they are read.
        The wait of an accepted request is about this number divided by requests a second, and a turn of the
        loop, which all others wait for, is as long as this many requests take.
    bytes_at_once: bytes of bodies held in memory while they are read and stored (503).
    unread_per_second: bodies kept although no source could be told from them, all senders together.
    address_per_second: requests a second from one network address; 0 means no limit.
    """

    body_bytes: int = 4 * MEBIBYTE
    head_bytes: int = 16 * 1024
    drain_bytes: int = 16 * MEBIBYTE
    body_seconds: float = 30.0
    head_seconds: float = 10.0
    request_head_bytes: int = 64 * 1024
    connections: int = 4_096
    requests_at_once: int = 128
    bytes_at_once: int = 32 * MEBIBYTE
    unread_per_second: float = 5.0
    address_per_second: float = 0.0
