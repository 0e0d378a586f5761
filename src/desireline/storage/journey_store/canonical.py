"""What two stores must agree on: the canonical content digest; and the checks a store must always pass."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from desireline.storage.engines import kernel
from desireline.storage.identity import text_hash
from desireline.storage.journey_store.columns import ORIGIN, Column, on_demand
from desireline.storage.journey_store.files import Directory
from desireline.storage.journey_store.hashing import buckets_of
from desireline.storage.journey_store.opened import OpenedStore
from desireline.storage.journey_store.snapshot import NOBODY
from desireline.storage.journey_store.sorting import comes_after, ranks

_CHUNK_ROWS = 1 << 20
NOTHING = hashlib.sha256().hexdigest()
"""The digest of a store that holds nothing, or was never built."""


def content_digest(store: OpenedStore) -> str:
    """SHA-256 over every interaction in canonical order (person, then the order of interactions).

    Texts count, not their codes; the number of buckets, slack, the order of arrival and columns
    that hold nothing do not, nor where in the lake a row lies. Columns read on demand are left out: they are
    copies from the lake.
    """
    order = _canonical_order(store)
    whole = hashlib.sha256(order.person.tobytes() + order.length.tobytes())
    for name in sorted(store.columns):
        if name != ORIGIN and not on_demand(name):
            digest, filled = _column_digest(store, order, store.columns[name])
            if filled:
                whole.update(name.encode() + b"\0" + digest)
    return whole.hexdigest()


class _Order:
    """Every person of every bucket in ascending order, and where the person's rows lie."""

    def __init__(self, directories: list[Directory]) -> None:
        people = [len(directory.person) for directory in directories]
        person = np.concatenate([directory.person for directory in directories])
        length = np.concatenate([directory.length for directory in directories])
        by_person = np.argsort(person, kind="stable")
        by_person = by_person[length[by_person] > 0]
        self.person, self.length = person[by_person], length[by_person]
        self.start = np.concatenate([directory.start for directory in directories])[by_person]
        self.bucket = np.repeat(np.arange(len(people)), people)[by_person]

    def chunks(self) -> Iterator[tuple[slice, NDArray[np.int64]]]:
        """Spans of people of about a million rows, and where each one's rows begin in the span."""
        ends = np.cumsum(self.length)
        begin = 0
        while begin < len(self.person):
            before = int(ends[begin - 1]) if begin else 0
            end = max(begin + 1, int(np.searchsorted(ends, before + _CHUNK_ROWS, side="right")))
            yield slice(begin, end), ends[begin:end] - self.length[begin:end] - before
            begin = end


def _canonical_order(store: OpenedStore) -> _Order:
    return _Order(store.directories)


def _column_digest(store: OpenedStore, order: _Order, column: Column) -> tuple[bytes, bool]:
    digest, filled = hashlib.sha256(), False
    for span, to in order.chunks():
        values = np.empty(int(order.length[span].sum()), column.dtype)
        for number in np.unique(order.bucket[span]):
            here = np.flatnonzero(order.bucket[span] == number)
            start, length = order.start[span][here], order.length[span][here]
            collect(store.read(int(number), column.name), start, length, to[here], values)
        plain, any_value = _plain(store, column, values)
        digest.update(np.ascontiguousarray(plain).tobytes())
        filled = filled or any_value
    return digest.digest(), filled


def _plain(store: OpenedStore, column: Column, values: NDArray[Any]) -> tuple[NDArray[Any], bool]:
    """The values with texts in place of codes, and whether any is given."""
    if column.kind == "score":
        return values, not bool(np.isnan(values).all())
    if not column.coded:
        return values, bool((values != column.empty).any())
    texts = np.array([-1, *(text_hash(word) for word in store.dictionaries[column.name].words)], np.int64)
    return texts[values + 1], bool((values >= 0).any())


@kernel
def collect(column: Any, start: Any, length: Any, to: Any, target: Any) -> None:
    """Copy the rows of some people one after another."""
    for p in range(len(start)):
        for k in range(length[p]):
            target[to[p] + k] = column[start[p] + k]


def complaints(store: OpenedStore) -> tuple[str, ...]:
    """Everything that is wrong with the store; empty when it is sound."""
    found: list[str] = []
    rank = ranks(store.dictionaries["source"].words)
    for number, directory in enumerate(store.directories):
        found += [f"bucket {number}: {what}" for what in _directory_complaints(store, number, directory)]
        if not found:
            found += [f"bucket {number}: {what}" for what in _row_complaints(store, number, directory, rank)]
    rows = sum(int(directory.length.sum()) for directory in store.directories)
    if rows != store.manifest.rows:
        found.append(f"{rows:,} rows in the directories, {store.manifest.rows:,} in the manifest")
    return tuple(found)


def _directory_complaints(store: OpenedStore, number: int, directory: Directory) -> Iterator[str]:
    tail, count = store.manifest.tails[number], store.manifest.bucket_count
    nobody = number == count
    if (np.diff(directory.person) <= 0).any():
        yield "people are not in ascending order"
    if nobody and not (directory.person == NOBODY).all():
        yield "somebody lies among nobody's interactions"
    if not nobody and ((directory.person == NOBODY).any() or (buckets_of(directory.person, count) != number).any()):
        yield "a person lies in a bucket that is not theirs"
    if (directory.length > directory.capacity).any() or (directory.start + directory.capacity > tail).any():
        yield "a slot is too small or reaches beyond the end"
    by_start = np.argsort(directory.start)
    used = directory.capacity[by_start] > 0
    ends = (directory.start + directory.capacity)[by_start][used]
    if (directory.start[by_start][used][1:] < ends[:-1]).any():
        yield "two slots overlap"


def _row_complaints(store: OpenedStore, number: int, directory: Directory, rank: NDArray[np.int64]) -> Iterator[str]:
    occurred_at, source = store.read(number, "occurred_at"), store.read(number, "source")
    position, ids = store.read(number, "position"), store.read(number, "id")
    if rows_out_of_order(directory.start, directory.length, occurred_at, source, position, ids, rank):
        yield "rows of a person are not in order"
    rows = int(directory.length.sum())
    handle, to = np.empty(rows, np.int64), np.cumsum(directory.length) - directory.length
    collect(store.read(number, "handle"), directory.start, directory.length, to, handle)
    if (store.persons_of(handle) != np.repeat(directory.person, directory.length)).any():
        yield "a row lies with a person its handle does not belong to"
    for name, dictionary in store.dictionaries.items():
        codes = np.empty(rows, store.columns[name].dtype)
        collect(store.read(number, name), directory.start, directory.length, to, codes)
        if rows and not -1 <= int(codes.min()) <= int(codes.max()) < len(dictionary.words):
            yield f"a code of '{name}' stands for no text"


@kernel
def rows_out_of_order(
    start: Any, length: Any, occurred_at: Any, source: Any, position: Any, ids: Any, rank: Any
) -> int:
    """How many rows come before the row they follow."""
    wrong = 0
    for p in range(len(start)):
        for row in range(start[p] + 1, start[p] + length[p]):
            if occurred_at[row - 1] > occurred_at[row] or (
                occurred_at[row - 1] == occurred_at[row] and comes_after(row - 1, row, source, position, ids, rank)
            ):
                wrong += 1
    return wrong
