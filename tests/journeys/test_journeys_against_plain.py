"""Every question gives the answer that counting by hand gives, on random small logs."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from desireline.journeys import (
    GapRule,
    Lane,
    MapRule,
    flow,
    flow_people,
    funnel,
    funnel_people,
    lived_flow,
    lived_people,
    stitch,
    transitions,
    variants,
)
from desireline.storage.journey_store import snapshot_from_rows
from journeys import journeys_plain as plain

quick = settings(max_examples=60, deadline=None)
days = st.sampled_from([1, 5, 30])


def snapshot_of(rows):
    return snapshot_from_rows(rows, bucket_count=2)


def touching(snapshot, name):
    code = snapshot.code("touchpoint", name)
    return lambda bucket: np.asarray((bucket.column("touchpoint") == code) & (code >= 0), np.uint8)


@quick
@given(plain.interactions, days, st.booleans())
def test_journeys_have_the_facts_counted_by_hand(rows, gap, cut):
    ends = ("a",) if cut and any(row["touchpoint"] == "a" for row in rows) else ()
    found = stitch(snapshot_of(rows), rule=GapRule(gap, ends))
    wanted = plain.journeys(rows, days=gap, ends=ends)
    got = sorted(
        zip(
            found.person.tolist(),
            found.started_at.tolist(),
            found.ended_at.tolist(),
            found.steps.tolist(),
            found.channel_hops.tolist(),
            found.repeat_contacts.tolist(),
            strict=True,
        )
    )
    assert got == sorted(
        (run[0]["person"], run[0]["occurred_at"], run[-1]["occurred_at"], *plain.facts(run)) for run in wanted
    )


@quick
@given(plain.interactions, days)
def test_transitions_have_exact_counts_and_medians(rows, gap):
    wanted = plain.transitions(plain.journeys(rows, days=gap))
    table = transitions(snapshot_of(rows), journey_gap_days=gap)
    assert {(row["from"], row["to"]): (row["count"], row["median_seconds"]) for row in table.rows()} == wanted
    assert list(table["count"]) == sorted(table["count"], reverse=True)


@quick
@given(plain.interactions)
def test_rare_labels_of_transitions_are_drawn_as_other_and_none_is_lost(rows):
    snapshot = snapshot_of(rows)
    assert sum(transitions(snapshot, most_named=1)["count"]) == sum(transitions(snapshot)["count"])


@quick
@given(plain.interactions, days, st.integers(1, 6))
def test_variants_are_counted_exactly_and_ordered_by_count_then_text(rows, gap, top):
    found = variants(snapshot_of(rows), top=top, journey_gap_days=gap)
    wanted = plain.variants(plain.journeys(rows, days=gap), top=top)
    assert list(zip(found.sequences, found.table["journeys"], strict=True)) == wanted
    steps = Counter()
    for sequence, count in wanted:
        for pair in pairwise(sequence):
            steps[pair] += count
    assert {(row["from"], row["to"]): row["count"] for row in found.transitions.rows()} == dict(steps)


def test_many_equally_frequent_variants_are_ordered_by_text():
    names = [f"{first}{second}" for first in "abcdefghijklm" for second in "zyxwvutsrq"]
    rows = [
        {"person": number + 1, "occurred_at": at, "touchpoint": touchpoint}
        for number, name in enumerate(names)
        for at, touchpoint in enumerate(("same", "same", "same", "same", name))
    ]
    found = variants(snapshot_of(rows), top=3)
    assert [sequence[-1] for sequence in found.sequences] == sorted(names)[:3]


@quick
@given(plain.interactions, days, st.sampled_from([None, "a"]), st.sampled_from(["starts", "contains", "ends"]))
def test_a_flow_draws_every_path_and_its_people(rows, gap, start, anchor):
    if start is not None and not any(row["touchpoint"] == start for row in rows):
        return
    snapshot = snapshot_of(rows)
    drawn = flow(snapshot, start=start, steps=3, top=2, journey_gap_days=gap, anchor=anchor)
    wanted = plain.paths(plain.journeys(rows, days=gap), start=start, steps=3, anchor=anchor)
    assert drawn.starts == len(wanted)
    assert drawn.people == len({person for person, _, _ in wanted})
    for column in range(3):
        place = 2 - column if anchor == "ends" else column
        here = [(person, labels[place]) for person, labels, _ in wanted if len(labels) > place]
        counts = Counter(name for _, name in here)
        named = [name for name, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:2]]
        for node in drawn.columns[column]:
            mine = [
                person for person, name in here if name == node.label or (node.label == "(other)" and name not in named)
            ]
            assert node.journeys == len(mine) == sum(node.channels.values())
            assert flow_people(snapshot, drawn, column=column, label=node.label).tolist() == sorted(set(mine))
            assert node.people == len(set(mine))
    for link in drawn.links:
        asked = (link.target, "(begin)") if link.source == "(begin)" else (link.source, link.target)
        column = link.column + (link.source == "(begin)")
        mine = flow_people(snapshot, drawn, column=column, label=asked[0], to=asked[1])
        assert 1 <= len(mine) <= link.journeys
    assert sum(node.goes_on for column in drawn.columns for node in column) == sum(more for _, _, more in wanted)


@quick
@given(plain.interactions, st.sampled_from([2, 14]))
def test_a_funnel_counts_the_deepest_of_all_openings(rows, limit):
    steps = [name for name in ("a", "b", "c") if any(row["touchpoint"] == name for row in rows)]
    if not steps:
        return
    snapshot = snapshot_of(rows)
    table = funnel(snapshot, steps, within_days=limit, by_channel=False)
    assert list(table["people"]) == plain.funnel(rows, steps, days=limit)
    by_channel = funnel(snapshot, steps, within_days=limit)
    first = [row["people"] for row in by_channel.rows() if row["step"] == 1]
    assert sum(first[:-1]) == first[-1]
    for step, count in enumerate(table["people"], 1):
        assert len(funnel_people(snapshot, steps, within_days=limit, reached=step)) == count


@quick
@given(plain.interactions, st.sampled_from([None, "case"]), st.sampled_from([3, 20]))
def test_journeys_of_a_map_run_from_begin_to_end_or_silence(rows, key, quiet):
    snapshot = snapshot_of(rows)
    rule = MapRule("m", touching(snapshot, "a"), touching(snapshot, "b"), None, quiet * plain.DAY, key)
    found = stitch(snapshot, rule=rule)
    wanted = plain.map_journeys(rows, begins="a", ends="b", quiet_days=quiet, key=key, as_of=snapshot.as_of)
    got = sorted(
        zip(found.person.tolist(), found.started_at.tolist(), found.steps.tolist(), found.ended.tolist(), strict=True)
    )
    codes = {"open": 0, "quiet": 1, "ends": 2}
    assert got == sorted((run[0]["person"], run[0]["occurred_at"], len(run), codes[how]) for run, how in wanted)


@quick
@given(plain.interactions, st.sampled_from([None, "case"]))
def test_the_lived_flow_accounts_for_every_interaction_and_opens_its_people(rows, key):
    snapshot = snapshot_of(rows)
    lived = lived_flow(
        snapshot,
        begins=touching(snapshot, "a"),
        ends=touching(snapshot, "c.x"),
        quiet_ms=10 * plain.DAY,
        key=key,
        lanes=[Lane("report", "a"), Lane("call", "b", ("phone",))],
    )
    wanted = plain.map_journeys(rows, begins="a", ends="c.x", quiet_days=10, key=key, as_of=snapshot.as_of)
    walked = [(run[0]["person"], [step_of(row) for row in run], how) for run, how in wanted]
    assert lived.journeys == len(walked)
    assert lived_people(snapshot, lived).tolist() == sorted({person for person, _, _ in walked})
    for step in lived.steps:
        here = [person for person, steps, _ in walked if step.step in steps]
        assert (step.journeys, step.people) == (len(here), len(set(here)))
        assert step.interactions == sum(steps.count(step.step) for _, steps, _ in walked)
        assert step.repeats == step.interactions - step.journeys
        assert lived_people(snapshot, lived, step=step.step).tolist() == sorted(set(here))
        gone = [person for person, steps, how in walked if last_of(steps) == step.step and how == "quiet"]
        assert step.left == len(gone)
        assert lived_people(snapshot, lived, left=step.step, to="quiet").tolist() == sorted(set(gone))
    for link in lived.links:
        pairs = [(person, pair) for person, steps, _ in walked for pair in links_of(steps)]
        mine = [person for person, pair in pairs if pair == (link.source, link.target)]
        assert link.journeys == len(mine)
        assert lived_people(snapshot, lived, step=link.source, to=link.target).tolist() == sorted(set(mine))
    others = sum(sum(step.other_after.values()) for step in lived.steps) + sum(lived.other_before.values())
    assert others == sum(steps.count(None) for _, steps, _ in walked)


def step_of(row):
    if row["touchpoint"] == "a":
        return "report"
    return "call" if (row["touchpoint"], row["channel"]) == ("b", "phone") else None


def last_of(steps):
    return next((step for step in reversed(steps) if step), None)


def links_of(steps):
    named = ["(start)", *(step for step in steps if step)]
    return list(pairwise(named))
