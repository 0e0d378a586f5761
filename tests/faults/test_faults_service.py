"""The whole server under faults: killed at any moment, started twice, its derived stores lost or spoilt."""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from desireline.project import Project, digests, look_at_clock, rebuild
from desireline.project.clock import now_ms
from desireline.storage.log import read_log
from faults.forms import how_many
from faults.running import START_SECONDS, Client, Server
from project.live_desk import FakeClock, a_desk, at_work, message

CLIENTS = 16
YEAR_SECONDS = 365 * 86_400


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return a_desk(tmp_path / "desk")


def key_of(folder: Path) -> str:
    return str(Project(folder).sources.named("shop")["key"])


def verdicts(folder: Path) -> list[str]:
    with Project(folder).lake.connection() as connection:
        found = connection.execute("SELECT verdict FROM ledger WHERE promise = 'answered'").fetchall()
    return [row[0] for row in found]


def figure(server: Server, name: str) -> float:
    lines = server.get("/metrics")[1].decode().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))


def wait_until(done: Callable[[], bool]) -> None:
    until = time.monotonic() + START_SECONDS
    while not done():
        assert time.monotonic() < until, "it did not come to be"
        threading.Event().wait(0.1)


def wait_for_figure(server: Server, name: str, *, least: float, most: float = math.inf) -> None:
    wait_until(lambda: least <= figure(server, name) <= most)


def in_the_lake(folder: Path) -> list[str]:
    with Project(folder).lake.connection() as connection:
        found = connection.execute("SELECT source_key FROM interactions").fetchall()
    return [row[0] for row in found]


@pytest.mark.long
def test_F1_kills_of_the_whole_server_lose_nothing_acknowledged_and_double_nothing(folder: Path) -> None:
    key, server, chance = key_of(folder), Server(folder), Random(1)
    clients = [Client(server, key, f"client{number}", number) for number in range(CLIENTS)]
    threads = [threading.Thread(target=client.run, daemon=True) for client in clients]
    server.start()
    for thread in threads:
        thread.start()
    for _ in range(how_many(6, 60)):
        threading.Event().wait(chance.uniform(0.2, 2.5))
        server.kill()
        server.start()
    threading.Event().wait(1.0)
    for client in clients:
        client.stopping.set()
    for thread in threads:
        thread.join(60)
    assert server.stop() == 0
    project = Project(folder)
    with project.writing("the test"):
        pass
    acked = {each for client in clients for each in client.acked}
    there = in_the_lake(folder)
    assert len(acked) > 100
    assert acked <= set(there), f"{len(acked - set(there))} of {len(acked)} acknowledged interactions were lost"
    assert len(there) == len(set(there)), "an interaction is visible twice"
    assert project.store.verify() == ()
    before = digests(project)
    rebuild(project, progress=lambda _share, _what: None)
    after = digests(project)
    assert {name: after[name] for name in after if name != "ledger"} == {
        name: before[name] for name in before if name != "ledger"
    }


def test_F7_a_second_server_ends_at_once_and_names_the_holder(folder: Path) -> None:
    server = Server(folder).start()
    server.wait_for("/ready")
    try:
        assert server.process is not None
        server.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, server.process.pid, os.WSTOPPED)
        before = sizes(folder / "data" / "log")
        second = Server(folder).start(wait=False)
        assert second.process is not None
        assert second.process.wait(60) == 3
        assert f"process {server.process.pid}" in second.said
        assert sizes(folder / "data" / "log") == before
        server.kill()
        server.start()
    finally:
        assert server.process is not None
        server.process.send_signal(signal.SIGCONT)
        server.stop()


def sizes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize("lost", ["lake", "store", "state.sqlite", "versions", "all"])
def test_F10_derived_stores_that_are_deleted_are_made_again_from_the_log(folder: Path, lost: str) -> None:
    clock = FakeClock()
    before = _some_days(folder, clock)
    for name in ("lake", "store", "state.sqlite", "versions") if lost == "all" else (lost,):
        for path in (folder / "data").glob(f"{name}*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    with at_work(folder, clock) as desk:
        desk.live.turn()
        assert digests(desk.project) == before


@pytest.mark.parametrize("spoilt", ["lake/interactions", "lake/handles", "lake/ledger_rows", "store", "state.sqlite"])
def test_F10_derived_stores_that_are_spoilt_are_made_again_from_the_log(folder: Path, spoilt: str) -> None:
    clock = FakeClock()
    before = _some_days(folder, clock)
    chance = Random(3)
    place = folder / "data" / spoilt
    for path in [place] if place.is_file() else [each for each in place.rglob("*") if each.is_file()]:
        path.write_bytes(bytes(chance.randrange(256) for _ in range(min(4_096, path.stat().st_size or 1))))
    for path in (folder / "data").glob("state.sqlite-*"):
        path.unlink()
    with at_work(folder, clock) as desk:
        desk.live.turn()
        assert digests(desk.project) == before


def test_F12_a_clock_that_is_set_back_or_forward_loses_nothing_and_changes_no_order(folder: Path) -> None:
    clock = FakeClock()
    with at_work(folder, clock) as desk:
        sequences = []
        for number, step in enumerate((0, 400 * 86_400_000, -800 * 86_400_000, 5_000)):
            clock.move(step)
            sequences.append(desk.send(message(f"m{number}", "Ticket Opened", "anna", clock(), case=f"c{number}")))
            desk.live.turn()
        assert sequences == sorted(sequences) and desk.interactions() == 4
        before = digests(desk.project)
        clock.at = max(clock.at, 1_900_000_000_000)
    project = Project(folder, now=clock)
    rebuild(project, progress=lambda _share, _what: None)
    after = digests(project)
    assert after["interactions"] == before["interactions"] and after["store"] == before["store"]


def test_F12_a_running_server_says_that_the_clock_was_stepped_and_breaks_nothing_by_it(
    folder: Path, tmp_path: Path
) -> None:
    key, clock = key_of(folder), tmp_path / "clock"
    clock.write_text("0")
    server = Server(folder, under=[sys.executable, str(Path(__file__).with_name("stepped_clock.py")), str(clock)])
    server.start()
    try:
        server.wait_for("/ready")
        opened = message("m1", "Ticket Opened", "anna", now_ms(), case="c1")
        assert server.post("/v1/batch", {"batch": [opened]}, key=key)[0] == 200
        wait_until(lambda: verdicts(folder) == ["waiting"])
        for step in (YEAR_SECONDS, -YEAR_SECONDS):
            clock.write_text(str(step))
            wait_for_figure(server, "desireline_clock_differs_seconds", least=step - 5, most=step + 5)
            turns = figure(server, "desireline_live_turns_total")
            wait_for_figure(server, "desireline_live_turns_total", least=turns + 2)
            status, said = server.get("/ready")
            assert status == 200 and "clock stepped" in said.decode()
            assert verdicts(folder) == ["waiting"]
        assert figure(server, "desireline_clock_steps_total") == 2
        clock.write_text("0")
        wait_until(lambda: "clock stepped" not in server.get("/ready")[1].decode())
        clock.write_text(str(YEAR_SECONDS))
        look_at_clock(Project(folder), right=True)
        wait_until(lambda: verdicts(folder) == ["broken"])
        assert "clock stepped" not in server.get("/ready")[1].decode()
    finally:
        assert server.stop() == 0
    sequences = [frame.sequence for frame in read_log(folder / "data" / "log")]
    assert sequences == list(range(1, len(sequences) + 1))


def test_F19_a_message_that_makes_its_reader_fail_is_set_aside_and_the_others_come_in(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from desireline.intake import dialects

    reads = dialects.rows_of

    def sometimes_fails(given: dialects.Message, *rest: object) -> list[dict[str, object]]:
        if given.key == "poison":
            raise ZeroDivisionError
        return reads(given, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(dialects, "rows_of", sometimes_fails)
    clock = FakeClock()
    with at_work(folder, clock) as desk:
        for number in range(9):
            name = "poison" if number == 4 else f"m{number}"
            desk.send(message(name, "Ticket Opened", "anna", clock(), case=f"c{number}"))
        desk.live.turn()
        assert desk.interactions() == 8
        refused = list(desk.project.imports.refused().rows())
        assert [row["reason"] for row in refused] == ["reader.failed: ZeroDivisionError"]
        monkeypatch.undo()
        desk.project.imports.replay(numbers=[refused[0]["number"]])
        assert desk.interactions() == 9


def _some_days(folder: Path, clock: FakeClock) -> dict[str, str]:
    chance = Random(5)
    with at_work(folder, clock) as desk:
        for number in range(30):
            what = chance.choice(("Ticket Opened", "Ticket Answered", "Page Seen"))
            desk.send(message(f"m{number}", what, f"p{number % 4}", clock(), case=f"c{number % 9}"))
            clock.move(chance.randrange(5_000_000))
            if number % 5 == 0:
                desk.live.turn()
        desk.send_body(json.dumps({"batch": [{"type": "track"}]}).encode())
        desk.live.turn()
        return digests(desk.project)


def test_a_stopped_server_ends_well_and_soon(folder: Path) -> None:
    server = Server(folder).start()
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began < 30
    assert not (folder / "data" / "server.json").exists()
