"""What the steps of a path are called: a column's words, one small number each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from desireline.storage.journey_store import Bucket, Snapshot
from desireline.storage.journey_store.chosen import EVERYTHING, Flags, matching, read_only
from desireline.vocabulary.errors import DesirelineError, Mistake, nearest

OTHER = "(other)"
END = "(end)"
BEGIN = "(begin)"
NOT_GIVEN = "(not given)"
MOST_LABELS = 32_000


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels of a column; label 0 is an empty field, label `code + 1` a word."""

    column: str
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    def codes(self, bucket: Bucket) -> NDArray[np.int16]:
        """The codes of every row of a bucket, two bytes each."""
        codes = bucket.column(self.column)
        return codes if codes.dtype == np.int16 else read_only(codes.astype(np.int16))


def labels_of(snapshot: Snapshot, column: str) -> Labels:
    """The labels of a column by which a question can be drawn; columns of texts only."""
    if column not in snapshot.vocabulary:
        if column in ("channel", "touchpoint", "direction"):
            return Labels(column, (NOT_GIVEN,))
        known = [name for name, words in snapshot.vocabulary.items() if len(words) < MOST_LABELS]
        hint = nearest(column, known) or f"Known are: {', '.join(sorted(known))}."
        raise DesirelineError(Mistake(f"nothing can be drawn by '{column}'.", "by", do=hint))
    words = snapshot.words(column)
    if len(words) >= MOST_LABELS:
        raise DesirelineError(Mistake(f"'{column}' has {len(words):,} different words, too many to draw.", "by"))
    return Labels(column, (NOT_GIVEN, *words))


Touchpoints = str | Sequence[str]
"""One touchpoint, or several; `card.*` is every touchpoint that begins so."""


def touchpoint_flags(snapshot: Snapshot, wanted: Touchpoints | None, where: str) -> Flags:
    """One flag per touchpoint label, empty for `None`; a word that no interaction has is refused."""
    if wanted is None:
        return EVERYTHING
    words = snapshot.words("touchpoint")
    patterns = patterns_of(wanted)
    mistakes = [
        Mistake(f"no interaction has the touchpoint '{pattern}'.", where, do=nearest(pattern, list(words)))
        for pattern in patterns
        if not matching(words, [pattern]).any()
    ]
    if mistakes:
        raise DesirelineError(mistakes)
    return matching(words, patterns)


def patterns_of(wanted: Touchpoints) -> tuple[str, ...]:
    """One or several touchpoints, always as a tuple."""
    return (wanted,) if isinstance(wanted, str) else tuple(wanted)


def touchpoint_text(wanted: Touchpoints) -> str:
    """Touchpoints as people read them."""
    return " or ".join(patterns_of(wanted))


def ranked(counts: NDArray[np.int64], names: Sequence[str]) -> list[int]:
    """The labels that occur, most frequent first, equals by their text."""
    return sorted(np.flatnonzero(counts).tolist(), key=lambda label: (-int(counts[label]), names[label]))
