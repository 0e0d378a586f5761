"""What is new, told to open pages by server-sent events: how much, never what; a page fetches it when asked to."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, dataclass

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from desireline.faces.web.live_pulse import Pulse, Wanted
from desireline.faces.web.live_strip import Line

TICK_SECONDS = 1.0
HEARTBEAT_SECONDS = 10.0
MOST_WATCHERS = 100
"""So many pages are told at once; further ones are told once and come again."""


@dataclass
class Watchers:
    """How many pages are being told."""

    count: int = 0


def place_of(pulse: Pulse | None, number: int) -> str:
    """Where a page is in the events of this server: a server started anew counts from the beginning."""
    return f"{pulse.epoch}.{number}" if pulse is not None else ""


def read_place(pulse: Pulse, text: str) -> int | None:
    """The number of a place; nothing when it is of another server's life."""
    epoch, _, number = text.partition(".")
    return int(number) if epoch == pulse.epoch and number.isascii() and number.isdigit() and len(number) < 16 else None


def wanted_of(request: Request) -> Wanted:
    """Which messages the address asks for."""
    words = request.query_params
    return Wanted(words.get("verdict", ""), words.get("source", ""), words.get("channel", ""))


async def live_events(request: Request) -> Response:
    """How many messages came since the page was made, and the line, whenever they change."""
    pulse: Pulse | None = request.app.state.pulse
    if pulse is None:
        raise HTTPException(404, "Nothing is taken in by this server. Begin with: desireline serve")
    watchers: Watchers = request.app.state.watchers
    given = request.headers.get("last-event-id") or request.query_params.get("since", "")
    since = read_place(pulse, request.query_params.get("since", ""))
    anew = since is None or read_place(pulse, given) is None
    stream = _told(request, pulse, Wanted() if anew else wanted_of(request), since or 0, anew=anew, watchers=watchers)
    return StreamingResponse(stream, media_type="text/event-stream")


async def _told(
    request: Request, pulse: Pulse, wanted: Wanted, since: int, *, anew: bool, watchers: Watchers
) -> AsyncIterator[str]:
    line: Line = request.app.state.line

    async def news() -> tuple[str, str]:
        new, more = (0, False) if anew else pulse.new_since(since, wanted)
        strip = await run_in_threadpool(lambda: line.strip)
        return json.dumps({"new": new, "more": more, **asdict(strip)}), place_of(pulse, pulse.last)

    if anew:
        yield f"event: anew\nid: {place_of(pulse, pulse.last)}\ndata: {{}}\n\n"
    async for event in whenever_changed(request, pulse, watchers, news):
        yield event


async def whenever_changed(
    request: Request, pulse: Pulse, watchers: Watchers, news: Callable[[], Awaitable[tuple[str, str]]]
) -> AsyncIterator[str]:
    """An event whenever the news changed, and a sign of life between, until the page or the server goes.

    news: gives the data, nothing to tell when empty, and the id of the event, empty for none. The first event
    comes at once. Where too many pages are told already, it is the only one, and the page is asked to come again.
    """
    is_full = watchers.count >= MOST_WATCHERS
    watchers.count += 1
    try:
        yield "retry: 3000\n\n"
        before, spoke_at = "", float("-inf")
        while not pulse.stopping and not request.app.state.ending():
            data, place = await news()
            if data and data != before:
                head = f"id: {place}\n" if place else ""
                yield f"{head}data: {data}\n\n"
                before, spoke_at = data, time.monotonic()
            elif time.monotonic() - spoke_at > HEARTBEAT_SECONDS:
                yield f"event: still\ndata: {pulse.now}\n\n"
                spoke_at = time.monotonic()
            if is_full:
                yield "event: full\ndata: come again\n\n"
                return
            if await request.is_disconnected():
                return
            await asyncio.sleep(TICK_SECONDS)
    finally:
        watchers.count -= 1
