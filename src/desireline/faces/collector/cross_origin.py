"""What browsers ask before a page of another site may send here (CORS), and what they are told.

A preflight carries no write key, so it is always allowed; whether this origin may send with this key
is decided when the request itself comes. The requested headers are echoed: clients add their own ones
on retries (X-Retry-Count), and a fixed list would stop exactly those.
"""

from __future__ import annotations

import re

from desireline.faces.collector.answers import Answer, Header

_ORIGIN = re.compile(rb"[\x21-\x7e]{1,256}")
_HEADER_NAMES = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~, -]{1,2048}")
_READABLE = b"Retry-After, X-RateLimit-Reset"
_ANY: tuple[Header, ...] = ((b"access-control-allow-origin", b"*"), (b"access-control-expose-headers", _READABLE))


def allowed(origin: bytes) -> tuple[Header, ...]:
    """The headers that let a page of this origin read our answer; `*` never goes with credentials."""
    if not origin:
        return ()
    if not _ORIGIN.fullmatch(origin):
        return _ANY
    return (
        (b"access-control-allow-origin", origin),
        (b"access-control-allow-credentials", b"true"),
        (b"access-control-expose-headers", _READABLE),
        (b"vary", b"Origin"),
    )


def preflight(*, origin: bytes, requested_headers: bytes, private_network: bytes, methods: str) -> Answer:
    """The answer to the question a browser asks first."""
    headers = [
        *(allowed(origin) or _ANY),
        (b"access-control-allow-methods", methods.encode()),
        (b"access-control-max-age", b"7200"),
        (b"allow", methods.encode()),
    ]
    if _HEADER_NAMES.fullmatch(requested_headers):
        headers += [(b"access-control-allow-headers", requested_headers), (b"vary", b"Access-Control-Request-Headers")]
    if private_network.lower() == b"true":
        headers.append((b"access-control-allow-private-network", b"true"))
    return Answer(204, headers=tuple(headers))


def webhook_sender(origin: bytes) -> bytes:
    """Who asks by `WebHook-Request-Origin` whether it may send webhooks; empty when nobody does."""
    return origin if _ORIGIN.fullmatch(origin) else b""
