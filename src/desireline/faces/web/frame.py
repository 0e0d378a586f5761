"""What stands around every page: the project's name, the way to other pages, the moment of the numbers."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from desireline.faces.web.reading import Reading
from desireline.faces.web.rendering import page
from desireline.vocabulary.units import moment_text

_PLACES = (("/", "Journey"), ("/maps", "Maps"), ("/people", "People"), ("/import", "Import"))


def reading_of(request: Request) -> Reading:
    """How this server reads its project."""
    reading: Reading = request.app.state.reading
    return reading


async def framed(request: Request, template: str, context: dict[str, Any], *, status: int = 200) -> Response:
    """A page of this project from its template."""
    return await run_in_threadpool(_framed, reading_of(request), request.url.path, template, context, status)


def _framed(reading: Reading, path: str, template: str, context: dict[str, Any], status: int) -> Response:
    around = {
        "project_name": reading.name,
        "as_of": moment_text(reading.as_of) if reading.as_of else "the first import (nothing is there yet)",
        "navigation": [{"address": address, "name": name, "here": _here(address, path)} for address, name in _PLACES],
    }
    return page(template, around | context, status=status)


def _here(address: str, path: str) -> bool:
    if address == "/":
        return path == "/" or (path.startswith("/maps/") and "/promises/" not in path)
    if address == "/maps":
        return path == "/maps"
    return path.startswith(address)
