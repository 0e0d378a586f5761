"""The ledger over the days, keep-rates, what check fails on, and the first draft of a map."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from desireline.promises import (
    check,
    draft,
    instances_in_force,
    instances_of,
    judge,
    judge_all,
    judge_changed,
    keep_rates,
    ledger_rows,
    load_map,
    pattern_of,
    rows_matching,
)
from desireline.storage.journey_store import Snapshot, snapshot_from_rows
from desireline.storage.lake import Lake
from desireline.vocabulary.errors import DesirelineError

MINUTE, DAY = 60_000, 86_400_000
Row = dict[str, Any]


def a_map(**promise: Any) -> Any:
    body = {"promise": "answered", "when": {"touchpoint": "asked"}, "then": {"touchpoint": "answered"}, **promise}
    return load_map(json.dumps({"map": "help", "promises": [{"within": "10 minutes", **body}]}), "help.yaml")


def row(identity: int, person: int, minutes: float, touchpoint: str, **more: Any) -> Row:
    return {"id": identity, "person": person, "occurred_at": round(minutes * MINUTE), "touchpoint": touchpoint, **more}


def lake_with(folder: Path, rows: Iterable[Row] = ()) -> Lake:
    lake = Lake(folder / "lake")
    values = [(each["id"], each["occurred_at"], each.get("case"), each.get("topic")) for each in rows]
    if values:
        with duckdb.connect() as connection:
            listed = ", ".join("(?, ?, ?, ?)" for _ in values)
            flat = [one for each in values for one in each]
            names = "id, occurred_at, about_case, topic"
            connection.execute(f"CREATE TABLE given AS SELECT * FROM (VALUES {listed}) AS v ({names})", flat)
            lake.write_part("interactions", "one", "SELECT * FROM given", connection)
    return lake


def history(lake: Lake) -> list[tuple[Any, ...]]:
    found = lake.sql("SELECT opening_id, number, verdict, breach, cause FROM ledger_rows ORDER BY opening_id, number")
    return [tuple(each.values()) for each in found.rows()]


def test_a_row_is_added_only_when_the_judgement_changes_and_says_why(tmp_path: Path) -> None:
    lake, made = lake_with(tmp_path), [a_map()]
    asked = [row(1, 1, 0, "asked")]
    assert judge_all(lake, snapshot_from_rows(asked), made, {}, as_of=5 * MINUTE).rows == 1
    assert judge_all(lake, snapshot_from_rows(asked), made, {}, as_of=6 * MINUTE).rows == 0
    judge_all(lake, snapshot_from_rows(asked), made, {}, as_of=20 * MINUTE)
    late_fact = [*asked, row(2, 1, 8, "answered")]
    judge_all(lake, snapshot_from_rows(late_fact), made, {}, as_of=30 * MINUTE)
    assert history(lake) == [
        (1, 1, "waiting", None, "new"),
        (1, 2, "broken", "missing", "time passed"),
        (1, 3, "kept", None, "late"),
    ]
    assert [each["verdict"] for each in ledger_rows(lake).rows()] == ["kept"]


def test_an_undone_import_takes_its_instances_out_of_force(tmp_path: Path) -> None:
    lake, made = lake_with(tmp_path), [a_map()]
    both = [row(1, 1, 0, "asked"), row(2, 2, 0, "asked")]
    judge_all(lake, snapshot_from_rows(both), made, {}, as_of=20 * MINUTE)
    judge_changed(lake, snapshot_from_rows(both[:1]), made, {}, people=[2], as_of=20 * MINUTE, cause="undone")
    assert history(lake)[-1] == (2, 2, "withdrawn", None, "gone")
    assert len(instances_in_force(lake, made)) == 1
    assert judge_all(lake, snapshot_from_rows(both[:1]), made, {}, as_of=20 * MINUTE).rows == 0


def test_a_person_joined_restates_what_it_touches(tmp_path: Path) -> None:
    lake, made = lake_with(tmp_path), [a_map()]
    apart = [row(1, 1, 0, "asked"), row(2, 2, 5, "answered"), row(3, 3, 0, "asked")]
    judge_all(lake, snapshot_from_rows(apart), made, {}, as_of=DAY)
    joined = [{**each, "person": 1 if each["person"] == 2 else each["person"]} for each in apart]
    judge_changed(lake, snapshot_from_rows(joined), made, {}, people=[1, 2], as_of=DAY, cause="joined")
    assert history(lake) == [
        (1, 1, "broken", "missing", "new"),
        (1, 2, "kept", None, "joined"),
        (3, 1, "broken", "missing", "new"),
    ]


def test_the_key_is_written_as_text_and_the_ledger_can_be_asked(tmp_path: Path) -> None:
    rows = [row(1, 1, 0, "asked", case="c-7", topic="card"), row(2, 1, 0, "asked", case="c-8", topic="fee")]
    rows += [row(3, 1, 4, "answered", case="c-8")]
    lake, made = lake_with(tmp_path, rows), [a_map(same="case")]
    judge_all(lake, snapshot_from_rows(rows), made, {}, as_of=DAY)
    assert [each["key"] for each in ledger_rows(lake, verdict="broken", promise="answered").rows()] == ["c-7"]
    assert len(ledger_rows(lake, key="c-8", breach=None, person=1)) == 1
    by_topic = keep_rates(instances_in_force(lake, made, segment="topic"), by=("segment",))
    assert [(each.group["segment"], each.kept, each.broken) for each in by_topic] == [("card", 0, 1), ("fee", 1, 0)]


def test_an_unknown_word_in_a_question_is_refused_with_the_nearest(tmp_path: Path) -> None:
    lake = lake_with(tmp_path)
    with pytest.raises(DesirelineError, match=r"unknown verdict 'brokn'\. Did you mean 'broken'"):
        ledger_rows(lake, verdict="brokn")
    with pytest.raises(DesirelineError, match=r"unknown field 'topc'\. Did you mean 'topic'"):
        instances_in_force(lake, segment="topc")


# ---------------------------------------------------------------------------------------------- keep-rates


def rates_of(rows: list[Row], made: Any, **more: Any) -> list[Any]:
    return keep_rates(instances_of(judge(snapshot_from_rows(rows), [made], 30 * DAY)), **more)


def test_asking_again_while_waiting_for_one_key_counts_once_with_the_worst_verdict() -> None:
    rows = [row(1, 1, 0, "asked", case="a"), row(2, 1, 8, "asked", case="a"), row(3, 1, 12, "answered", case="a")]
    found = rates_of(rows, a_map(same="case"))[0]
    assert (found.kept, found.broken, found.instances) == (0, 1, 1)
    after = [*rows, row(4, 1, 20, "asked", case="a"), row(5, 1, 21, "answered", case="a")]
    found = rates_of(after, a_map(same="case"))[0]
    assert (found.kept, found.broken) == (1, 1)
    other_case = [*rows, row(4, 1, 9, "asked", case="b"), row(5, 1, 10, "answered", case="b")]
    assert rates_of(other_case, a_map(same="case"))[0].kept == 1


def test_without_a_key_every_instance_counts() -> None:
    rows = [row(1, 1, 0, "asked"), row(2, 1, 8, "asked"), row(3, 1, 12, "answered")]
    found = rates_of(rows, a_map())[0]
    assert (found.kept, found.broken) == (1, 1)


def test_fewer_than_thirty_say_not_enough_yet_and_more_carry_an_interval() -> None:
    rows = [row(n, n, 0, "asked", channel="web" if n % 2 else "phone") for n in range(1, 41)]
    rows += [row(100 + n, n, 5, "answered") for n in range(1, 31)]
    estimate = rates_of(rows, a_map())[0].estimate
    assert (estimate.value, estimate.count) == (0.75, 40)
    assert estimate.low == pytest.approx(0.5981, abs=1e-3)
    assert estimate.high == pytest.approx(0.8581, abs=1e-3)
    by_channel = rates_of(rows, a_map(), by=("channel",))
    assert [each.estimate.why_missing for each in by_channel] == ["not enough yet: 20 settled, 30 needed"] * 2
    by_month = rates_of(rows, a_map(), by=("promise", "month"))
    assert by_month[0].group == {"promise": "answered", "month": "1970-01"}
    assert by_month[0].as_dict()["at_risk"] == "not measured yet"


def test_openings_by_nobody_stand_beside_the_rate() -> None:
    rows = [row(1, 1, 0, "asked"), {"id": 2, "occurred_at": 0, "touchpoint": "asked"}]
    assert rates_of(rows, a_map())[0].unknown == 1


# ------------------------------------------------------------------------------------------------- check


def test_check_fails_on_no_evidence_and_below_keep_and_on_nothing_else() -> None:
    good = [row(n, n, 0, "asked") for n in range(1, 101)] + [row(200 + n, n, 5, "answered") for n in range(1, 91)]
    strict, lenient, unheard = a_map(keep="99 %"), a_map(keep="95 %"), a_map(when={"touchpoint": "never.seen"})
    assert [str(each) for each in check([strict], rates_of(good, strict))] == [
        "help.yaml line 1: help / answered: kept 90.0% of 100, at most 94.5% (95 % Wilson); the map says 99 %."
    ]
    assert [each.kind for each in check([lenient], rates_of(good, lenient))] == ["below keep"]
    assert check([a_map(keep="94 %")], rates_of(good, a_map(keep="94 %"))) == []
    assert [each.kind for each in check([unheard], rates_of(good, unheard))] == ["no evidence"]
    few = good[:20]
    assert check([strict], rates_of(few, strict)) == []


# ------------------------------------------------------------------------------------------------- draft


def lived(people: int = 60) -> Snapshot:
    rows = []
    for person in range(1, people + 1):
        begin = person * 3 * 1440
        story = [(0, "card.lost", "inbound"), (4, "card.blocked", "outbound"), (30, "card.asked", "inbound")]
        story += [(90, "card.sent", "outbound"), (5000, "card.first_use", "inbound")]
        for place, (minutes, touchpoint, direction) in enumerate(story):
            more = {"direction": direction, "case": f"c{person}"}
            rows.append(row(person * 10 + place, person, begin + minutes, touchpoint, **more))
    return snapshot_from_rows(rows)


def test_a_draft_loads_and_proposes_what_was_lived() -> None:
    text = draft(lived(), name="lost card")
    found = load_map(text, "drafted.yaml")
    assert [step.name for step in found.steps] == [
        "card.lost",
        "card.blocked",
        "card.asked",
        "card.sent",
        "card.first_use",
    ]
    assert (found.name, found.quiet_after) == ("lost card", 5 * DAY)
    proposed = {promise.at: promise.within.durations()[0].says for promise in found.promises if promise.within}
    assert proposed == {"Lived/card.lost": "5 minutes", "Lived/card.asked": "1 hour"}
    assert all(promise.same == "case" for promise in found.promises)
    assert "# 60 of 60 were followed by it; nine of ten within 4 min (P90)." in text


def test_a_draft_begins_where_it_is_told() -> None:
    found = load_map(draft(lived(), start="card.asked"), "drafted.yaml")
    assert [step.name for step in found.steps] == ["card.asked", "card.sent", "card.first_use"]
    with pytest.raises(DesirelineError, match=r"'card.aksed'\. Did you mean 'card.asked'"):
        draft(lived(), start="card.aksed")
    with pytest.raises(DesirelineError, match="nothing to draft from"):
        draft(snapshot_from_rows([]))


def test_rows_matching_answers_for_other_rooms() -> None:
    snapshot = lived(2)
    found = rows_matching(pattern_of({"touchpoint": ["card.lost", "card.sent"]}), snapshot, snapshot.buckets[0])
    assert found.tolist() == [1, 0, 0, 1, 0] * 2
