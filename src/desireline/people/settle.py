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
from desireline.people.directory import NONE, Directory
from desireline.storage.engines import kernel
from desireline.vocabulary.handles import HANDLE_KINDS, OTHER_RANK

FIRST_WEAK_RANK = sum(kind.strong for kind in HANDLE_KINDS)
"""Ranks below this are strong; the kinds are listed strongest first."""
RANKS = OTHER_RANK + 1


@kernel
def root_of(directory: Directory, place: int) -> int:
    """The handle at the root of a strong handle's person; halves the path on its way."""
    parent = directory.parent
    while parent[place] != place:
        parent[place] = parent[parent[place]]
        place = parent[place]
    return place


@kernel
def join(directory: Directory, a: int, b: int) -> None:
    """Two strong handles belong to one person: the smaller tree goes under the larger (Tarjan 1975)."""
    a, b = root_of(directory, a), root_of(directory, b)
    if a == b:
        return
    if directory.size[a] < directory.size[b]:
        a, b = b, a
    directory.parent[b] = a
    directory.size[a] += directory.size[b]
    directory.least[a] = min(directory.least[a], directory.least[b])


@kernel
def judge_strong(directory: Directory, place: int) -> int:
    """Why a strong handle is shared, by the company it keeps; 0 when it is not."""
    if directory.why[place] == KNOWN_VALUE:
        return KNOWN_VALUE
    if directory.degree[place] <= MOST_CUSTOMER_NUMBERS:
        return UNSHARED
    counts = np.zeros(FIRST_WEAK_RANK, np.int64)
    end = directory.head[place]
    while end != NONE:
        other = directory.other[end]
        rank = directory.rank[other]
        if directory.seen[end // 2] > 0 and rank < FIRST_WEAK_RANK and directory.why[other] != KNOWN_VALUE:
            counts[rank] += 1
        end = directory.following[end]
    for rank in range(FIRST_WEAK_RANK):
        if counts[rank] > (MOST_CUSTOMER_NUMBERS if rank == 0 else MOST_OTHER_STRONG):
            return MANY_OF_RANK + rank
    return UNSHARED


@kernel
def joins(directory: Directory, link: int) -> bool:
    """Whether a link joins its two handles: in force, both strong, neither shared."""
    a, b = directory.other[2 * link + 1], directory.other[2 * link]
    return (
        directory.seen[link] > 0
        and directory.rank[a] < FIRST_WEAK_RANK
        and directory.rank[b] < FIRST_WEAK_RANK
        and directory.why[a] == UNSHARED
        and directory.why[b] == UNSHARED
    )


@kernel
def tally(person: NDArray[np.int64], seen: NDArray[np.int64], count: int, who: int, times: int) -> int:
    """Add to the few persons a weak handle was seen with; the count may exceed the room by one, never more."""
    for i in range(count):
        if person[i] == who:
            seen[i] += times
            return count
    if count < len(person):
        person[count] = who
        seen[count] = times
        return count + 1
    return count


@kernel
def most_seen(person: NDArray[np.int64], seen: NDArray[np.int64], count: int) -> int:
    """The person seen most, of those seen equally often the smallest."""
    best = 0
    for i in range(1, count):
        if seen[i] > seen[best] or (seen[i] == seen[best] and person[i] < person[best]):
            best = i
    return person[best]


@kernel
def place_of_person(directory: Directory, person: int) -> int:
    """The place of the handle that names a person."""
    table = directory.table
    mask = len(table) // 2 - 1
    slot = person & mask
    while table[2 * slot] != person or table[2 * slot + 1] == NONE:
        slot = (slot + 1) & mask
    return table[2 * slot + 1]


@kernel
def settle_weak(directory: Directory, place: int) -> bool:
    """Decide anew with whom a weak handle goes; says whether anything changed."""
    rank = directory.rank[place]
    old_person, old_why = directory.person[place], directory.why[place]
    room = MOST_PERSONS_OF_A_WEAK_HANDLE + 1
    known, known_seen = np.empty(room, np.int64), np.empty(room, np.int64)
    guest, guest_seen = np.empty(room, np.int64), np.empty(room, np.int64)
    known_count = guest_count = weaker = 0
    why = KNOWN_VALUE if old_why == KNOWN_VALUE else UNSHARED
    end = NONE if why == KNOWN_VALUE else directory.head[place]
    while end != NONE and known_count < room:
        other, times = directory.other[end], directory.seen[end // 2]
        end = directory.following[end]
        if times == 0:
            continue
        if directory.rank[other] > rank:
            weaker += 1
        elif directory.rank[other] < rank and directory.why[other] == UNSHARED:
            who = directory.person[other]
            if directory.rank[other] < FIRST_WEAK_RANK or has_strong(directory, who):
                known_count = tally(known, known_seen, known_count, who, times)
            else:
                guest_count = tally(guest, guest_seen, guest_count, who, times)
    person = directory.handle[place]
    if known_count == room:
        why = MANY_PERSONS
    elif weaker > MOST_WEAKER_HANDLES:
        why = MANY_WEAKER
    elif known_count == 0 and guest_count == room:
        why = MANY_PERSONS
    if why == UNSHARED and known_count > 0:
        person = most_seen(known, known_seen, known_count)
    elif why == UNSHARED and guest_count > 0:
        person = most_seen(guest, guest_seen, guest_count)
    directory.person[place] = person
    directory.why[place] = why
    return person != old_person or why != old_why


@kernel
def has_strong(directory: Directory, person: int) -> bool:
    """Whether a person is known by a strong handle (such a person is named by one)."""
    return directory.rank[place_of_person(directory, person)] < FIRST_WEAK_RANK


@kernel
def settle_all(directory: Directory) -> None:
    """Decide everything from the links alone, as if nothing had been decided before."""
    known, linked = directory.held[0], directory.held[1]
    for place in range(known):
        if directory.rank[place] < FIRST_WEAK_RANK and directory.degree[place] > MOST_CUSTOMER_NUMBERS:
            directory.why[place] = judge_strong(directory, place)
    for link in range(linked):
        if joins(directory, link):
            join(directory, directory.other[2 * link + 1], directory.other[2 * link])
    for place in range(known):
        if directory.rank[place] < FIRST_WEAK_RANK:
            root = root_of(directory, place)
            directory.person[place] = directory.least[root]
            if root != place:
                directory.ring[place], directory.ring[root] = directory.ring[root], place
    for rank in range(FIRST_WEAK_RANK, RANKS):
        for place in range(known):
            if directory.rank[place] == rank:
                settle_weak(directory, place)
