"""Which interactions are alike: all that match the same patterns get one number, so that promises ask once per kind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from desireline.promises.terms import (
    GIVEN,
    OPEN,
    T_CONSENT,
    TAKEN,
    THEN,
    WRONG_CHANNEL,
    WRONG_HANDS,
    Terms,
)
from desireline.storage.engines import kernel

_MIX = np.uint64(0x9E3779B97F4A7C15)
_HALF = np.uint64(32)
_ROOM = 1024
_LOW = np.uint64(0xFFFFFFFF)
IS_TOUCH, IS_BEGIN, IS_END, HAS_BEGIN = 1, 2, 4, 8


@dataclass(frozen=True, slots=True)
class Classes:
    """What the interactions of a bucket are to the promises, once per class of equal ones.

    of_row: (rows,) int32, the class of each interaction. flags: (promises, classes) int16, the parts
    of a promise that a class matches, as bits. opens: (classes, words) uint64, the promises it
    opens. touch: (maps, classes) uint8, whether it touches, begins and ends a map's journey.
    openings: at most so many instances are opened.
    """

    of_row: NDArray[np.int32]
    flags: NDArray[np.int16]
    opens: NDArray[np.uint64]
    touch: NDArray[np.uint8]
    openings: int


def classes_of(terms: Terms, bits: NDArray[np.uint64], start: NDArray[np.int64], length: NDArray[np.int64]) -> Classes:
    """Number the classes of a bucket's interactions and say what each is to every promise and map."""
    of_row, words, sizes = number_words(bits, start, length)
    flags = np.array([_flags(words, parts, row) for parts, row in zip(terms.parts, terms.table, strict=True)])
    flags = flags.astype(np.int16).reshape(len(terms.promises), len(words))
    opening = flags & (1 << OPEN)
    opens = np.zeros((len(words), max(1, -(-len(flags) // 64))), dtype=np.uint64)
    for number, row in enumerate(opening):
        opens[:, number // 64] |= row.astype(np.uint64) << np.uint64(number % 64)
    touch = [_touch(words, masks) for masks in terms.touches]
    return Classes(
        of_row=of_row,
        flags=flags,
        opens=opens,
        touch=np.array(touch, dtype=np.uint8).reshape(len(terms.touches), len(words)),
        openings=int(opening.sum(axis=0, dtype=np.int64) @ sizes),
    )


def _flags(words: NDArray[np.uint64], parts: NDArray[np.uint64], terms: NDArray[np.int64]) -> NDArray[np.int64]:
    """(classes,) the parts of one promise as bits; an answer is no near miss, and consent counts only where asked."""
    flags = np.zeros(len(words), dtype=np.int64)
    for part, mask in enumerate(parts):
        flags |= (words & mask).any(axis=1).astype(np.int64) << part
    flags[(flags >> THEN) & 1 == 1] &= ~((1 << WRONG_CHANNEL) | (1 << WRONG_HANDS))
    return flags if terms[T_CONSENT] else flags & ~((1 << GIVEN) | (1 << TAKEN))


def _touch(words: NDArray[np.uint64], masks: NDArray[np.uint64]) -> NDArray[np.uint8]:
    touch = np.full(len(words), HAS_BEGIN if masks[1].any() else 0, dtype=np.uint8)
    for flag, mask in zip((IS_TOUCH, IS_BEGIN, IS_END), masks, strict=True):
        touch[(words & mask).any(axis=1)] |= np.uint8(flag)
    return touch


def number_words(
    bits: NDArray[np.uint64], start: NDArray[np.int64], length: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.uint64], NDArray[np.int64]]:
    """The class of each row, the bits of each class, and how many rows each class has."""
    of_row, room, found = np.zeros(len(bits), dtype=np.int32), _ROOM, -1
    while found < 0:
        words, sizes = np.zeros((room, bits.shape[1]), dtype=np.uint64), np.zeros(room, dtype=np.int64)
        found = number_rows(bits, start, length, of_row, np.zeros(4 * room, dtype=np.int32), words, sizes)
        room *= 8
    return of_row, words[:found], sizes[:found]


@kernel
def number_rows(
    bits: NDArray[np.uint64],
    start: NDArray[np.int64],
    length: NDArray[np.int64],
    of_row: NDArray[np.int32],
    slots: NDArray[np.int32],
    words: NDArray[np.uint64],
    sizes: NDArray[np.int64],
) -> int:
    """Number equal rows alike, by open addressing in `slots`; how many numbers there are, -1 if there is no room."""
    found, last, width = 0, len(slots) - 1, bits.shape[1]
    for p in range(len(start)):
        for row in range(start[p], start[p] + length[p]):
            mixed = np.uint64(0)
            for word in range(width):
                mixed = (mixed ^ bits[row, word]) * _MIX
                mixed ^= mixed >> _HALF
            place = np.int64(mixed & _LOW) & last
            while slots[place] != 0:
                same = True
                for word in range(width):
                    same &= words[slots[place] - 1, word] == bits[row, word]
                if same:
                    break
                place = (place + 1) & last
            if slots[place] == 0:
                if found == len(words):
                    return -1
                for word in range(width):
                    words[found, word] = bits[row, word]
                found += 1
                slots[place] = found
            of_row[row] = slots[place] - 1
            sizes[slots[place] - 1] += 1
    return found
