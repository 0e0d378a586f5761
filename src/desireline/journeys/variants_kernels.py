"""The loops behind the variants: hash journeys, count equal ones, compare them step by step."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from desireline.storage.engines import kernel


@kernel
def hash_journeys(
    head: Any, last: Any, by: Any, keep: Any, key: Any, seed: Any, hashes: Any, order: Any, bounds: Any
) -> None:
    """Hash the steps of each journey, and order the journeys by the top bits of their hash.

    Multiply and rotate per step, then the finaliser of MurmurHash3 (Appleby 2011).
    """
    filtered = keep.size > 0
    keyed = key.size > 0
    for journey in range(len(head)):
        first = head[journey]
        value = seed
        for row in range(first, last[journey] + 1):
            if filtered and keep[row] == 0:
                continue
            if keyed and key[first] != 0 and key[row] != key[first]:
                continue
            value = (value ^ np.uint64(by[row] + 2)) * np.uint64(0x9FB21C651E98DF25)
            value ^= value >> np.uint64(29)
        value = (value ^ (value >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
        value ^= value >> np.uint64(33)
        hashes[journey] = value
        bounds[np.int64(value >> np.uint64(60)) + 1] += 1
    for partition in range(len(bounds) - 1):
        bounds[partition + 1] += bounds[partition]
    place = bounds.copy()
    for journey in range(len(head)):
        top: Any = np.int64(hashes[journey] >> np.uint64(60))
        order[place[top]] = journey
        place[top] += 1


@kernel
def count_hashes(values: Any, slots: Any, first: Any, counts: Any) -> int:
    """Count equal values with a table of open addresses; returns how many different ones there are."""
    bits = np.uint64(len(slots) - 1)
    found = 0
    for index in range(len(values)):
        value = values[index]
        slot: Any = np.int64(value & bits)
        while True:
            group = slots[slot]
            if group < 0:
                slots[slot] = found
                first[found] = index
                counts[found] = 1
                found += 1
                break
            if values[first[group]] == value:
                counts[group] += 1
                break
            slot = (slot + 1) & np.int64(bits)
    return found


@kernel
def put_hashes(slots: Any, keys: Any, hashes: Any) -> None:
    """Remember under which number the variant of each hash stands."""
    bits = np.uint64(len(slots) - 1)
    for place in range(len(hashes)):
        slot: Any = np.int64(hashes[place] & bits)
        while slots[slot] >= 0:
            slot = (slot + 1) & np.int64(bits)
        slots[slot] = place
        keys[slot] = hashes[place]


@kernel
def pack_steps(
    head: Any, last: Any, by: Any, keep: Any, key: Any, journeys: Any, ranks: Any, place: int
) -> NDArray[np.int64]:
    """Four steps of each journey from `place` on as one number that sorts as their texts do."""
    packed = np.zeros(len(journeys), np.int64)
    filtered = keep.size > 0
    keyed = key.size > 0
    for index in range(len(journeys)):
        first = head[journeys[index]]
        step = 0
        value = 0
        for row in range(first, last[journeys[index]] + 1):
            if filtered and keep[row] == 0:
                continue
            if keyed and key[first] != 0 and key[row] != key[first]:
                continue
            if step >= place:
                value = value * 32768 + ranks[by[row] + 1]
            step += 1
            if step == place + 4:
                break
        for _ in range(max(step, place), place + 4):
            value = value * 32768
        packed[index] = value
    return packed


@kernel
def compare_journeys(
    head: Any,
    last: Any,
    by: Any,
    keep: Any,
    key: Any,
    hashes: Any,
    slots: Any,
    keys: Any,
    flat: Any,
    bounds: Any,
    same: Any,
) -> None:
    """Count for each variant the journeys that have its hash and exactly its steps."""
    filtered = keep.size > 0
    keyed = key.size > 0
    for journey in range(len(head)):
        slot: Any = np.int64(hashes[journey] & np.uint64(len(slots) - 1))
        while slots[slot] >= 0 and keys[slot] != hashes[journey]:
            slot = (slot + 1) & (len(slots) - 1)
        variant = slots[slot]
        if variant < 0:
            continue
        first = head[journey]
        place = bounds[variant]
        equal = True
        for row in range(first, last[journey] + 1):
            if filtered and keep[row] == 0:
                continue
            if keyed and key[first] != 0 and key[row] != key[first]:
                continue
            if place >= bounds[variant + 1] or flat[place] != by[row] + 1:
                equal = False
                break
            place += 1
        if equal and place == bounds[variant + 1]:
            same[variant] += 1
