"""Building a generation of the store: spread the rows over buckets as they are read, then sort bucket by bucket."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from desireline.storage.engines import run
from desireline.storage.journey_store.columns import ORIGIN, Column
from desireline.storage.journey_store.files import Directory, Files, write_arrays
from desireline.storage.journey_store.hashing import buckets_of
from desireline.storage.journey_store.identities import Identities
from desireline.storage.journey_store.lake_reader import Arrays
from desireline.storage.journey_store.snapshot import NOBODY
from desireline.storage.journey_store.sorting import (
    PersonRuns,
    SortKeys,
    gather,
    gather_runs,
    sort_by_bucket,
    sort_rows,
)

BUCKET_ROWS = 1 << 20
SPLIT_ROWS = 100_000
SLACK_SHARE = 8
"""A slot has an eighth of its length to spare, so that what arrives in order is simply appended."""

_MEMORY_SHARE = 6
_ROOMS = threading.local()
_STRIPES = 16
_STRIPE_SHIFT = 59
"""Within a bucket rows come roughly by person already (the upper bits of 63), so that sorting stays in the cache."""


def bucket_count_for(rows: int) -> int:
    """A power of two of buckets, each about a million interactions; at least two for threads to share."""
    count = 1 << max(0, (rows // BUCKET_ROWS).bit_length())
    return max(count, 2) if rows > SPLIT_ROWS else 1


class Spool:
    """Rows on their way into buckets: every chunk sorted by bucket, in memory while they are few, else in files."""

    def __init__(self, folder: Path, bucket_count: int, bytes_expected: int) -> None:
        self.folder = folder
        self.bucket_count = bucket_count
        self._in_files = bytes_expected > _memory_bytes() // _MEMORY_SHARE
        self._chunks: list[Arrays] = []
        self._starts: list[NDArray[np.int64]] = []

    def add(self, chunk: Arrays, identities: Identities) -> None:
        """Take a chunk of rows; their persons are looked up here."""
        person = identities.persons_of(chunk["handle"])
        bucket = np.where(person == NOBODY, self.bucket_count, buckets_of(person, self.bucket_count))
        place = bucket * _STRIPES + ((person >> _STRIPE_SHIFT) & (_STRIPES - 1))
        starts = np.zeros((self.bucket_count + 1) * _STRIPES + 1, np.int64)
        np.cumsum(np.bincount(place, minlength=len(starts) - 1), out=starts[1:])
        order = np.empty(len(person), np.int64)
        sort_by_bucket(place, starts.copy(), order)
        spread = {name: _gathered(values, order) for name, values in {**chunk, "person": person}.items()}
        if self._in_files:
            spread = {name: self._on_disk(name, values) for name, values in spread.items()}
        self._chunks.append(spread)
        self._starts.append(starts[::_STRIPES])

    def rows_of(self, number: int) -> int:
        """How many rows a bucket has."""
        return sum(int(starts[number + 1] - starts[number]) for starts in self._starts)

    def column(self, number: int, name: str, room: NDArray[Any]) -> NDArray[Any]:
        """One column of a bucket in the order it was read, put together in `room`."""
        spans = [slice(int(starts[number]), int(starts[number + 1])) for starts in self._starts]
        pieces = [chunk[name][span] for chunk, span in zip(self._chunks, spans, strict=True)]
        if len(pieces) == 1:
            return pieces[0]
        return np.concatenate(pieces, out=room) if pieces else room

    @property
    def rows(self) -> int:
        """How many rows were taken in."""
        return sum(int(starts[-1]) for starts in self._starts)

    def discard(self) -> None:
        """Free the memory or the files."""
        self._chunks.clear()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _on_disk(self, name: str, values: NDArray[Any]) -> NDArray[Any]:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{len(self._chunks)}-{name.replace('/', '-')}.bin"
        values.tofile(path)
        return np.memmap(path, dtype=values.dtype, mode="r") if len(values) else values


def fill(spool: Spool, chunks: Iterator[Arrays], identities: Identities) -> int:
    """Read all chunks into the spool, the next one being read while the last is spread; returns the latest moment."""
    latest = 0
    with ThreadPoolExecutor(1) as ahead:
        coming = ahead.submit(next, chunks, None)
        while (chunk := coming.result()) is not None:
            coming = ahead.submit(next, chunks, None)
            latest = max(latest, int(chunk["occurred_at"].max(initial=0)))
            spool.add(chunk, identities)
    return latest


def write_buckets(files: Files, spool: Spool, columns: Sequence[Column], rank: NDArray[np.int64]) -> list[int]:
    """Sort and write every bucket, nobody's last; returns how many rows each file holds."""

    by_name = {each.name: each for each in columns}

    def write(number: int) -> int:
        rows = spool.rows_of(number)

        def read(name: str) -> NDArray[Any]:
            use = name if name in SortKeys._fields else "read"
            return spool.column(number, name, _room(use, by_name[name].dtype, rows))

        person = spool.column(number, "person", _room("person", np.dtype(np.int64), rows))
        keys = SortKeys(read("occurred_at"), read("source"), read("position"), read("id"), rank)
        return write_bucket(files, number, columns, read, sort_rows(person, keys))

    return list(run(write, range(spool.bucket_count + 1)))


def write_bucket(
    files: Files, number: int, columns: Sequence[Column], read: Callable[[str], NDArray[Any]], runs: PersonRuns
) -> int:
    """Write the files of one bucket, each person a slot with some room to spare."""
    capacity = runs.length + runs.length // SLACK_SHARE
    start = np.cumsum(capacity) - capacity
    tail = int(capacity.sum())
    files.column(number, ORIGIN).parent.mkdir(parents=True, exist_ok=True)
    for each in columns:
        target = _room("write", each.dtype, tail)
        gather_runs(read(each.name), runs.order, runs.start, runs.length, start, capacity, target)
        write_arrays(files.column(number, each.name), [target])
    files.write_directory(number, 0, Directory(runs.person, start, runs.length, capacity))
    return tail


def _room(use: str, dtype: np.dtype[Any], rows: int) -> NDArray[Any]:
    """Memory for one use by one thread, taken again for the next bucket: fresh memory is what costs most here."""
    rooms: dict[str, NDArray[Any]] = _ROOMS.__dict__
    name = f"{use} {dtype.str}"
    if name not in rooms or len(rooms[name]) < rows:
        rooms[name] = np.empty(rows + rows // SLACK_SHARE, dtype)
    return rooms[name][:rows]


def _gathered(values: NDArray[Any], order: NDArray[np.int64]) -> NDArray[Any]:
    target = np.empty(len(order), values.dtype)
    gather(values, order, target)
    return target


def _memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
