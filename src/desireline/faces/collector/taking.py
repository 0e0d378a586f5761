"""Takes one request in: whose is it, may it, what is in it, does it lie on disk."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import TypeVar

from desireline.faces.collector.answers import Answer, refuse, refused
from desireline.faces.collector.asked import Asked, meta_of
from desireline.faces.collector.bodies import Body, Receive, is_light, read_body
from desireline.faces.collector.budget import Budgets
from desireline.faces.collector.counters import Counters
from desireline.faces.collector.durable import Durable, NotStored
from desireline.faces.collector.keys import key_of_authorization, keys_of_body, keys_of_query
from desireline.faces.collector.likely_repeats import LikelyRepeats
from desireline.faces.collector.limits import Limits
from desireline.faces.collector.routes import OPEN_DIALECTS, ROUTES, Route
from desireline.faces.collector.sources import Source, Sources
from desireline.faces.collector.told import RESULTS_PATH, Verdicts, answer
from desireline.intake import dialects
from desireline.storage.log import Log, LogFull

_LOG_REFUSALS = {"queue": "log.queue", "disk": "log.disk", "read only": "log.read_only"}
_NOBODY = "(nobody)"
READERS = 2
"""How many large bodies are read at a time: while they are read they need ten times their memory."""

Made = TypeVar("Made")


class Refuse(Exception):
    """This request is not taken; carries the answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.code)
        self.answer = answer


class Taking:
    """The way of a request from the wire to the disk."""

    def __init__(
        self,
        log: Log,
        sources: Sources,
        *,
        limits: Limits,
        counters: Counters,
        told: Callable[[int], None] | None,
        monotonic: Callable[[], float],
    ) -> None:
        self.stopping = False
        self._sources = sources
        self._limits = limits
        self._counters = counters
        self._monotonic = monotonic
        self._budgets = Budgets()
        self._repeats = LikelyRepeats()
        self._durable = Durable(log, told=told)
        self._beside = ThreadPoolExecutor(READERS, "read a large body")
        for route in ROUTES:
            if route.dialect:
                dialects.DIALECTS[route.dialect]  # loaded now, not while the first sender waits

    async def take(self, route: Route, asked: Asked, receive: Receive) -> Answer:
        """Take a request in and say how it went."""
        counters, limits = self._counters, self._limits
        if self.stopping:
            return refuse("stopping", retry_after_seconds=2)
        if counters.at_once >= limits.requests_at_once or counters.bytes_at_once >= limits.bytes_at_once:
            return refuse("busy", retry_after_seconds=1)
        counters.at_once += 1
        try:
            return await self._take(route, asked, receive)
        except Refuse as refusal:
            return refusal.answer
        except LogFull as full:
            return refuse(_LOG_REFUSALS[full.reason], retry_after_seconds=max(1, full.retry_after_seconds))
        except NotStored:
            return refuse("log.not_stored", retry_after_seconds=1)
        finally:
            counters.at_once -= 1

    def key_of(self, asked: Asked) -> str | None:
        """The write key of address, headers or query: the first known one, else the first one given."""
        first = None
        authorization = asked.headers.get(b"authorization")
        given = key_of_authorization(authorization) if authorization else None
        for key in chain((given,) if given else (), keys_of_query(asked.query) if asked.query else ()):
            if self._sources.by_key(key) is not None:
                return key
            first = first or key
        return first

    async def _take(self, route: Route, asked: Asked, receive: Receive) -> Answer:
        key = asked.inner if route.dialect == "webhook" else self.key_of(asked)
        source = self._sources.by_key(key)
        if source is not None:
            self._may_send(source, route, asked)
        elif key is not None and (route.does == "pixel" or route.dialect == "webhook"):
            raise Refuse(refuse("key.unknown"))
        elif key is None and route.does == "pixel" and b"data=" not in asked.query:
            raise Refuse(refuse("key.missing"))
        body = await read_body(receive, limits=self._limits, counters=self._counters)
        self._counters.bytes += body.length
        received = asked.received(route=route, source=source, body=body.data)
        if body.code:
            return await self._keep_refused(received, source, body)
        readable = received
        if source is None:
            source, readable = await self._source_of_body(route, received, asked, key=key)
            received = replace(received, source=source.name)
        if route.dialect == "webhook" or source.secrets:
            _check_signature(source, received)
        return await self._store(route, asked, source, received, readable)

    async def _source_of_body(
        self, route: Route, received: dialects.Received, asked: Asked, *, key: str | None
    ) -> tuple[Source, dialects.Received]:
        """Whose a body is by the key it holds, and the body unpacked."""
        payload = await self._done(dialects.payload_of, received)
        if isinstance(payload, dialects.Problem):
            if key is not None:
                raise Refuse(refuse("key.unknown"))
            await self._keep_unread(received)
            raise Refuse(refused(payload.status, payload.code, payload.says))
        for found in keys_of_body(payload.text):
            source = self._sources.by_key(found)
            if source is not None:
                self._may_send(source, route, asked)
                headers = {name: value for name, value in received.headers.items() if name != "content-encoding"}
                return source, replace(received, body=payload.text, headers=headers)
            key = key or found
        raise Refuse(refuse("key.unknown" if key is not None else "key.missing"))

    def _may_send(self, source: Source, route: Route, asked: Asked) -> None:
        """Refuse what this source may not send from here, or not to here, or not now."""
        if not source.enabled:
            raise Refuse(refuse("source.disabled"))
        if route.dialect != "webhook" and source.dialect not in OPEN_DIALECTS:
            raise Refuse(refuse("key.of_hook"))
        if not source.takes_from(asked.headers.get(b"origin", b"").decode("latin-1")):
            raise Refuse(refuse("origin.refused"))
        if source.per_second:
            self._within(source.name, source.per_second, "budget.spent", gives_up=_gives_up_on_429(source, asked))
        if self._limits.address_per_second:
            per_second, gives_up = self._limits.address_per_second, _gives_up_on_429(source, asked)
            self._within(asked.peer, per_second, "address.budget_spent", gives_up=gives_up)

    def _within(self, name: str, per_second: float, code: str, *, gives_up: bool) -> None:
        wait = self._budgets.wait_seconds((code, name), per_second=per_second, now=self._monotonic())
        if wait:
            spent = refuse(code, retry_after_seconds=wait)
            raise Refuse(replace(spent, status=503) if gives_up else spent)

    async def _store(
        self, route: Route, asked: Asked, source: Source, received: dialects.Received, readable: dialects.Received
    ) -> Answer:
        """Hand the bytes to the log, read them while the disk works, answer when they lie on it."""
        counters, size = self._counters, len(received.body)
        if self._repeats.is_one(received):
            received = replace(received, likely_repeat=True)
        stored = self._durable.submit(
            received_at=received.received_at, source=source.name, meta=meta_of(received), body=received.body
        )
        counters.bytes_at_once += size
        try:
            each = asked.verbose or route.path == RESULTS_PATH
            verdicts = await self._done(partial(_read, each=each), readable)
            counters.events += verdicts.events
            counters.events_refused += verdicts.refused
            sequence = await stored
        finally:
            counters.bytes_at_once -= size
        return answer(route, verdicts, sequence=sequence, verbose=asked.verbose)

    async def _done(self, reads: Callable[[dialects.Received], Made], received: dialects.Received) -> Made:
        """What this makes of a request: at once where that is quick, else beside the loop, while others go on."""
        if is_light(received):
            return reads(received)
        return await asyncio.get_running_loop().run_in_executor(self._beside, reads, received)

    async def _keep_refused(self, received: dialects.Received, source: Source | None, body: Body) -> Answer:
        """Keep what is known of a body that cannot be taken, and refuse it."""
        if body.code != "busy":
            kept = {"code": body.code, "length": body.length, "sha256": body.sha256, "whole": body.whole}
            await self._keep_unread(received, kept=kept, known=source is not None)
        return refuse(body.code, retry_after_seconds=1 if body.code == "busy" else 0)

    async def _keep_unread(
        self, received: dialects.Received, *, kept: dict[str, object] | None = None, known: bool = False
    ) -> None:
        """Put what could not be read into the log; what comes from nobody known has a small budget for all."""
        if not known:
            per_second = self._limits.unread_per_second
            if self._budgets.wait_seconds(("unread", _NOBODY), per_second=per_second, now=self._monotonic()):
                return
        meta = meta_of(received, kept=kept) if kept else meta_of(received)
        await self._durable.submit(
            received_at=received.received_at, source=received.source, meta=meta, body=received.body
        )


def _check_signature(source: Source, received: dialects.Received) -> None:
    """Refuse a request of a source that signs when its sender did not, or not just now."""
    verdict = dialects.verify(
        received.headers, received.body, source.secrets, received.received_at, unsigned=source.unsigned
    )
    if not verdict.accepted:
        raise Refuse(refuse(verdict.code))


def _gives_up_on_429(source: Source, asked: Asked) -> bool:
    """PostHog's client for browsers sends again what was answered 500 and above, and throws away the rest."""
    return source.dialect == "posthog" and b"origin" in asked.headers


def _read(received: dialects.Received, *, each: bool) -> Verdicts:
    """What is in a body. The bytes are safe already: a fault in reading them never loses them."""
    try:
        return Verdicts(dialects.read(received), each=each)
    except asyncio.CancelledError:
        raise
    except Exception as error:
        logging.getLogger("desireline.collector").error("a body could not be read: %s", type(error).__name__)
        return Verdicts.unread()
