"""The loops behind the flow: one definition of a path, read by every count that is made of it."""

from __future__ import annotations

from typing import Any

from desireline.storage.engines import kernel

STARTS, CONTAINS, ENDS = 0, 1, 2
"""Where a path is anchored: from a step on, whole journeys that hold it, or back from it."""


@kernel
def path_of(
    first: int,
    final: int,
    at: Any,
    touch: Any,
    keep: Any,
    key: Any,
    starts: Any,
    stops: Any,
    from_ms: int,
    until_ms: int,
    anchor: int,
    path: Any,
) -> tuple[int, int]:
    """Write the rows of a journey's path into `path`; returns how many, and 1 when it goes on beyond.

    0 rows: the journey has no such path. An anchored step must happen in the period, and without one
    the journey must begin in it (for `ENDS`, end in it). With `ENDS` the path runs backwards from its last row.
    """
    filtered = keep.size > 0
    keyed = key.size > 0 and key[first] != 0
    any_step = starts.size == 0
    stopping = stops.size > 0
    anchored = -1
    backwards = anchor == 2
    row = final if backwards else first
    step = -1 if backwards else 1
    while first <= row <= final:
        if not ((filtered and keep[row] == 0) or (keyed and key[row] != key[first])):
            if any_step:
                if from_ms <= at[row] < until_ms:
                    anchored = row
                break
            if starts[touch[row] + 1] == 1 and from_ms <= at[row] < until_ms:
                anchored = row
                break
        row += step
    if anchored < 0:
        return 0, 0
    row = first if anchor == 1 else anchored
    count = 0
    while first <= row <= final:
        if not ((filtered and keep[row] == 0) or (keyed and key[row] != key[first])):
            if count == len(path):
                return count, 1
            path[count] = row
            count += 1
            if stopping and count > 1 and stops[touch[row] + 1] == 1:
                return count, 0
        row += step
    return count, 0


@kernel
def flow_labels(
    head: Any,
    last: Any,
    at: Any,
    touch: Any,
    by: Any,
    keep: Any,
    key: Any,
    starts: Any,
    stops: Any,
    from_ms: int,
    until_ms: int,
    anchor: int,
    path: Any,
    counts: Any,
) -> None:
    """Count in `counts[column, label]` how often each label stands in each column."""
    for journey in range(len(head)):
        length, _ = path_of(
            head[journey], last[journey], at, touch, keep, key, starts, stops, from_ms, until_ms, anchor, path
        )
        for place in range(length):
            counts[place, by[path[place]] + 1] += 1


@kernel
def flow_counts(
    head: Any,
    last: Any,
    who: Any,
    at: Any,
    touch: Any,
    by: Any,
    channel: Any,
    keep: Any,
    key: Any,
    starts: Any,
    stops: Any,
    from_ms: int,
    until_ms: int,
    anchor: int,
    path: Any,
    node_of: Any,
    seen: Any,
    people: Any,
    channels: Any,
    again: Any,
    beyond: Any,
    links: Any,
    places: Any,
    gaps: Any,
) -> tuple[int, int]:
    """Count nodes and links of the flow, or fill in the times of its links; returns how many paths and people.

    node_of[column, label]: the node. people, again, beyond[column, node]; channels[column, node, channel];
    links[column, node, next node], the last next node being the end. When `gaps` is not empty only the times
    are written, each link at its place.
    """
    found = 0
    persons = 0
    person = -1
    filling = gaps.size > 0
    end = links.shape[2] - 1
    for journey in range(len(head)):
        length, goes_on = path_of(
            head[journey], last[journey], at, touch, keep, key, starts, stops, from_ms, until_ms, anchor, path
        )
        if length == 0:
            continue
        found += 1
        if who[journey] != person:
            person = who[journey]
            persons += 1
        node = node_of[0, by[path[0]] + 1]
        for place in range(length):
            row = path[place]
            following = end
            if place + 1 < length:
                following = node_of[place + 1, by[path[place + 1]] + 1]
            if filling:
                if following != end:
                    gaps[places[place, node, following]] = abs(at[path[place + 1]] - at[row])
                    places[place, node, following] += 1
            else:
                channels[place, node, channel[row] + 1] += 1
                if seen[place, node] != who[journey]:
                    seen[place, node] = who[journey]
                    people[place, node] += 1
                for earlier in range(place):
                    if by[path[earlier]] == by[row]:
                        again[place, node] += 1
                        break
                if place + 1 == length and goes_on == 1:
                    beyond[place, node] += 1
                else:
                    links[place, node, following] += 1
            node = following
    return found, persons


@kernel
def flow_people_of(
    head: Any,
    last: Any,
    who: Any,
    at: Any,
    touch: Any,
    by: Any,
    keep: Any,
    key: Any,
    starts: Any,
    stops: Any,
    from_ms: int,
    until_ms: int,
    anchor: int,
    path: Any,
    node_of: Any,
    place: int,
    node: int,
    following: int,
    end: int,
    chosen: Any,
) -> None:
    """Flag in `chosen[person]` everybody with a path through a node (and on to `following`, -1: whatever follows).

    `following` equal to `end` picks those who left there.
    """
    for journey in range(len(head)):
        length, goes_on = path_of(
            head[journey], last[journey], at, touch, keep, key, starts, stops, from_ms, until_ms, anchor, path
        )
        if length <= place or node_of[place, by[path[place]] + 1] != node:
            continue
        if following >= 0:
            next_node = end
            if length > place + 1:
                next_node = node_of[place + 1, by[path[place + 1]] + 1]
            elif goes_on == 1:
                continue
            if next_node != following:
                continue
        chosen[who[journey]] = 1
