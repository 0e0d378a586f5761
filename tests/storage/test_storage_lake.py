"""The lake: parts written whole, read by views, asked in SQL without harm."""

from pathlib import Path

import duckdb
import pytest

from desireline.storage.identity import (
    HANDLE_ID_SQL,
    INTERACTION_ID_SQL,
    TEXT_HASH_SQL,
    handle_id,
    interaction_id,
    text_hash,
)
from desireline.storage.lake import Lake
from desireline.vocabulary.errors import DesirelineError, WorkFailed
from desireline.vocabulary.tables import INTERACTIONS, LEDGER, TABLES

CALLS = "SELECT 7::BIGINT AS id, 'phone' AS channel, 1000 AS occurred_at"


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def test_an_empty_lake_has_every_table_with_its_columns(lake: Lake) -> None:
    with lake.connection() as connection:
        for table in TABLES.values():
            relation = connection.sql(f"SELECT * FROM {table.name}")
            assert dict(zip(relation.columns, map(str, relation.types), strict=True)) == table.columns
            assert relation.fetchall() == []


def test_a_part_is_matched_by_name_and_its_missing_columns_stay_empty(lake: Lake) -> None:
    assert lake.write_part("interactions", "day-1", CALLS) == 1
    found = lake.sql("SELECT id, channel, touchpoint, occurred_at FROM interactions")
    assert list(found.rows()) == [{"id": 7, "channel": "phone", "touchpoint": None, "occurred_at": 1000}]
    assert lake.parts("interactions") == ("day-1",)
    assert lake.rows("interactions", "day-1") == 1
    with lake.connection() as connection:
        columns = connection.sql("SELECT * FROM interactions").columns
    assert list(columns) == list(INTERACTIONS.columns)


def test_an_unknown_column_is_refused_with_the_nearest_known_one(lake: Lake) -> None:
    with pytest.raises(DesirelineError, match="Did you mean 'touchpoint'"):
        lake.write_part("interactions", "day-1", "SELECT 'x' AS touchpiont")
    assert lake.parts("interactions") == ()


def test_parts_may_lack_columns_that_hold_nothing_and_questions_still_find_them(lake: Lake, tmp_path: Path) -> None:
    said = {
        "a": "SELECT 1::BIGINT AS id, 'web' AS channel",
        "b": "SELECT 2::BIGINT AS id, ['email:a@x.org'] AS handles",
    }
    with lake.connection() as connection:
        for part, source in said.items():
            lake.draft("interactions", source, connection, file=tmp_path / part)
            lake.take_part("interactions", part, tmp_path / part)
        with pytest.raises(DesirelineError, match="Did you mean 'touchpoint'"):
            lake.draft("interactions", "SELECT 'x' AS touchpiont", connection, file=tmp_path / "c")
    found = lake.sql("SELECT id, channel, len(handles) AS handles, topic FROM interactions ORDER BY id")
    assert list(found.rows()) == [
        {"id": 1, "channel": "web", "handles": None, "topic": None},
        {"id": 2, "channel": None, "handles": 1, "topic": None},
    ]
    assert not (tmp_path / "a").exists()


def test_a_part_that_fails_half_way_leaves_nothing(lake: Lake) -> None:
    with pytest.raises(WorkFailed):
        lake.write_part("interactions", "day-1", "SELECT CAST(t AS BIGINT) AS id FROM (VALUES ('1'), ('x')) v(t)")
    assert lake.parts("interactions") == ()
    assert list((lake.folder / "interactions").iterdir()) == []


def test_an_import_taken_away_is_gone(lake: Lake) -> None:
    lake.write_part("interactions", "day-1", CALLS)
    assert lake.remove_part("interactions", "day-1")
    assert not lake.remove_part("interactions", "day-1")
    assert lake.sql("SELECT count(*) AS rows FROM interactions")["rows"][0] == 0


@pytest.mark.parametrize("part", ["../x", "", "a/b", "a'b"])
def test_names_of_parts_cannot_leave_their_folder(lake: Lake, part: str) -> None:
    with pytest.raises(DesirelineError, match="cannot name a part"):
        lake.write_part("interactions", part, CALLS)


def test_the_ledger_shows_only_the_judgement_in_force(lake: Lake) -> None:
    rows = "SELECT 'm' AS map, 'p' AS promise, o::BIGINT AS opening_id, v AS verdict, n::BIGINT AS number"
    lake.write_part(LEDGER.name, "a", f"{rows} FROM (VALUES (1,'open',1), (1,'broken',3), (2,'kept',2)) t(o, v, n)")
    found = lake.sql("SELECT opening_id, verdict FROM ledger ORDER BY 1")
    assert [tuple(row.values()) for row in found.rows()] == [(1, "broken"), (2, "kept")]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("select touchpiont from interactions", "no column 'touchpiont'.*Did you mean 'touchpoint'"),
        ("select * from interaction", "no table 'interaction'.*Did you mean 'interactions'"),
        ("select 1 frm x x", "line 1"),
        ("select 1; select 2", "only one SELECT"),
        ("create table x as select 1", "only one SELECT"),
        ("copy interactions to '/tmp/out.csv'", "only one SELECT"),
        ("set threads = 1", "only one SELECT"),
        ("", "only one SELECT"),
        ("select * from read_text('/etc/passwd')", "disabled"),
        ("select * from '/etc/passwd'", "no table"),
    ],
)
def test_sql_answers_questions_and_nothing_else(lake: Lake, text: str, says: str) -> None:
    lake.write_part("interactions", "day-1", CALLS)
    with pytest.raises(DesirelineError, match=says):
        lake.sql(text)


def test_sql_can_read_the_lake_after_everything_else_is_shut_off(lake: Lake) -> None:
    lake.write_part("interactions", "its", CALLS)
    found = lake.sql("SELECT channel, channel, count(*) AS calls FROM interactions GROUP BY ALL")
    assert dict(found.columns) == {"channel": ("phone",), "channel_2": ("phone",), "calls": (1,)}


def test_sql_shows_moments_with_a_zone_as_texts_in_utc(lake: Lake) -> None:
    assert lake.sql("SELECT to_timestamp(0) AS at, 1 AS n;")["at"] == ("1970-01-01 00:00:00+00",)


def test_sql_shows_the_first_rows_and_says_so(lake: Lake) -> None:
    found = lake.sql("SELECT * FROM range(10)", limit=3)
    assert len(found) == 3
    assert found.notes["cut"] is True
    assert "first 3" in found.counted
    assert lake.sql("SELECT * FROM range(3)", limit=3).notes["cut"] is False
    assert len(lake.sql("SELECT 1 AS one WHERE false")) == 0


def test_a_question_that_takes_too_long_is_stopped(lake: Lake) -> None:
    with pytest.raises(DesirelineError, match="longer than"):
        lake.sql("SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE hash(a.range) = b.range", seconds=0.2)


@pytest.mark.parametrize(
    ("kind", "value"), [("email", "ana@example.org"), ("phone", "+3491234"), ("name", "Zoë \u1f600")]
)
def test_numbers_of_handles_are_the_same_in_python_and_in_sql(kind: str, value: str) -> None:
    handle = HANDLE_ID_SQL.format(kind="$kind", value="$value")
    row = INTERACTION_ID_SQL.format(source="$kind", source_key="$value")
    text = TEXT_HASH_SQL.format(text="$value")
    with duckdb.connect() as connection:
        found = connection.execute(f"SELECT {handle}, {row}, {text}", {"kind": kind, "value": value}).fetchone()
    assert found == (handle_id(kind, value), interaction_id(kind, value), text_hash(value))
