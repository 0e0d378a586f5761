"""The quiet line on every page: what comes in, what was broken, what falls due; a warning when something is wrong."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from desireline.faces.web.drawing import counted
from desireline.faces.web.live_pulse import BEHIND_MS, Pulse
from desireline.vocabulary.units import lateness_text


@dataclass(frozen=True, slots=True)
class Strip:
    """What the line says. state: `off` (nothing is taken in here), `quiet`, `live` or `warning`."""

    state: str
    word: str
    says: str


class Line:
    """The line of one server, looked at anew once a second however many pages are open."""

    def __init__(self, pulse: Pulse | None, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._pulse = pulse
        self._monotonic = monotonic
        self._strip = OFF
        self._made_at = float("-inf")

    @property
    def strip(self) -> Strip:
        """What it says now."""
        if self._monotonic() - self._made_at > 1:
            self._made_at = self._monotonic()
            self._strip = strip_of(self._pulse)
        return self._strip


OFF = Strip("off", "Not live", "these pages only show. Interactions come in with: desireline serve")


def strip_of(pulse: Pulse | None) -> Strip:
    """The line as of this moment."""
    if pulse is None:
        return OFF
    trouble = trouble_of(pulse)
    if trouble:
        return Strip("warning", "Live, with trouble", trouble)

    def look(_pulse: Pulse) -> tuple[int, str, int | None, int]:
        now = pulse.now
        due = pulse.board.next_due(now, 1)
        return (
            pulse.counts.within(now, seconds=60, verdicts=("accepted",)),
            pulse.board.broken_words(now),
            due[0].moment - now if due else None,
            sum(source.last_at > 0 for source in pulse.counts.by_source.values()),
        )

    minute, broken, until_due, heard = pulse.read(look)
    parts = [f"{counted(minute)} {'interaction' if minute == 1 else 'interactions'} a minute"]
    parts.append(f"{broken} broken in the last hour")
    if until_due is not None:
        parts.append(f"next due in {lateness_text(until_due // 1000)}")
    return Strip("live" if heard else "quiet", "Live", ", ".join(parts))


def trouble_of(pulse: Pulse) -> str:
    """What is wrong with live work, in words that say what to do; empty when all is well."""
    live = pulse.live
    if live.failing:
        return f"live work fails and is tried again: {live.failing}. Nothing is lost; it lies in the log."
    if not live.ready:
        return "getting ready: what lies in the log is being applied."
    log = _log_state(live)
    if log is not None and log.read_only:
        return f"the log takes nothing at the moment: {log.why_read_only}. Senders are told to come again."
    if log is not None and log.refusing:
        return f"nothing more is taken in, the {log.refusing} is full. Make room; senders try again by themselves."
    if pulse.behind_ms > BEHIND_MS:
        behind = lateness_text(pulse.behind_ms // 1000)
        return f"figures are {behind} behind what came in. Nothing is lost; they catch up."
    return next((f"{each.what}." for each in pulse.warnings), "") or pulse.listening.trouble


def _log_state(live: Any) -> Any:
    return live.project.record.log.state if live.project.is_held else None
