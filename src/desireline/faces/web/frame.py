"""What stands around every page: the project's name, the way to other pages, the moment of the numbers."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from desireline.faces.web.live_events import place_of
from desireline.faces.web.reading import Reading
from desireline.faces.web.rendering import page
from desireline.vocabulary.units import moment_text

_PLACES = (
    ("/", "Journey"),
    ("/live", "Live"),
    ("/maps", "Maps"),
    ("/people", "People"),
    ("/import", "Import"),
    ("/connect", "Connect"),
)
_WITH_FIGURES = ("designed-over-lived", "live", "maps", "people", "person", "promise")
"""Pages whose figures change as interactions come in: they say how many are new, and show them when asked."""


def reading_of(request: Request) -> Reading:
    """How this server reads its project."""
    reading: Reading = request.app.state.reading
    return reading


async def framed(request: Request, template: str, context: dict[str, Any], *, status: int = 200) -> Response:
    """A page of this project from its template."""
    return await run_in_threadpool(_framed, request, template, context, status)


def _framed(request: Request, template: str, context: dict[str, Any], status: int) -> Response:
    state, reading, path = request.app.state, reading_of(request), request.url.path
    around = {
        "project_name": reading.name,
        "navigation": [{"address": address, "name": name, "here": _here(address, path)} for address, name in _PLACES],
        "strip": state.line.strip,
        "clock": state.pulse.now if state.pulse is not None else "",
        "followed": context["page_kind"] in _WITH_FIGURES and state.pulse is not None,
    }
    if "as_of" not in context:
        around |= _as_of(reading, is_live=state.project is not None and state.project.is_live)
    number = context["number"] if "number" in context else reading.number if around["followed"] else 0
    return page(template, around | context | {"place": place_of(state.pulse, number)}, status=status)


def _as_of(reading: Reading, *, is_live: bool) -> dict[str, str]:
    if not reading.as_of:
        return {"as_of": "the first import (nothing is there yet)", "as_of_says": "."}
    says = "read anew every few seconds while you look." if is_live else "the latest interaction of this project."
    return {"as_of": moment_text(reading.as_of), "as_of_says": says}


def _here(address: str, path: str) -> bool:
    if address == "/":
        return path == "/" or (path.startswith("/maps/") and "/promises/" not in path)
    if address == "/maps":
        return path == "/maps"
    return path.startswith(address)
