"""Find people by any of their handles."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from desireline.faces.web.drawing import counted
from desireline.faces.web.frame import framed, reading_of
from desireline.faces.web.promise_page import page_number, pages_context, person_address
from desireline.faces.web.url_state import read_state
from desireline.faces.web.what_is_shown import PeopleFound
from desireline.vocabulary.units import moment_text


async def people(request: Request) -> Response:
    """The people a search finds; one hit opens the person at once."""
    words = request.query_params
    read_state({name: words[name] for name in words if name not in ("find", "page")}, columns=(), also=("find", "page"))
    find, page = words.get("find", "").strip()[:200], page_number(words.get("page", "1"))
    found = await run_in_threadpool(reading_of(request).find, find, page)
    if find and found.total == 1:
        return RedirectResponse(person_address(found.rows[0].person), status_code=303)
    here = "/people?find=" + _quoted(find) if find else "/people"
    context = {
        "page_title": "People",
        "page_kind": "people",
        "find": find,
        "says": _says(find, found),
        "rows": person_rows(found),
        "eyebrow_address": "/people",
        "eyebrow": "People",
        "note": "",
        **pages_context(found.page, found.pages, found.total, here),
    }
    return await framed(request, "people.html", context)


def person_rows(found: PeopleFound) -> list[dict[str, str]]:
    """People found, ready to print."""
    return [
        {
            "name": row.name,
            "address": person_address(row.person),
            "handles": row.handles,
            "interactions": counted(row.interactions),
            "first": moment_text(row.first_at)[:10],
            "last": moment_text(row.last_at)[:10],
        }
        for row in found.rows
    ]


def _quoted(text: str) -> str:
    from urllib.parse import quote

    return quote(text, safe="")


def _says(find: str, found: PeopleFound) -> str:
    if not find:
        return f"{counted(found.total)} people. Search by e-mail, phone, card, handle or customer number."
    if not found.total:
        return f"Nobody has a handle with “{find}”. Try a part of it: the last digits, or the name before the @."
    return f"{counted(found.total)} people have a handle with “{find}”."
