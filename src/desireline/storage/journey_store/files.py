"""Where the arrays of a generation lie, and reading and writing them as plain memory maps."""

from __future__ import annotations

import mmap
import os
import resource
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from desireline.storage.durable import sync_file, sync_folder, take_room
from desireline.storage.identity import text_hash
from desireline.storage.journey_store.columns import PROPERTY, Column

_SPARE = 16
_OTHER_FILES = 512


@dataclass(frozen=True, slots=True)
class Directory:
    """Who lies where in a bucket. `person` ascends; each owns `capacity` rows from `start`, `length` filled."""

    person: NDArray[np.int64]
    start: NDArray[np.int64]
    length: NDArray[np.int64]
    capacity: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Files:
    """The files of one generation."""

    folder: Path

    def column(self, bucket: int, name: str) -> Path:
        """The file of one column of one bucket."""
        file = f"properties-{text_hash(name):x}" if name.startswith(PROPERTY) else name
        return self.folder / f"bucket-{bucket:04}" / f"{file}.bin"

    def directory(self, bucket: int, version: int) -> Path:
        """The file of one version of a bucket's directory."""
        return self.folder / f"bucket-{bucket:04}" / f"directory-{version}.bin"

    def words(self, name: str) -> Path:
        """The dictionary of a coded column, one JSON text a line, only ever appended to."""
        file = f"properties-{text_hash(name):x}" if name.startswith(PROPERTY) else name
        return self.folder / f"words-{file}.jsonl"

    def identities(self, version: int) -> Path:
        """Handles and their persons: version 0 is the list the generation began with, others its changes."""
        return self.folder / f"identities-{version}.bin"

    def read_column(self, bucket: int, column: Column, rows: int) -> NDArray[Any]:
        """The first `rows` rows of a column, mapped read-only."""
        return read_array(self.column(bucket, column.name), column.dtype, rows)

    def writable_column(self, bucket: int, column: Column, rows: int) -> NDArray[Any]:
        """At least `rows` rows of a column, mapped for writing; the file grows when it must."""
        if not rows:
            return np.empty(0, column.dtype)
        with self.column(bucket, column.name).open("r+b") as file:
            if os.fstat(file.fileno()).st_size // column.dtype.itemsize < rows:
                take_room(file.fileno(), (rows + rows // _SPARE) * column.dtype.itemsize)
            mapped = mmap.mmap(file.fileno(), rows * column.dtype.itemsize)
        return np.frombuffer(mapped, dtype=column.dtype)

    def read_directory(self, bucket: int, version: int) -> Directory:
        """One version of a bucket's directory."""
        values = read_array(self.directory(bucket, version), np.dtype(np.int64), None).reshape(4, -1)
        return Directory(values[0], values[1], values[2], values[3])

    def write_directory(self, bucket: int, version: int, directory: Directory) -> None:
        """Write a new version of a bucket's directory; older ones stay for their readers."""
        values = (directory.person, directory.start, directory.length, directory.capacity)
        write_arrays(self.directory(bucket, version), values)

    def sync(self) -> None:
        """Return when every file of the generation is on disk."""
        for path in sorted(self.folder.rglob("*"), reverse=True):
            (sync_folder if path.is_dir() else sync_file)(path)
        sync_folder(self.folder)


def allow_open_files(count: int) -> None:
    """Raise this process's own limit of open files, within what the system grants: every mapped column is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OTHER_FILES + 2 * count
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def read_array(path: Path, dtype: np.dtype[Any], rows: int | None) -> NDArray[Any]:
    """A file as a read-only array; `rows` None takes all of it."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size // dtype.itemsize
        count = size if rows is None else rows
        if count > size:
            raise FileNotFoundError(f"{path} ends after {size:,} of {count:,} values")
        if count == 0:
            empty = np.empty(0, dtype)
            empty.flags.writeable = False
            return empty
        mapped = mmap.mmap(file.fileno(), count * dtype.itemsize, access=mmap.ACCESS_READ)
    return np.frombuffer(mapped, dtype=dtype, count=count)


def write_arrays(path: Path, arrays: Iterable[NDArray[Any]]) -> None:
    """Write arrays one after another into a new file."""
    with path.open("wb") as file:
        for each in arrays:
            each.tofile(file)
