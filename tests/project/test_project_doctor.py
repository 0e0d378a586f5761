"""The doctor finds what is wrong, says what to do, and changes nothing."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from desireline.project import Finding, Project, examine
from desireline.storage.log import Kind, Log
from project.live_desk import HOUR_MS, FakeClock, a_desk, at_work, message


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A desk with two tickets that came in live, by the machine's own clock."""
    desk_folder = a_desk(tmp_path / "desk")
    clock = FakeClock()
    with at_work(desk_folder, clock) as desk:
        desk.send(message("m1", "Ticket Opened", "anna", clock(), case="c1"))
        clock.move(HOUR_MS)
        desk.send(message("m2", "Ticket Answered", "anna", clock(), case="c1"))
        desk.live.turn()
    return desk_folder


def findings(folder: Path, *, deep: bool = False, **environment: str) -> list[Finding]:
    return examine(folder, deep=deep, environment=environment, progress=lambda _share, _what: None)


def said(found: list[Finding], level: str) -> str:
    return "\n".join(each.line() for each in found if each.level == level)


def state_of_files(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(("-shm", "-wal", ".lock"))
    }


def test_a_healthy_project_has_no_fault_and_is_not_changed(folder: Path) -> None:
    before = state_of_files(folder)
    found = findings(folder, deep=True)
    assert said(found, "fault") == ""
    about = {each.about for each in found if each.level == "ok"}
    assert about >= {"sqlite", "state", "log", "clock", "disk", "lake", "journeys", "maps", "sources", "rebuild"}
    assert state_of_files(folder) == before


def test_a_project_that_is_held_can_be_looked_at(folder: Path) -> None:
    with at_work(folder, FakeClock()):
        assert said(findings(folder), "fault") == ""


@pytest.mark.parametrize(
    ("place", "about"),
    [("state.sqlite", "state"), ("lake/interactions/*.parquet", "lake"), ("store/*/*", "journeys")],
)
def test_what_is_damaged_is_named(folder: Path, place: str, about: str) -> None:
    for path in (folder / "data").glob(place):
        if path.is_file():
            path.write_bytes(b"\x00not what it was" * 50)
    for path in (folder / "data").glob("state.sqlite-*"):
        if about == "state":
            path.unlink()
    found = findings(folder)
    assert about in " ".join(each.about for each in found if each.level == "fault")
    assert all(each.do for each in found if each.level == "fault")


def test_damage_in_the_log_is_told_by_entry(folder: Path) -> None:
    segment = max((folder / "data" / "log").glob("*.log*"), key=lambda path: path.stat().st_size)
    data = bytearray(segment.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 8] = b"\xff" * 8
    segment.write_bytes(data)
    assert "log" in {each.about for each in findings(folder, deep=True) if each.level in ("fault", "look")}


def test_a_missing_state_store_is_not_made_by_looking(folder: Path) -> None:
    for path in (folder / "data").glob("state.sqlite*"):
        path.unlink()
    assert "there is none yet" in said(findings(folder), "look")
    assert not (folder / "data" / "state.sqlite").exists()


def test_a_clock_that_was_set_back_is_told(folder: Path) -> None:
    log = Log(folder / "data" / "log", now=lambda: 0)
    log.append(Kind.CHANGE, received_at=4_102_444_800_000, meta=b'{"do": "nothing"}')
    log.close()
    assert "the clock was set back" in said(findings(folder), "fault")


def test_mistakes_of_people_are_told(folder: Path) -> None:
    project = Project(folder, now=FakeClock())
    project.sources.add("till", dialect="segment", secret_env="TILL_SECRET")
    project.telling.change("listener.set", listener={"name": "crm", "kind": "email", "address": "crm@example.org"})
    project.telling.change("listener.disable", name="crm")
    (folder / "recipes" / "odd.yaml").write_text("recipe: odd\ncolour: red\n")
    with at_work(folder, FakeClock()) as desk:
        desk.send_body(json.dumps({"batch": [{"type": "track"}]}).encode())
        desk.live.turn()
    (folder / "maps" / "odd.yaml").write_text("map: odd\nsays: Odd.\ncolour: red\n")
    found = findings(folder)
    looks, faults = said(found, "look"), said(found, "fault")
    assert "nothing ever came from 'till'" in looks and "TILL_SECRET" in looks
    assert "'crm' is stopped" in looks
    assert "1 refused row wait" in looks
    assert "unknown word 'colour'" in faults and "odd.yaml" in faults
    assert "TILL_SECRET" not in said(findings(folder, TILL_SECRET="x"), "look")


def test_settings_that_cannot_be_read_end_the_look(folder: Path) -> None:
    (folder / "desireline.yaml").write_text("time_zone: Mars\nnmae: x\n")
    found = findings(folder)
    assert [each.level for each in found] == ["fault", "fault"]
    assert "nmae" in said(found, "fault") and "Mars" in said(found, "fault")
