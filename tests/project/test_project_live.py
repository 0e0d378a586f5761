"""In motion: what comes in is in the ledger at the next turn, and a promise that falls due is broken then."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from desireline.project import Project, digests, new_project, rebuild
from project.live_desk import DAY_MS, HOUR_MS, MAP, MINUTE_MS, START_MS, FakeClock, a_desk, at_work, message


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return a_desk(tmp_path / "desk")


def test_a_promise_is_broken_when_it_falls_due_not_when_somebody_asks(folder: Path) -> None:
    clock = FakeClock()
    with at_work(folder, clock) as desk:
        desk.send(message("m1", "Ticket Opened", "anna", START_MS, case="c1"))
        clock.move(1_000)
        desk.live.turn()
        assert desk.ledger() == [("answered", "c1", "waiting", None), ("once", "c1", "waiting", None)]
        clock.move(2 * HOUR_MS - 1_001)
        assert desk.live.turn().people == 0
        clock.move(2)
        assert desk.live.turn().people == 1
        assert desk.ledger()[0] == ("answered", "c1", "broken", "missing")
        told = [event.values for event in desk.hub.since(0)[0] if event.kind == "promise"]
        assert told[-1]["verdict"] == "broken" and told[-1]["cause"] == "time passed"
        desk.send(message("m2", "Ticket Answered", "anna", clock(), case="c1"))
        desk.live.turn()
        assert desk.ledger("promise", "verdict", "breach", "lateness_seconds")[0] == ("answered", "broken", "late", 0)
        clock.move(3 * DAY_MS)
        desk.live.turn()
        assert desk.ledger()[1] == ("once", "c1", "kept", None)


def test_the_same_message_again_adds_nothing_and_another_content_is_a_conflict(folder: Path) -> None:
    with at_work(folder, FakeClock()) as desk:
        opened = message("m1", "Ticket Opened", "anna", START_MS, case="c1")
        desk.send(opened, opened)
        desk.send(opened)
        desk.live.turn()
        desk.send(opened)
        desk.send(message("m1", "Ticket Opened", "anna", START_MS, case="another"))
        desk.live.turn()
        verdicts = [event.values["verdict"] for event in desk.hub.since(0)[0] if event.kind == "verdict"]
        assert verdicts == ["accepted", "repeated", "repeated", "repeated", "quarantined"]
        assert desk.interactions() == 1
        refused = desk.project.imports.refused()
        assert len(refused) == 1 and "conflict" in refused["reason"][0]


def test_a_bad_message_sent_again_waits_once_whatever_its_client_writes_anew(folder: Path) -> None:
    with at_work(folder, FakeClock()) as desk:
        for again in range(3):
            bad = {"type": "track", "messageId": "m-1", "event": None, "userId": "anna", "offset": 10 * again}
            desk.send({**bad, "sentAt": f"2026-03-01T10:0{again}:00Z", "_metadata": {"retries": again}})
        desk.live.turn()
        assert len(desk.project.imports.refused()) == 1


def test_a_bad_message_waits_in_quarantine_is_mended_and_comes_in(folder: Path) -> None:
    with at_work(folder, FakeClock()) as desk:
        bad = message("m1", "Ticket Opened", "anna", START_MS, case="c1") | {"event": None}
        desk.send(message("m0", "Ticket Opened", "bert", START_MS, case="c0"), bad)
        desk.send(bad)
        desk.live.turn()
        refused = list(desk.project.imports.refused().rows())
        assert len(refused) == 1 and desk.interactions() == 1
        number = refused[0]["number"]
        desk.project.imports.edit(number, refused[0]["raw"].replace('"event":null', '"event":"Ticket Opened"'))
        desk.project.imports.replay(numbers=[number])
        assert desk.interactions() == 2 and len(desk.project.imports.refused()) == 0
        desk.live.turn()
        assert [row[1] for row in desk.ledger()] == ["c0", "c1", "c0", "c1"]


def test_live_and_file_are_rebuilt_from_the_log_with_equal_digests(folder: Path) -> None:
    clock = FakeClock()
    with at_work(folder, clock) as desk:
        for number in range(40):
            desk.send(
                message(f"a{number}", "Ticket Opened", f"p{number % 7}", clock(), case=f"c{number}"),
                message(f"b{number}", "Page Seen", f"p{number % 5}", clock() + 5),
            )
            if number % 3:
                desk.send(message(f"d{number}", "Ticket Answered", f"p{number % 7}", clock() + 7, case=f"c{number}"))
            clock.move(11 * MINUTE_MS)
            if number % 4 == 0:
                desk.live.turn()
        desk.send_body(b"{no json")
        desk.live.turn()
        before = digests(desk.project)
        assert desk.project.store.verify() == ()
    project = Project(folder, now=clock)
    rebuild(project, progress=lambda _share, _what: None)
    assert digests(project) == before


def test_what_a_crash_left_in_the_log_alone_is_applied_at_the_next_start(folder: Path) -> None:
    clock = FakeClock()
    with at_work(folder, clock) as desk:
        desk.send(message("m1", "Ticket Opened", "anna", START_MS, case="c1"))
    clock.move(5 * HOUR_MS)
    with at_work(folder, clock) as desk:
        assert desk.ledger()[0] == ("answered", "c1", "broken", "missing")


def test_the_same_live_work_with_the_state_in_postgresql(
    tmp_path: Path, new_schema: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESK_STATE", new_schema())
    folder, clock = tmp_path / "desk", FakeClock()
    new_project(folder)
    settings = folder / "desireline.yaml"
    settings.write_text(settings.read_text(encoding="utf-8") + "state: DESK_STATE\n", encoding="utf-8")
    (folder / "maps" / "desk.yaml").write_text(MAP, encoding="utf-8")
    project = Project(folder, now=clock)
    project.sources.add("shop", server_side=True)
    project.state.close()
    opened = message("m1", "Ticket Opened", "anna", START_MS, case="c1")
    with at_work(folder, clock) as desk:
        desk.send(opened, message("m2", "Ticket Opened", "bert", START_MS, case="c2") | {"event": None})
        desk.live.turn()
    clock.move(3 * HOUR_MS)
    with at_work(folder, clock) as desk:
        desk.send(opened)
        desk.live.turn()
        assert desk.interactions() == 1 and len(desk.project.imports.refused()) == 1
        assert desk.ledger()[0] == ("answered", "c1", "broken", "missing")
        before = digests(desk.project)
    project = Project(folder, now=clock)
    rebuild(project, progress=lambda _share, _what: None)
    assert digests(project) == before
    project.state.close()
