"""Whether anything came from a source yet: waiting, green with the first event, or what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from desireline.faces.collector.answers import REFUSALS
from desireline.faces.web.live_events import Watchers, read_place, whenever_changed
from desireline.faces.web.live_pulse import Pulse, Wanted
from desireline.vocabulary.units import moment_text

_TELLING = (
    "key.unknown", "key.missing", "origin.refused", "source.disabled", "method.refused", "path.unknown",
    "body.cut_off", "body.too_large", "budget.spent", "key.of_hook", "signature.missing", "signature.wrong",
)  # fmt: skip
"""Refusals that tell somebody who is just connecting a site what is wrong."""


@dataclass(frozen=True, slots=True)
class FirstEvent:
    """How it stands. state: `waiting`, `connected`, `quarantined`, `refused` or `off`."""

    state: str
    word: str
    says: str


def first_event(
    source: Mapping[str, Any],
    row: Mapping[str, Any] | None,
    pulse: Pulse | None,
    *,
    since: int,
    refused: Mapping[str, int],
) -> FirstEvent:
    """What is known of a source.

    row: what was known of it when the page was made. since: events after this number are looked at. refused: how often
    the collector refused requests since the page was opened, by code; nobody can tell whose these were.
    """
    if pulse is None:
        return FirstEvent("off", "Not live", "Nothing is taken in by these pages. Begin with: desireline serve")
    if not source["enabled"]:
        return FirstEvent("off", "Switched off", "What it sends is answered with 404 until it is switched on again.")
    latest = [each for each in pulse.messages(Wanted(source=source["name"]), most=200) if each.number > since]
    taken = next((each for each in latest if each.verdict in ("accepted", "repeated")), None)
    if taken is not None:
        what = taken.touchpoint or "an event"
        return FirstEvent("connected", "Connected", f"{what} came at {moment_text(taken.received_at)[11:19]} UTC.")
    if latest:
        return FirstEvent(
            "quarantined", "It sends, but", f"what came lies in quarantine: {latest[0].reason} See it on the live page."
        )
    wrong = next((code for code in _TELLING if refused.get(code)), None) or next(iter(refused), None)
    if wrong is not None:
        says = REFUSALS[wrong].says if wrong in REFUSALS else wrong
        return FirstEvent(
            "refused", "Something was refused", f"A request came just now and was not taken: {says} ({wrong})"
        )
    if row is not None and row["heard"]:
        return FirstEvent("connected", "Connected", f"Today {row['today']}, the last one at {row['last']} UTC.")
    return FirstEvent("waiting", "Waiting for the first event", "Copy the lines, open your site, and look here.")


async def verdict_events(request: Request) -> Response:
    """How it stands with a source, told whenever it changes."""
    pulse: Pulse | None = request.app.state.pulse
    watchers: Watchers = request.app.state.watchers
    name = request.path_params["source"]
    if pulse is None:
        raise HTTPException(404, "Nothing is taken in by this server. Begin with: desireline serve")
    source = next((each for each in request.app.state.project.sources.all() if each["name"] == name), None)
    if source is None:
        raise HTTPException(404, "There is no such source.")
    stream = _told(request, pulse, source, watchers)
    return StreamingResponse(stream, media_type="text/event-stream")


async def _told(request: Request, pulse: Pulse, source: Mapping[str, Any], watchers: Watchers) -> AsyncIterator[str]:
    refusals: Mapping[str, int] = request.app.state.refusals
    begun = dict(refusals)
    since = read_place(pulse, request.query_params.get("since", "")) or 0

    async def news() -> tuple[str, str]:
        refused = {code: count - begun.get(code, 0) for code, count in refusals.items() if count > begun.get(code, 0)}
        now = await run_in_threadpool(first_event, source, None, pulse, since=since, refused=refused)
        return json.dumps(asdict(now)) if now.state != "waiting" else "", ""

    async for event in whenever_changed(request, pulse, watchers, news):
        yield event
