"""The ledger in motion: a part a turn, merged now and then, and told row by row to whoever listens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from desireline.promises import judge_all, judge_changed, load_map, merge_ledger_parts
from desireline.promises.ledger import parts_to_merge
from desireline.storage.journey_store import Snapshot, snapshot_from_rows
from desireline.storage.lake import Lake

MINUTE, DAY = 60_000, 86_400_000
FAR = 10**15
Row = dict[str, Any]
PROMISE = {"promise": "answered", "when": {"touchpoint": "asked"}, "then": {"touchpoint": "answered"}}
MAPS = [load_map(json.dumps({"map": "help", "promises": [{"within": "10 minutes", "same": "case", **PROMISE}]}), "m")]


def row(identity: int, person: int, minutes: float, touchpoint: str) -> Row:
    at = round(minutes * MINUTE)
    return {"id": identity, "person": person, "occurred_at": at, "touchpoint": touchpoint, "case": f"c-{person}"}


def told(lake: Lake, relation: str) -> list[tuple[Any, ...]]:
    with lake.connection() as connection:
        return connection.execute(f"FROM {relation} ORDER BY ALL").fetchall()


def a_day_of_turns(lake: Lake, turns: int) -> Snapshot:
    """Every turn somebody asks; every second one is answered, the others find their promise broken later."""
    rows: list[Row] = []
    snapshot = snapshot_from_rows(rows)
    judge_all(lake, snapshot, MAPS, {}, as_of=0)
    for turn in range(1, turns + 1):
        rows.append(row(10 * turn, turn, 20 * turn, "asked"))
        rows += [row(10 * turn + 1, turn, 20 * turn + 5, "answered")] if turn % 2 else []
        snapshot = snapshot_from_rows(rows)
        people = [turn, turn - 1]
        judge_changed(lake, snapshot, MAPS, {}, people=people, as_of=(20 * turn + 6) * MINUTE, keys=[f"c-{turn}"])
    return snapshot


def test_a_merge_changes_no_row_and_readers_never_see_a_row_twice(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    a_day_of_turns(lake, 20)
    history, in_force = told(lake, "ledger_rows"), told(lake, "ledger")
    assert len(lake.parts("ledger_rows")) == 20
    merged = merge_ledger_parts(lake, now=0)
    assert merged is not None
    assert (merged.of, merged.rows) == (20, len(history))
    assert len(lake.parts("ledger_rows")) == 1
    assert len(lake.covered("ledger_rows")) == 20  # they lie there still, for whoever reads them
    assert (told(lake, "ledger_rows"), told(lake, "ledger")) == (history, in_force)
    assert merge_ledger_parts(lake, now=FAR) is None
    assert lake.covered("ledger_rows") == ()
    assert (told(lake, "ledger_rows"), told(lake, "ledger")) == (history, in_force)


def test_after_a_merge_the_ledger_goes_on_as_if_there_had_been_none(tmp_path: Path) -> None:
    merged, plain = Lake(tmp_path / "merged"), Lake(tmp_path / "plain")
    for lake in (merged, plain):
        snapshot = a_day_of_turns(lake, 18)
    merge_ledger_parts(merged, now=FAR)
    for lake in (merged, plain):
        assert judge_changed(lake, snapshot, MAPS, {}, people=[18], as_of=DAY).rows == 1
        assert judge_all(lake, snapshot, MAPS, {}, as_of=DAY).rows == 0
    assert told(merged, "ledger_rows") == told(plain, "ledger_rows")
    assert len(set(merged.parts("ledger_rows"))) == 2


def test_a_crash_before_the_merge_has_its_name_leaves_all_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Lake(tmp_path / "lake")
    a_day_of_turns(lake, 16)
    history, parts = told(lake, "ledger_rows"), lake.parts("ledger_rows")

    def power_cut(self: Path, target: Path) -> Path:
        raise OSError("no power")

    with monkeypatch.context() as cut:
        cut.setattr(Path, "replace", power_cut)
        with pytest.raises(OSError, match="no power"):
            merge_ledger_parts(lake, now=0)
    assert (told(lake, "ledger_rows"), lake.parts("ledger_rows")) == (history, parts)
    assert merge_ledger_parts(lake, now=0) is not None
    assert told(lake, "ledger_rows") == history


def test_parts_stay_few_and_long_ones_are_seldom_written_again() -> None:
    rows, written, most = [250_000], 0, 0
    for _ in range(20_000):
        rows.append(9)
        if (chosen := parts_to_merge(rows, fan_in=16)) is not None:
            written += sum(rows[chosen.start :])
            rows[chosen.start :] = [sum(rows[chosen.start :])]
        most = max(most, len(rows))
    assert most <= 16 + 9
    assert written / (20_000 * 9) < 15
    assert sum(rows) == 250_000 + 20_000 * 9


def test_what_changed_is_told_with_its_cause(tmp_path: Path) -> None:
    lake, rows = Lake(tmp_path / "lake"), [row(1, 1, 0, "asked"), row(2, 2, 0, "asked"), row(3, 2, 4, "answered")]
    snapshot = snapshot_from_rows(rows)
    first = judge_changed(lake, snapshot, MAPS, {}, people=[1, 2], as_of=5 * MINUTE, keys=["c-1", "c-2", "c-9"])
    assert [(each["opening_id"], each["verdict"], each["key"]) for each in first.changes] == [
        (1, "waiting", "c-1"),
        (2, "kept", "c-2"),
    ]
    broken = judge_changed(lake, snapshot, MAPS, {}, people=[1, 2], as_of=10 * MINUTE)
    assert broken.rows == 1
    assert broken.changes[0] | {"journey": 0} == {
        **{"map": "help", "map_version": 1, "promise": "answered", "person": 1, "journey": 0, "key": "c-1"},
        **{"channel": None, "opening_id": 1, "opened_at": 0, "due_at": 10 * MINUTE, "settled_at": None},
        **{"verdict": "broken", "breach": "missing", "breaches": f"missing {10 * MINUTE}", "lateness_seconds": None},
        **{"settling_id": None, "breaking_id": None, "made_good_at": None, "made_good_id": None},
        **{"judged_at": 10 * MINUTE, "cause": "time passed", "number": 2},
    }
    assert judge_changed(lake, snapshot, MAPS, {}, people=[1, 2], as_of=11 * MINUTE).changes == []


def test_keys_are_found_in_what_came_in_last_and_in_what_came_long_ago(tmp_path: Path) -> None:
    lake, rows = Lake(tmp_path / "lake"), [row(number, number, number, "asked") for number in range(1, 9)]
    for each in rows:
        part = "old-import" if each["id"] == 1 else f"live-{each['id']:010d}-{each['id']:010d}"
        known = {"id": each["id"], "occurred_at": each["occurred_at"], "about_case": each["case"]}
        lake.write_rows("interactions", part, [known])
    change = judge_changed(lake, snapshot_from_rows(rows), MAPS, {}, people=range(1, 9), as_of=DAY)
    assert [each["key"] for each in change.changes] == [each["case"] for each in rows]


def test_judging_everybody_tells_what_changed_too(tmp_path: Path) -> None:
    lake, rows = Lake(tmp_path / "lake"), [row(1, 1, 0, "asked")]
    with duckdb.connect() as connection:
        given = "SELECT 1::BIGINT AS id, 0::BIGINT AS occurred_at, 'c-1' AS about_case"
        lake.write_part("interactions", "one", given, connection)
    change = judge_all(lake, snapshot_from_rows(rows), MAPS, {}, as_of=MINUTE)
    assert [(each["verdict"], each["key"], each["cause"]) for each in change.changes] == [("waiting", "c-1", "new")]


def test_who_was_joined_to_another_is_not_told_as_gone_when_judged_again(tmp_path: Path) -> None:
    lake, asked = Lake(tmp_path / "lake"), [row(1, 1, 0, "asked"), row(2, 2, 0, "asked")]
    judge_changed(lake, snapshot_from_rows(asked), MAPS, {}, people=[1, 2], as_of=MINUTE, keys=["c-1", "c-2"])
    joined = snapshot_from_rows([asked[0], {**asked[1], "person": 1}])
    change = judge_changed(lake, joined, MAPS, {}, people=[1, 2], as_of=2 * MINUTE, cause="joined")
    assert [(each["opening_id"], each["person"], each["cause"]) for each in change.changes] == [(2, 1, "joined")]
    assert judge_changed(lake, joined, MAPS, {}, people=[2], as_of=3 * MINUTE).changes == []
