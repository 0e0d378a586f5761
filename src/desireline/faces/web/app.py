"""The pages of one project, for this machine only."""

from __future__ import annotations

import logging
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from desireline.faces.web import (
    connect_page,
    flow_people_page,
    import_page,
    live_page,
    maps_page,
    people_page,
    person_page,
    promise_page,
    refused_page,
)
from desireline.faces.web.designed_over_lived_page import home, one_screen
from desireline.faces.web.frame import framed
from desireline.faces.web.import_desk import ImportDesk
from desireline.faces.web.live_events import Watchers
from desireline.faces.web.live_pulse import Pulse
from desireline.faces.web.live_strip import Line
from desireline.faces.web.reading import Reading
from desireline.faces.web.rendering import HERE, style_sheet
from desireline.faces.web.security import OnlyOurOwnPages, own_addresses
from desireline.project import Live
from desireline.vocabulary.errors import DesirelineError

KEEP_STATIC = {"cache-control": "public, max-age=31536000, immutable"}
Page = Callable[[Request], Awaitable[Response]]
_TYPES = {".js": "text/javascript", ".svg": "image/svg+xml"}


def create_app(
    project: Any,
    *,
    port: int = 8000,
    reading: Reading | None = None,
    live: Live | None = None,
    refusals: Mapping[str, int] | None = None,
    public_address: str = "",
) -> Starlette:
    """The web face of an open project.

    port: the port the server listens on; requests that name another host are refused.
    reading: how the project is read, for tests. live: its live work, where it is held by this process.
    refusals: how often the collector refused a request, by code; it counts on.
    public_address: where clients reach the collector, if not at this address.
    """
    pulse = Pulse(live) if live is not None else None
    read = reading or Reading(project, marker=lambda: pulse.last if pulse else 0)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        warming = threading.Thread(target=read.warm_up, name="warm up", daemon=True)
        warming.start()
        if pulse is not None:
            pulse.start()
        yield
        if pulse is not None:
            await run_in_threadpool(pulse.stop)
        await run_in_threadpool(warming.join, 5)
        read.close()

    app = Starlette(
        routes=_routes(),
        middleware=[
            Middleware(OnlyOurOwnPages, hosts=own_addresses(port)),
            Middleware(GZipMiddleware, minimum_size=2_000, compresslevel=4),
        ],
        exception_handlers={
            DesirelineError: wrong_use,
            HTTPException: not_there,
            Exception: went_wrong,
        },
        lifespan=lifespan,
    )
    app.state.reading = read
    app.state.desk = ImportDesk(project)
    app.state.project = project
    app.state.live = live
    app.state.pulse = pulse
    app.state.line = Line(pulse)
    app.state.refusals = refusals if refusals is not None else {}
    app.state.public_address = public_address
    app.state.watchers = Watchers()
    app.state.ending = lambda: False
    return app


def _routes() -> list[Route]:
    return [
        Route("/", as_of_now(home)),
        Route("/health", health),
        Route("/static/{name}", static),
        Route("/maps", as_of_now(maps_page.maps_list)),
        Route("/maps.{ending}", maps_page.maps_export),
        Route("/maps/{map}", as_of_now(one_screen)),
        Route("/maps/{map}/people", as_of_now(flow_people_page.people_of_a_mark)),
        Route("/maps/{map}/promises/{promise}", as_of_now(promise_page.promise_people)),
        Route("/people", as_of_now(people_page.people)),
        Route("/people/{person}", as_of_now(person_page.person)),
        *live_page.ROUTES,
        *connect_page.ROUTES,
        *refused_page.ROUTES,
        *import_page.ROUTES,
    ]


def as_of_now(page: Page) -> Page:
    """A page of figures; whoever asks for no kept answer (`Cache-Control: no-cache`) gets them as of this moment."""

    async def answer(request: Request) -> Response:
        if request.headers.get("cache-control") == "no-cache":
            await run_in_threadpool(request.app.state.reading.renewed)
        return await page(request)

    return answer


async def health(_request: Request) -> Response:
    """Alive."""
    return PlainTextResponse("ok\n")


async def static(request: Request) -> Response:
    """The style sheet, the scripts and the icon of the pages."""
    name = request.path_params["name"]
    if name == "desireline.css":
        return Response(style_sheet(), media_type="text/css", headers=KEEP_STATIC)
    known = {path.name: path for path in (HERE / "static").iterdir() if path.suffix in _TYPES}
    if name not in known:
        raise HTTPException(404)
    return Response(known[name].read_bytes(), media_type=_TYPES[known[name].suffix], headers=KEEP_STATIC)


async def wrong_use(request: Request, error: Exception) -> Response:
    """A request that a person can mend: every mistake, and what to do."""
    assert isinstance(error, DesirelineError)
    return await problem(request, 422, "This address does not fit.", [str(mistake) for mistake in error.mistakes])


async def not_there(request: Request, error: Exception) -> Response:
    """A page that does not exist, or may not be asked for in this way."""
    assert isinstance(error, HTTPException)
    lines = [error.detail] if error.detail and error.status_code != 404 else []
    if error.status_code == 404:
        lines = [
            error.detail
            if error.detail != "Not Found"
            else "There is no page at this address. Perhaps the name has changed."
        ]
    return await problem(
        request,
        error.status_code,
        "There is nothing here." if error.status_code == 404 else "That did not work.",
        lines,
    )


async def went_wrong(request: Request, error: Exception) -> Response:
    """A fault of ours: said calmly; the log names the kind of fault, never anybody's data."""
    logging.getLogger("desireline.web").error("a page failed: %s", type(error).__name__)
    return await problem(request, 500, "Something went wrong on our side.", [
        "What was acknowledged lies in the log. Try again; if it stays, desireline doctor looks for the reason.",
    ])  # fmt: skip


async def problem(request: Request, status: int, heading: str, lines: list[str]) -> Response:
    """A calm page that says what is wrong and what to do."""
    context = {"page_title": heading, "page_kind": "problem", "status": str(status), "heading": heading, "lines": lines}
    return await framed(request, "problem.html", context, status=status)
