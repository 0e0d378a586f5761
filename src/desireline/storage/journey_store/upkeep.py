"""Keeping the store sorted: what one change costs depends on what changed, not on how much there is.

A person's rows are one sorted run in a slot. What arrives in order is appended in the slot's spare
room; anything else (late rows, people joined or parted, imports undone) gives the person a new slot
at the file's end. Rows that a reader may hold are never overwritten.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from desireline.storage.engines import kernel
from desireline.storage.journey_store.columns import Column
from desireline.storage.journey_store.files import Directory, Files
from desireline.storage.journey_store.lake_reader import Arrays
from desireline.storage.journey_store.snapshot import NOBODY
from desireline.storage.journey_store.sorting import PersonRuns, SortKeys, sort_rows

_ROOM_SHARE = 4


class Dropped(NamedTuple):
    """Rows that leave a bucket: the place of their person in the directory, ascending, and the row, ascending."""

    slot: NDArray[np.int64]
    row: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a change does to one bucket: the new directory, and from where each written row comes.

    source: an existing row, or `~i` for the i-th incoming row. target: the row it is written to.
    """

    directory: Directory
    source: NDArray[np.int64]
    target: NDArray[np.int64]
    tail: int


def no_rows_dropped() -> Dropped:
    """Nothing leaves."""
    return Dropped(np.empty(0, np.int64), np.empty(0, np.int64))


def plan_change(
    directory: Directory, tail: int, keys: SortKeys, incoming: PersonRuns, incoming_keys: SortKeys, dropped: Dropped
) -> Plan:
    """Decide for every person touched whether the slot will do or a new one is needed."""
    directory, arrived = _with_newcomers(directory, incoming.person)
    slots_dropped = np.searchsorted(arrived.before, dropped.slot, side="right") + dropped.slot
    touched = np.union1d(arrived.slot, slots_dropped)
    first_in = np.searchsorted(arrived.slot, touched)
    came = np.isin(touched, arrived.slot)
    in_start = np.zeros(len(touched), np.int64)
    in_count = np.zeros(len(touched), np.int64)
    in_start[came] = incoming.start[first_in[came]]
    in_count[came] = incoming.length[first_in[came]]
    drop_start = np.searchsorted(slots_dropped, touched)
    drop_count = np.searchsorted(slots_dropped, touched, side="right") - drop_start
    most = int((directory.length[touched] + in_count).sum())
    source, target = np.empty(most, np.int64), np.empty(most, np.int64)
    rows, tail = place_rows(
        touched,
        directory.start,
        directory.length,
        directory.capacity,
        tail,
        in_start,
        in_count,
        incoming.order,
        drop_start,
        drop_count,
        dropped.row,
        *keys[:4],
        *incoming_keys,
        source,
        target,
    )
    return Plan(_without_emptied(directory), source[:rows], target[:rows], int(tail))


class _Arrived(NamedTuple):
    slot: NDArray[np.int64]
    before: NDArray[np.int64]


def _with_newcomers(directory: Directory, person: NDArray[np.int64]) -> tuple[Directory, _Arrived]:
    """The directory with an empty slot for everybody new, and where the arrived people stand in it."""
    place = np.searchsorted(directory.person, person)
    known = np.zeros(len(person), bool)
    inside = place < len(directory.person)
    known[inside] = directory.person[place[inside]] == person[inside]
    before = place[~known]
    slot = place + np.cumsum(~known) - (~known)
    wide = Directory(
        np.insert(directory.person, before, person[~known]),
        np.insert(directory.start, before, 0),
        np.insert(directory.length, before, 0),
        np.insert(directory.capacity, before, 0),
    )
    return wide, _Arrived(slot.astype(np.int64), before)


def _without_emptied(directory: Directory) -> Directory:
    stays = (directory.length > 0) | (directory.person == NOBODY)
    if stays.all():
        return directory
    return Directory(
        directory.person[stays], directory.start[stays], directory.length[stays], directory.capacity[stays]
    )


@kernel
def place_rows(
    touched: Any,
    start: Any,
    length: Any,
    capacity: Any,
    tail: int,
    in_start: Any,
    in_count: Any,
    in_order: Any,
    drop_start: Any,
    drop_count: Any,
    drop_row: Any,
    occurred_at: Any,
    source: Any,
    position: Any,
    ids: Any,
    in_occurred_at: Any,
    in_source: Any,
    in_position: Any,
    in_ids: Any,
    rank: Any,
    from_row: Any,
    to_row: Any,
) -> tuple[int, int]:
    """Write down for every touched person which rows go where, and change the directory."""
    written = 0
    for t in range(len(touched)):
        slot = touched[t]
        old, end = start[slot], start[slot] + length[slot]
        arrived, arrived_end = in_start[t], in_start[t] + in_count[t]
        drop, drop_end = drop_start[t], drop_start[t] + drop_count[t]
        fits = drop_count[t] == 0 and length[slot] + in_count[t] <= capacity[slot]
        if fits and length[slot] > 0:
            a, b = end - 1, in_order[arrived]
            fits = not row_after(
                a, b, occurred_at, source, position, ids, in_occurred_at, in_source, in_position, in_ids, rank
            )
        if fits:
            to = end
            old = end
        else:
            count = length[slot] - drop_count[t] + in_count[t]
            start[slot] = tail
            capacity[slot] = count + count // _ROOM_SHARE + 1 if count else 0
            to = tail
            tail += capacity[slot]
            length[slot] = 0
        while old < end or arrived < arrived_end:
            if old < end and drop < drop_end and drop_row[drop] == old:
                drop += 1
                old += 1
                continue
            take_new = old >= end
            if not take_new and arrived < arrived_end:
                take_new = row_after(
                    old,
                    in_order[arrived],
                    occurred_at,
                    source,
                    position,
                    ids,
                    in_occurred_at,
                    in_source,
                    in_position,
                    in_ids,
                    rank,
                )
            if take_new:
                from_row[written] = ~in_order[arrived]
                arrived += 1
            else:
                from_row[written] = old
                old += 1
            to_row[written] = to
            written += 1
            to += 1
            length[slot] += 1
    return written, tail


@kernel
def row_after(
    a: int,
    b: int,
    occurred_at: Any,
    source: Any,
    position: Any,
    ids: Any,
    in_occurred_at: Any,
    in_source: Any,
    in_position: Any,
    in_ids: Any,
    rank: Any,
) -> bool:
    """Whether the existing row a comes after the incoming row b."""
    if occurred_at[a] != in_occurred_at[b]:
        return bool(occurred_at[a] > in_occurred_at[b])
    rank_a, rank_b = rank[source[a] + 1], rank[in_source[b] + 1]
    if rank_a != rank_b:
        return bool(rank_a > rank_b)
    if position[a] != in_position[b]:
        return bool(position[a] > in_position[b])
    return bool(ids[a] > in_ids[b])


@kernel
def write_rows(column: Any, incoming: Any, source: Any, target: Any) -> None:
    """Write the rows of a plan into one column."""
    for i in range(len(source)):
        if source[i] < 0:
            column[target[i]] = incoming[~source[i]]
        else:
            column[target[i]] = column[source[i]]


def change_bucket(
    files: Files,
    number: int,
    columns: Sequence[Column],
    *,
    directory: Directory,
    tail: int,
    rank: NDArray[np.int64],
    incoming: Arrays,
    dropped: Dropped,
) -> tuple[Directory, int]:
    """Bring one bucket up to date and return its new directory and tail; nothing a reader holds is touched."""
    by_name = {each.name: each for each in columns}
    old = {name: files.read_column(number, by_name[name], tail) for name in SortKeys._fields[:4]}
    keys = sort_keys(old, rank)
    arriving = sort_keys(incoming, rank)
    plan = plan_change(directory, tail, keys, sort_rows(incoming["person"], arriving), arriving, dropped)
    for each in columns:
        write_rows(files.writable_column(number, each, plan.tail), incoming[each.name], plan.source, plan.target)
    return plan.directory, plan.tail


def sort_keys(rows: Mapping[str, NDArray[Any]], rank: NDArray[np.int64]) -> SortKeys:
    """The arrays that decide the order, of some rows."""
    return SortKeys(rows["occurred_at"], rows["source"], rows["position"], rows["id"], rank)


@kernel
def rows_of_handles(slots: Any, start: Any, length: Any, handle: Any, changed: Any, slot_out: Any, row_out: Any) -> int:
    """The rows of some people whose handle is among the `changed` ones (ascending)."""
    found = 0
    for s in range(len(slots)):
        slot = slots[s]
        for row in range(start[slot], start[slot] + length[slot]):
            low, high = 0, len(changed)
            while low < high:
                middle = (low + high) // 2
                if changed[middle] < handle[row]:
                    low = middle + 1
                else:
                    high = middle
            if low < len(changed) and changed[low] == handle[row]:
                slot_out[found] = slot
                row_out[found] = row
                found += 1
    return found


@kernel
def rows_of_parts(start: Any, length: Any, origin: Any, removed: Any, slot_out: Any, row_out: Any) -> int:
    """The rows that came from parts marked in `removed`."""
    found = 0
    for slot in range(len(start)):
        for row in range(start[slot], start[slot] + length[slot]):
            if removed[origin[row] >> 32]:
                slot_out[found] = slot
                row_out[found] = row
                found += 1
    return found
