"""Putting interactions in order: by person, then (occurred_at, source, position, id). Compiled plain loops."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from desireline.storage.engines import kernel

_SMALL = 24
"""Runs this short are sorted by insertion; longer ones are merged from such."""


class SortKeys(NamedTuple):
    """The arrays that decide the order of interactions; `rank[source + 1]` is the place of a source's name."""

    occurred_at: NDArray[np.int64]
    source: NDArray[Any]
    position: NDArray[np.int64]
    id: NDArray[np.int64]
    rank: NDArray[np.int64]


class PersonRuns(NamedTuple):
    """People in ascending order, and `order`: the rows of each, sorted, from `start` on."""

    person: NDArray[np.int64]
    start: NDArray[np.int64]
    length: NDArray[np.int64]
    order: NDArray[np.int64]


def sort_rows(person: NDArray[np.int64], keys: SortKeys) -> PersonRuns:
    """Sort rows by person, then by the order of interactions, in time near linear in their number."""
    if len(person) == 0:
        empty = np.empty(0, np.int64)
        return PersonRuns(empty, empty, empty, empty)
    size = 1 << int(2 * len(person) - 1).bit_length()
    dense = np.empty(len(person), np.int64)
    unique = np.empty(len(person), np.int64)
    people = number_people(person, np.full(size, -1, np.int64), unique, dense)
    by_id = np.argsort(unique[:people])
    place = np.empty(people, np.int64)
    place[by_id] = np.arange(people)
    length = np.zeros(people, np.int64)
    start = np.empty(people, np.int64)
    order = np.empty(len(person), np.int64)
    time = np.empty(len(person), np.int64)
    gather_people(dense, place, keys.occurred_at, start, length, order, time)
    scratch = np.empty(int(length.max()), np.int64)
    sort_runs(start, length, order, time, *keys[1:], scratch, np.empty_like(scratch))
    return PersonRuns(unique[by_id], start, length, order)


@kernel
def number_people(person: Any, table: Any, unique: Any, dense: Any) -> int:
    """Number people in order of first appearance; `table` is an empty hash table of row numbers."""
    mask = len(table) - 1
    people = 0
    for row in range(len(person)):
        who = person[row]
        place = (who ^ (who >> 15) ^ (who >> 33)) & mask
        while table[place] >= 0 and unique[table[place]] != who:
            place = (place + 1) & mask
        if table[place] < 0:
            table[place] = people
            unique[people] = who
            people += 1
        dense[row] = table[place]
    return people


@kernel
def gather_people(dense: Any, place: Any, occurred_at: Any, start: Any, length: Any, order: Any, time: Any) -> None:
    """Put the rows of each person side by side, as they arrived (a counting sort)."""
    for row in range(len(dense)):
        length[place[dense[row]]] += 1
    at = 0
    for p in range(len(start)):
        start[p] = at
        at += length[p]
        length[p] = 0
    for row in range(len(dense)):
        p = place[dense[row]]
        to = start[p] + length[p]
        order[to] = row
        time[to] = occurred_at[row]
        length[p] += 1


@kernel
def comes_after(a: int, b: int, source: Any, position: Any, ids: Any, rank: Any) -> bool:
    """Whether row a comes after row b, both of the same moment."""
    rank_a, rank_b = rank[source[a] + 1], rank[source[b] + 1]
    if rank_a != rank_b:
        return bool(rank_a > rank_b)
    if position[a] != position[b]:
        return bool(position[a] > position[b])
    return bool(ids[a] > ids[b])


@kernel
def sort_runs(
    start: Any,
    length: Any,
    order: Any,
    time: Any,
    source: Any,
    position: Any,
    ids: Any,
    rank: Any,
    order_scratch: Any,
    time_scratch: Any,
) -> None:
    """Sort the rows of each person: insertion for short runs, merged pairwise for long ones."""
    for p in range(len(start)):
        first, last = start[p], start[p] + length[p]
        for begin in range(first, last, _SMALL):
            insertion_sort(begin, min(begin + _SMALL, last), order, time, source, position, ids, rank)
        width = _SMALL
        while width < length[p]:
            for begin in range(first, last - width, 2 * width):
                middle, end = begin + width, min(begin + 2 * width, last)
                merge_pair(begin, middle, end, order, time, source, position, ids, rank, order_scratch, time_scratch)
            width *= 2


@kernel
def insertion_sort(
    begin: int, end: int, order: Any, time: Any, source: Any, position: Any, ids: Any, rank: Any
) -> None:
    """Sort a few rows in place."""
    for i in range(begin + 1, end):
        row, moment = order[i], time[i]
        j = i - 1
        while j >= begin and (
            time[j] > moment or (time[j] == moment and comes_after(order[j], row, source, position, ids, rank))
        ):
            order[j + 1] = order[j]
            time[j + 1] = time[j]
            j -= 1
        order[j + 1] = row
        time[j + 1] = moment


@kernel
def merge_pair(
    begin: int,
    middle: int,
    end: int,
    order: Any,
    time: Any,
    source: Any,
    position: Any,
    ids: Any,
    rank: Any,
    order_scratch: Any,
    time_scratch: Any,
) -> None:
    """Merge two sorted neighbours; nothing is moved where they already follow one another."""
    before, after = middle - 1, middle
    if time[before] < time[after]:
        return
    for i in range(begin, middle):
        order_scratch[i - begin] = order[i]
        time_scratch[i - begin] = time[i]
    left, right, to = 0, middle, begin
    while left < middle - begin:
        take_right = False
        if right < end:
            take_right = time_scratch[left] > time[right] or (
                time_scratch[left] == time[right]
                and comes_after(order_scratch[left], order[right], source, position, ids, rank)
            )
        if take_right:
            order[to], time[to] = order[right], time[right]
            right += 1
        else:
            order[to], time[to] = order_scratch[left], time_scratch[left]
            left += 1
        to += 1


@kernel
def sort_by_bucket(bucket: Any, starts: Any, order: Any) -> None:
    """Put rows bucket by bucket, as they arrived; `starts` holds where each bucket begins and is moved along."""
    for row in range(len(bucket)):
        b = bucket[row]
        order[starts[b]] = row
        starts[b] += 1


@kernel
def gather(source: Any, order: Any, target: Any) -> None:
    """`target[i] = source[order[i]]`."""
    for i in range(len(order)):
        target[i] = source[order[i]]


@kernel
def gather_runs(source: Any, order: Any, start: Any, length: Any, to: Any, capacity: Any, target: Any) -> None:
    """Copy the rows of each person, in order, to the person's slot; the room to spare is set to zero."""
    for p in range(len(start)):
        for k in range(length[p]):
            target[to[p] + k] = source[order[start[p] + k]]
        for k in range(length[p], capacity[p]):
            target[to[p] + k] = 0


def ranks(words: list[str]) -> NDArray[np.int64]:
    """The place of each text in alphabetical order, shifted by one so that "not given" comes first."""
    rank = np.zeros(len(words) + 1, np.int64)
    for place, code in enumerate(sorted(range(len(words)), key=words.__getitem__)):
        rank[code + 1] = place + 1
    return rank
