"""A generation built beside the one in force: much that is new is laid out at leisure and put in force in a moment.

Whoever reads or changes the store meanwhile does so undisturbed. What changed in that time is told to the new
generation when it takes over.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from desireline.storage.journey_store.changes import add_rows, reassign_rows
from desireline.storage.journey_store.extra_columns import add_columns
from desireline.storage.journey_store.generations import build_generation
from desireline.storage.journey_store.identities import Identities
from desireline.storage.journey_store.lake_reader import LakeReader
from desireline.storage.journey_store.manifest import Manifest
from desireline.storage.journey_store.numbering import OutOfStepError, files_held, in_order
from desireline.storage.journey_store.opened import OpenedStore
from desireline.storage.lake import Lake
from desireline.storage.part_names import unmatched
from desireline.vocabulary.tables import INTERACTIONS

FOLDER = "beside"


class Beside:
    """A store with some parts more, in the making: begun in a turn, built outside of any, put in force in a turn."""

    def __init__(self, folder: Path, lake: Lake, parts: Sequence[str], opened: OpenedStore | None) -> None:
        """Note what the store holds at this moment. The lake's parts must not be merged or removed until the end."""
        self._store, self._folder, self._lake = folder, folder / FOLDER, lake
        self._held = opened.manifest.live_parts() if opened else ()
        self._identities = opened.identities() if opened else _identities_of(lake)
        self._columns = list(opened.manifest.kinds) if opened else []
        files = files_held(opened.manifest, lake, INTERACTIONS.name) if opened else []
        self._parts = in_order([*files, *unmatched(parts, self._held)])
        self._built: Manifest | None = None
        self.discard()

    def build(self) -> None:
        """Lay everything out; nothing of it counts yet."""
        built = build_generation(self._folder, self._lake, self._parts, self._identities, generation=1)
        missing = [name for name in self._columns if name not in built.kinds]
        if missing:
            built = add_columns(OpenedStore(self._folder, built), self._lake, missing)
        self._built = built

    def taken_over(self, generation: int, now: OpenedStore | None, parts: Sequence[str]) -> Manifest | None:
        """The store as generation of that number, with what changed meanwhile and any of `parts` it lacks.

        None when it was not built, or the store lost something meanwhile that it holds.
        """
        held = now.manifest.live_parts() if now else ()
        if self._built is None or unmatched(self._held, held):
            return None
        (self._folder / "generation-1").rename(self._store / f"generation-{generation}")
        opened = OpenedStore(self._store, self._built.next(generation=generation))
        self._built = None
        if now is not None:
            opened = OpenedStore(self._store, reassign_rows(opened, _since(self._identities, now.identities())), opened)
        files = files_held(now.manifest, self._lake, INTERACTIONS.name) if now else []
        missing = in_order(unmatched(list(dict.fromkeys([*files, *parts])), opened.manifest.live_parts()))
        if not missing:
            return opened.manifest
        reader = LakeReader(self._lake, missing, opened.dictionaries)
        try:
            return add_rows(opened, reader, missing)
        except OutOfStepError:
            return None
        finally:
            reader.close()

    def discard(self) -> None:
        """Let go of what was built and not taken over."""
        self._built = None
        shutil.rmtree(self._folder, ignore_errors=True)


def _since(then: Identities, now: Identities) -> Identities:
    """The handles whose person is another now."""
    handle = np.union1d(then.handle, now.handle)
    person = now.persons_of(handle)
    other = person != then.persons_of(handle)
    return Identities(handle[other], person[other])


def _identities_of(lake: Lake) -> Identities:
    reader = LakeReader(lake, [], {})
    try:
        return reader.identities()
    finally:
        reader.close()
