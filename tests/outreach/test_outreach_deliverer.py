"""The deliverer as it runs in a server: woken, stopped in the middle, started again, listeners coming and going."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from desireline.outreach import Answer, Deliverer, Listener, Message, Outbox
from outreach.listening import DAY, Clock, broken, deliver, hook, outbox_in, statuses


def now() -> int:
    return int(time.time() * 1_000)


class Told:
    """A way out that says when it told so many messages; it may hold them back first."""

    def __init__(self, enough: int, *, held: bool = False) -> None:
        self.enough = enough
        self.messages: list[tuple[str, str]] = []
        self.here = threading.Event()
        self.begun = threading.Event()
        self.held = held

    async def send(self, message: Message, listener: Listener, *, now: int) -> Answer:
        self.begun.set()
        if self.held:
            await never()
        self.messages.append((listener.name, message.id))
        if len(self.messages) >= self.enough:
            self.here.set()
        return Answer("told", "answered 200", 200)


async def never() -> None:
    await asyncio.get_running_loop().create_future()


def started(outbox: Outbox, channel: Any, clock: Callable[[], int] = now) -> Deliverer:
    deliverer = Deliverer(outbox, {"webhook": channel}, now=clock, chance=random.random)
    deliverer.start()
    return deliverer


def test_what_waits_goes_out_at_start_and_what_comes_later_when_woken(tmp_path: Path) -> None:
    outbox = outbox_in(tmp_path, Clock(), hook(address="https://x.example/", per_second=100))
    outbox.tell([broken(1, now())], now=now())
    channel = Told(2)
    deliverer = started(outbox, channel)
    outbox.tell([broken(2, now())], now=now())
    deliverer.wake()
    assert channel.here.wait(20)
    deliverer.stop()
    assert statuses(outbox) == {"told": 2}


def test_a_listener_that_comes_while_it_runs_gets_a_lane_and_one_that_goes_loses_it(tmp_path: Path) -> None:
    outbox = outbox_in(tmp_path, Clock())
    channel = Told(1)
    deliverer = started(outbox, channel)
    outbox.apply(hook("late", address="https://x.example/"), at=now() - 1_000)
    outbox.tell([broken(1, now())], now=now())
    deliverer.wake()
    assert channel.here.wait(20)
    assert [each.listener for each in deliverer.conditions()] == ["late"]
    deliverer.stop()
    outbox.apply({"does": "listener.remove", "name": "late"}, at=now())
    again = started(outbox, channel)
    again.stop()
    assert again.conditions() == []


def test_stopped_in_the_middle_of_a_message_it_ends_soon_and_the_message_goes_out_at_the_next_start(
    tmp_path: Path,
) -> None:
    outbox = outbox_in(tmp_path, Clock(), hook(address="https://x.example/"))
    outbox.tell([broken(1, now())], now=now())
    hanging = Told(1, held=True)
    deliverer = started(outbox, hanging)
    assert hanging.begun.wait(20)
    begun = time.monotonic()
    deliverer.stop(seconds=0.2)
    assert time.monotonic() - begun < 5
    assert statuses(outbox) == {"sending": 1}
    channel = Told(1)
    deliverer = started(outbox, channel)
    assert channel.here.wait(20)
    deliverer.stop()
    assert statuses(outbox) == {"told": 1}
    assert [row["ended_at"] is None for row in outbox.book.attempts()] == [False, True]


def test_a_state_store_that_fails_for_a_moment_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desireline.outreach.deliverer._AFTER_ERROR_SECONDS", 0.05)
    outbox = outbox_in(tmp_path, Clock(), hook(address="https://x.example/"))
    outbox.tell([broken(1, now())], now=now())
    settle = outbox.book.settle
    failed: list[int] = []

    def failing(*given: Any, **values: Any) -> None:
        if not failed:
            failed.append(1)
            raise OSError("disk full")
        settle(*given, **values)

    monkeypatch.setattr(outbox.book, "settle", failing)
    channel = Told(2)
    deliverer = started(outbox, channel)
    assert channel.here.wait(20)
    deliverer.stop()
    assert len({identity for _, identity in channel.messages}) == 1
    assert statuses(outbox) == {"told": 1}


def test_a_listener_taken_away_while_it_is_told_leaves_nothing_that_waits(tmp_path: Path) -> None:
    clock = Clock()
    outbox = outbox_in(tmp_path, clock, hook(address="https://x.example/"))
    outbox.tell([broken(1, clock())], now=clock())

    class TakenAway:
        async def send(self, message: Message, listener: Listener, *, now: int) -> Answer:
            outbox.apply({"does": "listener.remove", "name": "hook"}, at=clock())
            return Answer("again", "answered 500", 500)

    deliver(Deliverer(outbox, {"webhook": TakenAway()}, now=clock, chance=random.random), clock, until=clock() + DAY)
    assert statuses(outbox) == {"discarded": 1}


def test_what_was_told_a_month_ago_is_forgotten_while_the_server_runs(tmp_path: Path) -> None:
    outbox = outbox_in(tmp_path, Clock(), hook(address="https://x.example/"))
    outbox.tell([broken(1, now())], now=now())
    channel = Told(1)
    deliverer = started(outbox, channel)
    assert channel.here.wait(20)
    deliverer.stop()
    assert statuses(outbox) == {"told": 1}
    gone = threading.Event()
    forget = outbox.book.forget

    def forgetting(before: int) -> int:
        try:
            return forget(before)
        finally:
            gone.set()

    outbox.book.forget = forgetting  # type: ignore[method-assign]
    later = started(outbox, channel, lambda: now() + 31 * DAY)
    assert gone.wait(20)
    later.stop()
    assert (statuses(outbox), outbox.book.attempts()) == ({}, [])


def test_when_time_is_set_back_a_lane_does_not_wait_for_moments_of_the_time_before(tmp_path: Path) -> None:
    clock, channel = Clock(), Told(2)
    outbox = outbox_in(tmp_path, clock, hook(address="https://x.example/", per_second=1))
    deliverer = Deliverer(outbox, {"webhook": channel}, now=clock, chance=random.random)
    for number in (1, 2):
        outbox.tell([broken(number, clock())], now=clock())
        asyncio.run(deliverer.deliver_due())
        clock.now -= DAY // 2
    assert len(channel.messages) == 2
