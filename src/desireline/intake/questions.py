"""What to ask where a guess is unsure; the first choice is what `--yes` takes."""

from __future__ import annotations

from collections.abc import Sequence

from desireline.intake.guess import KEPT_AS_PROPERTY, Column, Question

_LIKELY_ROLES = ("text", "topic", "touchpoint", "channel", "case", "order", "handle:customer", "handle:phone")


def questions_of(columns: Sequence[Column]) -> tuple[Question, ...]:
    """The questions about the columns that are unsure, and about a file without a time."""
    asked = [_about(column) for column in columns if not column.sure]
    if not any(column.role == "time" and column.times for column in columns):
        choices = tuple((column.name, f"for example {_shown(column)}") for column in columns if column.samples)
        asked.insert(0, Question("file", "Which column says when it happened?", choices))
    return tuple(asked)


def _about(column: Column) -> Question:
    shown = _shown(column)
    if column.role == "time" and column.times and column.times.others:
        readings = (column.times.formats, *column.times.others)
        choices = tuple((f"format:{' | '.join(formats)}", " or ".join(formats)) for formats in readings)
        return Question(
            column.name, f"How are the moments in '{column.name}' written ({column.why}; {shown})?", choices
        )
    roles = dict.fromkeys((column.role, KEPT_AS_PROPERTY, *_LIKELY_ROLES))
    choices = tuple((role, role) for role in roles)
    return Question(column.name, f"What is '{column.name}' ({column.why}; {shown})?", choices)


def _shown(column: Column) -> str:
    return ", ".join(column.samples[:3]) or "no values"
