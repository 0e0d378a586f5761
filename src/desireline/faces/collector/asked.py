"""A request as the collector sees it: only what matters for taking it in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from desireline.faces.collector.routes import Route
from desireline.faces.collector.sources import Source
from desireline.intake import dialects

_KEPT = frozenset(name.encode() for name in dialects.HEADERS_THAT_MATTER)
_LONGEST_HEADER = 4096


class Asked:
    """One request: its address, its headers, when it came."""

    __slots__ = ("headers", "inner", "method", "path", "peer", "query", "received_at", "scheme")

    def __init__(self, scope: Mapping[str, Any], *, inner: str, received_at: int) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query: bytes = scope["query_string"]
        self.scheme: str = scope.get("scheme", "http")
        self.peer: str = scope["client"][0] if scope.get("client") else ""
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.inner = inner
        self.received_at = received_at

    @property
    def verbose(self) -> bool:
        """Whether the sender wants a verdict for each interaction."""
        return b"verbose=1" in self.query.split(b"&")

    def received(self, *, route: Route, source: Source | None, body: bytes) -> dialects.Received:
        """The request as a dialect reads it; the log keeps exactly this, and no write key of a hook."""
        hook = route.dialect == "webhook"
        return dialects.Received(
            sequence=0,
            received_at=self.received_at,
            source=source.name if source is not None else "",
            dialect=source.dialect if hook and source is not None else route.dialect,
            method=self.method,
            path=route.path if hook else self.path,
            query=self.query.decode("latin-1"),
            headers=self._kept_headers(),
            body=body,
        )

    def _kept_headers(self) -> dict[str, str]:
        return {
            name.decode("latin-1"): value[:_LONGEST_HEADER].decode("latin-1")
            for name, value in self.headers.items()
            if name in _KEPT or name.startswith(b"ce-")
        }


def meta_of(received: dialects.Received, **more: Any) -> bytes:
    """What the log keeps beside the body: everything of `Received` that is not a column of the frame."""
    return msgspec.json.encode(
        {
            "dialect": received.dialect,
            "method": received.method,
            "path": received.path,
            "query": received.query,
            "headers": received.headers,
            **({"likely_repeat": True} if received.likely_repeat else {}),
            **more,
        }
    )
