"""One address for two faces: what comes in from outside, and the pages for this machine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from desireline.faces.collector import Collector

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


def together(collector: Collector, pages: Application) -> Application:
    """An application that sends the collector's addresses to the collector and all others to the pages.

    The pages keep their own guard: only this machine's name as host, only their own origin. The collector
    has none of that, since whoever holds a write key may send from anywhere; it reads nothing out. Start and
    stop of the server are told to the pages; the collector has nothing to prepare.
    """

    async def either(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and collector.claims(scope["path"]):
            await collector(scope, receive, send)
        else:
            await pages(scope, receive, send)

    return either
