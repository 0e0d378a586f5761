"""The people of one promise: who waits past its moment, who was let down, by how much, the worst first."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from desireline.faces.web.designed_over_lived import map_address, percent, promise_address
from desireline.faces.web.drawing import counted
from desireline.faces.web.exports import rows_table, table_export
from desireline.faces.web.finding import breach_in_words
from desireline.faces.web.frame import framed, reading_of
from desireline.faces.web.ledger_reading import OVERDUE
from desireline.faces.web.small_pictures import verdict_picture
from desireline.faces.web.url_state import ScreenState, read_state, split_suffix
from desireline.faces.web.what_is_shown import PeopleList, PersonRow, PromiseShown
from desireline.faces.web.why import why_promise
from desireline.vocabulary.errors import DesirelineError, nearest
from desireline.vocabulary.promise import VERDICTS
from desireline.vocabulary.units import lateness_text, moment_text

MOST_EXPORTED = 100_000
"""So many rows an export of people holds; beyond it, `desireline ledger` writes them all."""


async def promise_people(request: Request) -> Response:
    """The people of a promise, a page of them, or all as CSV or JSON."""
    reading = reading_of(request)
    name = request.path_params["map"]
    if name not in await run_in_threadpool(reading.map_names):
        raise HTTPException(404, f"There is no map '{name}' in maps/.")
    words = request.query_params
    state = read_state(words, columns=await run_in_threadpool(reading.segment_columns), also=("verdict", "page"))
    known = await run_in_threadpool(reading.promise_names, name)
    promise, ending = request.path_params["promise"], ""
    if promise not in known:
        promise, ending = split_suffix(promise)
    if promise not in known:
        raise HTTPException(404, f"The map '{name}' has no promise '{promise}'. {nearest(promise, known)}".strip())
    verdict, page = words.get("verdict", ""), page_number(words.get("page", "1"))
    if verdict and verdict not in (*VERDICTS, OVERDUE):
        raise DesirelineError(
            f"'{verdict}' is no verdict. {nearest(verdict, VERDICTS) or 'waiting, kept, broken or withdrawn'}"
        )
    shown = await run_in_threadpool(reading.promise_shown, name, promise, state)
    verdict = verdict or (OVERDUE if shown.overdue else "broken" if shown.broken or not shown.waiting else "waiting")
    if ending:
        found = await run_in_threadpool(
            lambda: reading.promise_people(name, promise, state, verdict=verdict, page=1, size=MOST_EXPORTED)
        )
        return table_export(_export(found), name=f"{promise}-{verdict}", ending=ending)
    found = await run_in_threadpool(lambda: reading.promise_people(name, promise, state, verdict=verdict, page=page))
    return await framed(request, "promise.html", promise_context(name, shown, found, state, verdict))


def page_number(text: str) -> int:
    """A page from the address, counted from 1.

    >>> page_number("3")
    3
    """
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:7]) <= 1_000_000:
        raise DesirelineError(f"'{text[:20]}' is not a page. Pages are counted from 1.")
    return int(text)


def promise_context(
    name: str, shown: PromiseShown, found: PeopleList, state: ScreenState, verdict: str
) -> dict[str, Any]:
    """Everything the template of the people of a promise needs."""
    here = promise_address(name, shown.promise, state, verdict=verdict)
    path, _, query = here.partition("?")
    counts = {
        OVERDUE: shown.overdue,
        "waiting": shown.waiting,
        "broken": shown.broken,
        "kept": shown.kept,
        "withdrawn": shown.withdrawn,
    }
    return {
        "page_title": shown.promise,
        "page_kind": "promise",
        "map": name,
        "map_address": map_address(name) + state.suffix(),
        "shown": shown,
        "rate": percent(shown.rate.value) if shown.rate.value is not None else "",
        "missing": shown.rate.why_missing,
        "says": people_sentence(shown, found, verdict, state),
        "to_do": _to_do(shown, verdict),
        "tabs": [
            {
                "name": f"{'still waiting, past due' if word == OVERDUE else word} · {counted(count)}",
                "address": promise_address(name, shown.promise, state, verdict=word),
                "here": word == verdict,
            }
            for word, count in counts.items()
        ],
        "rows": [row_context(row, as_of=found.as_of) for row in found.rows],
        "has": {
            "settled": any(row.settled_at is not None for row in found.rows),
            "good": any(row.made_good_at is not None for row in found.rows),
            "channel": any(row.channel for row in found.rows),
            "key": any(row.key for row in found.rows),
        },
        "counted": found.counted,
        "why_sheet": why_promise(shown, as_of=found.as_of, address=map_address(name) + state.suffix()),
        "exports": [{"name": ending.upper(), "address": f"{path}.{ending}?{query}"} for ending in ("csv", "json")],
        **pages_context(found.page, found.pages, found.total, here),
    }


def pages_context(page: int, pages: int, total: int, here: str) -> dict[str, Any]:
    """The words and ways of a list of several pages."""
    joint = "&" if "?" in here else "?"
    return {
        "page_words": f"page {page} of {pages} · {counted(total)} in all" if pages > 1 else f"{counted(total)} in all",
        "page_links": [
            {"name": word, "address": f"{here}{joint}page={number}"}
            for word, number in (("previous", page - 1), ("next", page + 1))
            if 1 <= number <= pages
        ],
    }


def people_sentence(shown: PromiseShown, found: PeopleList, verdict: str, state: ScreenState) -> str:
    """What the list shows."""
    times = f"{counted(found.total)} {'time' if found.total == 1 else 'times'}"
    said = shown.says.strip().split(". ")[0].rstrip(".")
    where = f", {state.segment_column} {state.segment_value}" if state.segment_column else ""
    if verdict == OVERDUE:
        wait = "one person still waits" if found.total == 1 else f"{counted(found.total)} still wait"
        return f"“{said}”: {wait} past the promised moment{where}."
    if verdict == "waiting":
        return f"“{said}”: {counted(found.total)} wait for it, in time so far{where}."
    if verdict == "broken":
        good = f"; {counted(shown.made_good)} were made good" if shown.made_good else ""
        return f"“{said}” was broken {times}{where}{good}."
    return f"“{said}” was {verdict} {times}{where}."


def _to_do(shown: PromiseShown, verdict: str) -> str:
    if verdict in (OVERDUE, "waiting"):
        return "Those whose moment came first stand first. Answer them in this order."
    if verdict == "broken":
        return "Those who waited longest stand first. Open one and read the years: what would have kept the promise?"
    return "The latest stand first."


def row_context(row: PersonRow, *, as_of: int) -> dict[str, Any]:
    """One person of the list, ready to print."""
    return {
        "name": row.name,
        "address": f"/people/{row.person}",
        "verdict": row.verdict,
        "picture": verdict_picture(row.verdict),
        "breach": breach_in_words(row.breach) if row.breach else "",
        "opened": moment_text(row.opened_at)[:16],
        "due": moment_text(row.due_at)[:16],
        "settled": moment_text(row.settled_at)[:16],
        "late": _late(row, as_of=as_of),
        "good": moment_text(row.made_good_at)[:16],
        "channel": row.channel,
        "key": row.key,
    }


def _late(row: PersonRow, *, as_of: int) -> str:
    if row.lateness_seconds:
        return lateness_text(row.lateness_seconds) + " late"
    if row.due_at is not None and (row.still_waits or row.verdict == "waiting"):
        gap = (as_of - row.due_at) // 1000
        return f"{lateness_text(gap)} past, still nothing" if gap >= 0 else f"due in {lateness_text(-gap)}"
    return ""


def _export(found: PeopleList) -> Any:
    rows = [
        {
            "person": str(row.person), "name": row.name, "channel": row.channel, "key": row.key,
            "opened_at": moment_text(row.opened_at), "due_at": moment_text(row.due_at),
            "settled_at": moment_text(row.settled_at),
            "verdict": row.verdict, "breach": row.breach, "lateness_seconds": row.lateness_seconds,
            "made_good_at": moment_text(row.made_good_at), "opening_id": str(row.opening_id),
        }
        for row in found.rows
    ]  # fmt: skip
    return rows_table(rows, says=found.says, counted=found.counted, as_of=found.as_of)


def person_address(person: int) -> str:
    """Where a person's line of years is."""
    return f"/people/{quote(str(person))}"
