"""The loops behind the flow: one definition of a path, read by every count that is made of it."""

from __future__ import annotations

from typing import Any

from desireline.storage.engines import kernel

STARTS, CONTAINS, ENDS = 0, 1, 2
"""Where a path is anchored: from a step on, whole journeys that hold it, or back from it."""


@kernel
def walk_paths(
    head: Any,
    last: Any,
    at: Any,
    touch: Any,
    keep: Any,
    key: Any,
    starts: Any,
    stops: Any,
    from_ms: int,
    until_ms: int,
    anchor: int,
    paths: Any,
    lengths: Any,
    beyond: Any,
    journeys: Any,
) -> int:
    """Write the rows of each journey's path, how many they are, and whether it goes on; returns how many paths.

    An anchored step must happen in the period, and without one the journey must begin in it (for `ENDS`,
    end in it). With `ENDS` a path runs backwards from its last row.
    """
    filtered = keep.size > 0
    any_step = starts.size == 0
    stopping = stops.size > 0
    steps = paths.shape[1]
    step = -1 if anchor == 2 else 1
    found = 0
    for journey in range(len(head)):
        first = head[journey]
        final = last[journey]
        keyed = key.size > 0 and key[first] != 0
        row = final if anchor == 2 else first
        anchored = -1
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
            continue
        row = first if anchor == 1 else anchored
        count = 0
        goes_on = 0
        while first <= row <= final:
            if not ((filtered and keep[row] == 0) or (keyed and key[row] != key[first])):
                if count == steps:
                    goes_on = 1
                    break
                paths[found, count] = row
                count += 1
                if stopping and count > 1 and stops[touch[row] + 1] == 1:
                    break
            row += step
        lengths[found] = count
        beyond[found] = goes_on
        journeys[found] = journey
        found += 1
    return found


@kernel
def flow_labels(paths: Any, lengths: Any, by: Any, counts: Any) -> None:
    """Count in `counts[column, label]` how often each label stands in each column."""
    for path in range(len(lengths)):
        for place in range(lengths[path]):
            counts[place, by[paths[path, place]] + 1] += 1


@kernel
def flow_counts(
    paths: Any,
    lengths: Any,
    beyond: Any,
    journeys: Any,
    who: Any,
    by: Any,
    channel: Any,
    node_of: Any,
    seen: Any,
    people: Any,
    channels: Any,
    again: Any,
    over: Any,
    links: Any,
) -> int:
    """Count nodes and links of the flow; returns how many people walk it.

    node_of[column, label]: the node. people, again, over[column, node]; channels[column, node, channel];
    links[column, node, next node], the last next node being the end. `over`: paths that go on beyond.
    """
    persons = 0
    person = -1
    end = links.shape[2] - 1
    for path in range(len(lengths)):
        length = lengths[path]
        if who[journeys[path]] != person:
            person = who[journeys[path]]
            persons += 1
        node = node_of[0, by[paths[path, 0]] + 1]
        for place in range(length):
            row = paths[path, place]
            label = by[row]
            channels[place, node, channel[row] + 1] += 1
            if seen[place, node] != person:
                seen[place, node] = person
                people[place, node] += 1
            for earlier in range(place):
                if by[paths[path, earlier]] == label:
                    again[place, node] += 1
                    break
            following = end
            if place + 1 < length:
                following = node_of[place + 1, by[paths[path, place + 1]] + 1]
            if place + 1 == length and beyond[path] == 1:
                over[place, node] += 1
            else:
                links[place, node, following] += 1
            node = following
    return persons


@kernel
def flow_gaps(paths: Any, lengths: Any, at: Any, by: Any, node_of: Any, places: Any, gaps: Any) -> None:
    """Write the time of every link at the place kept for it; `places[column, node, next node]` moves on."""
    for path in range(len(lengths)):
        node = node_of[0, by[paths[path, 0]] + 1]
        for place in range(lengths[path] - 1):
            row = paths[path, place]
            after = paths[path, place + 1]
            following = node_of[place + 1, by[after] + 1]
            gaps[places[place, node, following]] = abs(at[after] - at[row])
            places[place, node, following] += 1
            node = following


@kernel
def flow_people_of(
    paths: Any,
    lengths: Any,
    beyond: Any,
    journeys: Any,
    who: Any,
    by: Any,
    node_of: Any,
    place: int,
    node: int,
    following: int,
    end: int,
    chosen: Any,
) -> None:
    """Flag in `chosen[person]` everybody with a path through a node (and on to `following`, -1: whatever follows).

    A `following` equal to `end` picks those who left there.
    """
    for path in range(len(lengths)):
        length = lengths[path]
        if length <= place or node_of[place, by[paths[path, place]] + 1] != node:
            continue
        if following >= 0:
            next_node = end
            if length > place + 1:
                next_node = node_of[place + 1, by[paths[path, place + 1]] + 1]
            elif beyond[path] == 1:
                continue
            if next_node != following:
                continue
        chosen[who[journeys[path]]] = 1
