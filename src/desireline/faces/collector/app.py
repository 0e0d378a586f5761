"""The collector: takes interactions in over HTTP, stores them, and only then says so."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from desireline.faces.collector import client_documents, cross_origin, openapi, snippet
from desireline.faces.collector.answers import READ_AT, WHOLE, Answer, Header, document, lines_of, refuse
from desireline.faces.collector.asked import Asked
from desireline.faces.collector.counters import Counters
from desireline.faces.collector.gate import Gate
from desireline.faces.collector.limits import Limits
from desireline.faces.collector.routes import Route, claims, find
from desireline.faces.collector.sources import Source, Sources
from desireline.faces.collector.taking import Taking
from desireline.storage.log import Log

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Collector:
    """An ASGI application that answers every address of `routes.ROUTES`.

    log: the log of record; a request is answered with success when it lies there on disk.
    sources: who may send; may be replaced at any time.
    now: the clock, milliseconds UTC.
    monotonic: the clock of budgets and answering times, seconds.
    told: is called on the loop after each group commit with the last sequence.
    public_address: the address clients are told to send to, where it is not the one they asked at.
    """

    def __init__(
        self,
        log: Log,
        sources: Sources,
        *,
        now: Callable[[], int],
        limits: Limits | None = None,
        told: Callable[[int], None] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        public_address: str = "",
    ) -> None:
        self.sources = sources
        self.limits = limits or Limits()
        self.counters = Counters()
        self.gate = Gate(self.limits, self.counters, monotonic=monotonic)
        self.public_address = public_address
        self._now = now
        self._monotonic = monotonic
        self._taking = Taking(log, sources, limits=self.limits, counters=self.counters, told=told, monotonic=monotonic)

    def claims(self, path: str) -> bool:
        """Whether this address is ours to answer."""
        return claims(path)

    def stop(self) -> None:
        """From now on every request is told to come again in a moment."""
        self._taking.stopping = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await _not_http(scope, receive, send)
            return
        begun = scope.get("extensions", {}).get(READ_AT) or self._monotonic()
        found = find(scope["path"])
        if found is None:
            origin = dict(scope["headers"]).get(b"origin", b"")
            await self._send(scope, send, refuse("path.unknown"), dialect="", origin=origin)
            return
        route, inner = found
        asked = Asked(scope, inner=inner, received_at=self._now())
        try:
            answer = await self._answer(route, asked, receive)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            self.counters.faults += 1
            logging.getLogger("desireline.collector").error("an answer failed: %s", type(error).__name__)
            answer = refuse("collector.fault", retry_after_seconds=1)
        origin = asked.headers.get(b"origin", b"")
        await self._send(scope, send, answer, dialect=route.dialect or "documents", origin=origin)
        if route.dialect:
            taken = self.counters.stored if answer.status == 200 else self.counters.refused
            taken.add(self._monotonic() - begun)

    async def _answer(self, route: Route, asked: Asked, receive: Receive) -> Answer:
        if asked.method == "OPTIONS":
            return self._options(route, asked)
        if asked.method not in route.methods:
            return refuse("method.refused", headers=((b"allow", route.methods_text.encode()),))
        if route.dialect:
            return await self._taking.take(route, asked, receive)
        return self._document(route, asked)

    def _options(self, route: Route, asked: Asked) -> Answer:
        """The question of a browser, or of a CloudEvents sender, whether it may send."""
        headers = asked.headers
        answer = cross_origin.preflight(
            origin=headers.get(b"origin", b""),
            requested_headers=headers.get(b"access-control-request-headers", b""),
            private_network=headers.get(b"access-control-request-private-network", b""),
            methods=route.methods_text,
        )
        sender = cross_origin.webhook_sender(headers.get(b"webhook-request-origin", b""))
        if sender and route.path == "/events":
            more = ((b"webhook-allowed-origin", sender), (b"webhook-allowed-rate", b"*"))
            return Answer(200, headers=(*answer.headers, *more))
        return answer

    def _document(self, route: Route, asked: Asked) -> Answer:
        if route.does == "openapi":
            return Answer(200, openapi.text())
        if route.does in ("snippet.js", "snippet.mjs"):
            return snippet.script(route.does, packed=b"gzip" in asked.headers.get(b"accept-encoding", b""))
        if route.does == "ignored":
            return Answer(200, b'{"success":true}')
        if route.does == "flags":
            return client_documents.no_flags()
        key = asked.inner or self._taking.key_of(asked)
        source = self.sources.by_key(key)
        if source is None:
            return refuse("key.unknown" if key else "key.missing")
        if not source.enabled:
            return refuse("source.disabled")
        return self._of_source(route, asked, source)

    def _of_source(self, route: Route, asked: Asked, source: Source) -> Answer:
        if route.does == "posthog_config":
            return document(client_documents.posthog_config(source.key))
        if route.does == "posthog_script":
            return client_documents.posthog_script(source.key)
        address = client_documents.own_address(
            host=asked.headers.get(b"host", b""), scheme=asked.scheme, public_address=self.public_address
        )
        if route.does == "segment_settings":
            return client_documents.segment_settings(source, address=address)
        assert route.does == "rudder_settings", route
        return client_documents.rudder_settings(source, address=address)

    async def _send(self, scope: Scope, send: Send, answer: Answer, *, dialect: str, origin: bytes) -> None:
        self.counters.answered(dialect=dialect, status=answer.status, code=answer.code)
        more: tuple[Header, ...] = ()
        if origin and answer.status != 204 and not answer.for_all and answer.code != "origin.refused":
            more = cross_origin.allowed(origin)
        whole = scope.get("extensions", {}).get(WHOLE)
        if whole is not None and whole(
            answer.status, answer.head + lines_of(more) if more else answer.head, answer.body
        ):
            return
        await send({
            "type": "http.response.start", "status": answer.status, "headers": [*answer.all_headers(), *more],
        })  # fmt: skip
        await send({"type": "http.response.body", "body": answer.body})


async def _not_http(scope: Scope, receive: Receive, send: Send) -> None:
    """Start and stop of the server; anything else is closed."""
    if scope["type"] != "lifespan":
        await send({"type": "websocket.close", "code": 1000})
        return
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
