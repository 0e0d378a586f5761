"""What changed in the ledger becomes notices: once for each fact, whoever tells it and however often."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from desireline.outreach import Notice, Outbox, notice_from_json, notices_of
from desireline.storage.lake import Lake
from desireline.storage.outbox_tables import OUTBOX
from outreach.listening import DAY, HOUR, MINUTE, Clock, broken, hook, outbox_in, statuses

ROW: dict[str, Any] = {
    "map": "loan",
    "promise": "answer in time",
    "person": 7,
    "key": "case-1",
    "opening_id": 12,
    "due_at": 1_000,
    "settled_at": None,
    "verdict": "waiting",
    "breach": None,
    "breaches": None,
    "made_good_at": None,
    "judged_at": 5_000,
    "cause": "new",
    "verdict_before": None,
    "made_good_before": None,
}
MISSING = {"verdict": "broken", "breach": "missing", "breaches": "missing 1000"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, []),
        (MISSING, [("promise.broken", 1_000)]),
        ({**MISSING, "breaches": "forbidden 400, missing 1000"}, [("promise.broken", 400)]),
        ({**MISSING, "breaches": None, "due_at": None}, [("promise.broken", 5_000)]),
        ({**MISSING, "verdict_before": "broken"}, []),
        ({**MISSING, "breach": "late", "breaches": "late 1000", "verdict_before": "broken"}, []),
        ({**MISSING, "verdict_before": "broken", "made_good_at": 1_200}, [("promise.made_good", 1_200)]),
        ({**MISSING, "verdict_before": "broken", "made_good_at": 1_200, "made_good_before": 1_200}, []),
        ({**MISSING, "made_good_at": 1_200}, [("promise.broken", 1_000), ("promise.made_good", 1_200)]),
        ({"verdict": "kept", "settled_at": 900}, [("promise.kept", 900)]),
        ({"verdict": "kept", "settled_at": 900, "verdict_before": "kept"}, []),
        ({"verdict": "kept", "settled_at": 900, "verdict_before": "broken"}, [("promise.restated", 5_000)]),
        ({**MISSING, "verdict_before": "kept"}, [("promise.broken", 1_000)]),
        ({"verdict": "withdrawn", "verdict_before": "waiting"}, []),
        ({"verdict": "withdrawn", "verdict_before": "broken", "cause": "gone"}, [("promise.restated", 5_000)]),
        ({"verdict": "withdrawn", "verdict_before": "waiting", "cause": "gone"}, []),
        ({"verdict_before": "broken"}, [("promise.restated", 5_000)]),
    ],
)
def test_a_change_of_the_ledger_is_told_as(change: dict[str, Any], told: list[tuple[str, int]]) -> None:
    assert [(notice.kind, notice.at) for notice in notices_of([{**ROW, **change}])] == told


def test_an_earlier_verdict_that_was_put_right_is_marked() -> None:
    (notice,) = notices_of([{**ROW, **MISSING, "verdict_before": "kept"}])
    assert notice.restated


def test_the_id_names_the_fact_not_the_person_or_the_telling() -> None:
    notice = broken(1, 1_000)
    assert replace(notice, person=3, key="other").id == notice.id
    others = [
        replace(notice, map="other"),
        replace(notice, promise="other"),
        replace(notice, opening_id=2),
        replace(notice, at=1_001),
        replace(notice, kind="promise.kept"),
    ]
    assert len({notice.id, *(each.id for each in others)}) == 6


def test_a_notice_comes_back_from_the_outbox_as_it_was() -> None:
    notice = broken(1, 1_000, key='a "quoted" key', breach="late")
    assert notice_from_json(notice.as_json()) == notice


def ledger_row(opening: int, verdict: str, *, at: int, number: int = 1, **also: Any) -> dict[str, Any]:
    breach = {"breach": "missing", "breaches": f"missing {at}"} if verdict == "broken" else {}
    return {
        "map": "loan",
        "map_version": 1,
        "promise": "answer in time",
        "person": 7,
        "journey": 1,
        "opening_id": opening,
        "opened_at": at - 1_000,
        "due_at": at,
        "verdict": verdict,
        "judged_at": at,
        "cause": "new",
        "number": number,
        **breach,
        **also,
    }


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def everything(outbox: Outbox) -> list[tuple[str, int]]:
    with outbox.book.state.reading() as connection:
        return [(row.listener, row.due_at) for row in connection.execute(select(OUTBOX))]


def test_going_through_the_ledger_tells_each_change_once(tmp_path: Path, lake: Lake) -> None:
    clock = Clock()
    outbox = outbox_in(tmp_path, clock, hook(address="https://harbour.example/told"))
    assert outbox.tell_ledger(lake, now=clock()) == []
    lake.write_rows("ledger_rows", "000001", [ledger_row(1, "broken", at=clock()), ledger_row(2, "kept", at=clock())])
    first = outbox.tell_ledger(lake, now=clock())
    assert sorted(notice.kind for notice in first) == ["promise.broken", "promise.kept"]
    assert outbox.tell_ledger(lake, now=clock()) == []
    lake.write_rows("ledger_rows", "000002", [ledger_row(1, "broken", at=clock(), number=2, made_good_at=clock())])
    assert [notice.kind for notice in outbox.tell_ledger(lake, now=clock())] == ["promise.made_good"]
    assert statuses(outbox) == {"waiting": 1}


def test_history_stands_in_the_ledger_and_is_not_told(tmp_path: Path, lake: Lake) -> None:
    clock = Clock()
    outbox = outbox_in(tmp_path, clock, hook(address="https://harbour.example/told"))
    rows = [ledger_row(each, "broken", at=clock() - 30 * DAY, judged_at=clock()) for each in range(50)]
    lake.write_rows("ledger_rows", "000001", [*rows, ledger_row(99, "broken", at=clock() - HOUR)])
    assert [notice.opening_id for notice in outbox.tell_ledger(lake, now=clock())] == [99]
    assert statuses(outbox) == {"waiting": 1}


def test_what_happened_before_they_listened_is_not_told_to_them(tmp_path: Path) -> None:
    clock = Clock()
    outbox = outbox_in(tmp_path, clock)
    outbox.apply(hook(address="https://harbour.example/told"), at=clock())
    assert outbox.tell([broken(1, clock() - 1)], now=clock()) == 0
    assert outbox.tell([broken(2, clock())], now=clock()) == 1


def test_a_ledger_begun_anew_is_gone_through_again_without_telling_twice(tmp_path: Path, lake: Lake) -> None:
    clock = Clock()
    outbox = outbox_in(tmp_path, clock, hook(address="https://harbour.example/told"))
    for part in range(1, 4):
        lake.write_rows("ledger_rows", f"{part:06d}", [ledger_row(part, "broken", at=clock())])
    assert len(outbox.tell_ledger(lake, now=clock())) == 3
    for part in lake.parts("ledger_rows"):
        lake.remove_part("ledger_rows", part)
    lake.write_rows("ledger_rows", "000001", [ledger_row(each, "broken", at=clock()) for each in range(1, 5)])
    assert len(outbox.tell_ledger(lake, now=clock())) == 4
    assert statuses(outbox) == {"waiting": 4}


def test_intents_and_the_progress_of_the_ledger_are_one_transaction(tmp_path: Path, lake: Lake) -> None:
    clock = Clock()
    outbox = outbox_in(tmp_path, clock, hook(address="https://harbour.example/told"))
    lake.write_rows("ledger_rows", "000001", [ledger_row(1, "broken", at=clock())])
    with pytest.raises(ZeroDivisionError), outbox.book.state.writing():
        outbox.tell_ledger(lake, now=clock())
        _ = 1 // 0
    assert everything(outbox) == []
    assert len(outbox.tell_ledger(lake, now=clock())) == 1
    assert len(everything(outbox)) == 1


def test_what_falls_due_soon_is_told_once_and_asked_once_a_minute(tmp_path: Path, lake: Lake) -> None:
    clock = Clock()
    outbox = outbox_in(
        tmp_path, clock, hook(address="https://harbour.example/told", kinds=["promise.due_soon", "promise.broken"])
    )
    soon, later = clock() + 5 * MINUTE, clock() + HOUR
    rows = [ledger_row(1, "waiting", at=soon), ledger_row(2, "waiting", at=later), ledger_row(3, "kept", at=soon)]
    rows += [ledger_row(4, "waiting", at=soon), ledger_row(4, "kept", at=soon, number=2)]
    lake.write_rows("ledger_rows", "000001", [{**row, "judged_at": clock()} for row in rows])

    def told() -> list[int]:
        return [notice.opening_id for notice in outbox.tell_due_soon(lake, now=clock())]

    assert [told() for _ in range(3)] == [[1], [], []]
    lake.write_rows("ledger_rows", "000002", [{**ledger_row(5, "waiting", at=soon), "judged_at": clock()}])
    assert told() == []
    clock.now += MINUTE
    assert told() == [5]
    clock.now = later - 1
    assert told() == [2]
    clock.now -= HOUR
    assert told() == [1, 5], "a clock that was set back is asked at once"
    assert statuses(outbox) == {"waiting": 3}


def test_nobody_is_looked_up_who_falls_due_soon_while_nobody_listens_for_it(tmp_path: Path, lake: Lake) -> None:
    clock = Clock()
    outbox = outbox_in(
        tmp_path,
        clock,
        hook(address="https://harbour.example/told"),
        hook("off", address="https://harbour.example/told", kinds=["promise.due_soon"], enabled=False),
    )
    row = {**ledger_row(1, "waiting", at=clock() + MINUTE), "judged_at": clock()}
    lake.write_rows("ledger_rows", "000001", [row])
    assert outbox.tell_due_soon(lake, now=clock()) == []


def test_a_listener_hears_only_what_it_asked_for(tmp_path: Path) -> None:
    clock = Clock()
    address = "https://harbour.example/told"
    outbox = outbox_in(
        tmp_path,
        clock,
        hook("loans", address=address, maps=["loan"]),
        hook("cards", address=address, maps=["card"]),
        hook("kept", address=address, kinds=["promise.kept"]),
        hook("calls", address=address, promises=["call back"]),
        hook("off", address=address, enabled=False),
    )
    outbox.tell([broken(1, clock()), replace(broken(2, clock()), map="card", promise="call back")], now=clock())
    told = {(row["listener"], row["notice"]) for row in outbox.book.intents()}
    assert sorted(listener for listener, _ in told) == ["calls", "cards", "loans"]
    assert isinstance(broken(1, 0), Notice)
