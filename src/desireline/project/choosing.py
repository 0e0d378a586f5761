"""What people type to choose whom and what a question is about, made into a selection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from desireline.project.clock import day_ms
from desireline.storage.journey_store import Snapshot
from desireline.vocabulary.errors import DesirelineError, nearest
from desireline.vocabulary.interaction import BY_NAME
from desireline.vocabulary.units import Duration
from desireline.vocabulary.which import Which

DAY_MS = 86_400_000


def chosen(
    snapshot: Snapshot,
    *,
    since: str | None = None,
    until: str | None = None,
    channels: Sequence[str] | None = None,
    segment: Sequence[str] | None = None,
    people: Any | None = None,
) -> Which:
    """A selection from words; raises `DesirelineError` with the nearest known word for a misspelt one.

    since, until: days such as 2026-01-31. segment: `column=value` texts, all must hold of somebody's interactions.
    """
    for channel in channels or ():
        if channel not in snapshot.words("channel"):
            known = sorted(snapshot.words("channel"))
            raise DesirelineError(
                f"no interaction is on channel '{channel}'. {nearest(channel, known) or _known(known)}"
            )
    return Which(
        from_ms=day_ms(since) if since else None,
        until_ms=day_ms(until) if until else None,
        channels=tuple(channels or ()),
        where=dict(_condition(text) for text in segment or ()),
        people=people,
    )


def gap_days(gap: str | None, *, else_text: str) -> float | None:
    """The silence that ends a journey, in days; "never" makes one journey of a whole life."""
    text = gap or else_text
    return None if text == "never" else Duration.parse(text).amount / DAY_MS


def _condition(text: str) -> tuple[str, str]:
    column, equals, value = text.partition("=")
    column, value = column.strip(), value.strip()
    if not equals or not value:
        raise DesirelineError(f"'{text}' is not column=value. Write product=credit-card.")
    if column not in BY_NAME and not column.startswith("properties."):
        raise DesirelineError(f"there is no column '{column}'. {nearest(column, list(BY_NAME))}".strip())
    return column, value


def _known(words: Sequence[str]) -> str:
    return f"Channels: {', '.join(words) or 'none yet'}."
