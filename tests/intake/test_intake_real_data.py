"""Public exports beside the repository are guessed and taken in whole; skipped where they are absent."""

from __future__ import annotations

from pathlib import Path

import pytest

from desireline.intake import guess_recipe, import_file
from desireline.storage.lake import Lake
from desireline.storage.state import State

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("file", "rows", "made"),
    [("bpi2012", 262_200, 262_200), ("helpdesk", 21_348, 21_348), ("cfpb_complaints", 6_623, 13_246)],
)
def test_a_public_export_is_guessed_without_a_question_and_nothing_is_refused(
    file: str, rows: int, made: int, tmp_path: Path
):
    path = DATA / f"{file}.parquet"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    guess = guess_recipe(path)
    assert guess.sure and guess.recipe is not None
    lake, state = Lake(tmp_path / "lake"), State(tmp_path / "state.sqlite")
    report = import_file(
        lake=lake, state=state, path=path, recipe=guess.recipe, import_id="real", received_at=1_800_000_000_000
    )
    assert (report.rows_read, report.made, report.rows_refused) == (rows, made, 0)
