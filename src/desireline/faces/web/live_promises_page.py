"""Who was let down in the last hour, and who is next to be answered: everybody behind the figures of the live page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from desireline.faces.web.drawing import shortened
from desireline.faces.web.exports import rows_table, table_export
from desireline.faces.web.finding import breach_in_words
from desireline.faces.web.frame import framed, reading_of
from desireline.faces.web.live_promises_board import MOST_BROKEN, PromiseAtStake, Stakes
from desireline.faces.web.live_pulse import Pulse
from desireline.faces.web.live_sentences import why_promises
from desireline.faces.web.promise_page import person_address
from desireline.vocabulary.errors import DesirelineError, nearest
from desireline.vocabulary.units import lateness_text, moment_text

MOST_LISTED = 500
NAME_LETTERS = 60
KINDS: Mapping[str, str] = {"broken": "broken in the last hour", "due": "falling due next"}


async def promises_at_stake(request: Request) -> Response:
    """The people behind what was broken, or what falls due; a page or one of its exports."""
    pulse: Pulse | None = request.app.state.pulse
    if pulse is None:
        raise HTTPException(404, "Nothing is taken in by this server. Begin with: desireline serve")
    what, ending = request.query_params.get("what", "broken"), request.path_params.get("ending", "")
    if what not in KINDS:
        raise DesirelineError(f"'{what}' is not known here. {nearest(what, tuple(KINDS)) or 'Known: broken, due.'}")
    stakes = stakes_of(pulse, what, now=pulse.now, most=MOST_LISTED)
    people = [stake.person for stake in stakes.rows]
    names = await run_in_threadpool(reading_of(request).names_of, people, all_of_them=True)
    rows = [stake_row(stake, names, now=stakes.now) for stake in stakes.rows]
    if ending:
        words = ("name", "promise", "map", "at", "what", "key", "channel")
        plain = [{word: row[word] for word in words} for row in rows]
        table = rows_table(plain, says=stakes_sentence(stakes), as_of=stakes.now)
        return table_export(table, name=f"promises-{what}", ending=ending)
    return await framed(request, "live_promises.html", _context(stakes, rows))


def stakes_of(pulse: Pulse, what: str, *, now: int, most: int) -> Stakes:
    """The promises of one kind at a moment, the most pressing first. what: `broken` or `due`."""

    def look(_pulse: Pulse) -> Stakes:
        board = pulse.board
        if what == "broken":
            count = board.broken_count(now)
            return Stakes(what, tuple(board.broken(now, most)), count, count < MOST_BROKEN, now)
        count, is_all = board.due_count(now)
        return Stakes(what, tuple(board.next_due(now, most)), count, is_all, now)

    stakes: Stakes = pulse.read(look)
    return stakes


def stakes_sentence(stakes: Stakes) -> str:
    """What a list of promises at stake says."""
    if not stakes.total:
        return "No promise was broken in the last hour." if stakes.what == "broken" else "Nobody waits for a promise."
    if stakes.what == "broken":
        return f"{_begun(stakes.words)} {'was' if stakes.total == 1 else 'were'} broken in the last hour."
    first = lateness_text(max(0, stakes.rows[0].moment - stakes.now) // 1000)
    wait = "waits" if stakes.total == 1 else "wait"
    return f"{_begun(stakes.words)} {wait}; the next falls due in {first}."


def _begun(words: str) -> str:
    """Words as a sentence begins with them."""
    return words[:1].upper() + words[1:]


def stakes_shown_sentence(stakes: Stakes) -> str:
    """How many of all are listed; empty when all are."""
    if len(stakes.rows) == stakes.total and stakes.is_all:
        return ""
    order = "The latest" if stakes.what == "broken" else "The next"
    return f"{order} {len(stakes.rows):,} of {'' if stakes.is_all else 'at least '}{stakes.total:,}."


def stake_row(stake: PromiseAtStake, names: Mapping[int, str], *, now: int) -> dict[str, Any]:
    """A promise at stake, ready to print."""
    gap = (now - stake.moment) // 1000
    return {
        "name": shortened(names.get(stake.person, "somebody new"), letters=NAME_LETTERS),
        "address": person_address(stake.person),
        "promise": stake.promise,
        "map": stake.map,
        "promise_address": f"/maps/{quote(stake.map, safe='')}/promises/{quote(stake.promise, safe='')}"
        f"?verdict={quote(stake.verdict)}",
        "moment": stake.moment,
        "when": f"{lateness_text(gap)} ago" if stake.verdict == "broken" else f"in {lateness_text(max(0, -gap))}",
        "at": moment_text(stake.moment),
        "what": breach_in_words(stake.breach) if stake.breach else "",
        "key": stake.key,
        "channel": stake.channel,
    }


def _context(stakes: Stakes, rows: list[dict[str, Any]]) -> dict[str, Any]:
    to_do = {
        "broken": "The latest stand first. Open one, read the years, and answer: what would have kept the promise?",
        "due": "Who falls due first stands first. What is answered before its moment is kept.",
    }
    return {
        "page_title": "Promises at stake",
        "page_kind": "live-promises",
        "as_of": moment_text(stakes.now),
        "as_of_says": "this moment.",
        "clock": stakes.now,
        "says": stakes_sentence(stakes),
        "to_do": to_do[stakes.what] if rows else "",
        "tabs": [
            {"name": name, "address": f"/live/promises?what={what}", "here": what == stakes.what}
            for what, name in KINDS.items()
        ],
        "is_broken": stakes.what == "broken",
        "rows": rows,
        "shown_words": stakes_shown_sentence(stakes),
        "why_sheet": why_promises(),
        "exports": [
            {"name": ending.upper(), "address": f"/live/promises.{ending}?what={stakes.what}"}
            for ending in ("csv", "json")
        ],
    }
