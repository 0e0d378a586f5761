"""Which interactions are alike: all that match the same patterns get one number, so that promises ask once per kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from desireline.promises.masks import Tables, row_bits
from desireline.promises.terms import (
    GIVEN,
    OPEN,
    PARTS,
    T_CONSENT,
    TAKEN,
    THEN,
    WRONG_CHANNEL,
    WRONG_HANDS,
    Terms,
)
from desireline.storage.engines import kernel
from desireline.storage.journey_store import Bucket

_LEFT, _RIGHT = np.uint64(13), np.uint64(7)
_HALF = np.uint64(32)
_ROOM = 1024
_MOST_CLASSES = 1 << 18
_LOW = np.uint64(0xFFFFFFFF)
IS_TOUCH, IS_BEGIN, IS_END, HAS_BEGIN = 1, 2, 4, 8


@dataclass(frozen=True, slots=True)
class Meaning:
    """What each class of equal interactions is to the promises.

    flags: (promises, classes) int16, the parts of a promise that a class matches, as bits. opens:
    (classes, words) uint64, the promises it opens. touch: (maps, classes) uint8, whether it touches,
    begins and ends a map's journey. openings: (classes,) int64, how many promises it
    opens. matters: (classes,) uint8, 1 if it is any part of any promise.
    """

    flags: NDArray[np.int16]
    opens: NDArray[np.uint64]
    touch: NDArray[np.uint8]
    openings: NDArray[np.int64]
    matters: NDArray[np.uint8]


def meaning_of(terms: Terms, words: NDArray[np.uint64]) -> Meaning:
    """What classes with these bits are to every promise and map."""
    flags = np.zeros((len(terms.promises), len(words)), dtype=np.int16)
    for part in range(len(PARTS)):
        flags |= _any(words, terms.parts[:, part]).astype(np.int16) << part
    flags[(flags >> THEN) & 1 == 1] &= ~((1 << WRONG_CHANNEL) | (1 << WRONG_HANDS))
    flags[terms.table[:, T_CONSENT] == 0] &= ~((1 << GIVEN) | (1 << TAKEN))
    opening = (flags >> OPEN) & 1
    opens = np.zeros((len(words), max(1, -(-len(flags) // 64))), dtype=np.uint64)
    for number, row in enumerate(opening):
        opens[:, number // 64] |= row.astype(np.uint64) << np.uint64(number % 64)
    touch = np.zeros((len(terms.touches), len(words)), dtype=np.uint8)
    for place, flag in enumerate((IS_TOUCH, IS_BEGIN, IS_END)):
        touch |= _any(words, terms.touches[:, place]).astype(np.uint8) * np.uint8(flag)
    touch[terms.touches[:, 1].any(axis=1)] |= np.uint8(HAS_BEGIN)
    return Meaning(flags, opens, touch, opening.sum(axis=0, dtype=np.int64), (flags != 0).any(axis=0).astype(np.uint8))


def _any(words: NDArray[np.uint64], masks: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """(masks, classes): which classes have any bit of which mask."""
    found = np.zeros((len(masks), len(words)), dtype=bool)
    for word in range(words.shape[1]):
        found |= (masks[:, word, np.newaxis] & words[:, word]) != 0
    return found


@dataclass(frozen=True, slots=True)
class Machine:
    """Takes an interaction from class to class, one column after the other.

    steps: for each column (classes, codes + 1) int32, the class after it. words: (classes, words)
    uint64, the bits of the classes at the end.
    """

    steps: tuple[NDArray[np.int32], ...]
    words: NDArray[np.uint64]


def machine_of(tables: Tables) -> Machine | None:
    """The machine of all patterns; `None` if it had too many classes, so that rows are compared instead."""
    words = tables.always[np.newaxis, :]
    steps = []
    for column in tables.columns:
        different, code = np.unique(column.table, axis=0, return_inverse=True)
        if len(words) * len(different) > _MOST_CLASSES:
            return None
        both = (words[:, np.newaxis, :] & different).reshape(-1, tables.words)
        after, place = np.unique(both, axis=0, return_inverse=True)
        steps.append(
            np.ascontiguousarray(place.reshape(len(words), len(different))[:, code.reshape(-1)], dtype=np.int32)
        )
        words = after
    return Machine(tuple(steps), words)


def classes_of(tables: Tables, machine: Machine | None, bucket: Bucket) -> tuple[NDArray[np.int32], NDArray[np.uint64]]:
    """(rows,) the class of each interaction of a bucket, and (classes, words) the bits of each class."""
    if machine is None:
        return number_words(np.asarray(row_bits(tables, bucket)), bucket.start, bucket.length)
    of_row = np.zeros(len(bucket.column("occurred_at")), dtype=np.int32)
    for column, step in zip(tables.columns, machine.steps, strict=True):
        codes = np.asarray(column.codes(np.asarray(bucket.column(column.name))))
        step_on(of_row, codes, step, bucket.start, bucket.length)
    return of_row, machine.words


@kernel
def step_on(
    of_row: NDArray[np.int32],
    codes: NDArray[Any],
    step: NDArray[np.int32],
    start: NDArray[np.int64],
    length: NDArray[np.int64],
) -> None:
    """Take each row to its next class, by its code in one column."""
    for p in range(len(start)):
        for row in range(start[p], start[p] + length[p]):
            of_row[row] = step[of_row[row], codes[row] + 1]


def number_words(
    bits: NDArray[np.uint64], start: NDArray[np.int64], length: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.uint64]]:
    """The class of each row and the bits of each class, by comparing rows."""
    of_row, room, found = np.zeros(len(bits), dtype=np.int32), _ROOM, -1
    while found < 0:
        words = np.zeros((room, bits.shape[1]), dtype=np.uint64)
        found = number_rows(bits, start, length, of_row, np.zeros(4 * room, dtype=np.int32), words)
        room *= 8
    return of_row, words[:found]


@kernel
def number_rows(
    bits: NDArray[np.uint64],
    start: NDArray[np.int64],
    length: NDArray[np.int64],
    of_row: NDArray[np.int32],
    slots: NDArray[np.int32],
    words: NDArray[np.uint64],
) -> int:
    """Number equal rows alike, by open addressing in `slots`; how many numbers there are, -1 if there is no room."""
    found, last, width = 0, len(slots) - 1, bits.shape[1]
    for p in range(len(start)):
        for row in range(start[p], start[p] + length[p]):
            mixed = np.uint64(0)
            for word in range(width):
                mixed ^= bits[row, word]
                mixed ^= mixed << _LEFT
                mixed ^= mixed >> _RIGHT
            place = np.int64((mixed ^ mixed >> _HALF) & _LOW) & last
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
    return found
