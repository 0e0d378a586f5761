"""The bank's exports, taken in by the bank's recipes, are the true interactions again, but for what was distorted."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from desireline.intake import ImportReport, import_file, read_recipe
from desireline.storage.lake import Lake
from desireline.storage.state import State
from desireline.world import BANK, make_world

RECEIVED_AT = 1_767_300_000_000
TAKEN_BACK = [
    "occurred_at",
    "channel",
    "touchpoint",
    "direction",
    "asks",
    "answers",
    "topic",
    "intent",
    "about_case",
    "about_order",
    "about_campaign",
    "power",
    "value_minor",
    "currency",
    "score_kind",
    "score_scale",
    "score",
    "reach",
    "consent",
    "raw",
]


@pytest.fixture(scope="module")
def taken_in(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[ImportReport]]:
    to = tmp_path_factory.mktemp("taken_in")
    report = make_world(people=60, seed=7, to=to)
    recipes = {file.name: read_recipe(file.read_text(encoding="utf-8"), name=file.name) for file in BANK.recipes}
    lake, state = Lake(to / "lake"), State(to / "state.sqlite")
    reports = [
        import_file(
            lake=lake,
            state=state,
            path=file.path,
            recipe=recipes[f"{file.path.stem}.yaml"],
            import_id=f"import-{number:02d}",
            received_at=RECEIVED_AT,
            project_zone="Europe/Berlin",
        )
        for number, file in enumerate(report.files)
    ]
    return to, reports


def answer(to: Path, question: str) -> list[tuple[object, ...]]:
    places = {
        "TRUTH": f"'{to}/truth/interactions.parquet'",
        "LAKE": f"'{to}/lake/interactions/*.parquet'",
        "ROWS": f"'{to}/truth/rows.parquet'",
    }
    for word, place in places.items():
        question = question.replace(word, place)
    return duckdb.connect().execute(question).fetchall()


def test_every_field_the_exports_hold_comes_back(taken_in: tuple[Path, list[ImportReport]]) -> None:
    to, _ = taken_in
    differing = [
        (column, answer(to, f"SELECT t.source, t.{column}, l.{column} FROM TRUTH AS t JOIN LAKE AS l ON l.raw = t.raw "
                            f"AND l.touchpoint = t.touchpoint WHERE t.{column} IS DISTINCT FROM l.{column}"))
        for column in TAKEN_BACK
    ]  # fmt: skip
    assert [(column, rows) for column, rows in differing if rows] == []


def test_only_broken_rows_are_missing_and_nothing_is_invented(taken_in: tuple[Path, list[ImportReport]]) -> None:
    to, reports = taken_in
    missing = answer(
        to,
        "SELECT DISTINCT r.distortion FROM ROWS AS r WHERE r.file || ':' || r.line NOT IN (SELECT raw FROM LAKE)",
    )
    assert missing == [("broken row: its time cannot be read",)]
    broken = answer(to, "SELECT count(DISTINCT file || ':' || line) FROM ROWS WHERE distortion LIKE 'broken%'")
    known = dict(answer(to, "SELECT file || ':' || line, 1 FROM ROWS WHERE distortion LIKE 'broken%'"))
    assert 0 < broken[0][0] == len(known) <= sum(report.rows_refused for report in reports)
    invented = answer(to, "SELECT DISTINCT source FROM LAKE WHERE raw NOT IN (SELECT file || ':' || line FROM ROWS)")
    assert set(invented) <= {("branch_diary",)}, "only the diary has no key: a row written twice there counts twice"


def test_rows_exported_twice_are_known_again(taken_in: tuple[Path, list[ImportReport]]) -> None:
    _, reports = taken_in
    assert sum(report.already_known for report in reports) > 20
    assert sum(report.conflicts for report in reports) == 0
