"""Chance that is the same everywhere: streams of 32-bit numbers named by person and mechanism.

A draw is a pure function of (seed, person, mechanism, occurrence, place): no state, no floats, no
product beyond 63 bits. So compiled and plain Python agree to the bit, and changing one mechanism
leaves every other draw unchanged (common random numbers). The mixing step is the two-multiply
32-bit integer hash of C. Wellons, "Prospecting for hash functions" (2018).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from desireline.storage.engines import typed_kernel

WORD = 0xFFFFFFFF
_FIRST = 0x21F0AAAD
_SECOND = 0x735A2D97
_STEP = 0x1E3779B1

Stream = tuple[int, int]
"""The two 32-bit words that name one stream."""


@typed_kernel("int64(int64)")
def mixed(word: int) -> int:
    """One 32-bit number scattered over all 32 bits."""
    word = ((word ^ (word >> 16)) * _FIRST) & WORD
    word = ((word ^ (word >> 15)) * _SECOND) & WORD
    return word ^ (word >> 15)


@typed_kernel("UniTuple(int64, 2)(int64, int64, int64, int64)")
def stream(seed: int, person: int, mechanism: int, occurrence: int) -> Stream:
    """The stream of one person's one mechanism, such as the third complaint."""
    first = mixed(mixed(mixed((seed & WORD) ^ 0x5BD1E995) ^ person) ^ (mechanism * 4096 + occurrence))
    second = mixed(mixed((mixed(((seed >> 32) & WORD) ^ (seed & WORD) ^ 0x2545F491) + person) & WORD) ^ (first >> 7))
    return first, second


@typed_kernel("int64(UniTuple(int64, 2), int64)")
def draw(chance: Stream, place: int) -> int:
    """The number at a place of the stream, 0 to 2**32 - 1."""
    return mixed(mixed((chance[0] + place * _STEP) & WORD) ^ chance[1])


@typed_kernel("int64(UniTuple(int64, 2), int64, int64, int64)")
def between(chance: Stream, place: int, low: int, high: int) -> int:
    """A whole number from `low` up to, not including, `high`; they differ by less than 2**31."""
    return low + ((draw(chance, place) * (high - low)) >> 32)


@typed_kernel("boolean(UniTuple(int64, 2), int64, int64)")
def happens(chance: Stream, place: int, permille: int) -> bool:
    """Whether something with this chance in a thousand happens."""
    return between(chance, place, 0, 1000) < permille


def many(*, seed: int, numbers: npt.NDArray[np.int64], mechanism: int, place: int) -> npt.NDArray[np.int64]:
    """The draw at one place of many people's streams at once; the same numbers as `draw(stream(...), place)`."""
    name = _many_mixed(_many_mixed((seed & WORD) ^ 0x5BD1E995) ^ numbers) ^ (mechanism * 4096)
    first = _many_mixed(name)
    second = (_many_mixed(((seed >> 32) & WORD) ^ (seed & WORD) ^ 0x2545F491) + numbers) & WORD
    second = _many_mixed(_many_mixed(second) ^ (first >> 7))
    return np.asarray(_many_mixed(_many_mixed((first + place * _STEP) & WORD) ^ second), np.int64)


def _many_mixed(word: Any) -> Any:
    word = ((word ^ (word >> 16)) * _FIRST) & WORD
    word = ((word ^ (word >> 15)) * _SECOND) & WORD
    return word ^ (word >> 15)


def many_between(
    *, seed: int, numbers: npt.NDArray[np.int64], mechanism: int, place: int, high: int
) -> npt.NDArray[np.int64]:
    """Whole numbers from 0 up to, not including, `high`, one for each person."""
    return (many(seed=seed, numbers=numbers, mechanism=mechanism, place=place) * high) >> 32
