"""Addresses for whoever runs the server: is it alive, is it ready and why not, and its figures for Prometheus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from desireline.faces import metrics
from desireline.faces.web.security import HEADERS, own_addresses, refusal

if TYPE_CHECKING:
    from desireline.faces.serve import Serving

PATHS = ("/health", "/ready", "/metrics")
RETRY_AFTER_SECONDS = 2


class Operating:
    """An ASGI application for `/health`, `/ready` and `/metrics`, for callers on this machine.

    Like the pages it answers only under this machine's own names, so no page of another site reads it.
    """

    def __init__(self, serving: Serving, *, port: int) -> None:
        self.serving = serving
        self.hosts = own_addresses(port)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        because = refusal(method=request.method, headers=request.headers, hosts=self.hosts)
        answer = PlainTextResponse(because + "\n", status_code=403) if because else await self._answer(request)
        for name, value in HEADERS.items():
            answer.headers.setdefault(name, value)
        await answer(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            return _only_get()
        if request.url.path == "/health":
            return PlainTextResponse("ok\n")
        if request.url.path == "/ready":
            return ready(not_ready(self.serving), told={"warnings": warnings(self.serving)})
        if request.url.path == "/metrics":
            return Response(await run_in_threadpool(metrics.text, self.serving), media_type=metrics.MEDIA_TYPE)
        return PlainTextResponse("There is nothing at this address.\n", status_code=404)


class OperatingOutside:
    """The same for a proxy that asks from outside: whether it is alive and ready, and no reasons."""

    def __init__(self, serving: Serving) -> None:
        self.serving = serving

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        if request.method not in ("GET", "HEAD"):
            answer = _only_get()
        elif request.url.path == "/health":
            answer = PlainTextResponse("ok\n")
        else:
            answer = ready(not_ready(self.serving))
        await answer(scope, receive, send)


def ready(reasons: list[str], *, told: Mapping[str, object] | None = None) -> Response:
    """The answer to whether traffic may come; with `told`, also the reasons why not, and that."""
    body: dict[str, object] = {"ready": not reasons}
    if told is not None:
        body |= {"reasons": reasons, **told}
    headers = {"retry-after": str(RETRY_AFTER_SECONDS)} if reasons else None
    return JSONResponse(body, status_code=503 if reasons else 200, headers=headers)


def not_ready(serving: Serving) -> list[str]:
    """Why the server should get no traffic now; empty when it should."""
    reasons = []
    if not serving.live.begun:
        reasons.append("what the log holds is still being applied")
    if serving.live.failing:
        reasons.append(f"live work fails and is tried again: {serving.live.failing}")
    state = serving.log.state
    if state.refusing:
        reasons.append(f"the log of record takes nothing in: {state.refusing}")
    if state.read_only:
        reasons.append(f"the log of record is read only: {state.why_read_only}")
    return reasons


def warnings(serving: Serving) -> list[str]:
    """What somebody should look at although traffic may come, each with what to do; empty when there is nothing."""
    found = [*serving.live.warnings, *serving.project.letters.warnings()]
    return [f"{each.what}: {each.do}." for each in found]


def _only_get() -> Response:
    return PlainTextResponse("Ask with GET.\n", status_code=405, headers={"allow": "GET, HEAD"})
