"""Who is who: from handles seen together to persons, whatever the order they came in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from desireline.people import directory as directories
from desireline.people.caps import reason
from desireline.people.directory import Directory
from desireline.people.grow import apply
from desireline.people.settle import settle_all
from desireline.storage.engines import run


@dataclass(frozen=True, slots=True)
class Handles:
    """Some handles, each once: id, rank of the kind, and whether its very value names nobody (`caps.known_shared`)."""

    handle: NDArray[np.int64]
    rank: NDArray[np.int8]
    known_value: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Links:
    """Pairs of handles seen together on one interaction, and on how many (negative: taken back)."""

    handle_a: NDArray[np.int64]
    handle_b: NDArray[np.int64]
    seen: NDArray[np.int64]

    def gathered(self) -> Links:
        """The same links with each pair once, its counts added up, the smaller id first."""
        low, high = np.minimum(self.handle_a, self.handle_b), np.maximum(self.handle_a, self.handle_b)
        order = np.lexsort((high, low))
        low, high = low[order], high[order]
        first = np.ones(len(low), np.bool_)
        first[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
        start = np.flatnonzero(first)
        seen = np.add.reduceat(self.seen[order], start) if len(start) else self.seen
        return Links(low[start], high[start], seen)

    def taken_back(self) -> Links:
        """The same links, to be taken away again."""
        return Links(self.handle_a, self.handle_b, -self.seen)


@dataclass(frozen=True, slots=True)
class Resolution:
    """Who each handle belongs to, sorted by handle id.

    person: the smallest strong handle of the person; a shared handle, and a weak one seen with
    nobody, is a person by itself. why: 0, or the reason the handle is shared (`caps.reason`).
    """

    handle: NDArray[np.int64]
    person: NDArray[np.int64]
    why: NDArray[np.int8]

    @property
    def persons(self) -> int:
        """How many persons there are."""
        return len(np.unique(self.person))

    def person_of(self, handle: int) -> int:
        """The person a handle belongs to; a handle never seen is a person by itself."""
        place = int(np.searchsorted(self.handle, handle))
        known = place < len(self.handle) and self.handle[place] == handle
        return int(self.person[place]) if known else handle

    def reason_of(self, handle: int) -> str:
        """Why a handle is shared by strangers, in words; empty when it is not."""
        place = int(np.searchsorted(self.handle, handle))
        known = place < len(self.handle) and self.handle[place] == handle
        return reason(int(self.why[place])) if known else ""


@dataclass(frozen=True, slots=True)
class Changes:
    """Handles that belong to another person than before: what the journey store has to move."""

    handles: NDArray[np.int64]
    old_person: NDArray[np.int64]
    new_person: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.handles)


@dataclass(frozen=True, slots=True)
class Grown:
    """A directory after an update: whose person changed, and which handles' rows (id order) are to be written."""

    directory: Directory
    changes: Changes
    written: NDArray[np.int64]


def build(handles: Handles, links: Links) -> Directory:
    """Decide everything from all handles and all links (each pair once).

    Union by size with path halving (Tarjan & van Leeuwen 1984, J. ACM 31:245).
    """
    directory = directories.empty(handles=len(handles.handle) * 9 // 8 + 16, links=len(links.seen) * 9 // 8 + 16)
    directories.add_handles(directory, handles.handle, handles.rank, handles.known_value)
    a, b = _places(directory, links)
    directories.append_links(directory, a, b, links.seen)
    settle_all(directory)
    return directory


def grow(directory: Directory, handles: Handles, links: Links) -> Grown:
    """Take in new handles and links (each pair once; a negative count takes back) at the cost of what changed.

    The directory given is used up: go on with the one returned.
    """
    known = int(directory.held[0])
    directory = directories.with_room(directory, handles=len(handles.handle), links=len(links.seen))
    directories.add_handles(directory, handles.handle, handles.rank, handles.known_value)
    a, b = _places(directory, links)
    apart = a != b
    place, old_person = apply(directory, a[apart], b[apart], links.seen[apart])
    moved = directory.person[place] != old_person
    changes = _changes(directory, place[moved], old_person[moved])
    fresh = directory.handle[known : int(directory.held[0])]
    written = np.union1d(directory.handle[place], fresh)
    return Grown(directory, changes, written)


def resolve(handles: Handles, links: Links) -> Resolution:
    """Who is who, from handles and the pairs seen together. The order of either changes nothing."""
    return resolution(build(handles, links.gathered()))


def resolution(directory: Directory) -> Resolution:
    """What a directory says, sorted by handle id."""
    known = int(directory.held[0])
    order = np.argsort(directory.handle[:known])
    return Resolution(directory.handle[:known][order], directory.person[:known][order], directory.why[:known][order])


def warm() -> None:
    """Compile the kernels, so that nobody waits for them later."""
    handles = Handles(np.array([1, 2, 3], np.int64), np.array([0, 2, 7], np.int8), np.zeros(3, np.bool_))
    links = Links(np.array([1, 2], np.int64), np.array([2, 3], np.int64), np.ones(2, np.int64))
    grow(build(handles, links), handles, links.taken_back())


def _places(directory: Directory, links: Links) -> tuple[directories.Places, directories.Places]:
    a, b = run(lambda handles: directories.places(directory, handles), (links.handle_a, links.handle_b))
    if len(a) and min(int(a.min()), int(b.min())) < 0:
        raise ValueError("a link names a handle that was not given")
    return a, b


def _changes(directory: Directory, place: directories.Places, old_person: directories.Ints) -> Changes:
    handles = directory.handle[place]
    order = np.argsort(handles)
    return Changes(handles[order], old_person[order], directory.person[place][order])
