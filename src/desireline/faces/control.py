"""Work handed over by the command line: over loopback, with the server's own token, as JSON lines."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from desireline.project import WORK, Project, may
from desireline.vocabulary.errors import DesirelineError, WorkFailed

LONGEST_WORDS_BYTES = 4_000_000


class Control:
    """An ASGI application for `POST /control/{what}`."""

    def __init__(self, project: Project, token: str) -> None:
        self.project = project
        self.token = token

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await (await self._answer(Request(scope, receive)))(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if not may(self.token, request.headers.get("authorization", "")):
            return PlainTextResponse("The command line of this machine only.\n", status_code=403)
        work = WORK.get(request.url.path.rpartition("/")[2])
        if request.method != "POST" or work is None:
            return PlainTextResponse("There is no such work.\n", status_code=404)
        body = await request.body()
        if len(body) > LONGEST_WORDS_BYTES:
            return PlainTextResponse("Too long.\n", status_code=413)
        try:
            values = json.loads(body)
        except ValueError:
            return PlainTextResponse("This is not JSON.\n", status_code=400)
        return StreamingResponse(self._lines(work, values), media_type="application/jsonl")

    async def _lines(self, work: Any, values: Any) -> AsyncIterator[str]:
        loop = asyncio.get_running_loop()
        told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

        def progress(share: float, doing: str) -> None:
            loop.call_soon_threadsafe(told.put_nowait, {"share": share, "doing": doing})

        def do() -> None:
            loop.call_soon_threadsafe(told.put_nowait, _outcome(work, self.project, values, progress))

        working = asyncio.create_task(run_in_threadpool(do))
        while True:
            line = await told.get()
            yield json.dumps(line, default=str) + "\n"
            if "share" not in line:
                break
        await working


def _outcome(work: Any, project: Project, values: Any, progress: Any) -> dict[str, Any]:
    try:
        return {"done": work(project, values, progress)}
    except DesirelineError as error:
        mistakes = [{"what": m.what, "where": m.where, "do": m.do} for m in error.mistakes]
        return {"mistakes": mistakes, "failed": isinstance(error, WorkFailed)}
    except Exception as error:
        logging.getLogger("desireline.control").error("work handed over failed: %s", type(error).__name__)
        what = f"something went wrong in the server ({type(error).__name__})."
        return {"mistakes": [{"what": what, "where": "", "do": "Nothing was lost; try again."}], "failed": True}
