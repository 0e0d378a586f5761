"""Mending what was refused: edit and try again, or discard, right where it is seen; and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from desireline.faces.web.drawing import counted
from desireline.faces.web.live_reading import Refused, refused
from desireline.faces.web.plain_text import written_out
from desireline.project import Project
from desireline.vocabulary.errors import DesirelineError
from desireline.vocabulary.units import moment_text

MOST_EDITED = 1_000_000
"""A mended message holds no more letters than this."""
FILTERS = ("verdict", "source", "channel")
"""The words of the live page's address that stay while messages are mended."""


async def change(request: Request) -> Response:
    """Mend and try again, or discard, one message in quarantine; then tell what came of it."""
    project: Project = request.app.state.project
    async with request.form(max_files=0, max_fields=10, max_part_size=MOST_EDITED) as form:
        words = {name: value for name, value in form.items() if isinstance(value, str)}
    number, action = words.get("number", ""), words.get("action", "")
    if not (number.isascii() and number.isdigit() and len(number) < 16) or action not in ("replay", "discard"):
        raise DesirelineError("A refused message can be mended and tried again, or discarded.")
    await run_in_threadpool(_change, project, int(number), action, words.get("text", ""))
    wanted = {name: words[name] for name in FILTERS if words.get(name)}
    return RedirectResponse(live_address({**wanted, "outcome": number}) + "#quarantine", status_code=303)


def _change(project: Project, number: int, action: str, text: str) -> None:
    known = refused(project, number)
    if known is None:
        raise DesirelineError(f"There is no refused message {number}.")
    if known.status != "waiting":
        return
    if action == "discard":
        project.imports.discard([number])
        return
    if known.whole and _lines(text) != _lines(written_out(known.raw)):
        project.imports.edit(number, text)
    project.imports.replay(numbers=[number])


def _lines(text: str) -> str:
    """A text with the ends of lines that browsers send taken as what they were."""
    return text.replace("\r\n", "\n")


def live_address(words: Mapping[str, str]) -> str:
    """Where the live page is with some filters."""
    query = urlencode({name: value for name, value in words.items() if value}, quote_via=quote)
    return f"/live?{query}" if query else "/live"


def refused_row(row: Refused) -> dict[str, Any]:
    """A refused message or row of a file, ready to print."""
    came = f"{row.source or '(no source)'}, {moment_text(row.at)}"
    return {
        "number": row.number,
        "place": came if row.sequence else f"{row.file}, row {row.row:,}",
        "address": f"/live/messages/{row.sequence}/{row.position}" if row.sequence else "",
        "reason": row.reason,
        "raw": written_out(row.raw),
        "whole": row.whole,
        "note": "" if row.whole else f"only the beginning is shown; all of it has {counted(row.length)} letters",
    }


def outcome_of(project: Project, number: int) -> dict[str, str] | None:
    """What came of mending a message, from what the quarantine says of it now."""
    row = refused(project, number)
    if row is None:
        return None
    if row.status == "replayed":
        says = "Taken in. The message is an interaction now, with the id it would have had."
        return {"class": "holds", "says": says, "address": f"/live/messages/{row.sequence}/{row.position}"}
    if row.status == "discarded":
        return {"class": "", "says": "Discarded. The log still holds what came.", "address": ""}
    return {"class": "at-risk", "says": f"Not yet. It still cannot be taken in: {row.reason}", "address": ""}
