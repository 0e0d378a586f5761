"""A person's keys (cases, orders, ...) numbered 1, 2, 3, ...; 0 is "no key"."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from desireline.storage.engines import borrowing_kernel
from desireline.storage.journey_store import EMPTY_KEY


@borrowing_kernel
def number_keys(
    key_of: NDArray[np.int64], keys: NDArray[np.int64], same: int, first: int, count: int, slots: NDArray[np.int64]
) -> int:
    """Fill key_of[:count] with the number of each row's key and answer how many keys there are.

    Open addressing in `slots`, a table of 2 to 4 times as many places as rows, so the work is linear.
    """
    if same < 0:
        key_of[:count] = 0
        return 0
    size = 8
    while size < 2 * count:
        size *= 2
    slots[:size] = 0
    found = 0
    for i in range(count):
        key = keys[same, first + i]
        if key == EMPTY_KEY:
            key_of[i] = 0
            continue
        slot = (key ^ (key >> 29)) & (size - 1)
        while slots[slot] != 0 and keys[same, first + slots[slot] - 1] != key:
            slot = (slot + 1) & (size - 1)
        if slots[slot] == 0:
            found += 1
            slots[slot] = i + 1
            key_of[i] = found
        else:
            key_of[i] = key_of[slots[slot] - 1]
    return found
