"""The directory of handles: which person each belongs to, and which handles each was seen with.

Plain arrays that grow, so that a day's new links cost in proportion to what changed. A handle is
known inside by its place (0, 1, 2, ...); an open hash table finds the place of a handle id. Every
link is kept in the lists of both its handles.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from desireline.storage.engines import kernel

Ints = NDArray[np.int64]
Places = NDArray[np.int32]
Marks = NDArray[np.int8]

NONE = -1


class Directory(NamedTuple):
    """The arrays. Those of handles are as long as the handles' room, those of links twice the links' room.

    held: (2,) how many handles and how many links there are.
    table: (2 * slots,) handle id and place, side by side.
    handle, rank, why: id, rank of its kind, and the reason it is shared (0: it is not).
    person: id of the person it belongs to. parent, ring, size, least: the joined strong handles as
        a forest and as rings, with how many and the smallest id at each root.
    head, degree: first link end and number of link ends of a handle.
    other, following: per link end (2 * link, 2 * link + 1) the handle at the other end, the next end.
    seen: per link how many interactions carried both; 0: withdrawn.
    """

    held: Ints
    table: Ints
    handle: Ints
    rank: Marks
    why: Marks
    person: Ints
    parent: Places
    ring: Places
    size: Places
    least: Ints
    head: Places
    degree: Places
    other: Places
    following: Places
    seen: Places


def empty(*, handles: int, links: int) -> Directory:
    """A directory with room for so many handles and links."""
    slots = 16
    while slots < 2 * handles:
        slots *= 2
    return Directory(
        held=np.zeros(2, np.int64),
        table=np.full(2 * slots, NONE, np.int64),
        handle=np.empty(handles, np.int64),
        rank=np.empty(handles, np.int8),
        why=np.empty(handles, np.int8),
        person=np.empty(handles, np.int64),
        parent=np.empty(handles, np.int32),
        ring=np.empty(handles, np.int32),
        size=np.empty(handles, np.int32),
        least=np.empty(handles, np.int64),
        head=np.empty(handles, np.int32),
        degree=np.empty(handles, np.int32),
        other=np.empty(2 * links, np.int32),
        following=np.empty(2 * links, np.int32),
        seen=np.empty(links, np.int32),
    )


def with_room(directory: Directory, *, handles: int, links: int) -> Directory:
    """The same directory with room for so many more; itself when there is room already.

    Room grows by a quarter at least, so that growing is rare.
    """
    known, linked = (int(count) for count in directory.held)
    handle_room, link_room = len(directory.handle), len(directory.seen)
    if known + handles <= handle_room and linked + links <= link_room:
        return directory
    larger = empty(
        handles=max(known + handles, handle_room) * 5 // 4 + 16, links=max(linked + links, link_room) * 5 // 4 + 16
    )
    for name in ("handle", "rank", "why", "person", "parent", "ring", "size", "least", "head", "degree"):
        getattr(larger, name)[:known] = getattr(directory, name)[:known]
    for name in ("other", "following"):
        getattr(larger, name)[: 2 * linked] = getattr(directory, name)[: 2 * linked]
    larger.seen[:linked] = directory.seen[:linked]
    larger.held[:] = directory.held
    fill_table(larger.table, larger.handle, known)
    return larger


@kernel
def fill_table(table: Ints, handle: Ints, count: int) -> None:
    """Put the first `count` handles into an empty table."""
    mask = len(table) // 2 - 1
    for place in range(count):
        slot = handle[place] & mask
        while table[2 * slot + 1] != NONE:
            slot = (slot + 1) & mask
        table[2 * slot] = handle[place]
        table[2 * slot + 1] = place


@kernel
def add_handles(directory: Directory, handle: Ints, rank: Marks, known_value: NDArray[np.bool_]) -> None:
    """Handles not known yet, each a person of its own until a link says otherwise."""
    table = directory.table
    mask = len(table) // 2 - 1
    for i in range(len(handle)):
        slot = handle[i] & mask
        while table[2 * slot + 1] != NONE and table[2 * slot] != handle[i]:
            slot = (slot + 1) & mask
        if table[2 * slot + 1] != NONE:
            continue
        place = directory.held[0]
        directory.held[0] += 1
        table[2 * slot] = handle[i]
        table[2 * slot + 1] = place
        directory.handle[place] = handle[i]
        directory.rank[place] = rank[i]
        directory.why[place] = 1 if known_value[i] else 0
        directory.person[place] = handle[i]
        directory.parent[place] = place
        directory.ring[place] = place
        directory.size[place] = 1
        directory.least[place] = handle[i]
        directory.head[place] = NONE
        directory.degree[place] = 0


@kernel
def places(directory: Directory, handle: Ints) -> Places:
    """The place of each handle id, -1 for one that is not known."""
    table = directory.table
    mask = len(table) // 2 - 1
    found = np.empty(len(handle), np.int32)
    for i in range(len(handle)):
        slot = handle[i] & mask
        while table[2 * slot + 1] != NONE and table[2 * slot] != handle[i]:
            slot = (slot + 1) & mask
        found[i] = table[2 * slot + 1]
    return found


@kernel
def append_links(directory: Directory, a: Places, b: Places, seen: Ints) -> None:
    """Links that are all new and all different, put into the lists of both their handles."""
    other, following, head, degree = directory.other, directory.following, directory.head, directory.degree
    link = directory.held[1]
    for i in range(len(a)):
        if a[i] == b[i]:
            continue
        other[2 * link] = b[i]
        following[2 * link] = head[a[i]]
        head[a[i]] = 2 * link
        degree[a[i]] += 1
        other[2 * link + 1] = a[i]
        following[2 * link + 1] = head[b[i]]
        head[b[i]] = 2 * link + 1
        degree[b[i]] += 1
        directory.seen[link] = seen[i]
        link += 1
    directory.held[1] = link


@kernel
def find_link(directory: Directory, a: int, b: int) -> int:
    """The number of the link between two handles, -1 when there is none; walks the shorter list."""
    start, goal = (a, b) if directory.degree[a] <= directory.degree[b] else (b, a)
    end = directory.head[start]
    while end != NONE:
        if directory.other[end] == goal:
            return end // 2
        end = directory.following[end]
    return NONE
