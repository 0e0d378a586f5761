"""The live page: what comes in with its verdict, what falls due, what was broken, and what waits to be mended."""

from __future__ import annotations

from dataclasses import asdict

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from desireline.faces.web.counts_picture import counts_picture
from desireline.faces.web.exports import picture_export, rows_table, table_export
from desireline.faces.web.frame import framed, reading_of
from desireline.faces.web.live_clock import clock_is_right
from desireline.faces.web.live_context import PICTURE_STEP, Asked, counts_series, live_context, not_live_context
from desireline.faces.web.live_counts import VERDICTS
from desireline.faces.web.live_events import live_events
from desireline.faces.web.live_listeners import change_listener
from desireline.faces.web.live_mending import FILTERS, change
from desireline.faces.web.live_message_page import message
from desireline.faces.web.live_promises_page import promises_at_stake
from desireline.faces.web.live_pulse import Pulse, Wanted
from desireline.vocabulary.errors import DesirelineError, Mistake, nearest
from desireline.vocabulary.units import moment_text

MOST_EXPORTED = 2_000
_NUMBERS = {"outcome": "a refused message", "before": "a message that was told"}
WORDS = (*FILTERS, *_NUMBERS, "theme")


async def live(request: Request) -> Response:
    """What happens now."""
    pulse: Pulse | None = request.app.state.pulse
    asked = _asked(request)
    if pulse is None:
        return await framed(request, "live_empty.html", not_live_context())
    context = await run_in_threadpool(live_context, reading_of(request), request.app.state.project, pulse, asked)
    return await framed(request, context.pop("template"), context)


async def live_export(request: Request) -> Response:
    """What came in: the picture, or the messages that are kept in mind, as the filters choose."""
    pulse: Pulse | None = request.app.state.pulse
    asked, ending = _asked(request), request.path_params["ending"]
    if pulse is None:
        raise HTTPException(404, "Nothing is taken in by this server. Begin with: desireline serve")
    if ending in ("svg", "png"):
        series, began_at = counts_series(pulse, step=PICTURE_STEP), pulse.counts.began_at
        picture = counts_picture(series, step=PICTURE_STEP, began_at=began_at)
        theme = request.query_params.get("theme", "light")
        return await run_in_threadpool(lambda: picture_export(picture, name="live", ending=ending, theme=theme))
    rows = [
        asdict(each) | {"received_at": moment_text(each.received_at)}
        for each in pulse.messages(asked.wanted, most=MOST_EXPORTED)
    ]
    says = "The latest messages with their verdicts; number counts what this server told."
    return table_export(rows_table(rows, says=says, as_of=pulse.now), name="live", ending=ending)


def _asked(request: Request) -> Asked:
    words = request.query_params
    mistakes = [
        Mistake(f"unknown word '{word}'.", "the address", do=nearest(word, WORDS))
        for word in words
        if word not in WORDS
    ]
    verdict = words.get("verdict", "")
    if verdict and verdict not in VERDICTS:
        hint = nearest(verdict, VERDICTS) or f"Known: {', '.join(VERDICTS)}."
        mistakes.append(Mistake(f"'{verdict}' is no verdict of a message.", "'verdict'", do=hint))
    numbers = {name: words.get(name, "") for name in _NUMBERS}
    for name, text in numbers.items():
        if text and not (text.isascii() and text.isdigit() and len(text) < 16):
            mistakes.append(Mistake(f"'{name}' is the number of {_NUMBERS[name]}.", f"'{name}'"))
    if mistakes:
        raise DesirelineError(mistakes)
    wanted = Wanted(verdict, words.get("source", ""), words.get("channel", ""))
    return Asked(wanted, int(numbers["outcome"]) if numbers["outcome"] else None, int(numbers["before"] or 0))


ROUTES = [
    Route("/live", live),
    Route("/live/events", live_events),
    Route("/live.{ending}", live_export),
    Route("/live/promises", promises_at_stake),
    Route("/live/promises.{ending}", promises_at_stake),
    Route("/live/listeners", change_listener, methods=["POST"]),
    Route("/live/clock", clock_is_right, methods=["POST"]),
    Route("/live/refused", change, methods=["POST"]),
    Route("/live/messages/{sequence}/{position}", message),
]
