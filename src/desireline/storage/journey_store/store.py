"""The journey store of a project: built from the lake, kept sorted as interactions arrive and people join and part."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from desireline.storage.durable import locked
from desireline.storage.journey_store.beside import Beside
from desireline.storage.journey_store.canonical import NOTHING, complaints, content_digest
from desireline.storage.journey_store.changes import add_rows, reassign_rows, remove_rows
from desireline.storage.journey_store.extra_columns import add_columns
from desireline.storage.journey_store.from_rows import snapshot_from_rows
from desireline.storage.journey_store.generations import build_generation, compact_generation
from desireline.storage.journey_store.identities import Identities
from desireline.storage.journey_store.lake_reader import LakeReader
from desireline.storage.journey_store.machine import boot_name
from desireline.storage.journey_store.manifest import Manifest, read_manifest, write_manifest
from desireline.storage.journey_store.numbering import OutOfStepError, files_held, in_order
from desireline.storage.journey_store.opened import OpenedStore
from desireline.storage.journey_store.person import person_rows
from desireline.storage.journey_store.snapshot import Snapshot
from desireline.storage.lake import Lake
from desireline.storage.part_names import unmatched
from desireline.vocabulary.tables import INTERACTIONS

Numbers = Sequence[int] | NDArray[np.int64]

_TRIES = 5
_LOOSE_SHARE = 0.3
_FEW_ROWS = 10_000
_MANY_ROWS = 100_000
_BESIDE_SHARE = 20
"""What has so many rows, and more than one in so many of those there are, is worth building a generation beside."""
_MANY_HANDLES = 50_000


class JourneyStore:
    """Every interaction of the lake, sorted by person and time, under one folder.

    One process changes it at a time (a lock file sees to it); readers hold snapshots that never
    change. What a power cut destroys is built again from the lake at the next `snapshot`.
    """

    def __init__(self, folder: Path | str, lake: Lake) -> None:
        self.folder = Path(folder)
        self.lake = lake
        self._turn = threading.RLock()
        self._busy = False
        self._opened: OpenedStore | None = None
        self._read: tuple[OpenedStore, Snapshot] | None = None
        self._beside: Beside | None = None

    def snapshot(self) -> Snapshot:
        """What kernels read, as of now; builds the store when there is none although the lake holds something."""
        with self._turn:
            opened = self._open()
            if opened is None:
                if not self.lake.parts(INTERACTIONS.name):
                    return snapshot_from_rows([])
                self.build()
                opened = self._open()
                assert opened is not None
            if self._read is None or self._read[0] is not opened:
                self._read = (opened, opened.snapshot())
            return self._read[1]

    def build(self, identities: Identities | None = None) -> None:
        """Build the store afresh from the whole lake; `identities` None takes those of the lake's `handles`."""
        with self._changing():
            self._build(self.lake.parts(INTERACTIONS.name), identities)

    @contextmanager
    def growing(self, parts: Sequence[str]) -> Iterator[Beside | None]:
        """Begin to take in many new rows without keeping anybody waiting; None where `add_parts` is as quick.

        Build what is given, in any thread, then hand it to `add_parts`. One at a time; until the end of the block no
        part of the lake may be merged or removed (`is_growing`).
        """
        opened = self._open()
        rows = sum(self.lake.rows(INTERACTIONS.name, part) for part in parts)
        if rows <= max(_MANY_ROWS, (opened.manifest.rows if opened else 0) // _BESIDE_SHARE):
            yield None
            return
        self._beside = Beside(self.folder, self.lake, parts, opened)
        try:
            yield self._beside
        finally:
            self._beside.discard()
            self._beside = None

    @property
    def is_growing(self) -> bool:
        """Whether a generation is being built beside, from the parts of the lake as they lie there."""
        return self._beside is not None

    def add_parts(self, parts: Sequence[str], beside: Beside | None = None) -> None:
        """Take in new parts of the lake; parts the store already holds add nothing.

        beside: a generation that was built with them, to be put in force.
        """
        with self._changing():
            if beside is not None and self._take_over(beside, parts):
                return
            opened = self._open()
            held = opened.manifest.live_parts() if opened else ()
            new = in_order(unmatched(list(dict.fromkeys(parts)), held))
            if opened is None:
                self._build(new, None)
            elif new:
                self._add(opened, new)

    def remove_parts(self, parts: Sequence[str]) -> None:
        """Take the interactions of undone imports out; parts the store does not hold are no matter."""
        with self._changing():
            opened = self._open()
            if opened is None:
                return
            held = opened.manifest
            numbers = [n for n, part in enumerate(held.parts) if part in parts and n not in held.removed]
            if numbers:
                told = remove_rows(opened, numbers)
                latest = OpenedStore(self.folder, told).latest_moment()
                self._commit(replace(told, as_of=latest))

    def reassign(self, handles: Numbers, persons: Numbers) -> None:
        """Let each handle belong to the person given: people join and part, no interaction is rewritten."""
        changes = Identities.of(handles, persons)
        with self._changing():
            opened = self._open()
            if opened is not None and len(changes.handle):
                told = reassign_rows(opened, changes)
                if told is not opened.manifest:
                    self._commit(told)

    def ensure_columns(self, names: Iterable[str]) -> None:
        """Have columns that are read from the lake only when asked for, such as `properties.amount`."""
        with self._changing():
            self.snapshot()
            opened = self._open()
            missing = [name for name in dict.fromkeys(names) if opened and name not in opened.columns]
            if opened is not None and missing:
                try:
                    self._commit(add_columns(opened, self.lake, missing))
                except OutOfStepError:
                    self._build(self.lake.parts(INTERACTIONS.name), opened.identities())
                    self.ensure_columns(missing)

    def behind(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Parts the lake has and the store lacks, and parts the store holds that the lake has no more."""
        opened = self._open()
        held = opened.manifest.live_parts() if opened else ()
        there = self.lake.parts(INTERACTIONS.name)
        return tuple(unmatched(there, held)), tuple(unmatched(held, there))

    @property
    def needs_compaction(self) -> bool:
        """Whether so much room lies idle in the files, or so many people changed, that writing them anew pays."""
        opened = self._open()
        if opened is None or self.is_growing:
            return False
        if len(opened.overlay.handle) > max(_MANY_HANDLES, len(opened.base.handle) // 2):
            return True
        tail, rows = sum(opened.manifest.tails), opened.manifest.rows
        return tail - rows > _FEW_ROWS and tail - rows > _LOOSE_SHARE * rows

    def compact(self) -> None:
        """Write every slot anew in its place; readers of older snapshots go on undisturbed."""
        with self._changing():
            opened = self._open()
            if opened is not None:
                self._commit(compact_generation(self.folder, opened, generation=self._next_generation()))

    def sync(self) -> None:
        """Return when the store is on disk, so that not even a power cut makes it be built again."""
        with self._changing():
            opened = self._open()
            if opened is not None and opened.manifest.boot:
                opened.files.sync()
                write_manifest(self.folder, opened.manifest.next(boot=""))

    def digest(self) -> str:
        """The canonical content digest: equal for equal interactions and people, however the store came about."""
        opened = self._open()
        return content_digest(opened) if opened else NOTHING

    def verify(self) -> tuple[str, ...]:
        """Everything that is wrong with the store; empty when it is sound."""
        opened = self._open()
        return complaints(opened) if opened else ()

    def person_rows(self, person: int) -> list[dict[str, Any]]:
        """The interactions of one person in order, as dictionaries by field name with texts for codes."""
        return person_rows(self.snapshot(), person)

    def _add(self, opened: OpenedStore, new: Sequence[str]) -> None:
        reader = LakeReader(self.lake, new, opened.dictionaries)
        try:
            if reader.rows > max(_MANY_ROWS, opened.manifest.rows // 2):
                files = files_held(opened.manifest, self.lake, INTERACTIONS.name)
                self._build([*files, *new], opened.identities())
            else:
                self._commit(add_rows(opened, reader, new))
        except OutOfStepError:
            self._build(self.lake.parts(INTERACTIONS.name), opened.identities())
        finally:
            reader.close()

    def _take_over(self, beside: Beside, parts: Sequence[str]) -> bool:
        told = beside.taken_over(self._next_generation(), self._open(), parts)
        if told is not None:
            self._commit(told)
        return told is not None

    def _build(self, parts: Sequence[str], identities: Identities | None) -> None:
        generation = self._next_generation()
        self._commit(build_generation(self.folder, self.lake, in_order(parts), identities, generation=generation))

    def _next_generation(self) -> int:
        return max((_number(path) for path in self.folder.glob("generation-*")), default=0) + 1

    def _commit(self, manifest: Manifest) -> None:
        boot, before = boot_name(), self._opened
        opened = OpenedStore(self.folder, replace(manifest, boot=boot), self._opened)
        if not boot:
            opened.files.sync()
        write_manifest(self.folder, opened.manifest)
        self._opened = opened
        self._forget(manifest.generation)
        if before is not None:
            opened.forget_replaced(before)

    def _forget(self, generation: int) -> None:
        """Delete generations no reader can have begun to open; the one before is kept for those who have."""
        for path in self.folder.glob("generation-*"):
            if _number(path) < generation - 1:
                shutil.rmtree(path, ignore_errors=True)

    def _open(self) -> OpenedStore | None:
        """The version in force; opened again when another process replaced it meanwhile."""
        for tries_left in reversed(range(_TRIES)):
            try:
                return self._open_once()
            except FileNotFoundError:
                if not tries_left:
                    raise
        return None

    def _open_once(self) -> OpenedStore | None:
        manifest = read_manifest(self.folder)
        if manifest is None or (manifest.boot and manifest.boot != boot_name()):
            return None
        held = self._opened
        if held is None or held.manifest != manifest:
            self._opened = OpenedStore(self.folder, manifest, held)
        return self._opened

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """One thread of one process at a time; a change within a change is the same turn."""
        with self._turn:
            if self._busy:
                yield
                return
            with locked(self.folder / "lock"):
                self._busy = True
                try:
                    yield
                finally:
                    self._busy = False


def _number(generation: Path) -> int:
    return int(generation.name.removeprefix("generation-"))
