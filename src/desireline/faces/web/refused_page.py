"""The quarantine: what was refused, by reason; mended and tried again one by one or together, or discarded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from desireline.faces.web.drawing import shortened
from desireline.faces.web.frame import framed
from desireline.faces.web.import_desk import ImportDesk
from desireline.faces.web.live_mending import MOST_EDITED, refused_row
from desireline.faces.web.live_reading import LIVE, Quarantine, quarantine
from desireline.faces.web.promise_page import page_number
from desireline.project import Project
from desireline.storage.import_book import ImportBook
from desireline.vocabulary.errors import DesirelineError
from desireline.vocabulary.units import counted

PAGE = 25
MOST_TOGETHER = 10_000
"""So many rows refused for one reason are tried again by one piece of work."""
MOST_REASONS = 8
REASON_LETTERS = 90


async def refused(request: Request) -> Response:
    """A page of the quarantine: of one import, of what came live, or of all; for all reasons or one."""
    words = request.query_params
    wanted = {"import": words.get("import", ""), "reason": words.get("reason", "")}
    page = page_number(words.get("page", "1"))
    project: Project = request.app.state.project

    def look() -> Quarantine:
        offset = (page - 1) * PAGE
        return quarantine(project, most=PAGE, offset=offset, import_id=wanted["import"], reason=wanted["reason"])

    found = await run_in_threadpool(look)
    return await framed(request, "import_refused.html", _context(found, wanted, page))


async def change_refused(request: Request) -> Response:
    """Edit, try again or discard one refused row; or try all of them again, or all refused for one reason."""
    desk: ImportDesk = request.app.state.desk
    async with request.form(max_files=0, max_fields=10, max_part_size=MOST_EDITED) as form:
        words = {name: value for name, value in form.items() if isinstance(value, str)}
    number, action = words.get("number", ""), words.get("action", "")
    if number and not (number.isascii() and number.isdigit() and len(number) < 16):
        raise DesirelineError("This is no refused row.")
    if action == "replay-all":
        job = await run_in_threadpool(_replay_together, request.app.state.project, desk, words)
        return RedirectResponse(f"/import/jobs/{job.id}", status_code=303)
    if not number:
        raise DesirelineError("No row was named.")
    if action == "discard":
        await run_in_threadpool(lambda: desk.discard([int(number)]))
    elif action in ("edit", "replay"):
        await run_in_threadpool(lambda: desk.edit(int(number), words.get("text", "")))
        if action == "replay":
            job = await run_in_threadpool(lambda: desk.replay([int(number)], None))
            return RedirectResponse(f"/import/jobs/{job.id}", status_code=303)
    else:
        raise DesirelineError("A refused row can be edited, tried again or discarded.")
    return RedirectResponse(refused_address(words), status_code=303)


def refused_address(words: Mapping[str, str]) -> str:
    """Where the quarantine is, with some of `import`, `reason` and `page`."""
    query = urlencode({name: words[name] for name in ("import", "reason", "page") if words.get(name)}, quote_via=quote)
    return f"/import/refused?{query}" if query else "/import/refused"


def _replay_together(project: Project, desk: ImportDesk, words: Mapping[str, str]) -> Any:
    import_id, reason = words.get("import") or None, words.get("reason", "")
    if not reason:
        return desk.replay(None, import_id)
    equal: dict[str, Any] = {"reason": reason, "status": "waiting"} | ({"import_id": import_id} if import_id else {})
    rows = ImportBook(project.state).refusals(limit=MOST_TOGETHER, **equal)
    if not rows:
        raise DesirelineError("Nothing that waits in quarantine was refused for this reason.")
    return desk.replay([int(row["number"]) for row in rows], None)


def _context(found: Quarantine, wanted: Mapping[str, str], page: int) -> dict[str, Any]:
    is_live = wanted["import"] == LIVE
    fitting = next((count for reason, count in found.reasons if reason == wanted["reason"]), 0)
    listed = fitting if wanted["reason"] else found.total
    pages = max(1, -(-listed // PAGE))
    links = (("previous", page - 1, page > 1), ("next", page + 1, page < pages))
    rest = found.total - sum(count for _, count in found.reasons[:MOST_REASONS])
    return {
        "page_title": "Quarantine",
        "page_kind": "import-refused",
        "back": {"name": "Live", "address": "/live"} if is_live else {"name": "Import", "address": "/import"},
        "import_id": wanted["import"],
        "reason": wanted["reason"],
        "of_what": "" if is_live else wanted["import"],
        "says": _sentence(found.total, "message" if is_live else "row"),
        "reasons": _reasons(found, wanted),
        "rest": f"and {rest:,} for other reasons" if rest else "",
        "rows": [refused_row(row) for row in found.rows],
        "together": f"Try {'these' if wanted['reason'] else 'all'} {listed:,} again" if listed > 1 else "",
        "page_words": f"Page {page:,} of {pages:,}, the latest first." if pages > 1 else "",
        "page_links": [
            {"name": name, "address": refused_address({**wanted, "page": str(number)})}
            for name, number, there in links
            if there
        ],
    }


def _reasons(found: Quarantine, wanted: Mapping[str, str]) -> list[dict[str, Any]]:
    """The ways to those refused for one reason, where there are several."""
    if len(found.reasons) < 2:
        return []
    ways = [("", "all", found.total), *((reason, reason, count) for reason, count in found.reasons[:MOST_REASONS])]
    return [
        {
            "name": shortened(name, letters=REASON_LETTERS),
            "count": f"{count:,}",
            "address": refused_address({**wanted, "reason": reason}),
            "here": reason == wanted["reason"],
        }
        for reason, name, count in ways
    ]


def _sentence(total: int, what: str) -> str:
    if not total:
        return "Nothing lies in quarantine."
    lie, them = ("lies", "it") if total == 1 else ("lie", "them")
    return f"{counted(total, what)} {lie} in quarantine. Nothing of {them} is lost."


ROUTES = [
    Route("/import/refused", refused),
    Route("/import/refused/change", change_refused, methods=["POST"]),
]
