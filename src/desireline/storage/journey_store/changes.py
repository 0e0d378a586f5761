"""Changes to a store: interactions added or undone, people joined or parted. Each returns the next manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from desireline.storage.engines import run
from desireline.storage.journey_store.columns import ORIGIN, PROPERTY, Column, column
from desireline.storage.journey_store.dictionary import write_words
from desireline.storage.journey_store.files import write_arrays
from desireline.storage.journey_store.hashing import buckets_of
from desireline.storage.journey_store.identities import Identities
from desireline.storage.journey_store.lake_reader import Arrays, LakeReader
from desireline.storage.journey_store.manifest import Manifest
from desireline.storage.journey_store.numbering import number_parts
from desireline.storage.journey_store.opened import OpenedStore
from desireline.storage.journey_store.snapshot import NOBODY
from desireline.storage.journey_store.sorting import ranks
from desireline.storage.journey_store.upkeep import (
    Dropped,
    change_bucket,
    no_rows_dropped,
    rows_of_handles,
    rows_of_parts,
)
from desireline.storage.part_names import stretch_of


def add_rows(store: OpenedStore, reader: LakeReader, parts: Sequence[str]) -> Manifest:
    """Take in new parts of the lake: whatever is in order is appended, the late ones are put in their place."""
    manifest = _without_retyped(store.manifest, reader)
    kinds = {name: column(name).kind for name in reader.present()} | manifest.kinds
    columns = [column(name, kind) for name, kind in kinds.items()]
    for each in columns:
        if each.name not in store.columns:
            _add_empty_column(store, each)
    reader.learn(columns)
    numbered = number_parts(manifest, parts, reader.part_rows)
    chunks = list(reader.chunks(columns, numbered.origins))
    rows = {each.name: _joined([chunk[each.name] for chunk in chunks], each.dtype) for each in columns}
    rows["person"] = store.persons_of(rows["handle"])
    words = {}
    for name, dictionary in store.dictionaries.items():
        if name in kinds:
            words[name] = len(dictionary.words)
            if words[name] != manifest.words.get(name):
                write_words(store.files.words(name), dictionary.words, manifest.words.get(name, 0))
    latest = max(manifest.as_of, int(rows["occurred_at"].max(initial=0)))
    told = manifest.next(
        kinds=kinds,
        words=words,
        parts=numbered.parts,
        streams=numbered.streams,
        as_of=latest,
        rows=manifest.rows + len(rows["id"]),
    )
    return _changed(store, told, columns, rows, {})


def remove_rows(store: OpenedStore, numbers: Sequence[int]) -> Manifest:
    """Undo parts of the lake by their numbers."""
    removed = np.zeros(len(store.manifest.parts), bool)
    removed[list(numbers)] = True

    def leaving(number: int) -> Dropped:
        directory, origin = store.directories[number], store.read(number, ORIGIN)
        slot, row = _room(int(directory.length.sum()))
        found = rows_of_parts(directory.start, directory.length, origin, removed, slot, row)
        return Dropped(slot[:found], row[:found])

    buckets = range(len(store.directories))
    dropped = {number: each for number, each in zip(buckets, run(leaving, buckets), strict=True) if len(each.row)}
    gone = sum(len(each.row) for each in dropped.values())
    ended = {own.prefix for number in numbers if (own := stretch_of(store.manifest.parts[number])) is not None}
    told = store.manifest.next(
        removed=[*store.manifest.removed, *numbers],
        streams={prefix: rows for prefix, rows in store.manifest.streams.items() if prefix not in ended},
        as_of=0,
        rows=store.manifest.rows - gone,
    )
    columns = store.manifest.columns()
    return _changed(store, told, columns, _no_rows(columns), dropped)


def reassign_rows(store: OpenedStore, changes: Identities) -> Manifest:
    """Let handles belong to other persons, and move the rows of these handles with them; those that do already stay."""
    before = store.persons_of(changes.handle)
    moving = before != changes.person
    if not moving.any():
        return store.manifest
    handles, persons = changes.handle[moving], changes.person[moving]
    columns = store.manifest.columns()
    dropped = _rows_leaving(store, handles, np.unique(before[moving]))
    rows = _taken(store, columns, dropped)
    if len(rows["handle"]):
        rows["person"] = persons[np.searchsorted(handles, rows["handle"])]
    told = store.manifest.next(overlay=store.manifest.version + 1)
    overlay = store.overlay.changed(Identities(handles, persons))
    write_arrays(store.files.identities(told.overlay), [overlay.handle, overlay.person])
    return _changed(store, told, columns, rows, dropped)


def _rows_leaving(store: OpenedStore, handles: NDArray[np.int64], losing: NDArray[np.int64]) -> dict[int, Dropped]:
    dropped: dict[int, Dropped] = {}
    bucket = np.where(losing == NOBODY, store.manifest.bucket_count, buckets_of(losing, store.manifest.bucket_count))
    for number in np.unique(bucket):
        directory = store.directories[number]
        people = losing[bucket == number]
        place = np.searchsorted(directory.person, people)
        here = place < len(directory.person)
        slots = place[here][directory.person[place[here]] == people[here]]
        slot, row = _room(int(directory.length[slots].sum()))
        handle = store.read(int(number), "handle")
        found = rows_of_handles(slots, directory.start, directory.length, handle, handles, slot, row)
        if found:
            dropped[int(number)] = Dropped(slot[:found], row[:found])
    return dropped


def _changed(
    store: OpenedStore, told: Manifest, columns: Sequence[Column], rows: Arrays, dropped: Mapping[int, Dropped]
) -> Manifest:
    """Bring the touched buckets up to date; `rows` are arriving, with their persons, `dropped` are leaving."""
    count = store.manifest.bucket_count
    bucket = np.where(rows["person"] == NOBODY, count, buckets_of(rows["person"], count))
    touched = sorted({*np.unique(bucket).tolist(), *dropped})
    rank = ranks(store.dictionaries["source"].words)
    tails, directories = list(told.tails), list(told.directories)

    def change(number: int) -> int:
        here = np.flatnonzero(bucket == number)
        directory, tail = change_bucket(
            store.files,
            number,
            columns,
            directory=store.directories[number],
            tail=tails[number],
            rank=rank,
            incoming={name: values[here] for name, values in rows.items()},
            dropped=dropped.get(number, no_rows_dropped()),
        )
        store.files.write_directory(number, told.version, directory)
        tails[number], directories[number] = tail, told.version
        return number

    run(change, touched)
    return replace(told, tails=tails, directories=directories)


def _taken(store: OpenedStore, columns: Sequence[Column], dropped: Mapping[int, Dropped]) -> Arrays:
    rows = _no_rows(columns)
    for each in columns:
        taken = [store.read(number, each.name)[leaving.row] for number, leaving in dropped.items()]
        rows[each.name] = _joined(taken, each.dtype)
    return rows


def _no_rows(columns: Sequence[Column]) -> Arrays:
    return {each.name: np.empty(0, each.dtype) for each in columns} | {"person": np.empty(0, np.int64)}


def _joined(arrays: Sequence[NDArray[Any]], dtype: np.dtype[Any]) -> NDArray[Any]:
    return np.concatenate(arrays) if arrays else np.empty(0, dtype)


def _room(rows: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return np.empty(rows, np.int64), np.empty(rows, np.int64)


def _without_retyped(manifest: Manifest, reader: LakeReader) -> Manifest:
    """Let go of properties that were numbers so far and now hold texts; they are read anew when asked for."""
    gone = [
        name
        for name, kind in manifest.kinds.items()
        if name.startswith(PROPERTY) and kind == "score" and not reader.numeric(name)
    ]
    return manifest.next(kinds={name: kind for name, kind in manifest.kinds.items() if name not in gone})


def _add_empty_column(store: OpenedStore, each: Column) -> None:
    for number, tail in enumerate(store.manifest.tails):
        path = store.files.column(number, each.name)
        path.unlink(missing_ok=True)
        write_arrays(path, [each.empties(tail)])
