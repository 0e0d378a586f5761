"""Live work goes on whatever comes between: other changes, poisoned entries, maps with a mistake, a log cut short."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from desireline.project import Project, digests, rebuild, upkeep
from desireline.storage.log import Kind
from desireline.vocabulary.errors import DesirelineError, WorkFailed
from project.live_desk import DAY_MS, HOUR_MS, MAP, START_MS, FakeClock, a_desk, at_work, message


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return a_desk(tmp_path / "desk")


def test_what_came_in_before_another_change_is_judged_and_told_at_the_next_turn(folder: Path) -> None:
    with at_work(folder, FakeClock()) as desk:
        desk.send(message("m1", "Ticket Opened", "anna", START_MS, case="c1"))
        desk.project.sources.add("other")
        desk.live.turn()
        assert [row[1] for row in desk.ledger()] == ["c1", "c1"]
        assert desk.project.snapshot().interactions == 1
        assert desk.hub.counts["verdict.accepted"] == 1


def test_what_came_in_before_a_change_that_fails_is_not_lost(folder: Path) -> None:
    with at_work(folder, FakeClock()) as desk:
        desk.send(message("m1", "Ticket Opened", "anna", START_MS, case="c1"))
        with pytest.raises(DesirelineError, match="there is no import 'nothing'"):
            desk.project.imports.undo("nothing")
        desk.live.turn()
        assert desk.project.snapshot().interactions == 1 and len(desk.ledger()) == 2


def test_entries_of_the_log_that_nobody_can_read_are_passed_over(folder: Path) -> None:
    clock = FakeClock()
    with at_work(folder, clock) as desk:
        log = desk.project.record.log
        log.append(Kind.CHANGE, received_at=clock(), meta=b"{no json")
        log.append(Kind.CHANGE, received_at=clock(), meta=b'{"do":"undo"}')
        log.append(Kind.REQUEST, received_at=clock(), source="shop", meta=b"{no json", body=b"what came")
        desk.send(message("m1", "Ticket Opened", "anna", START_MS, case="c1"))
        desk.live.turn()
        assert desk.interactions() == 1
        refused = list(desk.project.imports.refused().rows())
        assert [(row["reason"], row["raw"]) for row in refused] == [("reader.failed: DecodeError", "what came")]
        before = digests(desk.project)
    project = Project(folder, now=clock)
    rebuild(project, progress=lambda _share, _what: None)
    assert digests(project) == before


def test_a_change_by_a_later_version_stops_what_follows_and_loses_nothing(folder: Path) -> None:
    clock = FakeClock()
    with at_work(folder, clock) as desk:
        desk.project.record.log.append(Kind.CHANGE, received_at=clock(), meta=b'{"do":"promise the moon"}')
        desk.send(message("m1", "Ticket Opened", "anna", START_MS, case="c1"))
        for _ in range(2):
            with pytest.raises(WorkFailed, match="a later version of Desireline wrote entry"):
                desk.live.turn()
        last = desk.project.record.log.last
        with pytest.raises(WorkFailed, match="a later version"):
            desk.project.sources.add("other")
        assert desk.project.record.log.last == last


def test_a_full_disk_is_waited_for_and_nothing_is_passed_over(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with at_work(folder, FakeClock()) as desk:
        desk.send(message("m1", "Ticket Opened", "anna", START_MS, case="c1"))
        write_rows = desk.project.lake.write_rows

        def full(*_given: object) -> int:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(desk.project.lake, "write_rows", full)
        with pytest.raises(OSError, match="No space"):
            desk.live.turn()
        monkeypatch.setattr(desk.project.lake, "write_rows", write_rows)
        desk.live.turn()
        assert desk.interactions() == 1 and len(desk.project.imports.refused()) == 0


def test_a_map_saved_with_a_mistake_leaves_promises_as_they_were_until_it_is_mended(folder: Path) -> None:
    clock, path = FakeClock(), folder / "maps" / "map0.yaml"
    with at_work(folder, clock) as desk:
        desk.send(message("m1", "Ticket Opened", "anna", START_MS, case="c1"))
        desk.live.turn()
        path.write_text(MAP.replace("within: 2 hours", "withn: 2 hours"), encoding="utf-8")
        clock.move(2 * HOUR_MS + 1)
        desk.live.turn()
        assert desk.ledger()[0] == ("answered", "c1", "broken", "missing")
        assert "Did you mean 'within'?" in desk.live.map_mistakes
        path.write_text(MAP.replace("within: 2 hours", "within: 3 hours\n    public: true"), encoding="utf-8")
        desk.live.turn()
        assert desk.live.map_mistakes == ""


def test_a_map_that_holds_from_now_on_costs_no_judging_of_everybody(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, path = FakeClock(), folder / "maps" / "map0.yaml"
    judged: list[int] = []
    judge = upkeep.judge

    def counted(project: Project, *rest: object, as_of: int, **more: object) -> object:
        judged.append(as_of)
        return judge(project, *rest, as_of=as_of, **more)  # type: ignore[arg-type]

    with at_work(folder, clock) as desk:
        monkeypatch.setattr(upkeep, "judge", counted)
        desk.send(message("m1", "Ticket Opened", "anna", START_MS, case="c1"))
        clock.move(1_000)
        desk.live.turn()
        path.write_text(MAP.replace("within: 2 hours", "within: 3 hours"), encoding="utf-8")
        desk.live.turn()
        clock.move(1_000)
        desk.send(message("m2", "Ticket Opened", "bert", clock(), case="c2"))
        desk.live.turn()
        dues = [row[1] for row in desk.ledger("key", "due_at", "promise") if row[2] == "answered"]
        assert dues == [START_MS + 2 * HOUR_MS, clock() + 3 * HOUR_MS] and judged == []
        path.write_text(MAP.replace("map: desk", "map: desk\nvalid_from: 2020-01-01").replace("2 hours", "4 hours"))
        desk.live.turn()
        dues = [row[1] for row in desk.ledger("key", "due_at", "promise") if row[2] == "answered"]
        assert dues == [START_MS + 4 * HOUR_MS, clock() + 3 * HOUR_MS] and len(judged) == 1


def test_a_server_begins_with_a_mistaken_map_and_judges_once_it_is_mended(folder: Path) -> None:
    clock, path = FakeClock(), folder / "maps" / "map0.yaml"
    path.write_text("map: desk\nsays", encoding="utf-8")
    with at_work(folder, clock) as desk:
        desk.send(message("m1", "Ticket Opened", "anna", START_MS, case="c1"))
        desk.live.turn()
        assert desk.live.map_mistakes and desk.interactions() == 1 and desk.project.snapshot().interactions == 1
        path.write_text(MAP, encoding="utf-8")
        desk.live.turn()
        assert len(desk.ledger()) == 2


def test_what_is_dated_in_the_future_does_not_break_promises_before_their_time(folder: Path, tmp_path: Path) -> None:
    clock = FakeClock()
    visits = tmp_path / "visits.csv"
    visits.write_text("time,customer,touchpoint\n2027-05-01T00:00:00Z,bert,visit.planned\n", encoding="utf-8")
    with at_work(folder, clock) as desk:
        desk.send(message("m1", "Ticket Opened", "anna", START_MS, case="c1"))
        clock.move(1_000)
        desk.live.turn()
        guess = desk.project.imports.guess(visits)
        assert guess.recipe is not None
        desk.project.imports.take([(visits, guess.recipe)])
        assert desk.project.snapshot().as_of > clock() + 300 * DAY_MS
        assert [row[2] for row in desk.ledger()] == ["waiting", "waiting"]
    with at_work(folder, clock) as desk:
        assert [row[2] for row in desk.ledger()] == ["waiting", "waiting"]


def test_what_a_log_that_lost_its_end_no_longer_holds_stays_in_the_project(folder: Path) -> None:
    clock, log = FakeClock(), folder / "data" / "log"
    with at_work(folder, clock) as desk:
        desk.send(message("m0", "Ticket Opened", "anna", START_MS, case="c0"))
        desk.live.turn()
    shutil.copytree(log, folder / "older")
    with at_work(folder, clock) as desk:
        desk.send(message("m1", "Ticket Opened", "anna", START_MS, case="c1"))
        desk.live.turn()
        reached = desk.project.record.reached
    shutil.rmtree(log)
    (folder / "older").rename(log)
    with at_work(folder, clock) as desk:
        assert desk.project.record.log.last < reached and desk.interactions() == 2
        assert desk.send(message("m9", "Ticket Opened", "bert", START_MS, case="c9")) > reached
        desk.live.turn()
        assert desk.interactions() == 3
