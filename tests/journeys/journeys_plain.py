"""The answers of the journey questions in plain Python, one interaction after another: the oracle."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise
from statistics import median

from hypothesis import strategies as st

HOUR = 3_600_000
DAY = 24 * HOUR

interactions = st.lists(
    st.fixed_dictionaries(
        {
            "person": st.integers(1, 4),
            "occurred_at": st.integers(0, 90).map(lambda hours: hours * 11 * HOUR),
            "touchpoint": st.sampled_from(["a", "b", "c", "c.x", None]),
            "channel": st.sampled_from(["web", "phone", None]),
            "direction": st.sampled_from(["inbound", "outbound"]),
            "topic": st.sampled_from(["card", None]),
            "case": st.sampled_from(["1", "2", None]),
        }
    ),
    min_size=1,
    max_size=40,
)


def people(rows):
    """Each person's rows in order of occurrence."""
    found = defaultdict(list)
    for position, row in enumerate(rows):
        found[row["person"]].append((row["occurred_at"], position, row))
    return {person: [row for _, _, row in sorted(found[person], key=lambda each: each[:2])] for person in sorted(found)}


def label(row, by="touchpoint"):
    return row[by] or "(not given)"


def journeys(rows, *, days, ends=()):
    """Lists of rows, cut after so many days of silence and after a touchpoint of `ends`."""
    made = []
    for own in people(rows).values():
        run = []
        for row in own:
            if run and (row["occurred_at"] - run[-1]["occurred_at"] > days * DAY or run[-1]["touchpoint"] in ends):
                made.append(run)
                run = []
            run.append(row)
        made.append(run)
    return made


def facts(journey):
    """Steps, channel hops and repeated contacts of one journey."""
    channels = [row["channel"] for row in journey if row["channel"]]
    hops = sum(a != b for a, b in pairwise(channels))
    repeats = 0
    for place, row in enumerate(journey):
        if row["direction"] != "inbound":
            continue
        repeats += any(
            earlier["direction"] == "inbound"
            and row["occurred_at"] - earlier["occurred_at"] <= 7 * DAY
            and any(row[name] and row[name] == earlier[name] for name in ("touchpoint", "topic"))
            for earlier in journey[:place]
        )
    return len(journey), hops, repeats


def transitions(made):
    """Count and median seconds of each pair of neighbours."""
    gaps = defaultdict(list)
    for journey in made:
        for a, b in pairwise(journey):
            gaps[label(a), label(b)].append((b["occurred_at"] - a["occurred_at"]) / 1000)
    return {pair: (len(times), median(times)) for pair, times in gaps.items()}


def variants(made, *, top):
    counts = Counter(tuple(label(row) for row in journey) for journey in made)
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:top]


def paths(made, *, start, steps, anchor):
    """(person, labels, whether it goes on) of each path of a flow; labels run backwards for "ends"."""
    found = []
    for journey in made:
        places = [at for at, row in enumerate(journey) if start is None or row["touchpoint"] == start]
        if not places:
            continue
        whole = journey[places[0] :] if anchor == "starts" else journey
        if anchor == "ends":
            whole = journey[: places[-1] + 1][::-1]
        if anchor == "contains":
            whole = journey
        found.append((journey[0]["person"], [label(row) for row in whole[:steps]], len(whole) > steps))
    return found


def funnel(rows, steps, *, days):
    """How many people reached each step, trying every opening of every person."""
    reached = Counter()
    for own in people(rows).values():
        deepest = 0
        for place, row in enumerate(own):
            if row["touchpoint"] != steps[0]:
                continue
            depth = 1
            for later in own[place + 1 :]:
                late = later["occurred_at"] - row["occurred_at"] > days * DAY
                if depth < len(steps) and later["touchpoint"] == steps[depth] and not late:
                    depth += 1
            deepest = max(deepest, depth)
        for depth in range(deepest):
            reached[depth] += 1
    return [reached[depth] for depth in range(len(steps))]


def map_journeys(rows, *, begins, ends, quiet_days, key, as_of):
    """(head, last, how) of the journeys of one map where every interaction touches, one row dictionary each."""
    made = []
    for own in people(rows).values():
        taken = set()
        for place, head in enumerate(own):
            if head["touchpoint"] != begins or place in taken:
                continue
            last, how = place, "open"
            for later in range(place + 1, len(own)):
                row = own[later]
                if row["occurred_at"] - own[last]["occurred_at"] > quiet_days * DAY:
                    how = "quiet"
                    break
                if key and head[key] and row[key] != head[key]:
                    continue
                last = later
                if row["touchpoint"] == begins and (not key or row[key] == head[key]):
                    taken.add(later)
                if row["touchpoint"] == ends:
                    how = "ends"
                    break
            if how == "open" and as_of - own[last]["occurred_at"] > quiet_days * DAY:
                how = "quiet"
            inside = [row for row in own[place : last + 1] if not (key and head[key]) or row[key] == head[key]]
            made.append((inside, how))
    return made
