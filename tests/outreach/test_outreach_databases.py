"""The outbox is the same in SQLite and in PostgreSQL."""

from __future__ import annotations

import pytest

from desireline.outreach import Limits, Outbox
from desireline.storage.lake import Lake
from outreach.listening import (
    DAY,
    HOUR,
    Clock,
    Heard,
    broken,
    deliver,
    deliverer_of,
    desk,
    hook,
    post_office,
    statuses,
    web_listener,
)
from postgresql import Place


def only_the_second(heard: Heard) -> tuple[int, dict[str, str]]:
    return (200 if b"9001" in heard.body else 404), {}


def test_a_day_of_the_outbox(place: Place) -> None:
    clock = Clock()
    outbox = Outbox(place.open(), limits=Limits(singles_a_minute=2))
    with web_listener(answers=only_the_second) as listener, post_office() as office:
        for change in (hook(address=listener.url), desk(), desk("lead")):
            outbox.apply(change, at=clock() - HOUR)
        notices = [broken(each, clock()) for each in range(6)]
        assert [outbox.tell(notices, now=clock()) for _ in range(2)] == [18, 0]
        outbox.apply({"does": "listener.remove", "name": "lead"}, at=clock())
        deliver(deliverer_of(outbox, clock, mail_port=office.port), clock, until=clock() + 4 * DAY)
    assert len(office.mails) == 3
    assert statuses(outbox) == {"told": 7, "dead": 5, "discarded": 6}
    assert {row["reason"] for row in outbox.dead_letters()} <= {
        "not told in 20 tries; the last: answered 404",
        "not told in 3 days of trying; the last: answered 404",
    }
    outbox.apply({"does": "outbox.retry", "name": "hook", "notices": [notices[0].id]}, at=clock())
    assert statuses(outbox) == {"told": 7, "dead": 4, "discarded": 6, "waiting": 1}
    outbox.book.state.close()
    again = Outbox(place.open())
    clock.now += again.limits.keep_told + DAY
    assert again.forget_old(now=clock()) == 13
    assert statuses(again) == {"dead": 4, "waiting": 1}


def test_a_transaction_that_fails_takes_the_intents_with_it(
    place: Place, tmp_path_factory: pytest.TempPathFactory
) -> None:
    clock = Clock()
    outbox = Outbox(place.open())
    outbox.apply(desk(), at=clock() - HOUR)
    with pytest.raises(ZeroDivisionError), outbox.book.state.writing():
        outbox.tell([broken(1, clock())], now=clock())
        _ = 1 // 0
    assert statuses(outbox) == {}
    assert outbox.tell_ledger(Lake(tmp_path_factory.mktemp("lake")), now=clock()) == []
