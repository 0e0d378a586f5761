"""What changed between two answers to "who is who": the handles that belong to another person now."""

from __future__ import annotations

import numpy as np

from desireline.people.resolve import Changes, Resolution


def changes(before: Resolution, after: Resolution) -> Changes:
    """Handles whose person changed, sorted by handle; one that is new, or gone, was or is a person by itself.

    Joining and then parting again gives changes that undo each other.
    """
    handles = np.union1d(before.handle, after.handle)
    old, new = _persons(before, handles), _persons(after, handles)
    moved = old != new
    return Changes(handles[moved], old[moved], new[moved])


def _persons(resolution: Resolution, handles: np.typing.NDArray[np.int64]) -> np.typing.NDArray[np.int64]:
    persons = handles.copy()
    persons[np.searchsorted(handles, resolution.handle)] = resolution.person
    return persons
