"""Who belongs together: the rules, as kernels over the directory.

1. A strong handle seen with too many different strong handles of one kind is shared (`caps`).
2. Two strong handles seen together, neither of them shared, belong to one person, and so on along
   the chain. The person is named by the smallest of its strong handles' ids.
3. A weak handle joins nobody. It goes with the person it was seen with most (ties: the smallest
   person) among the handles stronger than itself; persons with a strong handle come before
   persons known by weak handles only. Seen with too many persons, or too many weaker handles, it is shared.
4. A shared handle is a person by itself: what came with it alone stays together, apart from everybody.

Each rule reads only links in force and what the rules before it decided, so the order in which
links arrived cannot matter. Weak handles are settled from the strongest kind to the weakest.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from desireline.people.caps import (
    KNOWN_VALUE,
    MANY_OF_RANK,
    MANY_PERSONS,
    MANY_WEAKER,
    MOST_CUSTOMER_NUMBERS,
    MOST_OTHER_STRONG,
    MOST_PERSONS_OF_A_WEAK_HANDLE,
    MOST_WEAKER_HANDLES,
    UNSHARED,
)
from desireline.people.directory import EMPTY, NONE, Directory, Ints, Marks, Places
from desireline.storage.engines import kernel, run
from desireline.vocabulary.handles import HANDLE_KINDS, OTHER_RANK

FIRST_WEAK_RANK = sum(kind.strong for kind in HANDLE_KINDS)
"""Ranks below this are strong; the kinds are listed strongest first."""
RANKS = OTHER_RANK + 1
_STRETCH = 1 << 18


@kernel
def root_of(parent: Places, place: int) -> int:
    """The handle at the root of a strong handle's person; halves the path on its way."""
    while parent[place] != place:
        parent[place] = parent[parent[place]]
        place = parent[place]
    return place


@kernel
def join(parent: Places, size: Places, least: Ints, a: int, b: int) -> None:
    """Two strong handles belong to one person: the smaller tree goes under the larger (Tarjan 1975)."""
    a, b = root_of(parent, a), root_of(parent, b)
    if a == b:
        return
    if size[a] < size[b]:
        a, b = b, a
    parent[b] = a
    size[a] += size[b]
    least[a] = min(least[a], least[b])


@kernel
def judge_strong(directory: Directory, places: Places) -> Marks:
    """Why each strong handle is shared, by the company it keeps; 0 when it is not."""
    rank, why, head, ends, seen = directory.rank, directory.why, directory.head, directory.ends, directory.seen
    judged = np.zeros(len(places), np.int8)
    counts = np.zeros(FIRST_WEAK_RANK, np.int64)
    for i in range(len(places)):
        place = places[i]
        if why[place] == KNOWN_VALUE:
            judged[i] = KNOWN_VALUE
            continue
        counts[:] = 0
        end = head[place]
        while end != NONE:
            near = ends[end, 0]
            if rank[near] < FIRST_WEAK_RANK and seen[end // 2] > 0 and why[near] != KNOWN_VALUE:
                counts[rank[near]] += 1
            end = ends[end, 1]
        for kind in range(FIRST_WEAK_RANK - 1, -1, -1):
            if counts[kind] > (MOST_CUSTOMER_NUMBERS if kind == 0 else MOST_OTHER_STRONG):
                judged[i] = MANY_OF_RANK + kind
    return judged


@kernel
def joins(rank: Marks, why: Marks, a: int, b: int) -> bool:
    """Whether a link in force joins its two handles: both strong, neither shared."""
    return bool(rank[a] < FIRST_WEAK_RANK and rank[b] < FIRST_WEAK_RANK and why[a] == UNSHARED and why[b] == UNSHARED)


@kernel
def tally(company: Ints, count: int, who: int, times: int) -> int:
    """Add to the few persons a weak handle was seen with, (2, room): person, times; stops when the room is full."""
    for i in range(count):
        if company[0, i] == who:
            company[1, i] += times
            return count
    if count < company.shape[1]:
        company[0, count] = who
        company[1, count] = times
        return count + 1
    return count


@kernel
def most_seen(company: Ints, count: int) -> int:
    """The person seen most, of those seen equally often the smallest."""
    best = 0
    for i in range(1, count):
        more = company[1, i] - company[1, best]
        if more > 0 or (more == 0 and company[0, i] < company[0, best]):
            best = i
    return int(company[0, best])


@kernel
def has_strong(table: Ints, rank: Marks, person: int) -> bool:
    """Whether a person is known by a strong handle (such a person is named by one)."""
    mask = len(table) // 2 - 1
    slot = person & mask
    while table[2 * slot] != person or table[2 * slot + 1] == EMPTY:
        slot = (slot + 1) & mask
    return bool(rank[table[2 * slot + 1] - 1] < FIRST_WEAK_RANK)


@kernel
def settle_weak(directory: Directory, places: Places) -> NDArray[np.bool_]:
    """Decide anew with whom some weak handles of one rank go; says of each whether anything changed."""
    table, rank, why, person = directory.table, directory.rank, directory.why, directory.person
    handle, head, ends, seen = directory.handle, directory.head, directory.ends, directory.seen
    known = np.empty((2, MOST_PERSONS_OF_A_WEAK_HANDLE + 1), np.int64)
    guest = np.empty((2, MOST_PERSONS_OF_A_WEAK_HANDLE + 1), np.int64)
    room = MOST_PERSONS_OF_A_WEAK_HANDLE + 1
    changed = np.zeros(len(places), np.bool_)
    for i in range(len(places)):
        place = places[i]
        if why[place] == KNOWN_VALUE:
            continue
        known_count = guest_count = weaker = 0
        end = head[place]
        while end != NONE and known_count < room:
            near, times = ends[end, 0], seen[end // 2]
            end = ends[end, 1]
            if times == 0:
                continue
            if rank[near] > rank[place]:
                weaker += 1
            elif rank[near] < rank[place] and why[near] == UNSHARED:
                if rank[near] < FIRST_WEAK_RANK or has_strong(table, rank, person[near]):
                    known_count = tally(known, known_count, person[near], times)
                else:
                    guest_count = tally(guest, guest_count, person[near], times)
        verdict = weak_verdict(known_count, guest_count, weaker)
        goes_with = handle[place]
        if verdict == UNSHARED and known_count > 0:
            goes_with = most_seen(known, known_count)
        elif verdict == UNSHARED and guest_count > 0:
            goes_with = most_seen(guest, guest_count)
        changed[i] = goes_with != person[place] or verdict != why[place]
        person[place] = goes_with
        why[place] = verdict
    return changed


@kernel
def weak_verdict(known_count: int, guest_count: int, weaker: int) -> int:
    """Why a weak handle is shared, by how many persons and weaker handles it was seen with; 0 when it is not."""
    if known_count > MOST_PERSONS_OF_A_WEAK_HANDLE:
        return MANY_PERSONS
    if weaker > MOST_WEAKER_HANDLES:
        return MANY_WEAKER
    if known_count == 0 and guest_count > MOST_PERSONS_OF_A_WEAK_HANDLE:
        return MANY_PERSONS
    return UNSHARED


@kernel
def between_strong(directory: Directory) -> Places:
    """The links in force between strong handles; counts how many each handle has."""
    rank, ends, seen, company = directory.rank, directory.ends, directory.seen, directory.company
    linked = directory.held[1]
    links = np.empty(linked, np.int32)
    count = 0
    for link in range(linked):
        a, b = ends[2 * link + 1, 0], ends[2 * link, 0]
        if rank[a] < FIRST_WEAK_RANK and rank[b] < FIRST_WEAK_RANK and seen[link] > 0:
            links[count] = link
            count += 1
            company[a] += 1
            company[b] += 1
    return links[:count]


@kernel
def join_all(directory: Directory, links: Places) -> None:
    """Join strong handles along every link, and string those of a person on a ring."""
    rank, why, ends = directory.rank, directory.why, directory.ends
    parent, size, least = directory.parent, directory.size, directory.least
    for link in links:
        a, b = ends[2 * link + 1, 0], ends[2 * link, 0]
        if joins(rank, why, a, b):
            join(parent, size, least, a, b)
    ring, person = directory.ring, directory.person
    for place in range(directory.held[0]):
        if rank[place] < FIRST_WEAK_RANK:
            root = root_of(parent, place)
            person[place] = least[root]
            if root != place:
                ring[place], ring[root] = ring[root], place


def settle_all(directory: Directory) -> None:
    """Decide everything from the links alone, as if nothing had been decided before.

    Weak handles of one rank do not depend on one another, so stretches of them run side by side.
    """
    known = int(directory.held[0])
    links = between_strong(directory)
    crowded = np.flatnonzero(directory.company[:known] > MOST_CUSTOMER_NUMBERS).astype(np.int32)
    directory.why[crowded] = judge_strong(directory, crowded)
    join_all(directory, links)
    rank = directory.rank[:known]
    for weak in range(FIRST_WEAK_RANK, RANKS):
        places = np.flatnonzero(rank == weak).astype(np.int32)
        run(lambda some: settle_weak(directory, some), np.array_split(places, 1 + len(places) // _STRETCH))
