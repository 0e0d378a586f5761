"""One person: the line of years with every promise made to them, and the handles by which they are known."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from desireline.faces.web.drawing import counted
from desireline.faces.web.exports import picture_export, rows_table, table_export
from desireline.faces.web.finding import breach_in_words
from desireline.faces.web.frame import framed, reading_of
from desireline.faces.web.line_of_years_picture import draw_line_of_years
from desireline.faces.web.people_reading import MOST_LISTED
from desireline.faces.web.promise_page import MOST_EXPORTED
from desireline.faces.web.small_pictures import verdict_picture
from desireline.faces.web.url_state import split_suffix
from desireline.faces.web.what_is_shown import PersonLine, PromiseMark
from desireline.vocabulary.units import lateness_text, moment_text


async def person(request: Request) -> Response:
    """The line of years, or one of its exports."""
    wanted, ending = split_suffix(request.path_params["person"])
    if not wanted.isascii() or not wanted.isdigit() or len(wanted) > 20:
        raise HTTPException(404, "There is no such person. Search by e-mail, phone, card or customer number.")
    touches = MOST_EXPORTED if ending in ("csv", "json") else MOST_LISTED
    line = await run_in_threadpool(lambda: reading_of(request).person(int(wanted), touches=touches))
    if line is None:
        raise HTTPException(404, "There is no such person. Perhaps two were joined since; search by a handle.")
    if ending in ("svg", "png"):
        theme = request.query_params.get("theme", "light")
        return picture_export(draw_line_of_years(line), name=f"person-{wanted}", ending=ending, theme=theme)
    if ending:
        return table_export(_touches_table(line), name=f"person-{wanted}", ending=ending)
    return await framed(request, "person.html", person_context(line))


def person_context(line: PersonLine) -> dict[str, Any]:
    """Everything the template of a person needs."""
    here = f"/people/{line.person}"
    return {
        "page_title": "A person's line of years",
        "page_kind": "person",
        "name": line.name,
        "says": person_sentence(line),
        "years_picture": draw_line_of_years(line),
        "promises": [_promise(mark) for mark in sorted(line.promises, key=lambda mark: -mark.opened_at)],
        "touches": [
            {
                "at": moment_text(touch.occurred_at)[:16],
                "channel": touch.channel,
                "touchpoint": touch.touchpoint,
                "direction": touch.direction,
                "case": touch.case,
                "text": touch.text,
                "origin": " · ".join(part for part in (touch.source, touch.raw) if part),
            }
            for touch in line.touches
        ],
        "touches_words": f"the latest {counted(len(line.touches))} of {counted(line.total)}"
        if len(line.touches) < line.total
        else counted(line.total),
        "handles": line.handles,
        "exports": [
            {"name": ending.upper(), "address": f"{here}.{ending}"} for ending in ("svg", "png", "csv", "json")
        ],
    }


def person_sentence(line: PersonLine) -> str:
    """What the line of years says."""
    if not line.moments:
        return f"{line.name}: no interactions."
    first, last = (moment_text(line.moments[place][0])[:10] for place in (0, -1))
    channels = len({channel for _, channel in line.moments if channel})
    broken = sum(mark.verdict == "broken" for mark in line.promises)
    kept = sum(mark.verdict == "kept" for mark in line.promises)
    waiting = sum(mark.verdict == "waiting" for mark in line.promises)
    parts = [f"{counted(kept)} {'promise' if kept == 1 else 'promises'} kept", f"{counted(broken)} broken"]
    if waiting:
        parts.append(f"{counted(waiting)} waiting")
    touches = f"{counted(line.total)} {'interaction' if line.total == 1 else 'interactions'}"
    return (
        f"{touches} on {channels} {'channel' if channels == 1 else 'channels'}, {first} to {last}: {', '.join(parts)}."
    )


def _promise(mark: PromiseMark) -> dict[str, Any]:
    outcome = breach_in_words(mark.breach) if mark.breach else ""
    if mark.lateness_seconds:
        outcome = f"{outcome}, {lateness_text(mark.lateness_seconds)} late".lstrip(", ")
    if mark.made_good_at is not None:
        outcome = f"{outcome}; made good {moment_text(mark.made_good_at)[:16]}".lstrip("; ")
    return {
        "promise": mark.promise,
        "map": mark.map,
        "says": mark.says,
        "verdict": mark.verdict,
        "picture": verdict_picture(mark.verdict),
        "opened": moment_text(mark.opened_at)[:16],
        "due": moment_text(mark.due_at)[:16],
        "outcome": outcome,
    }


def _touches_table(line: PersonLine) -> Any:
    rows = [
        {
            "occurred_at": moment_text(touch.occurred_at), "channel": touch.channel, "touchpoint": touch.touchpoint,
            "direction": touch.direction, "case": touch.case, "text": touch.text, "source": touch.source,
            "raw": touch.raw,
        }
        for touch in line.touches
    ]  # fmt: skip
    return rows_table(rows, says=person_sentence(line), as_of=line.as_of)
