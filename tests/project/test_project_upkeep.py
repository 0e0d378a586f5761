"""A project kept up day by day equals one made in one go: people, store, ledger."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from desireline.project import Project, digests, new_project, rebuild
from desireline.storage.progress_book import ProgressBook
from desireline.vocabulary.errors import DesirelineError, WorkFailed

DAY_MS = 86_400_000
START_MS = 1_735_689_600_000

RECIPE = """
recipe: desk
source: desk
files: ["desk*.csv"]
key: id
interactions:
  - occurred_at: {column: at, format: epoch_ms}
    touchpoint: {column: what}
    channel: {column: channel}
    direction: {column: direction}
    case: {column: case}
    handles:
      - {kind: crm, column: crm}
      - {kind: email, column: email}
      - {kind: cookie, column: cookie}
"""

MAP = """
map: desk
says: Whoever asks is answered.
begins: {touchpoint: asked}
ends: {touchpoint: solved}
quiet_after: 20 days
phases:
  - phase: Help
    sale: after
    steps:
      - {step: asked, touchpoint: asked}
      - {step: answered, touchpoint: answered}
promises:
  - promise: answered
    says: You are answered within two days.
    when: {touchpoint: asked}
    then: {touchpoint: answered, channel: [phone, email]}
    same: case
    within: 2 days
    keep: 80 %
  - promise: once
    says: You ask once.
    when: {touchpoint: asked}
    at_most: {count: 0, of: {touchpoint: asked}, within: 3 days}
    same: case
"""


def a_project(folder: Path) -> Project:
    project = new_project(folder)
    (folder / "maps" / "desk.yaml").write_text(MAP, encoding="utf-8")
    (folder / "recipes" / "desk.yaml").write_text(RECIPE, encoding="utf-8")
    return project


def rows(count: int, seed: int) -> list[str]:
    chance = random.Random(seed)
    made = []
    for number in range(count):
        person = chance.randrange(25)
        at = START_MS + chance.randrange(60) * DAY_MS + chance.randrange(4) * 3_600_000 + number
        what = chance.choice(("asked", "asked", "answered", "solved", "looked"))
        direction = "outbound" if what in ("answered", "solved") else "inbound"
        known_by = chance.randrange(3)
        crm = f"c{person}" if known_by != 1 else ""
        email = f"p{person}@mail.example" if known_by != 0 else ""
        cookie = chance.choice(("", f"k{person}", "kiosk"))
        case = chance.choice(("", f"x{person % 7}"))
        channel = chance.choice(("phone", "email", "chat"))
        made.append(f"{number},{at},{what},{channel},{direction},{case},{crm},{email},{cookie}")
    return made


def write(path: Path, lines: list[str]) -> Path:
    path.write_text("id,at,what,channel,direction,case,crm,email,cookie\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def in_force(project: Project) -> list[tuple[object, ...]]:
    sql = """SELECT map, promise, opening_id, person, journey, key, verdict, breach, breaches, due_at, settled_at,
             lateness_seconds, settling_id, breaking_id, made_good_at FROM ledger ORDER BY ALL"""
    return [tuple(row.values()) for row in project.lake.sql(sql, limit=10_000).rows()]


@pytest.mark.parametrize("seed", [1, 2])
def test_files_in_any_order_give_one_ledger_and_the_store_of_a_build_afresh(tmp_path: Path, seed: int) -> None:
    lines = rows(300, seed)
    whole = a_project(tmp_path / "whole")
    whole.imports.take_known([write(tmp_path / "desk.csv", lines)])

    parts = a_project(tmp_path / "parts")
    shuffled = random.Random(seed).sample(lines, len(lines))
    for start in range(0, 300, 100):
        parts.imports.take_known([write(tmp_path / f"desk-{start}.csv", shuffled[start : start + 100])])

    assert in_force(parts) == in_force(whole)
    assert parts.store.verify() == ()
    kept_up = parts.store.digest()
    rebuild(parts, progress=lambda share, what: None)
    assert parts.store.digest() == kept_up
    assert in_force(parts) == in_force(whole)


def test_the_same_and_an_overlapping_file_add_only_what_is_new(tmp_path: Path) -> None:
    lines = rows(200, 3)
    project = a_project(tmp_path / "p")
    first = project.imports.take_known([write(tmp_path / "desk.csv", lines[:150])])[0]
    again = project.imports.take_known([write(tmp_path / "desk.csv", lines[:150])])[0]
    overlap = project.imports.take_known([write(tmp_path / "desk-2.csv", lines[100:])])[0]
    assert (first.made, again.made, again.already_known) == (150, 0, 150)
    assert (overlap.made, overlap.already_known) == (50, 50)


def test_an_undone_import_leaves_no_trace_in_store_people_and_ledger(tmp_path: Path) -> None:
    lines = rows(240, 4)
    project = a_project(tmp_path / "p")
    project.imports.take_known([write(tmp_path / "desk.csv", lines[:160])])
    digest, ledger = project.store.digest(), in_force(project)
    report = project.imports.take_known([write(tmp_path / "desk-2.csv", lines[160:])])[0]
    assert project.store.digest() != digest
    assert project.imports.undo(report.import_id) == 80
    assert project.store.digest() == digest
    assert in_force(project) == ledger
    causes = project.lake.sql("SELECT DISTINCT cause FROM ledger_rows ORDER BY 1")["cause"]
    assert "undone" in causes


def test_everything_derived_can_be_built_anew(tmp_path: Path) -> None:
    project = a_project(tmp_path / "p")
    lines = rows(200, 5)
    for part in (lines[:70], lines[70:]):
        project.imports.take_known([write(tmp_path / f"desk-{len(part)}.csv", part)])
    digest, ledger = project.store.digest(), in_force(project)
    rebuild(project, progress=lambda share, what: None)
    assert project.store.digest() == digest
    assert in_force(project) == ledger
    assert project.lake.sql("SELECT count(*) AS n FROM journeys WHERE map = 'desk'")["n"][0] > 0


def test_a_changed_map_holds_from_now_on_unless_it_says_otherwise(tmp_path: Path) -> None:
    project = a_project(tmp_path / "p")
    project.imports.take_known([write(tmp_path / "desk.csv", rows(150, 6))])
    before = in_force(project)
    path = tmp_path / "p" / "maps" / "desk.yaml"
    path.write_text(MAP.replace("within: 2 days\n    keep", "within: 10 days\n    keep"), encoding="utf-8")
    notes = project.ledger.judge().notes["maps"]
    assert in_force(project) == before
    assert "version 2 holds from" in notes[0]
    path.write_text(path.read_text().replace("begins:", "valid_from: 2000-01-01\nbegins:"), encoding="utf-8")
    project.ledger.judge()
    assert in_force(project) != before


def test_what_strangers_share_is_nobodys_and_is_judged_for_nobody(tmp_path: Path) -> None:
    lines = [
        f"{n},{START_MS + n * DAY_MS},{what},email,{direction},,,noreply@bank.example,"
        for n, (what, direction) in enumerate([("asked", "inbound"), ("answered", "outbound"), ("asked", "inbound")])
    ]
    project = a_project(tmp_path / "p")
    project.imports.take_known([write(tmp_path / "desk.csv", lines)])
    assert in_force(project) == []
    assert int(project.snapshot().nobody.length.sum()) == 3
    with pytest.raises(DesirelineError, match="shared by strangers"):
        project.questions.person("noreply@bank.example")


def test_a_cookie_that_turns_out_to_be_a_kiosks_is_nobodys_from_then_on(tmp_path: Path) -> None:
    def visit(number: int, crm: str) -> str:
        return f"{number},{START_MS + number * 1_000},looked,web,inbound,,{crm},,kiosk"

    project = a_project(tmp_path / "p")
    alone = [f"{100 + n},{START_MS + n},asked,web,inbound,,,,kiosk" for n in range(3)]
    project.imports.take_known([write(tmp_path / "desk.csv", [*alone, *(visit(n, f"c{n}") for n in range(2))])])
    assert int(project.snapshot().nobody.length.sum()) == 0
    crowd = project.imports.take_known([write(tmp_path / "desk-2.csv", [visit(n, f"c{n}") for n in range(2, 9)])])[0]
    assert int(project.snapshot().nobody.length.sum()) == 3
    assert in_force(project) == []
    kept_up = project.store.digest()
    rebuild(project, progress=lambda share, what: None)
    assert project.store.digest() == kept_up
    project.imports.undo(crowd.import_id)
    assert int(project.snapshot().nobody.length.sum()) == 0
    assert len(in_force(project)) > 0


def test_a_second_writer_is_refused_by_name(tmp_path: Path) -> None:
    project = a_project(tmp_path / "p")
    with (
        project.writing("the night's import"),
        pytest.raises(WorkFailed, match="the night's import"),
        Project(tmp_path / "p").writing("somebody else"),
    ):
        raise AssertionError("two wrote at once")


def test_openings_of_nobody_are_counted_beside_the_rate(tmp_path: Path) -> None:
    lines = [f"{n},{START_MS + n},asked,phone,inbound,,,," for n in range(4)]
    project = a_project(tmp_path / "p")
    project.imports.take_known([write(tmp_path / "desk.csv", lines)])
    rates = {row["promise"]: row for row in project.ledger.judge().rows()}
    assert rates["answered"]["without_handle"] == 4
    assert rates["answered"]["settled"] == 0
    assert "4 openings by nobody known" in str(project.ledger.check()[0])


def test_a_project_from_before_there_was_a_log_gets_one_and_can_be_rebuilt_from_it(tmp_path: Path) -> None:
    project = a_project(tmp_path / "p")
    project.imports.take_known([write(tmp_path / "desk1.csv", [*rows(40, 3), "x,no time,asked,phone,inbound,,,,"])])
    before = digests(project)
    shutil.rmtree(project.data / "log")
    ProgressBook(project.state).forget("record")
    ProgressBook(project.state).forget("versions")
    project.state.close()
    older = Project(tmp_path / "p")
    with older.writing("the first opening"):
        pass
    assert digests(older) == before
    rebuild(older, progress=lambda _share, _what: None)
    assert digests(older) == before
    assert older.imports.undo(older.imports.table()["import_id"][0]) == 40


def test_the_number_of_an_import_that_failed_is_never_given_to_another(tmp_path: Path) -> None:
    project = a_project(tmp_path / "p")
    no_export = tmp_path / "desk0.csv"
    no_export.write_text("something,else\n1,2\n", encoding="utf-8")
    with pytest.raises(DesirelineError):
        project.imports.take_known([no_export])
    (report,) = project.imports.take_known([write(tmp_path / "desk1.csv", rows(10, 3))])
    before = digests(project)
    assert report.import_id == "desk-0002"
    rebuild(project, progress=lambda _share, _what: None)
    assert digests(project) == before


def test_an_empty_project_made_again_is_the_same_empty_project(tmp_path: Path) -> None:
    project = new_project(tmp_path / "bank")
    before = digests(project)
    rebuild(project, progress=lambda _share, _what: None)
    assert digests(project) == before


def test_what_a_project_keeps_is_its_owners_alone(tmp_path: Path) -> None:
    project = new_project(tmp_path / "bank")
    project.sources.add("shop", dialect="segment")
    assert project.data.stat().st_mode & 0o077 == 0, "senders' keys lie in it"
