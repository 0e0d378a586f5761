"""The pages and exports of the one screen."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from desireline.faces.web.designed_over_lived import screen_context
from desireline.faces.web.exports import screen_export
from desireline.faces.web.frame import framed, reading_of
from desireline.faces.web.sample import sample_screen
from desireline.faces.web.url_state import read_state, split_suffix
from desireline.vocabulary.errors import nearest


async def home(request: Request) -> Response:
    """The one screen of the first map; of an empty project, the one next step."""
    reading = reading_of(request)
    maps = await run_in_threadpool(reading.map_names)
    interactions = await run_in_threadpool(lambda: reading.interactions)
    if interactions and maps:
        return await _screen(request, maps[0], "")
    return await framed(request, "empty.html", _empty(has_data=bool(interactions)))


async def one_screen(request: Request) -> Response:
    """The one screen of a map, or one of its exports."""
    reading = reading_of(request)
    maps = await run_in_threadpool(reading.map_names)
    wanted = request.path_params["map"]
    name, ending = (wanted, "") if wanted in maps else split_suffix(wanted)
    if name not in maps:
        raise HTTPException(404, f"There is no map '{name}' in maps/. {nearest(name, maps)}".strip())
    return await _screen(request, name, ending)


async def _screen(request: Request, name: str, ending: str) -> Response:
    reading = reading_of(request)
    columns = await run_in_threadpool(reading.segment_columns)
    also = ("theme",) if ending else ()
    state = read_state(request.query_params, columns=columns, also=also)
    shown = await run_in_threadpool(reading.designed_over_lived, name, state)
    if ending:
        return await run_in_threadpool(screen_export, shown, ending, request.query_params.get("theme", "light"))
    context = await run_in_threadpool(reading.kept, ("screen", name, state), lambda: screen_context(shown))
    return await framed(request, "designed_over_lived.html", context)


def _empty(*, has_data: bool) -> dict[str, Any]:
    """The empty project: a faint sample, the one next step, a command and a button."""
    sample = screen_context(sample_screen())
    if has_data:
        step: dict[str, Any] = {
            "heading": "Your interactions are in. Now draft the journey you promise.",
            "says": "A first map is drafted from the journeys people lived; then write what you promise at each step.",
            "command": "desireline draft",
            "address": "/maps",
            "button": "See the maps",
            "other": None,
        }
    else:
        step = {
            "heading": "Nothing is here yet. Bring in your first file, or connect a site.",
            "says": "Any export will do: tickets, calls, orders, chats. Columns are guessed and shown before anything "
            "is kept; every import can be undone. Or let events come as they happen.",
            "command": "desireline import calls.csv",
            "address": "/import",
            "button": "Import a file",
            "other": {"address": "/connect", "button": "Connect a site"},
        }
    return sample | {"page_title": "Begin", "page_kind": "empty", "next": step}
