"""Who is told when a promise breaks, and how it goes: for the live page and for the quiet line."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from desireline.faces.web.small_pictures import verdict_picture
from desireline.project import Project
from desireline.storage.outbox_book import DEAD, SENDING, TOLD, WAITING, OutboxBook
from desireline.vocabulary.errors import DesirelineError
from desireline.vocabulary.units import MINUTE_MS, counted

LOOK_SECONDS = 5.0
"""So often it is looked how it goes, however many pages are open."""
PATIENCE_MS = MINUTE_MS
"""Whoever could not be told for so long is a trouble that the quiet line names."""
ACTIONS: Mapping[str, str] = {
    "retry": "outbox.retry",
    "discard": "outbox.discard",
    "enable": "listener.enable",
    "disable": "listener.disable",
}
MOST_WORDS = 1_000


@dataclass(frozen=True, slots=True)
class ListenerShown:
    """One listener and how many notices of theirs were told, wait, or were given up.

    state: `well`, `failing` (tried again by itself), `behind` (failing for over a minute), `stopped` or `given up`.
    why: what they answered last, or why they were stopped.
    """

    name: str
    kind: str
    address: str
    state: str
    told: int
    waiting: int
    dead: int
    why: str


class Listening:
    """How it goes with all listeners, looked at anew every few seconds."""

    def __init__(self, project: Any, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._project = project
        self._monotonic = monotonic
        self._looked_at = float("-inf")
        self._shown: tuple[ListenerShown, ...] = ()

    @property
    def shown(self) -> tuple[ListenerShown, ...]:
        """All listeners, by name."""
        if self._project.is_held and self._monotonic() - self._looked_at > LOOK_SECONDS:
            self._looked_at = self._monotonic()
            self._shown = listeners_shown(self._project.telling.outbox.book, now=self._project.now())
        return self._shown

    def look_again(self) -> None:
        """Something was changed: the next look is a fresh one."""
        self._looked_at = float("-inf")

    @property
    def trouble(self) -> str:
        """Who is not told, in words that say where to mend it; empty when all are."""
        unwell = [each for each in self.shown if each.state in ("behind", "stopped", "given up")]
        if not unwell:
            return ""
        first = unwell[0]
        more = f" and {len(unwell) - 1} more" if len(unwell) > 1 else ""
        return f"{first.name}{more} cannot be told what breaks: {first.why.rstrip('.')}. Mend it on the live page."


def listeners_shown(book: OutboxBook, *, now: int) -> tuple[ListenerShown, ...]:
    """All listeners as they stand at a moment, UTC milliseconds."""
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    for row in book.counts():
        counts[row["listener"]][row["status"]] = int(row["intents"])
    return tuple(_shown(book, row, counts[row["name"]], now=now) for row in book.listeners())


def _shown(book: OutboxBook, row: Mapping[str, Any], counts: Mapping[str, int], *, now: int) -> ListenerShown:
    waiting, dead = counts.get(WAITING, 0) + counts.get(SENDING, 0), counts.get(DEAD, 0)
    first = _first(book, row["name"], WAITING) if waiting else None
    if not row["enabled"]:
        state, why = "stopped", row["why_stopped"] or "somebody switched it off"
    elif first is not None and first["attempts"]:
        long = now - int(first["first_tried_at"] or now) > PATIENCE_MS
        state, why = ("behind" if long else "failing"), first["reason"]
    elif dead:
        state, why = "given up", (_first(book, row["name"], DEAD) or {}).get("reason", "")
    else:
        state, why = "well", ""
    return ListenerShown(row["name"], row["kind"], row["address"], state, counts.get(TOLD, 0), waiting, dead, why)


def _first(book: OutboxBook, name: str, status: str) -> dict[str, Any] | None:
    return next(iter(book.intents(limit=1, listener=name, status=status)), None)


_WORDS: Mapping[str, tuple[str, str]] = {
    "well": ("kept", "told"),
    "failing": ("waiting", "trying again"),
    "behind": ("broken", "not told"),
    "given up": ("broken", "given up"),
    "stopped": ("withdrawn", "stopped"),
}


def listener_row(each: ListenerShown) -> dict[str, Any]:
    """A listener, ready to print, with what can be done."""
    class_, word = _WORDS[each.state]
    actions = []
    if each.dead:
        actions += [("retry", "Try again", "plain"), ("discard", "Give them up", "danger")]
    switch = ("enable", "Switch it on", "plain") if each.state == "stopped" else ("disable", "Stop telling", "plain")
    return {
        "name": each.name,
        "kind": "by e-mail" if each.kind == "email" else "by webhook",
        "address": each.address,
        "class": class_,
        "picture": verdict_picture(class_),
        "word": word,
        "why": each.why,
        "counts": [f"{count:,}" for count in (each.told, each.waiting, each.dead)],
        "actions": [{"does": does, "says": says, "class": kind} for does, says, kind in (*actions, switch)],
    }


def listeners_sentence(listeners: Sequence[ListenerShown]) -> str:
    """How it goes with telling, and what to do."""
    if not listeners:
        return "Nobody is told when a promise breaks. A webhook or a mail address can be, as it happens:"
    dead, waiting = sum(each.dead for each in listeners), sum(each.waiting for each in listeners)
    unwell = sum(each.state != "well" for each in listeners)
    if not unwell:
        words = f"{counted(waiting, 'notice')} under way" if waiting else "nothing waits"
        return f"{counted(len(listeners), 'listener')}; {words}."
    left = f"; {counted(dead, 'notice')} given up after many tries: try again once it is mended" if dead else ""
    who = f"{unwell} of {len(listeners)} listeners" if len(listeners) > 1 else "The one listener"
    return f"{who} cannot be told; {counted(waiting, 'notice')} {'waits' if waiting == 1 else 'wait'}{left}."


async def change_listener(request: Request) -> Response:
    """Try again or give up what could not be told to a listener, or switch it on or off."""
    project: Project = request.app.state.project
    if request.app.state.pulse is None:
        raise DesirelineError("Nothing is told by this server. Begin with: desireline serve")
    async with request.form(max_files=0, max_fields=5, max_part_size=MOST_WORDS) as form:
        words = {name: value for name, value in form.items() if isinstance(value, str)}
    does = ACTIONS.get(words.get("action", ""))
    if does is None:
        raise DesirelineError("A listener can be tried again, given up on, switched on or stopped.")
    await run_in_threadpool(lambda: project.telling.change(does, name=words.get("name", "")))
    request.app.state.pulse.listening.look_again()
    return RedirectResponse("/live#listeners", status_code=303)
