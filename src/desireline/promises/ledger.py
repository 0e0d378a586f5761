"""The promise ledger: what is written when judgements change, and how it is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from desireline.promises.deadlines import NONE
from desireline.promises.judged import COLUMNS, Judged
from desireline.vocabulary.errors import DesirelineError, nearest
from desireline.vocabulary.promise import BREACHES, VERDICTS

CAUSES = ("new", "time passed", "late", "joined", "parted", "undone", "map changed", "gone")
"""Why a row was added: a first judgement, or what made an earlier one change; `gone`: its opening was taken back."""


def question(name: str) -> str:
    """The text of one of this room's SQL questions."""
    return files("desireline.promises").joinpath(f"{name}.sql").read_text(encoding="utf-8")


def judged_tables(judged: Judged) -> dict[str, Mapping[str, NDArray[Any]]]:
    """A judgement as named tables of arrays, numbers with the texts they stand for beside them."""
    return {
        "judged_rows": judged.columns(*COLUMNS),
        "judged_promises": {
            "number": np.arange(len(judged.promises)),
            "map": _texts([version.map.name for version, _ in judged.promises]),
            "map_version": np.array([version.number for version, _ in judged.promises], dtype=np.int64),
            "promise": _texts([promise.name for _, promise in judged.promises]),
            "same": _texts([promise.same for _, promise in judged.promises]),
        },
        "judged_verdicts": _numbered(VERDICTS, "verdict"),
        "judged_breaches": _numbered(BREACHES, "breach"),
        "judged_channels": _numbered(judged.channels, "channel"),
    }


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


def _numbered(words: Sequence[str], name: str) -> dict[str, NDArray[Any]]:
    return {"number": np.arange(len(words)), name: _texts(words)}


def _texts(words: Sequence[str]) -> NDArray[Any]:
    return np.array(list(words), dtype=object)


__all__ = ["CAUSES", "NONE", "choice", "judged_tables", "plain_rows", "question"]
