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
"""No link end, no handle, no link."""
EMPTY = 0
"""In the table: no handle here; else its place plus one."""


class Directory(NamedTuple):
    """The arrays. Those of handles are as long as the handles' room, those of links twice the links' room.

    held: (2,) how many handles and how many links there are.
    table: (2 * slots,) handle id and place plus one, side by side.
    handle, rank, why: id, rank of its kind, and the reason it is shared (0: it is not).
    person: id of the person it belongs to. parent, ring, size, least: the joined strong handles as
        a forest and as rings, with how many and the smallest id at each root.
    company: of a strong handle, how many links in force it has to strong handles.
    head: first link end of a handle.
    ends: (2 * links, 2) per link end (2 * link, 2 * link + 1) the handle at the other end, and the next end.
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
    company: Places
    head: Places
    ends: Places
    seen: Places


def empty(*, handles: int, links: int) -> Directory:
    """A directory with room for so many handles and links."""
    slots = 16
    while slots * 4 < handles * 5:
        slots *= 2
    return Directory(
        held=np.zeros(2, np.int64),
        table=np.zeros(2 * slots, np.int64),
        handle=np.empty(handles, np.int64),
        rank=np.empty(handles, np.int8),
        why=np.empty(handles, np.int8),
        person=np.empty(handles, np.int64),
        parent=np.empty(handles, np.int32),
        ring=np.empty(handles, np.int32),
        size=np.empty(handles, np.int32),
        least=np.empty(handles, np.int64),
        company=np.zeros(handles, np.int32),
        head=np.empty(handles, np.int32),
        ends=np.empty((2 * links, 2), np.int32),
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
    for name in ("handle", "rank", "why", "person", "parent", "ring", "size", "least", "company", "head"):
        getattr(larger, name)[:known] = getattr(directory, name)[:known]
    larger.ends[: 2 * linked] = directory.ends[: 2 * linked]
    larger.seen[:linked] = directory.seen[:linked]
    larger.held[:] = directory.held
    fill_table(larger.table, larger.handle, known)
    return larger


@kernel
def slot_of(table: Ints, handle: int) -> int:
    """Where in the table a handle stands, or would stand (linear probing; ids are hashes already)."""
    mask = len(table) // 2 - 1
    slot = handle & mask
    while table[2 * slot + 1] != EMPTY and table[2 * slot] != handle:
        slot = (slot + 1) & mask
    return slot


@kernel
def fill_table(table: Ints, handle: Ints, count: int) -> None:
    """Put the first `count` handles into an empty table."""
    for place in range(count):
        slot = slot_of(table, handle[place])
        table[2 * slot] = handle[place]
        table[2 * slot + 1] = place + 1


@kernel
def add_handles(directory: Directory, handle: Ints, rank: Marks, known_value: NDArray[np.bool_]) -> None:
    """Handles not known yet, each a person of its own until a link says otherwise."""
    table, handles, ranks, why, person = (
        directory.table,
        directory.handle,
        directory.rank,
        directory.why,
        directory.person,
    )
    parent, ring, size, least = directory.parent, directory.ring, directory.size, directory.least
    head = directory.head
    place = directory.held[0]
    for i in range(len(handle)):
        slot = slot_of(table, handle[i])
        if table[2 * slot + 1] != EMPTY:
            continue
        table[2 * slot] = handle[i]
        table[2 * slot + 1] = place + 1
        handles[place] = person[place] = least[place] = handle[i]
        ranks[place] = rank[i]
        why[place] = 1 if known_value[i] else 0
        parent[place] = ring[place] = place
        size[place] = 1
        head[place] = NONE
        place += 1
    directory.held[0] = place


@kernel
def places(directory: Directory, handle: Ints) -> Places:
    """The place of each handle id, -1 for one that is not known."""
    table = directory.table
    found = np.empty(len(handle), np.int32)
    for i in range(len(handle)):
        found[i] = table[2 * slot_of(table, handle[i]) + 1] - 1
    return found


@kernel
def append_links(directory: Directory, a: Places, b: Places, seen: Ints) -> None:
    """Links that are all new and all different, put into the lists of both their handles."""
    head, ends, times = directory.head, directory.ends, directory.seen
    link = directory.held[1]
    for i in range(len(a)):
        if a[i] == b[i]:
            continue
        end = 2 * link
        ends[end, 0] = b[i]
        ends[end, 1] = head[a[i]]
        head[a[i]] = end
        ends[end + 1, 0] = a[i]
        ends[end + 1, 1] = head[b[i]]
        head[b[i]] = end + 1
        times[link] = seen[i]
        link += 1
    directory.held[1] = link


@kernel
def find_link(head: Places, ends: Places, a: int, b: int) -> int:
    """The number of the link between two handles, -1 when there is none.

    Walks both lists in step, so it costs no more than the shorter one: a kiosk's list is never walked.
    """
    of_a, of_b = head[a], head[b]
    while of_a != NONE and of_b != NONE:
        if ends[of_a, 0] == b:
            return int(of_a // 2)
        if ends[of_b, 0] == a:
            return int(of_b // 2)
        of_a, of_b = ends[of_a, 1], ends[of_b, 1]
    return NONE
