"""The machine's clock is stepped while live work goes on: no promise falls due by that, and nothing is told twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from desireline.project import Project, digests, look_at_clock, rebuild
from desireline.project.clock import now_ms
from project.live_desk import DAY_MS, HOUR_MS, MINUTE_MS, Desk, SteppedMachine, a_desk, at_work, message

YEAR_MS = 365 * DAY_MS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return a_desk(tmp_path / "desk")


@pytest.fixture
def machine() -> SteppedMachine:
    return SteppedMachine(now_ms())


def answered(desk: Desk) -> tuple[str, ...]:
    return next(row for row in desk.ledger("promise", "verdict", "cause") if row[0] == "answered")[1:]


def causes(desk: Desk) -> list[str]:
    with desk.project.lake.connection() as connection:
        rows = "SELECT verdict || ': ' || cause FROM ledger_rows WHERE promise = 'answered' ORDER BY number"
        return [row[0] for row in connection.execute(rows).fetchall()]


def open_a_ticket(desk: Desk) -> None:
    desk.send(message("m1", "Ticket Opened", "anna", desk.clock(), case="c1"))
    desk.live.turn()


@pytest.mark.parametrize("differs", [YEAR_MS, -YEAR_MS, 3 * HOUR_MS])
def test_a_clock_that_is_stepped_for_a_while_breaks_nothing_and_undoes_nothing(
    folder: Path, machine: SteppedMachine, differs: int
) -> None:
    with at_work(folder, machine) as desk:
        open_a_ticket(desk)
        machine.ahead += differs
        machine.passed += MINUTE_MS
        desk.live.turn()
        assert answered(desk) == ("waiting", "new")
        assert [each.about for each in desk.live.warnings] == ["clock"]
        desk.send(message("m2", "Ticket Answered", "anna", desk.clock(), case="c1"))
        desk.live.turn()
        assert answered(desk)[0] == "kept"
        machine.ahead -= differs
        machine.passed += 2 * HOUR_MS
        desk.live.turn()
        assert answered(desk)[0] == "kept" and desk.live.warnings == []


def test_a_promise_falls_due_by_the_time_before_and_once_only(folder: Path, machine: SteppedMachine) -> None:
    with at_work(folder, machine) as desk:
        open_a_ticket(desk)
        machine.ahead -= DAY_MS
        machine.passed += 2 * HOUR_MS + 1
        desk.live.turn()
        machine.ahead += DAY_MS
        desk.live.turn()
        assert causes(desk) == ["waiting: new", "broken: time passed"]


def test_a_wrong_clock_that_was_believed_is_set_right_and_what_it_broke_is_restated(
    folder: Path, machine: SteppedMachine
) -> None:
    with at_work(folder, machine) as desk:
        desk.project.telling.change(
            "listener.set", listener={"name": "crm", "kind": "email", "address": "crm@desk.example"}
        )
        open_a_ticket(desk)
        for step in (3 * HOUR_MS, -3 * HOUR_MS):
            machine.ahead += step
            assert not look_at_clock(desk.project, right=True)["stepped"]
            machine.passed += MINUTE_MS
            desk.live.turn()
            desk.live.turn()
        assert causes(desk) == ["waiting: new", "broken: time passed", "waiting: clock set right"]
        machine.passed += 2 * HOUR_MS
        desk.live.turn()
        assert causes(desk)[-1] == "broken: time passed"
        told = desk.project.telling.outbox.book.intents(listener="crm")
        assert len(told) == len({row["notice"] for row in told})
        assert all(row["due_at"] <= desk.clock() for row in told)
        before = digests(desk.project)
        now = desk.clock()
    project = Project(folder, now=lambda: now)
    rebuild(project, progress=lambda _share, _what: None)
    after = digests(project)
    assert {name: after[name] for name in after if name != "ledger"} == {
        name: before[name] for name in before if name != "ledger"
    }


def test_a_step_that_waits_goes_on_waiting_when_the_server_is_started_anew(
    folder: Path, machine: SteppedMachine
) -> None:
    with at_work(folder, machine) as desk:
        open_a_ticket(desk)
        machine.ahead += YEAR_MS
        desk.live.turn()
    machine.passed += MINUTE_MS
    with at_work(folder, machine) as desk:
        desk.live.turn()
        assert answered(desk) == ("waiting", "new") and "set forward by 365 d" in desk.live.warnings[0].what
        machine.ahead -= YEAR_MS
        desk.live.turn()
    with at_work(folder, machine) as desk:
        assert desk.live.warnings == [] and not (folder / "data" / "clock.json").exists()


def test_whoever_asks_is_told_of_a_step_that_nobody_noticed_yet(folder: Path, machine: SteppedMachine) -> None:
    assert not look_at_clock(Project(folder))["stepped"]
    with at_work(folder, machine) as desk:
        assert look_at_clock(desk.project)["says"] == "This machine's clock goes evenly."
        machine.ahead += 3 * HOUR_MS
        assert "set forward by 3 h" in look_at_clock(desk.project)["says"]
        assert look_at_clock(desk.project, right=True)["says"] == "The server's time moved forward by 3 h."


def test_a_server_that_starts_with_a_clock_behind_its_log_says_so_and_undoes_nothing(
    folder: Path, machine: SteppedMachine
) -> None:
    with at_work(folder, machine) as desk:
        open_a_ticket(desk)
        machine.passed += 3 * HOUR_MS
        desk.send(message("m2", "Page Seen", "bert", desk.clock()))
        desk.live.turn()
        assert answered(desk)[0] == "broken"
    machine.ahead -= YEAR_MS
    with at_work(folder, machine) as desk:
        desk.live.turn()
        assert answered(desk)[0] == "broken" and "set back" in desk.live.warnings[0].what
