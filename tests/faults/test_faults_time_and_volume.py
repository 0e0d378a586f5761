"""Time, order, repeats and sheer number: what comes late, twice, across the change of clocks, or in a flood."""

from __future__ import annotations

import itertools
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from desireline.project import digests
from desireline.promises import judge as judge_promises
from desireline.promises import load_map, read_calendars
from desireline.storage.journey_store import snapshot_from_rows
from faults.forms import how_many
from faults.running import Server
from project.live_desk import DAY_MS, HOUR_MS, START_MS, FakeClock, a_desk, at_work, message

LEDGER = ("promise", "key", "verdict", "breach", "opened_at", "due_at", "settled_at", "made_good_at")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return a_desk(tmp_path / "desk")


def test_F14_any_order_of_arrival_gives_the_same_ledger_and_tells_what_it_changed(tmp_path: Path) -> None:
    told = [
        message("m1", "Ticket Opened", "anna", START_MS, case="c1"),
        message("m2", "Ticket Answered", "anna", START_MS + HOUR_MS, case="c1"),
        message("m3", "Ticket Opened", "anna", START_MS + 5 * HOUR_MS, case="c1"),
        message("m4", "Ticket Solved", "anna", START_MS + 30 * HOUR_MS, case="c1"),
    ]
    found, causes = set(), set()
    orders = list(itertools.permutations(told))
    for number, order in enumerate(orders[:: max(1, len(orders) // how_many(6, 24))]):
        clock = FakeClock(START_MS + 30 * DAY_MS)
        with at_work(a_desk(tmp_path / f"desk{number}"), clock) as desk:
            for each in order:
                desk.send(each)
                desk.live.turn()
                clock.move(30_000)
            found.add((tuple(desk.ledger(*LEDGER)), digests(desk.project)["store"]))
            with desk.project.lake.connection() as connection:
                causes |= {row[0] for row in connection.execute("SELECT DISTINCT cause FROM ledger_rows").fetchall()}
    assert len(found) == 1
    assert "late" in causes


AUTUMN, SPRING = datetime(2026, 10, 24, 20, tzinfo=UTC), datetime(2026, 3, 28, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "opened", "within", "due"),
    [
        ("Europe/Berlin", SPRING, "1 working day", datetime(2026, 3, 29, 22, tzinfo=UTC)),
        ("Europe/Berlin", SPRING, "8 working hours", datetime(2026, 3, 29, 4, tzinfo=UTC)),
        ("Europe/Berlin", AUTUMN, "1 working day", datetime(2026, 10, 25, 23, tzinfo=UTC)),
        ("Europe/Berlin", AUTUMN, "24 hours", datetime(2026, 10, 25, 20, tzinfo=UTC)),
        ("America/Sao_Paulo", AUTUMN, "1 working day", datetime(2026, 10, 26, 3, tzinfo=UTC)),
        ("Asia/Kolkata", AUTUMN, "1 working day", datetime(2026, 10, 26, 18, 30, tzinfo=UTC)),
        ("Pacific/Apia", AUTUMN, "1 working day", datetime(2026, 10, 26, 11, tzinfo=UTC)),
        ("Australia/Lord_Howe", SPRING, "1 working day", datetime(2026, 3, 30, 13, tzinfo=UTC)),
        (
            "Australia/Lord_Howe",
            datetime(2026, 4, 4, 1, tzinfo=UTC),
            "1 working day",
            datetime(2026, 4, 5, 13, 30, tzinfo=UTC),
        ),
    ],
)
def test_F15_a_promise_is_due_at_the_right_instant_when_clocks_change(
    zone: str, opened: datetime, within: str, due: datetime
) -> None:
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    calendars = read_calendars({"always": {"time_zone": zone, "open": {day: ["00:00-24:00"] for day in days}}})
    text = (
        "{map: m, calendar: always, promises: [{promise: p, when: {touchpoint: asked}, then: {touchpoint: told}, "
        f"within: {within}}}]}}"
    )
    at = int(opened.timestamp() * 1000)
    snapshot = snapshot_from_rows([{"person": 1, "occurred_at": at, "touchpoint": "asked"}])
    design = load_map(text, "m.yaml", calendars)
    (row,) = judge_promises(snapshot, [design], at, calendars=calendars).rows()
    assert datetime.fromtimestamp(row["due_at"] / 1000, UTC) == due


def test_F16_the_same_batch_ten_times_at_once_is_seen_once_and_another_project_is_unaffected(tmp_path: Path) -> None:
    servers = [Server(a_desk(tmp_path / name)) for name in ("one", "two")]
    batch = [message(f"m{number}", "Ticket Opened", "anna", START_MS, case=f"c{number}") for number in range(20)]
    answers = []
    for server in servers:
        server.start()
        key = server.source_key("shop")

        def post(to: Server = server, key: str = key) -> None:
            answers.append(to.post("/v1/batch", {"batch": batch}, key=key)[0])

        threads = [threading.Thread(target=post) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert server.stop() == 0
    assert answers == [200] * 20
    for server in servers:
        with at_work(server.folder, FakeClock(START_MS + DAY_MS)) as desk:
            assert desk.interactions() == 20


@pytest.mark.parametrize("later_days", [0, 1, 30, 400])
def test_F16_a_retry_after_any_time_adds_nothing(folder: Path, later_days: int) -> None:
    clock = FakeClock()
    opened = message("m1", "Ticket Opened", "anna", START_MS, case="c1")
    with at_work(folder, clock) as desk:
        desk.send(opened)
        desk.live.turn()
    clock.move(later_days * DAY_MS + 1_000)
    with at_work(folder, clock) as desk:
        desk.send(opened)
        desk.live.turn()
        assert desk.interactions() == 1


def test_F17_one_bad_of_many_is_set_aside_with_its_place_and_a_retry_of_all_adds_nothing(folder: Path) -> None:
    batch = [message(f"m{number}", "Ticket Opened", f"p{number}", START_MS, case=f"c{number}") for number in range(500)]
    batch[123] |= {"event": None}
    with at_work(folder, FakeClock()) as desk:
        for _ in range(2):
            desk.send(*batch)
            desk.live.turn()
        assert desk.interactions() == 499
        (refused,) = desk.project.imports.refused().rows()
        assert refused["row"] == 123 and "event" in refused["reason"]


def test_F20_a_number_that_becomes_a_text_is_kept_and_told(folder: Path) -> None:
    clock = FakeClock()
    with at_work(folder, clock) as desk:
        for number in range(40):
            desk.send(message(f"m{number}", "Order Paid", "anna", clock(), amount=12 if number < 30 else "twelve"))
        desk.live.turn()
        assert desk.interactions() == 40
        told = [(each["event"], each["change"], each["name"]) for each in desk.project.drift.recent()]
        assert ("Order Paid", "changed_kind", "amount") in told


def test_F23_many_names_many_properties_and_one_busy_person_stall_nobody(folder: Path) -> None:
    clock, many = FakeClock(), how_many(3_000, 100_000)
    with at_work(folder, clock) as desk:
        for start in range(0, many, 500):
            desk.send(
                *(
                    message(f"m{number}", f"Name {number}", "kiosk", clock() + number, **{f"key{number}": number})
                    for number in range(start, start + 500)
                )
            )
        desk.send(message("anna", "Ticket Opened", "anna", clock(), case="c1"))
        clock.move(DAY_MS)
        desk.live.turn()
        assert desk.interactions() == many + 1
        assert ("answered", "c1", "broken", "missing") in desk.ledger()
        flow = desk.project.questions.transitions()
        assert len(flow) <= many and desk.project.store.verify() == ()
        shapes = desk.project.drift._shapes["shop"].by_event
        assert len(shapes) <= 10_001
