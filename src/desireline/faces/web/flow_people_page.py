"""The people behind a mark of the lived flow: who came to a step, went on from it, or was last seen there."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from desireline.faces.web.designed_over_lived import map_address
from desireline.faces.web.drawing import counted
from desireline.faces.web.frame import framed, reading_of
from desireline.faces.web.people_page import person_rows
from desireline.faces.web.promise_page import page_number, pages_context
from desireline.faces.web.url_state import read_state
from desireline.vocabulary.errors import DesirelineError, nearest

HOW = {"left": "quiet", "under way": "open", "arrived": "ends"}
_WORDS = ("at", "to", "last", "how", "page")


async def people_of_a_mark(request: Request) -> Response:
    """A page of the people behind a mark."""
    reading = reading_of(request)
    name = request.path_params["map"]
    if name not in await run_in_threadpool(reading.map_names):
        raise HTTPException(404, f"There is no map '{name}' in maps/.")
    words = request.query_params
    state = read_state(words, columns=await run_in_threadpool(reading.segment_columns), also=_WORDS)
    mark, says = mark_of(dict(words))
    page = page_number(words.get("page", "1"))
    found = await run_in_threadpool(lambda: reading.people_of_flow(name, state, page, **mark))
    here = f"{request.url.path}?" + "&".join(
        part for part in request.url.query.split("&") if not part.startswith("page=")
    )
    context = {
        "page_title": "People of the journey",
        "page_kind": "people",
        "eyebrow_address": map_address(name) + state.suffix(),
        "eyebrow": name,
        "says": f"{counted(found.total)} {'person' if found.total == 1 else 'people'} {says}.",
        "note": "The picture counts journeys and touches; somebody who walked the journey twice stands here once.",
        "rows": person_rows(found),
        **pages_context(found.page, found.pages, found.total, here),
    }
    return await framed(request, "people.html", context)


def mark_of(words: dict[str, str]) -> tuple[dict[str, str | None], str]:
    """The mark an address names, as the flow knows it and in words.

    >>> mark_of({"last": "report", "how": "left"})
    ({'left': 'report', 'to': 'quiet'}, "left after 'report'")
    """
    step, to, last, how = (words.get(word, "") for word in _WORDS[:4])
    if how and how not in HOW:
        raise DesirelineError(f"'{how}' is not known. {nearest(how, list(HOW)) or 'left, under way or arrived'}")
    if last:
        return {"left": last, "to": HOW[how] if how else None}, f"{_verb(how)} after '{last}'"
    if not step:
        raise DesirelineError("No step was named. Open a number of the journey's picture.")
    return {"step": step, "to": to or None}, f"went from '{step}' to '{to}'" if to else f"came to '{step}'"


def _verb(how: str) -> str:
    return {"left": "left", "under way": "are under way", "arrived": "arrived"}.get(how, "were last seen")
