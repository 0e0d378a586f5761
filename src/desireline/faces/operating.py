"""Addresses for whoever runs the server: is it alive, is it ready and why not, and its figures for Prometheus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

if TYPE_CHECKING:
    from desireline.faces.serve import Serving

PATHS = ("/health", "/ready", "/metrics")


class Operating:
    """An ASGI application for `/health`, `/ready` and `/metrics`."""

    def __init__(self, serving: Serving) -> None:
        self.serving = serving

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._answer(Request(scope, receive))(scope, receive, send)

    def _answer(self, request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            return PlainTextResponse("Ask with GET.\n", status_code=405, headers={"allow": "GET, HEAD"})
        if request.url.path == "/health":
            return PlainTextResponse("ok\n")
        if request.url.path == "/ready":
            return self._ready()
        return PlainTextResponse("", media_type="text/plain; version=0.0.4")

    def _ready(self) -> Response:
        reasons = not_ready(self.serving)
        status = 503 if reasons else 200
        headers = {"retry-after": "2"} if reasons else None
        return JSONResponse({"ready": not reasons, "reasons": reasons}, status_code=status, headers=headers)


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
    return reasons
