"""Everything the template of the live page needs: figures, lists, and what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import quote

from desireline.faces.web.connect_page import seen_of
from desireline.faces.web.counts_picture import counts_picture
from desireline.faces.web.drawing import counted, shortened
from desireline.faces.web.live_counts import UNTOLD, VERDICTS
from desireline.faces.web.live_listeners import listener_row, listeners_sentence
from desireline.faces.web.live_mending import live_address, outcome_of, refused_row
from desireline.faces.web.live_message_page import MEANINGS
from desireline.faces.web.live_promises_board import Stakes
from desireline.faces.web.live_promises_page import (
    stake_row,
    stakes_of,
    stakes_sentence,
    stakes_shown_sentence,
)
from desireline.faces.web.live_pulse import Message, Pulse, Wanted
from desireline.faces.web.live_reading import Quarantine, quarantine
from desireline.faces.web.live_sentences import (
    counts_sentence,
    drift_in_words,
    finding,
    kept_sentence,
    quarantine_sentence,
    to_do,
    why_counts,
    why_promises,
)
from desireline.faces.web.reading import Reading
from desireline.faces.web.sample import sample_counts
from desireline.faces.web.small_pictures import verdict_picture
from desireline.project import Project
from desireline.vocabulary.units import moment_text

MOST_LISTED = 25
MOST_AT_STAKE = 8
MOST_REFUSED = 3
WORD_LETTERS = 80
PICTURE_SECONDS, PICTURE_STEP = 300, 5
NARROW_STEP = 10


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address of the live page asks for.

    outcome: the refused message whose mending is told. before: only messages older than this number are listed.
    """

    wanted: Wanted
    outcome: int | None = None
    before: int = 0

    @property
    def words(self) -> dict[str, str]:
        """The filters as they stand in the address."""
        return {name: value for name, value in asdict(self.wanted).items() if value}


def not_live_context() -> dict[str, Any]:
    """Where this server takes nothing in."""
    return {
        "page_title": "Live",
        "page_kind": "live-empty",
        "heading": "These pages only show. Nothing is taken in here.",
        "says": "One server takes interactions in, keeps the promises' time and shows these pages.",
        "address": "/",
        "button": "See the journey",
        "command": "desireline serve",
        **_sample(),
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
        **_sample(),
    }


def _sample() -> dict[str, Any]:
    """How the page will look, faintly."""
    series = sample_counts(seconds=PICTURE_SECONDS, step=PICTURE_STEP)
    return {
        "sample_picture": counts_picture(series, step=PICTURE_STEP),
        "narrow_sample": counts_picture(series, step=PICTURE_STEP, narrow=True),
    }


def live_context(reading: Reading, project: Project, pulse: Pulse, asked: Asked) -> dict[str, Any]:
    """The page as of this moment; where nothing is connected, the one next step. `template` names which of both."""
    number, now = pulse.last, pulse.now
    sources = project.sources.all()
    if not sources:
        return {"template": "live_empty.html", **_begin()}
    stakes = {what: stakes_of(pulse, what, now=now, most=MOST_AT_STAKE) for what in ("broken", "due")}
    waiting = quarantine(project, most=MOST_REFUSED)
    return {
        "template": "live.html",
        "page_title": "Live",
        "page_kind": "live" if not asked.before else "live-older",
        "as_of": moment_text(now),
        "as_of_says": "this moment.",
        "number": number,
        "clock": now,
        "verdicts": VERDICTS,
        **_counts_context(pulse),
        **_messages_context(pulse, asked, [row["name"] for row in sources]),
        **_stakes_context(reading, stakes),
        **_quarantine_context(project, waiting, asked),
        "says": finding(_within_a_minute(pulse, now), stakes["broken"], heard=bool(_heard(pulse))),
        "to_do": to_do(
            broken=stakes["broken"].total,
            waiting=waiting.total,
            silent=_silent(reading, project, sources, heard=_heard(pulse)),
        ),
        "warnings": [f"{each.what}: {each.do}." for each in pulse.warnings],
        "clock_stepped": any(each.about == "clock" for each in pulse.warnings),
        "listeners_says": listeners_sentence(pulse.listening.shown),
        "listeners": [listener_row(each) for each in pulse.listening.shown],
        "drift": [_drift_row(row) for row in project.drift.recent(most=6)],
    }


def _within_a_minute(pulse: Pulse, now: int) -> int:
    minute: int = pulse.read(lambda _: pulse.counts.within(now, seconds=60))
    return minute


def _heard(pulse: Pulse) -> set[str]:
    """The sources that were heard since this server began."""
    heard: set[str] = pulse.read(lambda _: set(pulse.counts.by_source))
    return heard


def _silent(
    reading: Reading, project: Project, sources: list[dict[str, Any]], *, heard: set[str]
) -> list[tuple[str, str]]:
    """Sources of which nothing ever came: name and address."""
    known = heard | set(seen_of(reading, project))
    return [
        (row["name"], f"/connect/{quote(row['name'], safe='')}")
        for row in sources
        if row["enabled"] and row["name"] not in known
    ]


def counts_series(pulse: Pulse, *, step: int) -> list[tuple[int, Counter[str]]]:
    """What came in over the time of the picture, in bars of so many seconds."""
    series: list[tuple[int, Counter[str]]] = pulse.read(
        lambda _: pulse.counts.series(pulse.now, seconds=PICTURE_SECONDS, step=step)
    )
    return series


def _counts_context(pulse: Pulse) -> dict[str, Any]:
    """What came in: its sentence, its picture and the table beneath."""
    wide, narrow, began_at = (
        counts_series(pulse, step=PICTURE_STEP),
        counts_series(pulse, step=NARROW_STEP),
        pulse.counts.began_at,
    )
    by_source = pulse.read(
        lambda _: [(each.source, dict(each.verdicts), each.last_at) for each in pulse.counts.by_source.values()]
    )
    return {
        "counts_says": counts_sentence(wide, step=PICTURE_STEP, began_at=began_at),
        "counts_why": why_counts(began_at),
        "wide_picture": counts_picture(wide, step=PICTURE_STEP, began_at=began_at),
        "narrow_picture": counts_picture(narrow, step=NARROW_STEP, narrow=True, began_at=began_at),
        "counts_rows": [
            {
                "at": moment_text(second * 1000)[11:19],
                "counts": [counted(counts[verdict]) for verdict in VERDICTS],
                "all": counted(sum(counts.values())),
            }
            for second, counts in reversed(wide)
            if counts
        ],
        "by_source": [_source_row(*each) for each in sorted(by_source)],
    }


def _messages_context(pulse: Pulse, asked: Asked, sources: list[str]) -> dict[str, Any]:
    """The list of messages, how far it reaches, and the ways to see others."""
    wanted, words = asked.wanted, asked.words
    listed = pulse.messages(wanted, most=MOST_LISTED, before=asked.before)
    kept, oldest = pulse.kept(wanted)
    older = listed and pulse.messages(wanted, most=1, before=listed[-1].number)
    links = [("newest", live_address(words))] if asked.before else []
    links += [("older", live_address({**words, "before": str(listed[-1].number)}))] if older else []
    return {
        "wanted": wanted,
        "tabs": [
            {
                "name": name or "all",
                "address": live_address({**words, "verdict": name}),
                "here": wanted.verdict == name,
            }
            for name in ("", *VERDICTS)
        ],
        "sources": sorted({*sources, wanted.source} - {""}),
        "channels": sorted({*pulse.channels(), wanted.channel} - {""}),
        "rows": [_message_row(each) for each in listed],
        "messages_head": "Messages, the newest first" if not asked.before else "Older messages",
        "nothing": "Nothing that fits came in since this server began."
        if words
        else "Nothing came in since this server began.",
        "kept_says": kept_sentence(len(listed), kept, oldest),
        "message_links": [{"name": name, "address": f"{address}#messages"} for name, address in links],
        "exports": [
            {"name": ending.upper(), "address": live_address(words).replace("/live", f"/live.{ending}", 1)}
            for ending in ("svg", "png", "csv", "json")
        ],
    }


def _stakes_context(reading: Reading, kinds: Mapping[str, Stakes]) -> dict[str, Any]:
    """What was broken in the last hour, and what falls due next: the first of each, and the way to all."""
    names = reading.names_of([stake.person for stakes in kinds.values() for stake in stakes.rows])
    return {
        "stakes": [
            {
                "what": what,
                "head": {"broken": "Broken in the last hour", "due": "Falls due next"}[what],
                "rows": [stake_row(stake, names, now=stakes.now) for stake in stakes.rows],
                "nothing": stakes_sentence(stakes),
                "shown_words": stakes_shown_sentence(stakes),
                "address": f"/live/promises?what={what}",
            }
            for what, stakes in kinds.items()
        ],
        "stakes_why": why_promises(),
    }


def _quarantine_context(project: Project, waiting: Quarantine, asked: Asked) -> dict[str, Any]:
    return {
        "waiting": waiting,
        "quarantine_says": quarantine_sentence(waiting),
        "refused": [refused_row(row) for row in waiting.rows],
        "outcome": outcome_of(project, asked.outcome) if asked.outcome is not None else None,
    }


def _message_row(each: Message) -> dict[str, str]:
    return {
        "at": moment_text(each.received_at)[11:19],
        "when": moment_text(each.received_at),
        "address": f"/live/messages/{each.sequence}/{each.position}",
        "what": shortened(each.touchpoint, letters=WORD_LETTERS)
        or ("a whole request" if each.position < 0 else "not understood"),
        "channel": shortened(each.channel, letters=WORD_LETTERS),
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
        "counts": [
            {
                "count": counted(verdicts.get(verdict, 0)),
                "address": live_address({"source": source, "verdict": verdict}),
            }
            for verdict in VERDICTS
        ],
        "last": moment_text(last_at)[11:19],
    }


def _drift_row(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        "at": moment_text(int(row["at"]))[:19],
        "source": str(row.get("source") or ""),
        "event": str(row.get("event") or ""),
        "change": drift_in_words({name: str(row.get(name) or "") for name in ("change", "name", "was", "now")}),
    }
