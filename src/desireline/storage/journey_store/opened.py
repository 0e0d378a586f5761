"""One version of the store, opened: its directories, dictionaries and identities, and the snapshot kernels read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from desireline.storage.journey_store.columns import ORIGIN, Column, column, known
from desireline.storage.journey_store.dictionary import Dictionary, read_words
from desireline.storage.journey_store.files import Directory, Files, allow_open_files, read_array
from desireline.storage.journey_store.identities import Identities
from desireline.storage.journey_store.manifest import Manifest
from desireline.storage.journey_store.snapshot import NOBODY, Bucket, Snapshot
from desireline.vocabulary.errors import DesirelineError, Mistake, nearest
from desireline.vocabulary.interaction import BY_NAME


class OpenedStore:
    """A version of the store as its manifest describes it; never changes once opened.

    base: the handles that belonged to another's name when the generation began; overlay: what changed since.
    """

    def __init__(self, folder: Path, manifest: Manifest, before: OpenedStore | None = None) -> None:
        self.manifest = manifest
        self.files = Files(folder / f"generation-{manifest.generation}")
        self.columns = {each.name: each for each in manifest.columns()}
        if before is not None and before.manifest.generation != manifest.generation:
            before = None
        allow_open_files(len(self.columns) * len(manifest.directories))
        self.base = self._identities(0)
        self.overlay = self._identities(manifest.overlay) if manifest.overlay else Identities()
        self.directories = [self._directory(number, before) for number in range(len(manifest.directories))]
        self.dictionaries = {name: self._dictionary(name, before) for name in manifest.words}

    def forget_replaced(self, before: OpenedStore) -> None:
        """Delete what the version before had and this one has not; those who have it open keep it."""
        if before.manifest.generation != self.manifest.generation:
            return
        for number, version in enumerate(before.manifest.directories):
            if self.manifest.directories[number] != version:
                self.files.directory(number, version).unlink(missing_ok=True)
        if before.manifest.overlay not in (0, self.manifest.overlay):
            self.files.identities(before.manifest.overlay).unlink(missing_ok=True)

    def identities(self) -> Identities:
        """The handles that belong to another's name, as the store was last told."""
        return self.base.changed(self.overlay) if self.manifest.overlay else self.base

    def persons_of(self, handle: NDArray[np.int64]) -> NDArray[np.int64]:
        """The person of each handle."""
        person = self.base.persons_of(handle)
        overlay = self.overlay
        if not len(overlay.handle):
            return person
        place = np.minimum(np.searchsorted(overlay.handle, handle), len(overlay.handle) - 1)
        return np.where(overlay.handle[place] == handle, overlay.person[place], person)

    def read(self, number: int, name: str) -> NDArray[Any]:
        """A column of a bucket by its number (nobody's is the last)."""
        return self.files.read_column(number, self.columns[name], self.manifest.tails[number])

    def latest_moment(self) -> int:
        """The latest moment of any interaction; the last row of each person tells."""
        latest = 0
        for number, directory in enumerate(self.directories):
            filled = directory.length > 0
            last = (directory.start + directory.length)[filled] - 1
            latest = max(latest, int(self.read(number, "occurred_at")[last].max(initial=0)))
        return latest

    def snapshot(self) -> Snapshot:
        """What kernels read."""
        names = frozenset(name for name in self.columns if name != ORIGIN)
        buckets = [self._bucket(number) for number in range(len(self.directories))]
        words = {name: tuple(each.words[: self.manifest.words[name]]) for name, each in self.dictionaries.items()}
        return Snapshot(tuple(buckets[:-1]), buckets[-1], self.manifest.as_of, names, words)

    def _bucket(self, number: int) -> Bucket:
        directory, rows = self.directories[number], self.manifest.tails[number]
        if number == self.manifest.bucket_count:
            number = -1
            if not len(directory.person):
                directory = Directory(*(np.array([value], np.int64) for value in (NOBODY, 0, 0, 0)))
        read = _reader(self.files, number % len(self.directories), self.columns, rows)
        return Bucket(number, directory.person, directory.start, directory.length, read)

    def _directory(self, number: int, before: OpenedStore | None) -> Directory:
        version = self.manifest.directories[number]
        if before is not None and before.manifest.directories[number] == version:
            return before.directories[number]
        return self.files.read_directory(number, version)

    def _dictionary(self, name: str, before: OpenedStore | None) -> Dictionary:
        count = self.manifest.words[name]
        if before is not None and before.columns.get(name) == self.columns[name] and name in before.dictionaries:
            known = before.dictionaries[name]
            if len(known.words) == count:
                return known
        return Dictionary(self.columns[name], read_words(self.files.words(name), count))

    def _identities(self, version: int) -> Identities:
        values = read_array(self.files.identities(version), np.dtype(np.int64), None).reshape(2, -1)
        return Identities(values[0], values[1])


def _reader(files: Files, number: int, columns: dict[str, Column], rows: int) -> Callable[[str], NDArray[Any]]:
    """Maps a column when it is first asked for; a field that holds nothing reads as empty in every row."""
    mapped: dict[str, NDArray[Any]] = {}

    def read(name: str) -> NDArray[Any]:
        if name not in mapped:
            if name in columns:
                mapped[name] = files.read_column(number, columns[name], rows)
            elif known(name):
                mapped[name] = column(name).empties(rows)
            else:
                raise DesirelineError(
                    Mistake(f"the journey store has no column '{name}'.", do=nearest(name, list(BY_NAME)))
                )
        return mapped[name]

    return read
