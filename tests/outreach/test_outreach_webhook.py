"""Whoever listens by webhook hears of a broken promise once, signed, again only while nobody can tell they heard."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_structured_event
from standardwebhooks import Webhook as Verifier

from desireline.outreach import Surroundings
from outreach.listening import (
    DAY,
    ENVIRONMENT,
    HOUR,
    OLD_SECRET,
    SECRET,
    Clock,
    Heard,
    broken,
    deliver,
    deliverer_of,
    hook,
    outbox_in,
    raw_listener,
    statuses,
    web_listener,
)


def test_a_broken_promise_reaches_the_listener_as_a_signed_cloud_event(tmp_path: Path) -> None:
    clock = Clock()
    with web_listener() as listener:
        outbox = outbox_in(tmp_path, clock, hook(address=listener.url))
        around = Surroundings(
            source="/desireline/harbour",
            says=lambda notice: "An answer within two days",
            link=lambda notice: f"https://harbour.example/people/{notice.person}",
        )
        notice = broken(1, clock())
        assert outbox.tell([notice], now=clock()) == 1
        deliver(deliverer_of(outbox, clock, around=around), clock, until=clock() + HOUR)
    (heard,) = listener.heard
    assert Verifier(SECRET).verify(heard.body, heard.headers)["id"] == notice.id
    event = from_structured_event(HTTPMessage(heard.headers, heard.body))
    assert (event.get_type(), event.get_source()) == ("desireline.promise.broken", "/desireline/harbour")
    assert (event.get_subject(), event.get_id()) == ("9001", heard.headers["webhook-id"])
    data = event.get_data()
    assert data["says"] == "An answer within two days"
    assert data["link"] == "https://harbour.example/people/9001"
    assert "handles" not in data
    assert statuses(outbox) == {"told": 1}


def test_handles_are_told_only_to_those_who_asked(tmp_path: Path) -> None:
    clock = Clock()
    around = Surroundings(handles=lambda person: [f"email:person{person}@x.example"])
    with web_listener() as listener:
        address = f"http://127.0.0.1:{listener.port}"
        outbox = outbox_in(
            tmp_path,
            clock,
            hook("plain", address=f"{address}/plain"),
            hook("asked", address=f"{address}/asked", with_handles=True),
        )
        outbox.tell([broken(1, clock())], now=clock())
        deliver(deliverer_of(outbox, clock, around=around), clock, until=clock() + HOUR)
    bodies = {heard.path: heard.body.decode() for heard in listener.heard}
    assert "person9001@x.example" in bodies["/asked"]
    assert "@x.example" not in bodies["/plain"]
    assert b"@x.example" not in (tmp_path / "state.sqlite").read_bytes()


def test_while_a_secret_is_replaced_both_verify(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setitem(ENVIRONMENT, "HOOK_SECRET", f"{SECRET} {OLD_SECRET}")
    with web_listener() as listener:
        outbox = outbox_in(tmp_path, clock, hook(address=listener.url))
        outbox.tell([broken(1, clock())], now=clock())
        deliver(deliverer_of(outbox, clock), clock, until=clock() + HOUR)
    (heard,) = listener.heard
    for secret in (SECRET, OLD_SECRET):
        assert Verifier(secret).verify(heard.body, heard.headers)["id"] == heard.headers["webhook-id"]


def test_the_same_fact_told_twice_is_sent_once(tmp_path: Path) -> None:
    clock = Clock()
    with web_listener() as listener:
        outbox = outbox_in(tmp_path, clock, hook(address=listener.url))
        notice = broken(1, clock())
        assert [outbox.tell([notice, notice], now=clock()) for _ in range(3)] == [1, 0, 0]
        deliver(deliverer_of(outbox, clock), clock, until=clock() + HOUR)
        assert outbox.tell([notice], now=clock()) == 0
    assert len(listener.heard) == 1


@pytest.mark.parametrize(
    ("answers", "tries"),
    [
        ([(500, {}), (503, {}), (200, {})], 3),
        ([(429, {"retry-after": "600"}), (200, {})], 2),
        ([(429, {}), (204, {})], 2),
        ([(302, {"location": "http://127.0.0.1/inside"}), (200, {})], 2),
        ([(401, {}), (404, {}), (201, {})], 3),
    ],
)
def test_whatever_is_not_a_yes_is_tried_again(
    tmp_path: Path, answers: list[tuple[int, dict[str, str]]], tries: int
) -> None:
    clock = Clock()
    waiting = iter(answers)
    with web_listener(answers=lambda heard: next(waiting)) as listener:
        outbox = outbox_in(tmp_path, clock, hook(address=listener.url))
        outbox.tell([broken(1, clock())], now=clock())
        deliver(deliverer_of(outbox, clock), clock, until=clock() + HOUR)
    assert len(listener.heard) == tries
    assert {heard.path for heard in listener.heard} == {"/told"}
    assert len({heard.headers["webhook-id"] for heard in listener.heard}) == 1
    assert statuses(outbox) == {"told": 1}


def test_retry_after_is_honoured_by_all_messages_of_the_listener(tmp_path: Path) -> None:
    clock = Clock()
    begun = clock()
    heard_at: list[int] = []

    def answers(heard: Heard) -> tuple[int, dict[str, str]]:
        heard_at.append(clock() - begun)
        return (429, {"retry-after": "600"}) if len(heard_at) == 1 else (200, {})

    with web_listener(answers=answers) as listener:
        outbox = outbox_in(tmp_path, clock, hook(address=listener.url))
        outbox.tell([broken(each, clock()) for each in range(3)], now=clock())
        deliver(deliverer_of(outbox, clock), clock, until=clock() + HOUR)
    assert heard_at[0] == 0
    assert min(heard_at[1:]) >= 600_000
    assert statuses(outbox) == {"told": 3}


def test_410_stops_the_listener_and_replaying_the_log_does_not_start_it_again(tmp_path: Path) -> None:
    clock = Clock()
    with web_listener(answers=lambda heard: (410, {})) as listener:
        change = hook(address=listener.url)
        outbox = outbox_in(tmp_path, clock, change)
        outbox.tell([broken(each, clock()) for each in range(3)], now=clock())
        deliver(deliverer_of(outbox, clock), clock, until=clock() + HOUR)
        assert outbox.tell([broken(7, clock())], now=clock()) == 0
        outbox.apply(change, at=clock() - DAY)
        (stopped,) = outbox.listeners()
    assert len(listener.heard) == 1
    assert (stopped.enabled, stopped.why_stopped) == (False, "answered 410: wants to hear nothing any more")
    assert statuses(outbox) == {"dead": 3}


@pytest.mark.parametrize(
    ("answer", "came"),
    [
        (None, "unsure"),
        (b"HTTP/1.1 20", "unsure"),
        (b"nonsense\r\n\r\n", "unsure"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\nhalf", "told"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 999999999\r\n\r\n" + b"x" * 300_000, "told"),
        (b"HTTP/1.1 500 No\r\n" + b"a: b\r\n" * 20_000, "unsure"),
        (b"HTTP/1.1 200 OK\r\nretry-after: \xb2\r\ncontent-length: 0\r\n\r\n", "told"),
        (b"HTTP/1.1 200 OK\r\nretry-after: 1 Jan 99999999999 0:0 GMT\r\ncontent-length: 0\r\n\r\n", "told"),
        (b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "told"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", "unsure"),
    ],
)
def test_a_listener_that_breaks_off_or_talks_without_end(tmp_path: Path, answer: bytes | None, came: str) -> None:
    clock = Clock()
    with raw_listener(answer) as port:
        outbox = outbox_in(tmp_path, clock, hook(address=f"http://127.0.0.1:{port}/"))
        outbox.tell([broken(1, clock())], now=clock())
        deliver(deliverer_of(outbox, clock), clock, until=clock())
    (attempt,) = outbox.book.attempts()
    assert attempt["outcome"] == came
    assert (attempt["answer_bytes"] or 0) <= 65_536


def test_nobody_there_is_tried_for_days_then_lies_in_the_dead_letter_list(tmp_path: Path) -> None:
    clock = Clock()
    with raw_listener(None) as port:
        pass
    outbox = outbox_in(tmp_path, clock, hook(address=f"http://127.0.0.1:{port}/"))
    outbox.tell([broken(1, clock())], now=clock())
    deliver(deliverer_of(outbox, clock), clock, until=clock() + 4 * DAY)
    (dead,) = outbox.dead_letters()
    assert "the connection was refused" in dead["reason"]
    assert 10 <= dead["attempts"] <= 25
    waits = [row["started_at"] for row in reversed(outbox.book.attempts())]
    assert waits[1] - waits[0] < 30_000 < waits[-1] - waits[-2]

    with web_listener() as listener:
        back = hook(address=listener.url)
        outbox.apply(back, at=clock())
        outbox.apply({"does": "outbox.retry", "name": "hook"}, at=clock())
        deliver(deliverer_of(outbox, clock), clock, until=clock() + HOUR)
    assert len(listener.heard) == 1
    assert statuses(outbox) == {"told": 1}


def test_a_missing_secret_is_said_and_the_message_waits(tmp_path: Path) -> None:
    clock = Clock()
    with web_listener() as listener:
        outbox = outbox_in(tmp_path, clock, hook(address=listener.url, secret_env="NOT_THERE"))
        outbox.tell([broken(1, clock())], now=clock())
        deliver(deliverer_of(outbox, clock), clock, until=clock())
    (row,) = outbox.book.intents()
    assert (row["status"], listener.heard) == ("waiting", [])
    assert "NOT_THERE is not set" in row["reason"]


def test_a_mistake_of_ours_neither_stops_the_lane_nor_loses_the_message(tmp_path: Path) -> None:
    clock = Clock()

    def says(notice: Any) -> str:
        return {"answer in time": "kept"}[notice.promise] if notice.person != 9_001 else str(1 // 0)

    with web_listener() as listener:
        outbox = outbox_in(tmp_path, clock, hook(address=listener.url))
        outbox.tell([broken(1, clock()), broken(2, clock())], now=clock())
        deliver(deliverer_of(outbox, clock, around=Surroundings(says=says)), clock, until=clock() + 1_000)
    assert [json.loads(heard.body)["subject"] for heard in listener.heard] == ["9002"]
    assert statuses(outbox) == {"told": 1, "waiting": 1}
