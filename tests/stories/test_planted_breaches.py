"""The bank's own interactions and identities: every planted broken promise is found and none is invented."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from desireline.faces.cli.app import app
from desireline.project import compare_with_truth, project_of_truth
from desireline.project.planted import CAUSES, FAULTS
from desireline.storage.engines import compiled
from desireline.vocabulary.errors import DesirelineError
from desireline.world import make_world

PEOPLE = 120 if compiled() else 12


@pytest.mark.parametrize("seed", [7, 11, 2026])
def test_every_planted_breach_is_found_and_none_invented(tmp_path: Path, seed: int) -> None:
    make_world(people=PEOPLE, seed=seed, to=tmp_path / "world")
    found = compare_with_truth(project_of_truth(tmp_path / "bank", tmp_path / "world"), tmp_path / "world")
    assert (found.precision, found.recall) == (1.0, 1.0)
    assert found.planted_broken >= PEOPLE // 4
    assert found.differences == (), "verdict, kind of breach and making good agree for every instance"


def test_a_verdict_the_interactions_do_not_show_is_unexplained(tmp_path: Path) -> None:
    world = tmp_path / "world"
    make_world(people=6, seed=7, to=world)
    planted = world / "truth" / "promises.csv"
    lines = planted.read_text(encoding="utf-8").splitlines()
    place = next(place for place, line in enumerate(lines) if ',kept,"",' in line)
    lines[place] = lines[place].replace(',kept,"",', ",broken,missing,")
    planted.write_text("\n".join(lines) + "\n", encoding="utf-8")
    project_of_truth(tmp_path / "bank", world)
    told = CliRunner().invoke(
        app, ["world-check", "--project", str(tmp_path / "bank"), "--world", str(world), "--json"]
    )
    assert told.exit_code == 1
    found = json.loads(told.stdout)
    assert found["faults"] == 1
    assert [(row["cause"], row["missed"]) for row in found["causes"]] == [("unexplained", 1)]
    assert "unexplained" not in CAUSES


def test_without_the_truth_nothing_is_compared(tmp_path: Path) -> None:
    with pytest.raises(DesirelineError, match=r"desireline world --to"):
        project_of_truth(tmp_path / "bank", tmp_path)


TAMPERED = {
    "time": "SELECT * REPLACE (if(answers, occurred_at + 4_000_000_000, occurred_at) AS occurred_at) FROM t",
    "field": "SELECT * REPLACE (NULL AS power) FROM t",
    "mistyped": "SELECT * REPLACE (if(answers, ['world:10' || handles[1][7:]], handles) AS handles, "
    "if(answers, (md5_number_lower('world:10' || handles[1][7:]) >> 1)::BIGINT, handle) AS handle) "
    "FROM t",
    "withheld": "SELECT * REPLACE (CASE WHEN asks THEN NULL ELSE handles END AS handles, "
    "CASE WHEN asks THEN NULL ELSE handle END AS handle) FROM t",
    "twice": "SELECT * FROM t UNION ALL SELECT * REPLACE (id // 2 AS id, source_key || '#2' AS source_key) "
    "FROM t WHERE asks",
    "lost": "SELECT * FROM t WHERE answers IS NULL",
    "from_nowhere": "SELECT * FROM t UNION ALL SELECT * REPLACE (id // 2 AS id, occurred_at + 9_000 AS occurred_at) "
    "FROM t WHERE asks",
}


@pytest.mark.parametrize("cause", list(TAMPERED))
def test_what_became_of_the_rows_is_named_as_the_cause(tmp_path: Path, cause: str) -> None:
    world, tampered = tmp_path / "world", tmp_path / "tampered"
    make_world(people=10, seed=7, to=world)
    shutil.copytree(world, tampered)
    kept, written = (folder / "truth" / "interactions.parquet" for folder in (world, tampered))
    question = TAMPERED[cause].replace("FROM t", f"FROM '{kept}'")
    duckdb.connect().execute(f"COPY ({question}) TO '{written}' (FORMAT parquet)")
    found = compare_with_truth(project_of_truth(tmp_path / "bank", tampered), world)
    assert {each.cause for each in found.differences} == {cause}
    assert found.faults == (len(found.differences) if cause in FAULTS else 0)
