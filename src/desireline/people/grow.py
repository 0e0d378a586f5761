"""A day's links taken into the directory, or an import's links taken out, at the cost of what changed.

The outcome is the same as deciding everything afresh (a property test holds them together): only
persons that lost a link are taken apart and joined again, all others can only grow.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from desireline.people.directory import NONE, Directory, Ints, Marks, Places, append_links, find_link
from desireline.people.settle import FIRST_WEAK_RANK, RANKS, join, joins, judge_strong, root_of, settle_weak
from desireline.storage.engines import kernel

APPEARED, DISAPPEARED, RECOUNTED = 1, -1, 0


def apply(directory: Directory, a: Places, b: Places, seen: Ints) -> tuple[Places, Ints]:
    """Add `seen` (negative: take away) to the links between `a` and `b`; each pair at most once.

    Returns the handles whose person or standing changed, and the person each had before. There must be room for the links.
    """
    links, effect = change_links(directory, a, b, seen)
    changed = _Collected(int(directory.held[0]))
    flips = rejudge(directory, links, effect)
    loose = loosen(directory, links, effect, flips)
    rejoin(directory, links, effect, flips, loose, changed.place, changed.old_person, changed.count)
    settle_weak_again(directory, links, flips, changed.place, changed.old_person, changed.count)
    count = int(changed.count[0])
    return changed.place[:count].copy(), changed.old_person[:count].copy()


class _Collected:
    """Room for every handle to change once; pages of it are used only as far as it fills."""

    def __init__(self, known: int) -> None:
        self.place = np.empty(2 * known, np.int32)
        self.old_person = np.empty(2 * known, np.int64)
        self.count = np.zeros(1, np.int64)


@kernel
def change_links(directory: Directory, a: Places, b: Places, seen: Ints) -> tuple[Places, Marks]:
    """Change the counts; says which link each was and whether it appeared or disappeared."""
    links = np.empty(len(a), np.int32)
    effect = np.zeros(len(a), np.int8)
    for i in range(len(a)):
        link = find_link(directory, a[i], b[i])
        if link == NONE:
            link = directory.held[1]
            append_links(directory, a[i : i + 1], b[i : i + 1], seen[i : i + 1])
            effect[i] = APPEARED
        else:
            before = directory.seen[link]
            directory.seen[link] = max(before + seen[i], 0)
            if before == 0 and directory.seen[link] > 0:
                effect[i] = APPEARED
            elif before > 0 and directory.seen[link] == 0:
                effect[i] = DISAPPEARED
        links[i] = link
    return links, effect


@kernel
def rejudge(directory: Directory, links: Places, effect: Marks) -> Places:
    """Judge the strong handles at the ends of links that came or went; returns those now judged otherwise."""
    flips = np.empty(2 * len(links), np.int32)
    done = np.zeros(directory.held[0], np.bool_)
    count = 0
    for i in range(len(links)):
        for end in range(2 * links[i], 2 * links[i] + 2):
            place = directory.other[end]
            if effect[i] == RECOUNTED or directory.rank[place] >= FIRST_WEAK_RANK or done[place]:
                continue
            done[place] = True
            why = judge_strong(directory, place)
            if why != directory.why[place]:
                flips[count] = place
                count += 1
                directory.why[place] = why
    return flips[:count]


@kernel
def loosen(directory: Directory, links: Places, effect: Marks, flips: Places) -> Places:
    """Take apart the persons that lost a link or a handle; returns their handles, now each alone."""
    loose = np.empty(directory.held[0], np.int32)
    count = 0
    for i in range(len(links)):
        if effect[i] == DISAPPEARED:
            for end in range(2 * links[i], 2 * links[i] + 2):
                count = take_apart(directory, directory.other[end], loose, count)
    for i in range(len(flips)):
        count = take_apart(directory, flips[i], loose, count)
    return loose[:count].copy()


@kernel
def take_apart(directory: Directory, place: int, loose: Places, count: int) -> int:
    """Every handle of a person of several handles stands alone again."""
    if directory.rank[place] >= FIRST_WEAK_RANK or directory.ring[place] == place:
        return count
    while directory.ring[place] != place:
        member = directory.ring[place]
        directory.ring[place] = directory.ring[member]
        loose[count] = member
        count += 1
        alone(directory, member)
    loose[count] = place
    alone(directory, place)
    return count + 1


@kernel
def alone(directory: Directory, place: int) -> None:
    """A strong handle that is joined to no other."""
    directory.parent[place] = place
    directory.ring[place] = place
    directory.size[place] = 1
    directory.least[place] = directory.handle[place]


@kernel
def rejoin(
    directory: Directory,
    links: Places,
    effect: Marks,
    flips: Places,
    loose: Places,
    changed: Places,
    old_person: Ints,
    counted: Ints,
) -> None:
    """Join along the links that came and the links of handles set loose; collect whose person is another now."""
    touched = np.empty(directory.held[0], np.int32)
    is_touched = np.zeros(directory.held[0], np.bool_)
    count = 0
    for place in loose:
        is_touched[place] = True
        touched[count] = place
        count += 1
    came = links[effect == APPEARED]
    of_handles = links_of(directory, loose, flips)
    for some in (came, of_handles):
        for link in some:
            if joins(directory, link):
                for end in range(2 * link, 2 * link + 2):
                    root = root_of(directory, directory.other[end])
                    if not is_touched[root]:
                        is_touched[root] = True
                        touched[count] = root
                        count += 1
    for some in (came, of_handles):
        for link in some:
            if joins(directory, link):
                join(directory, directory.other[2 * link], directory.other[2 * link + 1])
    for root in touched[:count]:
        rename(directory, root, changed, old_person, counted)
    for root in touched[:count]:
        above = root_of(directory, root)
        if above != root:
            directory.ring[root], directory.ring[above] = directory.ring[above], directory.ring[root]


@kernel
def links_of(directory: Directory, loose: Places, flips: Places) -> Places:
    """The links of some handles; a link between two of them comes twice."""
    count = 0
    for some in (loose, flips):
        for place in some:
            count += directory.degree[place]
    found = np.empty(count, np.int32)
    count = 0
    for some in (loose, flips):
        for place in some:
            end = directory.head[place]
            while end != NONE:
                found[count] = end // 2
                count += 1
                end = directory.following[end]
    return found


@kernel
def rename(directory: Directory, root: int, changed: Places, old_person: Ints, counted: Ints) -> None:
    """Give the handles of a ring the name of the person they belong to now."""
    person = directory.least[root_of(directory, root)]
    if directory.person[root] == person:
        return
    place = root
    while True:
        changed[counted[0]] = place
        old_person[counted[0]] = directory.person[place]
        counted[0] += 1
        directory.person[place] = person
        place = directory.ring[place]
        if place == root:
            return


@kernel
def settle_weak_again(
    directory: Directory, links: Places, flips: Places, changed: Places, old_person: Ints, counted: Ints
) -> None:
    """Decide anew for the weak handles next to anything that changed, strongest kinds first."""
    waiting = np.empty(directory.held[0], np.int32)
    marked = np.zeros(directory.held[0], np.bool_)
    count = 0
    for link in links:
        for end in range(2 * link, 2 * link + 2):
            count = await_weak(directory, directory.other[end], waiting, marked, count)
    for i in range(counted[0]):
        count = await_neighbours(directory, changed[i], waiting, marked, count)
    for place in flips:
        count = await_neighbours(directory, place, waiting, marked, count)
    for rank in range(FIRST_WEAK_RANK, RANKS):
        i = 0
        while i < count:
            place = waiting[i]
            i += 1
            before = directory.person[place]
            if directory.rank[place] == rank and settle_weak(directory, place):
                changed[counted[0]] = place
                old_person[counted[0]] = before
                counted[0] += 1
                count = await_neighbours(directory, place, waiting, marked, count)
    for place in flips:
        changed[counted[0]] = place
        old_person[counted[0]] = directory.person[place]
        counted[0] += 1


@kernel
def await_weak(directory: Directory, place: int, waiting: Places, marked: NDArray[np.bool_], count: int) -> int:
    """Put a weak handle on the list of those to decide anew, once."""
    if directory.rank[place] >= FIRST_WEAK_RANK and not marked[place]:
        marked[place] = True
        waiting[count] = place
        count += 1
    return count


@kernel
def await_neighbours(directory: Directory, place: int, waiting: Places, marked: NDArray[np.bool_], count: int) -> int:
    """Put the handles weaker than this one, and seen with it, on the list."""
    end = directory.head[place]
    while end != NONE:
        other = directory.other[end]
        if directory.rank[other] > directory.rank[place]:
            count = await_weak(directory, other, waiting, marked, count)
        end = directory.following[end]
    return count
