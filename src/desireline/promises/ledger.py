"""The promise ledger: what is written when judgements change, and how it is read."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from desireline.promises.deadlines import NONE
from desireline.promises.judged import Judged
from desireline.vocabulary.errors import DesirelineError, nearest
from desireline.vocabulary.promise import BREACHES, VERDICTS

SHORT_PART_ROWS = 1_000
"""A part of the ledger up to this is merged again without a thought."""

CAUSES = ("new", "time passed", "late", "joined", "parted", "undone", "map changed", "clock set right", "gone")
"""Why a row was added: a first judgement, or what made an earlier one change; `gone`: its opening was taken back."""


def question(name: str) -> str:
    """The text of one of this room's SQL questions."""
    return files("desireline.promises").joinpath(f"{name}.sql").read_text(encoding="utf-8")


def judged_texts(judged: Judged) -> dict[str, list[Any]]:
    """What the codes of a judgement stand for, as lists that a question indexes from 1."""
    return {
        "maps": [version.map.name for version, _ in judged.promises],
        "versions": [version.number for version, _ in judged.promises],
        "promises": [promise.name for _, promise in judged.promises],
        "sames": [promise.same for _, promise in judged.promises],
        "verdicts": list(VERDICTS),
        "breaches": list(BREACHES),
        "channels": list(judged.channels),
    }


def parts_to_merge(rows: Sequence[int], *, fan_in: int) -> range | None:
    """Which of the ledger's parts, given by their rows in order of time, become one: the newest, when they are enough.

    An older part is taken along when it is short, or no longer than twice what came after it. So a long one is seldom
    written again, and there never are more parts than `fan_in` and one for each doubling of the ledger.

    >>> parts_to_merge([200_000, *[9] * 16], fan_in=16)
    range(1, 17)
    >>> parts_to_merge([200_000, *[9] * 15], fan_in=16) is None
    True
    >>> parts_to_merge([6_000, 3_500, *[300] * 16], fan_in=16)
    range(0, 18)
    """
    begin, total = len(rows), 0
    while begin > 0 and rows[begin - 1] <= max(SHORT_PART_ROWS, 2 * total):
        begin -= 1
        total += rows[begin]
    return range(begin, len(rows)) if len(rows) - begin >= fan_in else None


def choice(**asked: str | int | None) -> dict[str, Any]:
    """The values of a ledger question; refuses a verdict, breach or cause that does not exist."""
    for name, known in (("verdict", VERDICTS), ("breach", BREACHES), ("cause", CAUSES)):
        word = asked.get(name)
        if word is not None and word not in known:
            hint = nearest(str(word), known) or f"Known here: {', '.join(known)}."
            raise DesirelineError(f"unknown {name} '{word}'. {hint}")
    return dict(asked)


def plain_rows(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> dict[str, list[Any]]:
    """Rows of a question as columns of plain values."""
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}


__all__ = ["CAUSES", "NONE", "choice", "judged_texts", "parts_to_merge", "plain_rows", "question"]
