"""Who a handle belongs to: a long sorted list from the build, and a short one of what changed since."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from desireline.storage.engines import kernel

_MANY = 8
"""A hash table pays off once there are this many times fewer known handles than asked-for ones."""


def _none() -> NDArray[np.int64]:
    return np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Identities:
    """Handles and the person each belongs to; a handle that is not listed is a person of its own.

    handle: ascending, each once. person: as long. Make one with `Identities.of`.
    """

    handle: NDArray[np.int64] = field(default_factory=_none)
    person: NDArray[np.int64] = field(default_factory=_none)

    @classmethod
    def of(cls, handle: Any, person: Any) -> Identities:
        """From any two arrays of equal length; the last word about a handle counts."""
        handles, persons = np.asarray(handle, np.int64), np.asarray(person, np.int64)
        unique, last = np.unique(handles[::-1], return_index=True)
        return cls(unique, persons[::-1][last])

    def changed(self, changes: Identities) -> Identities:
        """With later changes put over it."""
        return Identities.of(
            np.concatenate((self.handle, changes.handle)), np.concatenate((self.person, changes.person))
        )

    def persons_of(self, handle: NDArray[np.int64]) -> NDArray[np.int64]:
        """The person of each handle; 0, no handle, is nobody."""
        person = handle.astype(np.int64)
        if not len(self.handle) or not len(handle):
            return person
        if len(handle) > len(self.handle) // _MANY:
            look_up(*_hash_table(self.handle, self.person), person)
            return person
        place = np.minimum(np.searchsorted(self.handle, handle), len(self.handle) - 1)
        return np.where(self.handle[place] == handle, self.person[place], handle)


def _hash_table(handle: NDArray[np.int64], person: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    size = 1 << max(4, int(2 * len(handle) - 1).bit_length())
    keys, values = np.zeros(size, np.int64), np.zeros(size, np.int64)
    fill_table(keys, values, handle, person)
    return keys, values


@kernel
def fill_table(keys: Any, values: Any, handle: Any, person: Any) -> None:
    """Put handles into an open-addressing hash table; 0 marks a free place."""
    mask = len(keys) - 1
    for i in range(len(handle)):
        place = (handle[i] ^ (handle[i] >> 15) ^ (handle[i] >> 33)) & mask
        while keys[place] != 0 and keys[place] != handle[i]:
            place = (place + 1) & mask
        keys[place] = handle[i]
        values[place] = person[i]


@kernel
def look_up(keys: Any, values: Any, person: Any) -> None:
    """Replace each handle by its person where the table knows one."""
    mask = len(keys) - 1
    for i in range(len(person)):
        handle = person[i]
        if handle == 0:
            continue
        place = (handle ^ (handle >> 15) ^ (handle >> 33)) & mask
        while keys[place] != 0 and keys[place] != handle:
            place = (place + 1) & mask
        if keys[place] == handle:
            person[i] = values[place]
