"""The live page: what comes in with its verdict, what falls due, what was broken, and what waits to be mended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from desireline.faces.web.counts_picture import counts_picture
from desireline.faces.web.drawing import counted
from desireline.faces.web.finding import breach_in_words
from desireline.faces.web.frame import framed, reading_of
from desireline.faces.web.live_counts import UNTOLD, VERDICTS
from desireline.faces.web.live_events import live_events
from desireline.faces.web.live_mending import FILTERS, change, live_address, outcome_of, refused_row
from desireline.faces.web.live_message_page import MEANINGS, message
from desireline.faces.web.live_promises_board import PromiseAtStake
from desireline.faces.web.live_pulse import Message, Pulse, Wanted
from desireline.faces.web.live_reading import Quarantine, quarantine
from desireline.faces.web.promise_page import person_address
from desireline.faces.web.reading import Reading
from desireline.faces.web.small_pictures import verdict_picture
from desireline.project import Project
from desireline.vocabulary.errors import DesirelineError, Mistake, nearest
from desireline.vocabulary.units import lateness_text, moment_text

MOST_LISTED = 50
MOST_AT_STAKE = 8
MOST_REFUSED = 5
PICTURE_SECONDS, PICTURE_STEP = 300, 5
NARROW_STEP = 10
WORDS = (*FILTERS, "outcome")


async def live(request: Request) -> Response:
    """What happens now."""
    pulse: Pulse | None = request.app.state.pulse
    wanted, outcome = _asked(request)
    if pulse is None:
        return await framed(request, "live_empty.html", _not_live())
    context = await run_in_threadpool(_context, reading_of(request), request.app.state.project, pulse, wanted, outcome)
    return await framed(request, context.pop("template"), context)


def _asked(request: Request) -> tuple[Wanted, int | None]:
    words = request.query_params
    mistakes = [
        Mistake(f"unknown word '{word}'.", "the address", do=nearest(word, WORDS))
        for word in words
        if word not in WORDS
    ]
    verdict, outcome = words.get("verdict", ""), words.get("outcome", "")
    if verdict and verdict not in VERDICTS:
        hint = nearest(verdict, VERDICTS) or f"Known: {', '.join(VERDICTS)}."
        mistakes.append(Mistake(f"'{verdict}' is no verdict of a message.", "'verdict'", do=hint))
    if outcome and not (outcome.isascii() and outcome.isdigit() and len(outcome) < 16):
        mistakes.append(Mistake("an outcome is the number of a refused message.", "'outcome'"))
    if mistakes:
        raise DesirelineError(mistakes)
    wanted = Wanted(verdict, words.get("source", ""), words.get("channel", ""))
    return wanted, int(outcome) if outcome else None


def _not_live() -> dict[str, Any]:
    return {
        "page_title": "Live",
        "page_kind": "live-empty",
        "heading": "These pages only show. Nothing is taken in here.",
        "says": "One server takes interactions in, keeps the promises' time and shows these pages.",
        "address": "/",
        "button": "See the journey",
        "command": "desireline serve",
    }


def _begin() -> dict[str, Any]:
    return {
        "page_title": "Live",
        "page_kind": "live-empty",
        "heading": "Nothing comes in yet. Connect a site.",
        "says": "Give it a name and copy two lines into it; this page shows each event as it comes, with its verdict.",
        "address": "/connect",
        "button": "Connect a site",
        "command": "desireline source add web-shop",
    }


def _context(reading: Reading, project: Project, pulse: Pulse, wanted: Wanted, outcome: int | None) -> dict[str, Any]:
    number, now = pulse.last, pulse.now
    sources = [row["name"] for row in project.sources.all()]
    if not sources:
        return {"template": "live_empty.html", **_begin()}

    def look(_pulse: Pulse) -> dict[str, Any]:
        return {
            "minute": pulse.counts.within(now, seconds=60),
            "broken": pulse.board.broken_count(now),
            "broken_words": pulse.board.broken_words(now),
            "wide": pulse.counts.series(now, seconds=PICTURE_SECONDS, step=PICTURE_STEP),
            "narrow": pulse.counts.series(now, seconds=PICTURE_SECONDS, step=NARROW_STEP),
            "due_rows": pulse.board.next_due(now, MOST_AT_STAKE),
            "broken_rows": pulse.board.broken(now, MOST_AT_STAKE),
            "by_source": [(each.source, dict(each.verdicts), each.last_at) for each in pulse.counts.by_source.values()],
        }

    seen = pulse.read(look)
    messages = pulse.messages(wanted, most=MOST_LISTED)
    waiting = quarantine(project, most=MOST_REFUSED)
    people = [stake.person for stake in (*seen["due_rows"], *seen["broken_rows"])]
    names = reading.names_of(people)
    words = {name: value for name, value in asdict(wanted).items() if value}
    return {
        "template": "live.html",
        "page_title": "Live",
        "page_kind": "live",
        "as_of": moment_text(now),
        "as_of_says": "this moment.",
        "number": number,
        "says": _finding(seen["minute"], seen["broken"], seen["broken_words"], heard=bool(seen["by_source"])),
        "to_do": _to_do(seen["broken"], waiting.total),
        "outcome": outcome_of(project, outcome) if outcome is not None else None,
        "counts_says": _counts_sentence(seen["wide"]),
        "wide_picture": counts_picture(seen["wide"], step=PICTURE_STEP),
        "narrow_picture": counts_picture(seen["narrow"], step=NARROW_STEP, narrow=True),
        "counts_rows": _counts_rows(seen["wide"]),
        "verdicts": VERDICTS,
        "tabs": [
            {
                "name": name or "all",
                "address": live_address({**words, "verdict": name}),
                "here": wanted.verdict == name,
            }
            for name in ("", *VERDICTS)
        ],
        "wanted": wanted,
        "sources": sorted({*sources, wanted.source} - {""}),
        "channels": sorted({*pulse.channels(), wanted.channel} - {""}),
        "rows": [_message_row(each) for each in messages],
        "nothing": "Nothing that fits came in since this server began." if words else _nothing(seen["by_source"]),
        "by_source": [_source_row(*each) for each in sorted(seen["by_source"])],
        "due": [_stake_row(stake, names, now=now) for stake in seen["due_rows"]],
        "broken": [_stake_row(stake, names, now=now) for stake in seen["broken_rows"]],
        "waiting": waiting,
        "quarantine_says": _quarantine_sentence(waiting),
        "refused": [refused_row(row) for row in waiting.rows],
        "drift": [_drift_row(row) for row in project.drift.recent(most=6)],
    }


def _finding(minute: int, broken: int, broken_words: str, *, heard: bool) -> str:
    comes = (
        f"{counted(minute)} {'message' if minute == 1 else 'messages'} came in the last minute"
        if heard
        else ("Nothing came in since this server began")
    )
    lost = f"{broken_words} {'was' if broken == 1 else 'were'} broken in the last hour"
    return f"{comes}; {lost}." if broken else f"{comes}; no promise was broken in the last hour."


def _to_do(broken: int, waiting: int) -> str:
    parts = []
    if broken:
        parts.append("Open who was let down last, and answer them first.")
    if waiting:
        lie = "message lies" if waiting == 1 else "messages lie"
        parts.append(f"{counted(waiting)} {lie} in quarantine: mend one and try it again, beneath.")
    return " ".join(parts) or "Nothing waits for you here."


def _nothing(by_source: Sequence[Any]) -> str:
    return "Nothing came in since this server began." if not by_source else "Nothing can be listed at the moment."


def _counts_sentence(series: Sequence[tuple[int, Counter[str]]]) -> str:
    total = sum((counts for _, counts in series), Counter())
    all_of_them = sum(total.values())
    if not all_of_them:
        return "Nothing came in within the last five minutes."
    most = max(sum(counts.values()) for _, counts in series) / PICTURE_STEP
    share = total["accepted"] / all_of_them
    words = f"{min(share, 0.999) if share < 1 else 1:.1%}".replace("%", " %")
    return (
        f"Of {counted(all_of_them)} messages in the full bars of the last five minutes {words} were accepted, "
        f"{counted(total['repeated'])} repeated and {counted(total['quarantined'])} quarantined; "
        f"at most {most:.3g} a second."
    )


def _counts_rows(series: Sequence[tuple[int, Counter[str]]]) -> list[dict[str, Any]]:
    return [
        {
            "at": moment_text(second * 1000)[11:19],
            "counts": [counted(counts[verdict]) for verdict in VERDICTS],
            "all": counted(sum(counts.values())),
        }
        for second, counts in reversed(series)
        if counts
    ]


def _message_row(each: Message) -> dict[str, str]:
    return {
        "at": moment_text(each.received_at)[11:19],
        "when": moment_text(each.received_at),
        "address": f"/live/messages/{each.sequence}/{each.position}",
        "what": each.touchpoint or ("a whole request" if each.position < 0 else "not understood"),
        "channel": each.channel,
        "source": each.source or "(no source)",
        "verdict": each.verdict,
        "class": MEANINGS.get(each.verdict, ""),
        "picture": verdict_picture(MEANINGS.get(each.verdict, "")),
        "reason": each.reason or ("seen before: counted once" if each.verdict == "repeated" else ""),
    }


def _source_row(source: str, verdicts: Mapping[str, int], last_at: int) -> dict[str, Any]:
    return {
        "name": source if source != UNTOLD else "(more than could be told)",
        "address": live_address({"source": source}),
        "counts": [counted(verdicts.get(verdict, 0)) for verdict in VERDICTS],
        "last": moment_text(last_at)[11:19],
    }


def _stake_row(stake: PromiseAtStake, names: Mapping[int, str], *, now: int) -> dict[str, str]:
    gap = (now - stake.moment) // 1000
    what = breach_in_words(stake.breach) if stake.breach else ""
    return {
        "name": names.get(stake.person, "somebody new"),
        "address": person_address(stake.person),
        "promise": stake.promise,
        "map": stake.map,
        "promise_address": f"/maps/{quote(stake.map, safe='')}/promises/{quote(stake.promise, safe='')}"
        f"?verdict={quote(stake.verdict)}",
        "when": f"{lateness_text(gap)} ago" if stake.verdict == "broken" else f"in {lateness_text(max(0, -gap))}",
        "at": moment_text(stake.moment),
        "what": what,
        "key": stake.key,
        "channel": stake.channel,
    }


def _quarantine_sentence(waiting: Quarantine) -> str:
    if not waiting.total:
        return "Nothing waits in quarantine."
    most = waiting.reasons[0]
    lie = "message waits" if waiting.total == 1 else "messages wait"
    return f"{counted(waiting.total)} {lie}; most often ({counted(most[1])}): {most[0]}"


def _drift_row(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        "at": moment_text(int(row["at"]))[:19],
        "source": str(row.get("source") or ""),
        "event": str(row.get("event") or ""),
        "change": drift_in_words({name: str(row.get(name) or "") for name in ("change", "name", "was", "now")}),
    }


def drift_in_words(change: Mapping[str, str]) -> str:
    """A change in the shape of an event, as people say it.

    >>> drift_in_words({"change": "renamed", "name": "", "was": "price", "now": "amount"})
    'price seems to be called amount now'
    """
    name, was, now = change["name"], change["was"], change["now"]
    words = {
        "new_event": "an event of this name was never seen before",
        "new_property": f"a new property: {name}{f' ({now})' if now else ''}",
        "changed_kind": f"{name} was {was}, now it is {now}",
        "renamed": f"{was or name} seems to be called {now} now",
    }
    return words.get(change["change"], change["change"])


ROUTES = [
    Route("/live", live),
    Route("/live/events", live_events),
    Route("/live/refused", change, methods=["POST"]),
    Route("/live/messages/{sequence}/{position}", message),
]
