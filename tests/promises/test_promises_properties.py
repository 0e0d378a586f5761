"""What must hold of judging whatever the log: arrival changes nothing, and neither does judging day by day."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from desireline.promises import MapVersion, judge, judge_all, ledger_rows
from desireline.storage.journey_store import NOBODY, JourneyStore, Snapshot, snapshot_from_rows
from desireline.storage.lake import Lake
from desireline.vocabulary.interaction import BY_NAME, sql_type
from promises.both_judges import OPEN_HOURS, rows_of, versions_of
from promises.random_logs import Case, random_case

COMPILED = os.environ.get("NUMBA_DISABLE_JIT", "0") in ("", "0")
Row = dict[str, Any]
Arrivals = list[list[Row]]


def arrivals(case: Case, random: Random, *, days: int, late: float) -> Arrivals:
    """The interactions of a case as they arrive: by and large in order, some of them late by days."""
    ordered = sorted(case.interactions, key=lambda one: one["occurred_at"])
    arriving: Arrivals = [[] for _ in range(days)]
    for place, one in enumerate(ordered):
        day = place * days // len(ordered)
        arriving[random.randint(day, days - 1) if random.random() < late else day].append(one)
    for each in arriving:
        random.shuffle(each)
    return [each for each in arriving if each]


def write_part(lake: Lake, part: str, rows: list[Row]) -> None:
    """Put interactions into the lake as an import does, `person` as the handle."""
    listed = []
    for row in rows:
        known = {BY_NAME[name].column: value for name, value in row.items() if name != "person"}
        listed.append(known | {"handle": row["person"]})
    file = lake.folder / "rows.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(json.dumps(row) for row in listed), encoding="utf-8")
    fields = [field for field in BY_NAME.values() if any(field.column in row for row in listed)]
    columns = ", ".join(f"{f.column}: '{'JSON' if f.type == 'json' else sql_type(f)}'" for f in fields)
    lake.write_part("interactions", part, f"FROM read_json('{file}', format = 'nd', columns = {{{columns}}})")


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_arrival_changes_nothing(seed: int, tmp_path: Path) -> None:
    case = random_case(seed, 40)
    random = Random(seed)
    lake = Lake(tmp_path / "lake")
    store = JourneyStore(tmp_path / "store", lake)
    for number, rows in enumerate(arrivals(case, random, days=4, late=0.3)):
        write_part(lake, f"import-{number}", rows)
        store.add_parts([f"import-{number}"])
        store.ensure_columns(["properties.amount", "properties.tier", "properties.vip"])
    versions = versions_of(case)
    at_once = rows_of(snapshot_from_rows(case.interactions), versions, case.as_of)
    assert at_once
    assert comparable(rows_of(store.snapshot(), versions, case.as_of)) == comparable(at_once)


@pytest.mark.parametrize("seed", range(2))
def test_the_ledger_in_force_is_the_same_when_it_grew_day_by_day(seed: int, tmp_path: Path) -> None:
    case = random_case(500 + seed, 30)
    versions = versions_of(case)
    lake = Lake(tmp_path / "lake")
    store = JourneyStore(tmp_path / "store", lake)
    for number, rows in enumerate(arrivals(case, Random(seed), days=4, late=0.3)):
        write_part(lake, f"import-{number}", rows)
        store.add_parts([f"import-{number}"])
        store.ensure_columns(["properties.amount", "properties.tier", "properties.vip"])
        judge_all(lake, store.snapshot(), versions, OPEN_HOURS)
    expected = rows_of(snapshot_from_rows(case.interactions), versions, store.snapshot().as_of)
    assert expected
    assert as_in_ledger(ledger_rows(lake).rows()) == as_in_ledger(expected)


@pytest.mark.parametrize("seed", range(24 if COMPILED else 6))
def test_all_at_once_and_day_by_day_end_in_equal_verdicts_and_evidence(seed: int) -> None:
    case = random_case(1_000 + seed, 12)
    versions = versions_of(case)
    ledger: dict[tuple[str, str, int], Row] = {}
    known: list[Row] = []
    judged_before = 0
    for rows in arrivals(case, Random(seed), days=10, late=0.2):
        known += rows
        snapshot = snapshot_from_rows(known, bucket_count=2)
        touched = {one["person"] or NOBODY for one in rows}
        judge_what_changed(ledger, snapshot, versions, touched=touched, judged_before=judged_before)
        judged_before = snapshot.as_of
    last = snapshot_from_rows(known)
    assert comparable(ledger.values()) == comparable(rows_of(last, versions, last.as_of))


def judge_what_changed(
    ledger: dict[tuple[str, str, int], Row],
    snapshot: Snapshot,
    versions: tuple[MapVersion, ...],
    *,
    touched: set[int],
    judged_before: int,
) -> None:
    """One day's upkeep: judge the people with new interactions, and those for whom something waits or fell due."""
    waiting = {row["person"] for row in ledger.values() if row["verdict"] == "waiting"}
    fell_due = {row["person"] for row in ledger.values() if judged_before < (row["due_at"] or 0) <= snapshot.as_of}
    for row in judge(snapshot, versions, calendars=OPEN_HOURS, people=touched | waiting | fell_due).rows():
        ledger[(row["map"], row["promise"], row["opening_id"])] = row


def as_in_ledger(rows: Iterable[Row]) -> list[Row]:
    """Rows without what only the ledger has, and breaches as the text it holds."""
    listed = comparable(rows)
    for row in listed:
        for name in ("judged_at", "cause", "number"):
            row.pop(name, None)
        if not isinstance(row["breaches"], str):
            row["breaches"] = ", ".join(f"{kind} {moment}" for kind, moment in row["breaches"] or ())
    return listed


def comparable(rows: Iterable[Row]) -> list[Row]:
    """Rows in one order; keys are left out, since stores number them each in their own way."""
    plain = [{name: value for name, value in row.items() if name not in ("key", "journey")} for row in rows]
    return sorted(plain, key=lambda row: (row["map"], row["promise"], row["opening_id"]))
