"""A day's links taken into the directory, or an import's links taken out, at the cost of what changed.

The outcome is the same as deciding everything afresh (a property test holds them together): only
persons that lost a link are taken apart and joined again, all others can only grow.
"""

from __future__ import annotations

import numpy as np

from desireline.people.caps import MOST_CUSTOMER_NUMBERS, UNSHARED
from desireline.people.directory import NONE, Directory, Ints, Marks, Places, append_links, find_link
from desireline.people.settle import FIRST_WEAK_RANK, RANKS, join, joins, judge_strong, root_of, settle_weak
from desireline.storage.engines import kernel

APPEARED, DISAPPEARED, RECOUNTED = 1, -1, 0


def apply(directory: Directory, a: Places, b: Places, seen: Ints) -> tuple[Places, Ints]:
    """Add `seen` (negative: take away) to the links between `a` and `b`; each pair at most once.

    Returns the handles whose person or standing changed, and the person each had before; a handle
    judged otherwise may come twice. There must be room for the links.
    """
    links, effect = change_links(directory, a, b, seen)
    strong = to_judge(directory, links, effect)
    why = judge_strong(directory, strong)
    otherwise = why != directory.why[strong]
    flips = strong[otherwise]
    directory.why[flips] = why[otherwise]
    loose = loosen(directory, np.concatenate([ends_of(directory, links[effect == DISAPPEARED]), flips]))
    to_join = np.concatenate([links[effect == APPEARED], links_of(directory, np.union1d(loose, flips))])
    changed, old_person = rejoin(directory, to_join, loose)
    beside = np.concatenate([changed, flips])
    waiting = np.concatenate([ends_of(directory, links), weaker_beside(directory, beside)])
    parts = [(changed, old_person), (flips, directory.person[flips])]
    for rank in range(FIRST_WEAK_RANK, RANKS):
        weak = np.unique(waiting[directory.rank[waiting] == rank])
        before = directory.person[weak]
        moved = settle_weak(directory, weak)
        parts.append((weak[moved], before[moved]))
        waiting = np.concatenate([waiting, weaker_beside(directory, weak[moved])])
    return np.concatenate([places for places, _ in parts]), np.concatenate([persons for _, persons in parts])


@kernel
def ends_of(directory: Directory, links: Places) -> Places:
    """The handles at the ends of some links, each once."""
    ends = directory.ends
    is_found = np.zeros(directory.held[0], np.bool_)
    found = np.empty(2 * len(links), np.int32)
    count = 0
    for link in links:
        for end in (2 * link, 2 * link + 1):
            place = ends[end, 0]
            if not is_found[place]:
                is_found[place] = True
                found[count] = place
                count += 1
    return found[:count]


@kernel
def to_judge(directory: Directory, links: Places, effect: Marks) -> Places:
    """The strong handles that may be judged otherwise, each once, as links to strong handles came or went.

    Keeps count of these links; a handle with few of them, and not shared so far, need not be judged.
    """
    rank, why, ends, company = directory.rank, directory.why, directory.ends, directory.company
    found = np.empty(2 * len(links), np.int32)
    for i in range(len(links)):
        a, b = ends[2 * links[i], 0], ends[2 * links[i] + 1, 0]
        found[2 * i] = found[2 * i + 1] = NONE
        if effect[i] != RECOUNTED and rank[a] < FIRST_WEAK_RANK and rank[b] < FIRST_WEAK_RANK:
            company[a] += effect[i]
            company[b] += effect[i]
            found[2 * i], found[2 * i + 1] = a, b
    is_found = np.zeros(directory.held[0], np.bool_)
    count = 0
    for place in found:
        if place == NONE or is_found[place]:
            continue
        if company[place] > MOST_CUSTOMER_NUMBERS or why[place] != UNSHARED:
            is_found[place] = True
            found[count] = place
            count += 1
    return found[:count].copy()


@kernel
def change_links(directory: Directory, a: Places, b: Places, seen: Ints) -> tuple[Places, Marks]:
    """Change the counts; says which link each was and whether it appeared or disappeared."""
    head, ends, times = directory.head, directory.ends, directory.seen
    links = np.empty(len(a), np.int32)
    effect = np.zeros(len(a), np.int8)
    for i in range(len(a)):
        link = find_link(head, ends, a[i], b[i])
        if link == NONE:
            link = directory.held[1]
            append_links(directory, a[i : i + 1], b[i : i + 1], np.zeros(1, np.int64))
        before = times[link]
        times[link] = max(before + seen[i], 0)
        if before == 0 and times[link] > 0:
            effect[i] = APPEARED
        elif before > 0 and times[link] == 0:
            effect[i] = DISAPPEARED
        links[i] = link
    return links, effect


@kernel
def loosen(directory: Directory, places: Places) -> Places:
    """Take apart the persons of some handles, as far as they have several; returns the handles that now stand alone."""
    rank, handle = directory.rank, directory.handle
    parent, ring, size, least = directory.parent, directory.ring, directory.size, directory.least
    loose = np.empty(directory.held[0], np.int32)
    count = 0
    for place in places:
        if rank[place] >= FIRST_WEAK_RANK or ring[place] == place:
            continue
        member = place
        while True:
            following = ring[member]
            parent[member] = ring[member] = member
            size[member] = 1
            least[member] = handle[member]
            loose[count] = member
            count += 1
            member = following
            if member == place:
                break
    return loose[:count].copy()


@kernel
def rejoin(directory: Directory, links: Places, loose: Places) -> tuple[Places, Ints]:
    """Join along some links; `loose` are handles already taken from their person.

    Returns the handles whose person is another now, and the person each had before.
    """
    rank, why, ends, seen = directory.rank, directory.why, directory.ends, directory.seen
    parent, size, least, ring = directory.parent, directory.size, directory.least, directory.ring
    touched = np.empty(directory.held[0], np.int32)
    is_touched = np.zeros(directory.held[0], np.bool_)
    count = 0
    for place in loose:
        is_touched[place] = True
        touched[count] = place
        count += 1
    for link in links:
        a, b = ends[2 * link, 0], ends[2 * link + 1, 0]
        if seen[link] > 0 and joins(rank, why, a, b):
            for root in (root_of(parent, a), root_of(parent, b)):
                if not is_touched[root]:
                    is_touched[root] = True
                    touched[count] = root
                    count += 1
    for link in links:
        a, b = ends[2 * link, 0], ends[2 * link + 1, 0]
        if seen[link] > 0 and joins(rank, why, a, b):
            join(parent, size, least, a, b)
    changed, old_person = rename(directory, touched[:count])
    for root in touched[:count]:
        above = root_of(parent, root)
        if above != root:
            ring[root], ring[above] = ring[above], ring[root]
    return changed, old_person


@kernel
def rename(directory: Directory, roots: Places) -> tuple[Places, Ints]:
    """Give the handles on the rings of some (former) roots the name of the person they belong to now."""
    person, parent, least, ring = directory.person, directory.parent, directory.least, directory.ring
    changed = np.empty(directory.held[0], np.int32)
    old_person = np.empty(directory.held[0], np.int64)
    count = 0
    for root in roots:
        name = least[root_of(parent, root)]
        place = root
        while person[place] != name:
            changed[count] = place
            old_person[count] = person[place]
            count += 1
            person[place] = name
            place = ring[place]
    return changed[:count].copy(), old_person[:count].copy()


@kernel
def links_of(directory: Directory, places: Places) -> Places:
    """The links of some handles; a link between two of them comes twice."""
    head, ends = directory.head, directory.ends
    found = np.empty(2 * directory.held[1], np.int32)
    count = 0
    for place in places:
        end = head[place]
        while end != NONE:
            found[count] = end // 2
            count += 1
            end = ends[end, 1]
    return found[:count].copy()


@kernel
def weaker_beside(directory: Directory, places: Places) -> Places:
    """The weak handles seen with some handles and weaker than they are, each once."""
    rank, head, ends = directory.rank, directory.head, directory.ends
    found = np.empty(directory.held[0], np.int32)
    is_found = np.zeros(directory.held[0], np.bool_)
    count = 0
    for place in places:
        end = head[place]
        while end != NONE:
            near = ends[end, 0]
            end = ends[end, 1]
            if rank[near] >= FIRST_WEAK_RANK and rank[near] > rank[place] and not is_found[near]:
                is_found[near] = True
                found[count] = near
                count += 1
    return found[:count].copy()
