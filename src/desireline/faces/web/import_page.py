"""Files in: choose, look what is guessed, change it, take it in while watching."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from desireline.faces.web.drawing import counted
from desireline.faces.web.frame import framed
from desireline.faces.web.import_desk import ROLES, ImportDesk, Looked
from desireline.faces.web.jobs import Job
from desireline.faces.web.live_events import HEARTBEAT_SECONDS
from desireline.faces.web.upload import ENDINGS, MOST_BYTES, receive_upload
from desireline.vocabulary.table import Table
from desireline.vocabulary.units import moment_text

WATCH_SECONDS = 0.2
_NOT_SHOWN = (
    "id",
    "source",
    "source_key",
    "position",
    "original_at",
    "zone",
    "time_quality",
    "received_at",
    "import_id",
    "handle",
    "raw",
)


def desk_of(request: Request) -> ImportDesk:
    """The import desk of this server."""
    desk: ImportDesk = request.app.state.desk
    return desk


async def import_home(request: Request) -> Response:
    """Choose a file; all imports so far."""
    imports = await run_in_threadpool(desk_of(request).imports)
    context = {
        "page_title": "Import",
        "page_kind": "import",
        "limit": f"{MOST_BYTES // 2**30} GB",
        "accept": ",".join(ENDINGS),
        "imports": [_import_row(row) for row in imports],
    }
    return await framed(request, "import.html", context)


async def receive(request: Request) -> Response:
    """Take the file that a browser sends."""
    upload = await receive_upload(
        desk_of(request).folder,
        content_type=request.headers.get("content-type", ""),
        content_length=request.headers.get("content-length", ""),
        body=request.stream(),
    )
    return RedirectResponse(f"/import/look/{upload.id}", status_code=303)


async def look(request: Request) -> Response:
    """What the file seems to hold, and the first interactions it would make."""
    desk = desk_of(request)
    upload = desk.upload(request.path_params["upload"])
    answers, anew = _answers(request.query_params)
    looked = await run_in_threadpool(lambda: desk.look(upload, answers, anew=anew))
    return await framed(request, "import_look.html", look_context(looked, answers))


async def take(request: Request) -> Response:
    """Take the file in, as it was last looked at."""
    desk = desk_of(request)
    upload = desk.upload(request.path_params["upload"])
    async with request.form(max_files=0, max_fields=4_000) as form:
        answers, anew = _answers({name: value for name, value in form.items() if isinstance(value, str)})
    job = await run_in_threadpool(lambda: desk.take(upload, answers, anew=anew))
    return RedirectResponse(f"/import/jobs/{job.id}", status_code=303)


async def job_page(request: Request) -> Response:
    """How far a piece of work is, and what came of it."""
    return await framed(request, "import_job.html", job_context(_job(request)))


async def job_events(request: Request) -> Response:
    """The progress of a piece of work as server-sent events, until it is over."""
    job_id = _job(request).id
    jobs = desk_of(request).jobs

    async def events() -> AsyncIterator[str]:
        before, spoke_at = None, time.monotonic()
        while (job := jobs.get(job_id)) is not None and not request.app.state.ending():
            if job != before:
                before, spoke_at = job, time.monotonic()
                yield f"data: {json.dumps({'share': job.share, 'doing': job.doing, 'state': job.state})}\n\n"
            elif time.monotonic() - spoke_at > HEARTBEAT_SECONDS:
                spoke_at = time.monotonic()
                yield "event: still\ndata: running\n\n"
            if job.over or await request.is_disconnected():
                return
            await asyncio.sleep(WATCH_SECONDS)

    return StreamingResponse(events(), media_type="text/event-stream")


async def undo(request: Request) -> Response:
    """Take an import back."""
    import_id = request.path_params["import_id"]
    job = await run_in_threadpool(lambda: desk_of(request).undo(import_id))
    return RedirectResponse(f"/import/jobs/{job.id}", status_code=303)


def look_context(looked: Looked, answers: Mapping[str, str]) -> dict[str, Any]:
    """Everything the template of a file needs."""
    guess = looked.guess
    columns = guess.columns if guess else ()
    asked = {question.about: question for question in (guess.questions if guess else ())}
    preview = looked.preview
    return {
        "page_title": looked.upload.name,
        "page_kind": "import-look",
        "name": looked.upload.name,
        "upload": looked.upload.id,
        "saved": looked.saved,
        "says": look_sentence(looked),
        "ready": looked.recipe is not None and not looked.mistakes,
        "mistakes": looked.mistakes,
        "doubts": list(guess.doubts) if guess else [],
        "columns": [_column(column, asked.get(column.name), answers) for column in columns],
        "file_question": _question(asked["file"], answers) if "file" in asked else None,
        "preview_says": preview.says if preview else "",
        **_preview(preview),
        "answers": [{"name": f"is:{name}", "value": value} for name, value in answers.items()],
    }


def look_sentence(looked: Looked) -> str:
    """What was understood of a file."""
    if looked.saved:
        return f"The saved recipe “{looked.saved}” fits this file."
    unsure = sum(not column.sure for column in looked.guess.columns)
    if looked.recipe is None:
        return "It is not clear when things happened in this file. Choose the column with the time."
    if not unsure:
        return f"All {len(looked.guess.columns)} columns are understood."
    return f"{counted(unsure)} of {len(looked.guess.columns)} columns are unsure. Look at them before you import."


def job_context(job: Job) -> dict[str, Any]:
    """Everything the template of a job needs."""
    headings = {"running": f"{job.what} …", "done": f"{job.what}: done.", "failed": f"{job.what}: that did not work."}
    return {
        "page_title": job.what,
        "page_kind": "import-job",
        "job": job,
        "heading": headings[job.state],
        "lines": [line.strip() for line in job.lines],
        "percent": f"{job.share:.0%}",
        "refused_address": f"/import/refused?import={quote(job.import_id)}" if job.refused else "",
    }


def _job(request: Request) -> Job:
    job = desk_of(request).jobs.get(request.path_params["job"])
    if job is None:
        raise HTTPException(404, "This piece of work is not known any more. The list of imports says what came of it.")
    return job


def _answers(words: Mapping[str, str]) -> tuple[dict[str, str], bool]:
    """The roles a person chose: words `is:COLUMN`; `anew` passes a saved recipe by."""
    answers = {name[3:]: value for name, value in words.items() if name.startswith("is:") and value}
    return answers, words.get("anew") == "yes"


def _column(column: Any, question: Any, answers: Mapping[str, str]) -> dict[str, Any]:
    formats = [choice for choice in (question.choices if question else ()) if choice[0].startswith("format:")]
    groups = [("how it is written", formats)] if formats else []
    groups += [(name, [(role, role) for role in roles]) for name, roles in ROLES]
    known = {value for _, choices in groups for value, _ in choices}
    if column.role not in known:
        groups.insert(0, ("guessed", [(column.role, column.role)]))
    chosen = answers.get(column.name, column.role)
    return {
        "name": column.name,
        "sure": column.sure,
        "why": column.why,
        "samples": ", ".join(column.samples[:3]),
        "changed": column.name in answers,
        "groups": [
            {
                "name": name,
                "choices": [{"value": value, "name": says, "here": value == chosen} for value, says in choices],
            }
            for name, choices in groups
        ],
    }


def _question(question: Any, answers: Mapping[str, str]) -> dict[str, Any]:
    return {
        "asks": question.asks,
        "choices": [
            {"value": value, "name": f"{value} ({says})", "here": answers.get("file") == value}
            for value, says in question.choices
        ],
    }


def _import_row(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": row["import_id"],
        "file": row["file"],
        "source": row["source"],
        "at": moment_text(row["received_at"]).removesuffix(" UTC"),
        "read": counted(row["rows_read"]),
        "made": counted(row["made"]),
        "known": counted(row["known"]),
        "refused": counted(row["refused"] + row["conflicts"]),
        "refused_address": f"/import/refused?import={quote(row['import_id'])}"
        if row["refused"] or row["conflicts"]
        else "",
        "status": row["status"],
        "undo_address": f"/import/undo/{quote(row['import_id'])}" if row["status"] == "done" else "",
    }


def _preview(preview: Table | None) -> dict[str, Any]:
    """The first interactions: the columns that say something, moments as people read them."""
    rows = list(preview.rows()) if preview else []
    names = [name for name in (preview.columns if preview else ()) if name not in _NOT_SHOWN]
    names = [name for name in names if any(row[name] not in (None, "", []) for row in rows)]
    return {"preview_names": names, "preview_rows": [[_cell(name, row[name]) for name in names] for row in rows]}


def _cell(name: str, value: Any) -> str:
    text = "" if value is None else str(value)
    if name.endswith("_at") and isinstance(value, int):
        text = moment_text(value)
    if isinstance(value, list | tuple):
        text = " · ".join(str(each) for each in value)
    return text if len(text) <= 80 else text[:79] + "…"


ROUTES = [
    Route("/import", import_home),
    Route("/import/upload", receive, methods=["POST"]),
    Route("/import/look/{upload}", look),
    Route("/import/take/{upload}", take, methods=["POST"]),
    Route("/import/jobs/{job}", job_page),
    Route("/import/jobs/{job}/events", job_events),
    Route("/import/undo/{import_id}", undo, methods=["POST"]),
]
