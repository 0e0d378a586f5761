"""The loops behind the lived flow: journeys of one map walked along its designed steps."""

from __future__ import annotations

from typing import Any

from desireline.storage.engines import kernel


@kernel
def lived_counts(
    head: Any,
    last: Any,
    who: Any,
    ended: Any,
    at: Any,
    channel: Any,
    lane_of: Any,
    keep: Any,
    key: Any,
    seen_journey: Any,
    seen_person: Any,
    visits: Any,
    reached: Any,
    people: Any,
    repeats: Any,
    links: Any,
    other_after: Any,
    leaving: Any,
    places: Any,
    gaps: Any,
) -> tuple[int, int, int]:
    """Count visits, links and leavers, or fill in the times of the links; returns journeys, people, starts elsewhere.

    lane_of[row]: the designed step, -1 for none. With `lanes` designed steps: visits[lane, channel];
    reached, people, repeats[lane]; links[lane or start, lane] (row `lanes` is the start);
    interactions that match no step count in other_after[lane or start, channel]; leaving[lane or start, how].
    """
    filtered = keep.size > 0
    filling = gaps.size > 0
    lanes = len(reached)
    persons = 0
    person = -1
    empty = 0
    for journey in range(len(head)):
        first = head[journey]
        keyed = key.size > 0 and key[first] != 0
        lane = lanes
        before = first
        if who[journey] != person:
            person = who[journey]
            persons += 1
        for row in range(first, last[journey] + 1):
            if (filtered and keep[row] == 0) or (keyed and key[row] != key[first]):
                continue
            following = lane_of[row]
            if following < 0:
                if not filling:
                    other_after[lane, channel[row] + 1] += 1
                continue
            if filling:
                if lane < lanes:
                    gaps[places[lane, following]] = at[row] - at[before]
                    places[lane, following] += 1
            else:
                visits[following, channel[row] + 1] += 1
                if seen_journey[following] == journey:
                    repeats[following] += 1
                else:
                    seen_journey[following] = journey
                    reached[following] += 1
                if seen_person[following] != person:
                    seen_person[following] = person
                    people[following] += 1
                links[lane, following] += 1
            lane = following
            before = row
        if not filling:
            leaving[lane, ended[journey]] += 1
            if lane == lanes:
                empty += 1
    return len(head), persons, empty


@kernel
def lived_people_of(
    head: Any,
    last: Any,
    who: Any,
    ended: Any,
    channel: Any,
    lane_of: Any,
    keep: Any,
    key: Any,
    lane: int,
    following: int,
    how: int,
    on_channel: int,
    lanes: int,
    chosen: Any,
) -> None:
    """Flag in `chosen[person]` everybody behind a mark.

    lane >= 0, following and how -1: visited `lane` (on a channel code + 1 when `on_channel` >= 0).
    following >= 0: went straight from `lane` (`lanes`: the start) to `following`.
    how >= 0: was last seen at `lane` (`lanes`: at no step) and ended so; 3 stands for any ending.
    lane -1: everybody with a journey.
    """
    filtered = keep.size > 0
    for journey in range(len(head)):
        first = head[journey]
        keyed = key.size > 0 and key[first] != 0
        place = lanes
        found = lane < 0
        for row in range(first, last[journey] + 1):
            if (filtered and keep[row] == 0) or (keyed and key[row] != key[first]):
                continue
            step = lane_of[row]
            if step < 0:
                continue
            if following >= 0:
                found = found or (place == lane and step == following)
            elif how < 0 and step == lane and (on_channel < 0 or channel[row] + 1 == on_channel):
                found = True
            place = step
        if how >= 0 and place == lane and (how == 3 or ended[journey] == how):
            found = True
        if found:
            chosen[who[journey]] = 1
