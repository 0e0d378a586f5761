"""Webhooks of other systems, read by a recipe: the same files that read their exports.

A body's nested objects become columns with dotted names, its lists of answers and fields columns named
after what they answer (`columns_of_body`); then the recipe makes one interaction of it, or several.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from desireline.intake.columns_of_body import columns_of_body
from desireline.intake.dialects.received import Dialect, Message, Problem, Read, Received, Refused, Setting
from desireline.intake.dialects.rows import source_key_of
from desireline.intake.dialects.segment import key_of, warnings_about
from desireline.intake.dialects.signatures import delivery_key
from desireline.intake.dialects.webhook import document_of
from desireline.intake.one_row import interactions_of_row
from desireline.vocabulary.tables import INTERACTIONS

_EMPTY_ROW: dict[str, Any] = dict.fromkeys(
    column for column in INTERACTIONS.columns if column not in ("id", "handle", "import_id")
)


def read(received: Received) -> Read:
    """The records of a request; the same request sent again has the same keys."""
    document = document_of(received, batch_names=())
    if isinstance(document, Problem):
        return Read(problem=document)
    delivery = key_of(delivery_key(received.headers, received.body, by_body=True))
    several = len(document.events) > 1
    messages = tuple(
        Message(
            place, f"{delivery}#{place}" if delivery and several else delivery, event.body, event.refused, event.odd
        )
        for place, event in enumerate(document.events)
    )
    return Read(messages, warnings=warnings_about(document.events))


def rows_of(message: Message, received: Received, setting: Setting) -> list[dict[str, Any]]:
    """The interactions the source's recipe makes of a record; none when the recipe leaves it out."""
    if message.refused:
        raise Refused(message.refused)
    if setting.recipe is None:
        raise Refused("recipe.missing: this source has no recipe; name one with desireline source change")
    recipe = setting.recipe
    if setting.country_code and not recipe.country_code:
        recipe = replace(recipe, country_code=setting.country_code)
    made = interactions_of_row(
        columns_of_body(message.body),
        recipe,
        row_key=source_key_of(message, received),
        zone=setting.project_zone,
        currency=setting.currency,
        decimal=recipe.reading.decimal or ".",
    )
    if made.refused:
        raise Refused(f"recipe.unfit: {made.refused}")
    return [_row(interaction, message, received, setting) for interaction in made.interactions]


def _row(interaction: Mapping[str, Any], message: Message, received: Received, setting: Setting) -> dict[str, Any]:
    """The interaction as a row; nothing happens later than we hear of it."""
    row = {**_EMPTY_ROW, **interaction}
    row["source"] = setting.source
    row["source_key"] = key_of(row["source_key"])
    row["received_at"] = received.received_at
    row["raw"] = f"log:{received.sequence}:{message.position}"
    if row["occurred_at"] > received.received_at:
        row["occurred_at"], row["time_quality"] = received.received_at, "clamped"
    return row


DIALECT = Dialect("recipe", "webhooks of other systems, read by a recipe", read, rows_of)
