"""Somebody's word, on the live page, that the machine's clock is right although it was stepped."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from desireline.project import look_at_clock


async def clock_is_right(request: Request) -> Response:
    """The server's time becomes that of the machine's clock; at the next turn everybody is judged as of then."""
    await run_in_threadpool(look_at_clock, request.app.state.project, right=True)
    return RedirectResponse("/live", status_code=303)
