"""A backup taken beside a running project, and a project made again from it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from desireline.project import Following, Project, back_up, digests, restore
from desireline.project.manifest import read_manifest
from desireline.vocabulary.errors import DesirelineError, WorkFailed
from project.live_desk import HOUR_MS, FakeClock, a_desk, at_work, message


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return a_desk(tmp_path / "desk")


def a_day(folder: Path, clock: FakeClock) -> dict[str, str]:
    """Anna and Ben write; only Anna is answered in time."""
    with at_work(folder, clock) as desk:
        desk.send(message("m1", "Ticket Opened", "anna", clock(), case="c1"))
        desk.send(message("m2", "Ticket Opened", "ben", clock(), case="c2"))
        clock.move(HOUR_MS)
        desk.send(message("m3", "Ticket Answered", "anna", clock(), case="c1"))
        desk.live.turn()
        clock.move(5 * HOUR_MS)
        desk.live.turn()
        return digests(desk.project)


def brought_back(backup: Path, folder: Path, clock: FakeClock, *, silent: bool = False) -> Project:
    return restore(backup, folder, progress=lambda _share, _what: None, now=clock, silent=silent)


def test_a_restored_project_is_the_one_that_was_backed_up(folder: Path, clock: FakeClock, tmp_path: Path) -> None:
    before = a_day(folder, clock)
    back_up(Project(folder, now=clock), tmp_path / "backup")
    shutil.rmtree(folder)
    project = brought_back(tmp_path / "backup", tmp_path / "again", clock)
    assert digests(project) == before
    assert (tmp_path / "again" / "maps" / "map0.yaml").exists()
    with at_work(tmp_path / "again", clock) as desk:
        desk.send(message("m4", "Ticket Opened", "cleo", clock(), case="c3"))
        desk.live.turn()
        assert desk.interactions() == 4


def test_a_backup_while_the_project_is_held_has_what_was_acknowledged(
    folder: Path, clock: FakeClock, tmp_path: Path
) -> None:
    with at_work(folder, clock) as desk:
        desk.send(message("m1", "Ticket Opened", "anna", clock(), case="c1"))
        desk.live.turn()
        unapplied = desk.send(message("m2", "Ticket Opened", "ben", clock(), case="c2"))
        manifest = back_up(Project(folder, now=clock), tmp_path / "backup")
        assert manifest.last_sequence == unapplied
    project = brought_back(tmp_path / "backup", tmp_path / "again", clock)
    assert project.snapshot().interactions == 2


def test_two_backups_share_what_never_changes_and_a_restored_project_shares_nothing(
    folder: Path, clock: FakeClock, tmp_path: Path
) -> None:
    export = tmp_path / "export.csv"
    export.write_text("Key,At,Mail,What\no1,2026-01-01 10:00,a@example.org,ticket.opened\n")
    with at_work(folder, clock) as desk:
        kept = desk.project.record.log.keep_file(export)
        desk.send(message("m1", "Ticket Opened", "anna", clock(), case="c1"))
    project = Project(folder, now=clock)
    first, second = tmp_path / "backups" / "1", tmp_path / "backups" / "2"
    back_up(project, first)
    back_up(project, second)
    name = f"log/files/{kept.sha256}.zst"
    assert (first / name).samefile(second / name) and (first / name).samefile(folder / "data" / name)
    brought_back(second, tmp_path / "again", clock)
    assert (tmp_path / "again" / "data" / name).stat().st_nlink == 1


def test_a_backup_shares_with_the_one_beside_it_when_the_project_lies_on_another_disk(
    folder: Path, clock: FakeClock, tmp_path: Path
) -> None:
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is only one file system here")
    export = tmp_path / "export.csv"
    export.write_text("a,b\n1,2\n")
    with at_work(folder, clock) as desk:
        kept = desk.project.record.log.keep_file(export)
        desk.send(message("m1", "Ticket Opened", "anna", clock(), case="c1"))
    beside = memory / f"desireline-{tmp_path.name}-{id(clock)}"
    try:
        for number in ("1", "2"):
            back_up(Project(folder, now=clock), beside / number)
        name = f"log/files/{kept.sha256}.zst"
        assert (beside / "1" / name).samefile(beside / "2" / name)
        assert read_manifest(beside / "1").files[name] == read_manifest(beside / "2").files[name]
    finally:
        shutil.rmtree(beside)


@pytest.mark.parametrize("harm", ["flipped", "cut", "gone"])
def test_a_damaged_backup_is_refused_by_name_and_leaves_nothing(
    folder: Path, clock: FakeClock, tmp_path: Path, harm: str
) -> None:
    a_day(folder, clock)
    backup = tmp_path / "backup"
    manifest = back_up(Project(folder, now=clock), backup)
    victims = [
        backup / next(name for name in manifest.files if name.startswith("log/")),
        backup / "base/maps/map0.yaml",
    ]
    for path in victims:
        data = path.read_bytes()
        path.unlink()
        if harm != "gone":
            path.write_bytes(data[:-1] if harm == "cut" else bytes([data[0] ^ 1]) + data[1:])
    with pytest.raises(WorkFailed) as refused:
        brought_back(backup, tmp_path / "again", clock)
    assert {mistake.where for mistake in refused.value.mistakes} == {str(path) for path in victims}
    assert [path.name for path in tmp_path.iterdir() if "again" in path.name] == []


def test_a_newer_format_and_an_existing_target_are_refused(folder: Path, clock: FakeClock, tmp_path: Path) -> None:
    a_day(folder, clock)
    backup = tmp_path / "backup"
    back_up(Project(folder, now=clock), backup)
    with pytest.raises(DesirelineError, match="exists already"):
        back_up(Project(folder, now=clock), backup)
    with pytest.raises(DesirelineError, match="exists already"):
        brought_back(backup, folder, clock)
    body = json.loads((backup / "manifest.json").read_text())
    (backup / "manifest.json").write_text(json.dumps(body | {"format": 2}))
    with pytest.raises(DesirelineError, match="newer Desireline"):
        brought_back(backup, tmp_path / "again", clock)
    (backup / "manifest.json").write_text(json.dumps(body | {"files": {"log/../../etc": {"sha256": "", "bytes": 0}}}))
    with pytest.raises(DesirelineError, match="not the manifest"):
        brought_back(backup, tmp_path / "again", clock)
    with pytest.raises(DesirelineError, match="no backup"):
        brought_back(tmp_path, tmp_path / "again", clock)


def test_a_backup_that_fails_is_not_there(
    folder: Path, clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_day(folder, clock)

    def full(*_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("desireline.project.backup.copy_log", full)
    with pytest.raises(OSError, match="No space"):
        back_up(Project(folder, now=clock), tmp_path / "backups" / "1")
    assert list((tmp_path / "backups").iterdir()) == []


def test_a_drill_stops_the_listeners_and_a_real_restore_does_not(
    folder: Path, clock: FakeClock, tmp_path: Path
) -> None:
    project = Project(folder, now=clock)
    listener = {"name": "crm", "kind": "email", "address": "crm@example.org"}
    project.telling.change("listener.set", listener=listener)
    a_day(folder, clock)
    back_up(Project(folder, now=clock), tmp_path / "backup")
    real = brought_back(tmp_path / "backup", tmp_path / "real", clock)
    drill = brought_back(tmp_path / "backup", tmp_path / "drill", clock, silent=True)
    assert [each.enabled for each in real.telling.outbox.listeners()] == [True]
    assert [each.enabled for each in drill.telling.outbox.listeners()] == [False]


def test_a_followed_backup_has_everything_after_each_round(folder: Path, clock: FakeClock, tmp_path: Path) -> None:
    to = tmp_path / "second disk"
    with at_work(folder, clock) as desk:
        desk.send(message("m0", "Ticket Opened", "anna", clock(), case="c0"))
        following = Following(Project(folder, now=clock), to)
        for number in range(1, 4):
            last = desk.send(message(f"m{number}", "Ticket Opened", "anna", clock(), case=f"c{number}"))
            assert following.bring_up().last_sequence == last
            clock.move(HOUR_MS)
            project = brought_back(to, tmp_path / f"again{number}", clock)
            assert project.snapshot().interactions == number + 1
    with at_work(folder, clock) as desk:
        desk.send(message("m9", "Ticket Opened", "ben", clock(), case="c9"))
        Following(Project(folder, now=clock), to).bring_up()
    assert brought_back(to, tmp_path / "last", clock).snapshot().interactions == 5
    assert len(list(to.glob("base-*"))) == 1
