"""Rows in memory become a part of the lake exactly as they were."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from desireline.storage.lake import Lake
from desireline.vocabulary.errors import DesirelineError, WorkFailed
from desireline.vocabulary.tables import INTERACTIONS

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "VARCHAR": TEXTS,
    "BIGINT": st.integers(-(2**63), 2**63 - 1),
    "BOOLEAN": st.booleans(),
    "DOUBLE": st.floats(allow_nan=False),
    "VARCHAR[]": st.lists(st.none() | TEXTS, max_size=4),
}
SOME = ("id", "source", "occurred_at", "handles", "others", "asks", "score", "text", "properties")
ROWS = st.lists(
    st.fixed_dictionaries({}, optional={name: st.none() | VALUES[INTERACTIONS.columns[name]] for name in SOME}),
    max_size=8,
)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def read(lake: Lake, part: str) -> list[dict[str, Any]]:
    with lake.connection() as connection:
        found = connection.sql(f"SELECT * FROM {lake.reading_sql('interactions', [part])}")
        return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


@settings(max_examples=60, deadline=None)
@given(ROWS)
@example([])
@example(
    [{}, {"text": "nul \0 and \U0001f469\u200d\U0001f4bb"}, {"id": 2**63 - 1, "handles": ["email:a@x.org", None, ""]}]
)
@example([{"handles": []}, {"handles": None}, {"score": 5}, {"score": -0.5}])
def test_rows_come_back_as_they_were_in_their_order(rows: list[dict[str, Any]]) -> None:
    with TemporaryDirectory() as folder:
        lake = Lake(Path(folder) / "lake")
        assert lake.write_rows("interactions", "live-1", rows) == len(rows)
        assert lake.rows("interactions", "live-1") == len(rows)
        empty = dict.fromkeys(INTERACTIONS.columns)
        assert read(lake, "live-1") == [empty | row for row in rows]


def test_half_a_character_does_not_stop_the_rest(lake: Lake) -> None:
    rows = [{"text": "good \U0001f600"}, {"text": "bad \ud83d!", "handles": ["cookie:\udc00"]}]
    lake.write_rows("interactions", "live-1", rows)
    assert [row["text"] for row in read(lake, "live-1")] == ["good \U0001f600", "bad \ufffd!"]
    assert read(lake, "live-1")[1]["handles"] == ["cookie:\ufffd"]


def test_what_the_table_cannot_hold_is_refused_and_nothing_is_written(lake: Lake) -> None:
    with pytest.raises(DesirelineError, match="Did you mean 'channel'"):
        lake.write_rows("interactions", "live-1", [{"chanel": "web"}])
    with pytest.raises(WorkFailed, match="part 'live-1'"):
        lake.write_rows("interactions", "live-1", [{"id": 2**63}])
    assert lake.parts("interactions") == ()
    assert list((lake.folder / "interactions").iterdir()) == []


def test_an_engine_that_answers_no_more_is_replaced_so_that_what_comes_next_is_not_refused(lake: Lake) -> None:
    lake.write_rows("interactions", "a", [{"id": 1}])
    assert lake._engine is not None
    lake._engine.close()
    lake.write_rows("interactions", "b", [{"id": 2}])
    assert [lake.rows("interactions", part) for part in lake.parts("interactions")] == [1, 1]
