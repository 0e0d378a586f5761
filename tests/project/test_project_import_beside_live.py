"""A file is imported while interactions come in live: nobody waits for it, and a crash at any moment loses nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from desireline.project import Project, digests, rebuild
from desireline.project.turns import Turns
from desireline.storage.journey_store import store
from desireline.vocabulary.errors import DesirelineError
from faults.forms import how_many
from project.live_desk import HOUR_MS, START_MS, Desk, FakeClock, a_desk, at_work, message

ROWS = 60
TESTS = Path(__file__).parent.parent
CHILD = TESTS / "project" / "killed_while_importing.py"
STEPS = (0, 5, 12, 22, 34, 48, 64, 82, 102)
"""Steps at which the child dies; the last is beyond the end of its work."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return a_desk(tmp_path / "desk")


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    lines = [f"{START_MS + number * 60_000},u{number % 7},ticket.opened,c{number}" for number in range(ROWS)]
    path = tmp_path / "orders.csv"
    path.write_text("time,customer,touchpoint,case\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def take(desk: Desk, path: Path, meanwhile: Callable[[str], None]) -> int:
    recipe = desk.project.imports.guess(path).recipe
    assert recipe is not None
    return desk.project.imports.take([(path, recipe)], progress=lambda _share, doing: meanwhile(doing))[0].made


@pytest.mark.parametrize("many_rows", [0, 100_000])
def test_what_comes_in_while_a_file_is_imported_is_judged_before_the_import_ends(
    folder: Path, orders: Path, monkeypatch: pytest.MonkeyPatch, many_rows: int
) -> None:
    monkeypatch.setattr(store, "_MANY_ROWS", many_rows)
    clock, seen = FakeClock(START_MS + HOUR_MS), list[str]()
    with at_work(folder, clock) as desk:

        def meanwhile(doing: str) -> None:
            if doing in ("making interactions", "journey store"):
                desk.send(message(f"m-{doing}", "Ticket Opened", "u3", clock(), case=f"while {doing}"))
                desk.live.turn()
                assert (f"while {doing}", "waiting") in desk.ledger("key", "verdict")
                assert desk.project.snapshot().interactions == len(seen) + 1
                seen.append(doing)

        assert take(desk, orders, meanwhile) == ROWS
        assert seen == ["making interactions", "journey store"]
        assert desk.project.snapshot().interactions == ROWS + 2 and desk.project.store.verify() == ()
        before = digests(desk.project)
    again = Project(folder, now=clock)
    rebuild(again, progress=lambda _share, _what: None)
    assert digests(again) == before


def test_a_message_that_comes_in_live_while_its_file_is_read_is_there_once(folder: Path, tmp_path: Path) -> None:
    clock, path = FakeClock(START_MS + HOUR_MS), tmp_path / "shop.csv"
    path.write_text(
        f"id,time,customer,touchpoint\nm1,{START_MS},anna,ticket.opened\nm2,{START_MS},bert,ticket.opened\n",
        encoding="utf-8",
    )
    with at_work(folder, clock) as desk:
        recipe = desk.project.imports.guess(path).recipe
        assert recipe is not None and recipe.key

        def meanwhile(_share: float, doing: str) -> None:
            if doing == "looking for repeats":
                desk.send(message("m1", "Ticket Opened", "anna", START_MS), source=recipe.source)
                desk.live.turn()
                assert desk.interactions() == 1
            elif doing == "keeping the file":
                desk.send(message("m2", "Ticket Opened", "bert", START_MS), source=recipe.source)

        (report,) = desk.project.imports.take([(path, recipe)], progress=meanwhile)
        desk.live.turn()
        assert report.made == 0 and report.already_known + report.conflicts == 2 and desk.interactions() == 2
        before = digests(desk.project)
    again = Project(folder, now=clock)
    rebuild(again, progress=lambda _share, _what: None)
    assert digests(again) == before


def test_a_file_that_changes_while_it_is_read_is_not_taken_in(folder: Path, orders: Path) -> None:
    with at_work(folder, FakeClock(START_MS + HOUR_MS)) as desk:

        def meanwhile(doing: str) -> None:
            if doing == "making interactions":
                with orders.open("a", encoding="utf-8") as file:
                    file.write(f"{START_MS},u9,ticket.opened,late\n")

        with pytest.raises(DesirelineError, match="changed while it was read"):
            take(desk, orders, meanwhile)
        assert desk.interactions() == 0 and not desk.project.underway
        assert take(desk, orders, lambda _doing: None) == ROWS + 1


def test_what_an_import_could_not_bring_to_its_end_the_next_turn_of_live_work_does(
    folder: Path, orders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with at_work(folder, FakeClock(START_MS + HOUR_MS)) as desk:
        with monkeypatch.context() as hindered, pytest.raises(OSError, match="disk"):
            hindered.setattr(type(desk.project.store), "add_parts", fail)
            take(desk, orders, lambda _doing: None)
        assert desk.interactions() == ROWS and desk.ledger() == []
        desk.live.turn()
        assert desk.project.snapshot().interactions == ROWS and len(desk.ledger()) == 2 * ROWS


def fail(*_given: object, **_named: object) -> None:
    raise OSError("the disk is full")


@pytest.mark.parametrize("steps", STEPS if how_many(short=0, long=1) else STEPS[1::2])
def test_killed_at_any_step_of_an_import_nothing_acknowledged_is_lost_and_nothing_is_there_twice(
    folder: Path, orders: Path, steps: int
) -> None:
    command = [sys.executable, str(CHILD), str(folder), str(orders), str(steps)]
    ended = subprocess.run(
        command, check=False, timeout=300, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(TESTS)}
    )
    assert ended.returncode == -signal.SIGKILL
    told = ended.stdout.decode().split()
    clock = FakeClock(START_MS + 10 * HOUR_MS)
    with at_work(folder, clock) as desk:
        desk.live.turn()
        with desk.project.lake.connection() as connection:
            found = connection.execute("SELECT import_id, source_key FROM interactions").fetchall()
        keys = [key for import_id, key in found if import_id == "live"]
        assert set(told) <= set(keys) and len(keys) == len(set(keys))
        assert len(found) - len(keys) in (0, ROWS)
        assert desk.project.store.verify() == () and desk.project.snapshot().interactions == len(found)
        assert len(desk.ledger()) == 2 * len(found)
        before = digests(desk.project)
    again = Project(folder, now=clock)
    rebuild(again, progress=lambda _share, _what: None)
    assert digests(again) == before


def test_turns_go_to_whoever_asked_first_and_a_turn_within_a_turn_is_the_same(folder: Path) -> None:
    turns, order, asked = Turns(), list[int](), [threading.Event() for _ in range(3)]

    def wait_for_a_turn(number: int) -> None:
        asked[number].set()
        with turns, turns:
            order.append(number)

    threads = [threading.Thread(target=wait_for_a_turn, args=(number,)) for number in range(3)]
    with turns:
        for number, thread in enumerate(threads):
            thread.start()
            asked[number].wait()
            while len(turns.waiting) <= number:
                threading.Event().wait(0.001)
    with turns:
        order.append(99)
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 99]
