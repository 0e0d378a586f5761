"""The plain list of maps: whose they are, what they promise, how it stands."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from desireline.faces.web.designed_over_lived import map_address
from desireline.faces.web.drawing import counted
from desireline.faces.web.exports import rows_table, table_export
from desireline.faces.web.frame import framed, reading_of
from desireline.faces.web.marks import STATE_CLASSES
from desireline.faces.web.small_pictures import state_picture
from desireline.faces.web.what_is_shown import MapShown


async def maps_list(request: Request) -> Response:
    """All maps of the project."""
    maps = await run_in_threadpool(reading_of(request).maps)
    context = {
        "page_title": "Maps",
        "page_kind": "maps",
        "says": maps_sentence(maps),
        "maps": [_row(each) for each in maps],
        "exports": [{"name": ending.upper(), "address": f"/maps.{ending}"} for ending in ("csv", "json")],
    }
    return await framed(request, "maps.html", context)


async def maps_export(request: Request) -> Response:
    """The list of maps as CSV or JSON."""
    maps = await run_in_threadpool(reading_of(request).maps)
    rows = [
        {
            "map": each.map, "says": each.says, "owner": each.owner, "steps": each.steps, "promises": each.promises,
            "kept": each.kept, "broken": each.broken, "waiting": each.waiting, "burns": each.states.count("burns"),
        }
        for each in maps
    ]  # fmt: skip
    return table_export(rows_table(rows, says=maps_sentence(maps)), name="maps", ending=request.path_params["ending"])


def maps_sentence(maps: list[MapShown]) -> str:
    """What the list says."""
    if not maps:
        return "No map yet. Draft a first one from the journeys people lived."
    promises = sum(each.promises for each in maps)
    burning = sum(each.states.count("burns") for each in maps)
    says = f"{len(maps)} {'map' if len(maps) == 1 else 'maps'} with {counted(promises)} promises"
    return f"{says}; {burning or 'none'} of them {'burns' if burning <= 1 else 'burn'}."


def _row(each: MapShown) -> dict[str, Any]:
    order = {state: place for place, state in enumerate(STATE_CLASSES)}
    states = sorted(set(each.states), key=lambda state: order[state])
    return {
        "map": each.map,
        "address": map_address(each.map),
        "says": each.says,
        "owner": each.owner,
        "steps": counted(each.steps),
        "promises": counted(each.promises),
        "kept": counted(each.kept),
        "broken": counted(each.broken),
        "waiting": counted(each.waiting),
        "file": each.file,
        "states": [
            {
                "picture": state_picture(state, ""),
                "class": STATE_CLASSES[state],
                "words": f"{each.states.count(state)} {state if state != 'no limit' else 'without a limit'}",
            }
            for state in states
        ],
    }
