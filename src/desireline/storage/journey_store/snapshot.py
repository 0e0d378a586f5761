"""What a kernel reads: one unchanging view of the journey store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

EMPTY_CODE = -1
"""The code of a text, or of a flag, that the source did not give."""
EMPTY_KEY = 0
"""The hash of a key (case, order, ...) that the source did not give."""
EMPTY_NUMBER = int(np.iinfo(np.int64).min)
"""A number that the source did not give; an empty score is NaN."""
NOBODY = 0
"""The person of interactions without any handle; kept apart, in `Snapshot.nobody`."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """Some of the people, and their interactions in order.

    person: (people,) int64, ascending ids, never `NOBODY`.
    start, length: (people,) int64. The interactions of `person[p]` are the rows
        `start[p] : start[p] + length[p]` of every column, sorted by
        (occurred_at, source, position, id). Rows outside these ranges mean nothing.
    """

    number: int
    person: NDArray[np.int64]
    start: NDArray[np.int64]
    length: NDArray[np.int64]
    read: Callable[[str], NDArray[Any]]

    def column(self, name: str) -> NDArray[Any]:
        """The physical array of a column, named by its field (`"channel"`, `"case"`, `"properties.amount"`).

        occurred_at, id, position, handle: int64. channel, touchpoint, direction: int16 codes; other texts: int32
        codes (see `Snapshot.words`). Flags: int8, 1 yes, 0 no. Keys: int64 hashes. Numbers: int64; score and
        numeric properties: float64, NaN when empty. Never write to it.
        """
        return self.read(name)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The journey store at one moment; stays as it is while new interactions are added.

    buckets: the people, spread by hash. nobody: one bucket of the interactions without a handle,
    with one "person" `NOBODY`. as_of: the latest `occurred_at`, UTC milliseconds (0 when empty).
    columns: the fields that hold anything; a field not listed is empty in every row.
    """

    buckets: Sequence[Bucket]
    nobody: Bucket
    as_of: int
    columns: frozenset[str]
    vocabulary: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def people(self) -> int:
        """How many people there are."""
        return sum(len(bucket.person) for bucket in self.buckets)

    @property
    def interactions(self) -> int:
        """How many interactions there are, those of nobody included."""
        return int(sum(int(bucket.length.sum()) for bucket in (*self.buckets, self.nobody)))

    def words(self, name: str) -> Sequence[str]:
        """The texts of a coded column: `words(name)[code]` is the text."""
        return self.vocabulary.get(name, ())

    def code(self, name: str, word: str) -> int:
        """The code of a text in a column, `EMPTY_CODE` when no interaction has it."""
        words = self.words(name)
        return words.index(word) if word in words else EMPTY_CODE
