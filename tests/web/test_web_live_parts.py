"""What the live page and the quiet line are made of: counts, promises at stake, listeners; each by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from desireline.faces.web.counts_picture import counts_picture
from desireline.faces.web.live_counts import Counts
from desireline.faces.web.live_listeners import listener_row, listeners_sentence, listeners_shown
from desireline.faces.web.live_promises_board import MOST_WAITING, PromisesBoard
from desireline.faces.web.live_pulse import Pulse, Wanted
from desireline.faces.web.live_sentences import counts_sentence
from desireline.faces.web.live_strip import strip_of
from desireline.project.finding import Finding, look
from desireline.project.hub import Hub
from desireline.storage.outbox_book import OutboxBook
from desireline.storage.state import State

NOW = 1_800_000_000_000


def verdict(number: int, *, verdict: str = "accepted", source: str = "shop", at: int = NOW) -> dict[str, Any]:
    return {
        "sequence": number, "position": 0, "source": source, "received_at": at, "touchpoint": "question.asked",
        "channel": "web", "verdict": verdict, "reason": "",
    }  # fmt: skip


def promise(opening: int, *, due: int | None = None, broke: int | None = None, number: int = 1) -> dict[str, Any]:
    return {
        "map": "asking", "promise": "at-once", "person": 7, "key": "", "channel": "web", "opening_id": opening,
        "opened_at": NOW - 60_000, "due_at": due, "verdict": "broken" if broke else "waiting",
        "breach": "missing" if broke else None, "breaches": f"missing {broke}" if broke else None, "number": number,
    }  # fmt: skip


class QuietLog:
    last = 0


class QuietRecord:
    log = QuietLog()
    reached = 0


class QuietLetters:
    def warnings(self) -> list[Finding]:
        return []


class QuietProject:
    """A project of which nothing is known but the time."""

    def __init__(self) -> None:
        self.judged: list[Any] = []
        self.is_held = False
        self.record = QuietRecord()
        self.letters = QuietLetters()

    def now(self) -> int:
        return NOW


class QuietLive:
    def __init__(self) -> None:
        self.project, self.hub = QuietProject(), Hub()
        self.failing, self.ready, self.lag_ms = "", True, 0
        self.warnings: list[Finding] = []


@pytest.fixture
def pulse() -> Pulse:
    live: Any = QuietLive()
    made = Pulse(live)
    made._read_ledger = False
    return made


def test_counts_hold_a_quarter_of_an_hour() -> None:
    counts = Counts()
    for second in range(0, 2_000, 10):
        counts.add(at=second * 1_000, source="shop", verdict="accepted")
    counts.forget_before(2_000_000)
    assert min(counts.by_second) >= 1_100
    assert counts.within(1_990_000, seconds=60) == 6
    series = counts.series(1_990_000, seconds=300, step=5)
    assert len(series) == 60 and sum(each["accepted"] for _, each in series) == 30
    assert counts.by_source["shop"].verdicts["accepted"] == 200


def test_every_message_is_counted_also_those_that_came_too_fast_to_be_told(pulse: Pulse) -> None:
    pulse.live.hub.publish("verdict", (verdict(number) for number in range(5_000)), at=NOW)
    pulse.catch_up()
    assert pulse.counts.within(NOW, seconds=60) == 5_000
    assert len(pulse.messages(Wanted(), most=10_000)) == 2_000
    assert pulse.new_since(0, Wanted()) == (2_000, True)
    assert pulse.new_since(4_990, Wanted()) == (10, False)


def test_how_it_goes_with_a_listener_is_said_in_words(tmp_path: Path) -> None:
    book = OutboxBook(State(tmp_path / "state.sqlite"))
    listener = {"kind": "webhook", "address": "https://crm.example", "per_second": 1.0, "since": 0, "changed_at": 0}
    for name in ("asks", "fails", "hangs", "gone", "off", "fine"):
        stopped = {"enabled": False, "why_stopped": "it answered 410 Gone"} if name == "off" else {}
        book.set_listener({"name": name, **listener, **stopped})
    tried = {"first_tried_at": NOW - 5_000, "attempts": 2, "reason": "it answered 500"}
    rows = [("fails", "waiting", tried), ("hangs", "waiting", {**tried, "first_tried_at": NOW - 90_000})]
    rows += [("gone", "dead", {"reason": "not told in 12 tries"}), ("fine", "told", {}), ("asks", "waiting", {})]
    for name, status, more in rows:
        notice = {"id": f"n-{name}", "kind": "promise.broken", "person": 7, "at": NOW, "body": "{}", "made_at": NOW}
        intent = {"notice": f"n-{name}", "listener": name, "status": status, "due_at": NOW, "made_at": NOW}
        book.write([notice], [{**intent, "changed_at": NOW, **more}])
    shown = {each.name: each for each in listeners_shown(book, now=NOW)}
    assert {name: each.state for name, each in shown.items()} == {
        "asks": "well", "fails": "failing", "hangs": "behind", "gone": "given up", "off": "stopped", "fine": "well",
    }  # fmt: skip
    assert shown["gone"].why == "not told in 12 tries" and shown["off"].why == "it answered 410 Gone"
    assert [each["does"] for each in listener_row(shown["gone"])["actions"]] == ["retry", "discard", "disable"]
    assert listeners_sentence(list(shown.values())).startswith("4 of 6 listeners cannot be told; 3 notices wait;")


def test_filters_choose_among_the_messages(pulse: Pulse) -> None:
    rows = [verdict(1), verdict(2, verdict="quarantined"), verdict(3, source="app")]
    pulse.live.hub.publish("verdict", rows, at=NOW)
    pulse.catch_up()
    assert [each.sequence for each in pulse.messages(Wanted(verdict="quarantined"), most=9)] == [2]
    assert [each.sequence for each in pulse.messages(Wanted(source="shop"), most=9)] == [2, 1]
    assert pulse.new_since(1, Wanted(source="app")) == (1, False)


def test_the_board_knows_what_falls_due_and_what_broke() -> None:
    board = PromisesBoard()
    board.begin([promise(1, due=NOW + 5_000), promise(2, due=NOW + 1_000), promise(3, broke=NOW - 10)])
    assert [each.moment - NOW for each in board.next_due(NOW, 9)] == [1_000, 5_000]
    board.change(promise(2, due=NOW + 1_000, broke=NOW + 1_000, number=2))
    board.change(promise(2, due=NOW + 1_000, number=1))
    assert board.broken_count(NOW + 1_000) == 2
    assert [each.moment for each in board.next_due(NOW, 9)] == [NOW + 5_000]
    board.change({**promise(1, due=NOW + 5_000, number=2), "cause": "gone", "verdict": "withdrawn"})
    assert board.next_due(NOW, 9) == []
    board.forget_before(NOW + 4_000_000)
    assert board.broken_count(NOW + 1_000) == 0


def test_a_long_board_is_read_again_before_it_runs_dry() -> None:
    board = PromisesBoard()
    board.begin([promise(number, due=NOW + number) for number in range(1, MOST_WAITING + 1)])
    board.change(promise(9_999_999, due=NOW + 10 * MOST_WAITING))
    assert len(board.next_due(NOW, 10**6)) == MOST_WAITING
    for number in range(1, MOST_WAITING - 100):
        board.change({**promise(number, due=NOW + number, number=2), "verdict": "kept"})
    assert board.needs_reading


def test_the_line_says_in_words_what_is_wrong(pulse: Pulse) -> None:
    live: Any = pulse.live
    assert strip_of(None).state == "off"
    assert strip_of(pulse).says.startswith("0 interactions a minute, 0 promises broken")
    live.failing = "the disk is full"
    assert "the disk is full" in strip_of(pulse).says and strip_of(pulse).state == "warning"
    live.failing, live.warnings = "", [look("clock", "clock stepped: by a year", "set it right")]
    assert "clock stepped" in strip_of(pulse).says and strip_of(pulse).state == "warning"
    live.warnings = []
    live.project.is_held, live.project.record.reached = True, 0
    live.project.record.log.last = 9
    live.project.record.log.state = type("State", (), {"read_only": False, "refusing": ""})
    pulse.catch_up()
    live.project.now = lambda: NOW + 45_000
    assert "45 s behind" in strip_of(pulse).says
    live.project.record.log.state = type("State", (), {"read_only": False, "refusing": "disk"})
    assert "the disk is full" in strip_of(pulse).says


def test_the_time_before_counting_began_is_drawn_as_not_known() -> None:
    series = Counts().series(NOW, seconds=300, step=5)
    assert "this server began" not in counts_picture(series, step=5, began_at=NOW - 400_000)
    picture = counts_picture(series, step=5, began_at=NOW - 100_000)
    assert "Not known: this server began at" in picture and 'class="unknown"' in picture
    assert counts_sentence(series, step=5, began_at=NOW - 100_000) == "Nothing came in since this server began."
    assert counts_sentence(series, step=5) == "Nothing came in within the last 5 minutes."


def test_the_picture_says_its_numbers() -> None:
    counts = Counts()
    counts.add(at=NOW, source="shop", verdict="accepted", number=40)
    counts.add(at=NOW, source="shop", verdict="quarantined", number=2)
    picture = counts_picture(counts.series(NOW + 5_000, seconds=300, step=5), step=5)
    assert "40 accepted, 2 quarantined" in picture and 'aria-label="Messages a second' in picture
    assert counts_picture(Counts().series(NOW, seconds=300, step=5), step=5).count("nothing") == 60
