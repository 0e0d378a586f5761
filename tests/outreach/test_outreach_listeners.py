"""Listeners are written down by people: every mistake is told at once, and no change can be applied twice over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from desireline.outreach import read_listener, read_secrets
from desireline.vocabulary.errors import DesirelineError
from outreach.listening import (
    HOUR,
    SECRET,
    Clock,
    broken,
    deliver,
    deliverer_of,
    desk,
    hook,
    outbox_in,
    statuses,
    web_listener,
)

HOOK = {"name": "hook", "kind": "webhook", "address": "https://harbour.example/told", "secret_env": "HOOK_SECRET"}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"nmae": "x"}, "Did you mean 'name'?"),
        ({"name": "Has Spaces"}, "cannot name a listener"),
        ({"kind": "fax"}, "Write webhook or email"),
        ({"address": "harbour.example"}, "not a URL"),
        ({"address": "ftp://harbour.example/"}, "not a URL"),
        ({"address": "https://harbour.example:99999/"}, "not a URL"),
        ({"address": "https://harbour.example/a b"}, "without spaces"),
        ({"address": "https://harbour.example/\r\nhost: inside"}, "without spaces"),
        ({"address": "https://user:pass@harbour.example/"}, "must not carry a user"),
        ({"address": "https://harbour.example:8443/"}, "port 8443 is not allowed"),
        ({"secret_env": ""}, "needs 'secret_env'"),
        ({"secret_env": "whsec_abc"}, "Never write the secret itself"),
        ({"kinds": ["promise.borken"]}, "Did you mean 'promise.broken'?"),
        ({"purpose": "spam"}, "is not a purpose"),
        ({"per_second": 1_000}, "between 0.001 and 100"),
        ({"per_second": 5e-324}, "between 0.001 and 100"),
        ({"per_second": "fast"}, "must be a number"),
        ({"maps": "loan"}, "must be a list of texts"),
        ({"allow_private": "yes"}, "must be true or false"),
        ({"kind": "email", "address": "desk"}, "not a mail address"),
        ({"kind": "email", "address": "a@x.example\nBcc: b@x.example"}, "not a mail address"),
    ],
)
def test_a_wrong_listener_is_refused_with_the_reason(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(DesirelineError, match=says.replace("?", r"\?")):
        read_listener({**HOOK, **wrong}, at=0)


def test_every_mistake_is_told_at_once() -> None:
    with pytest.raises(DesirelineError) as caught:
        read_listener({**HOOK, "address": "x", "kinds": ["y"], "per_second": 0}, at=0)
    assert len(caught.value.mistakes) == 3


@pytest.mark.parametrize("value", ["", "opensesame", "whsec_short", "whsec_!!!!", f"{SECRET} {SECRET} {SECRET}"])
def test_a_wrong_secret_is_refused_without_being_shown(value: str) -> None:
    with pytest.raises(DesirelineError) as caught:
        read_secrets({"HOOK_SECRET": value}, "HOOK_SECRET")
    assert "HOOK_SECRET" in str(caught.value)
    assert not value or value not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"does": "listener.sett"}, "Did you mean 'listener.set'?"),
        ({"does": "listener.set"}, "needs a 'listener'"),
        ({"does": "listener.remove", "name": "nobody"}, "no listener 'nobody'"),
        ({"does": "outbox.retry", "name": "hook", "all": True}, "unknown word 'all'"),
    ],
)
def test_a_senseless_change_is_refused_before_it_is_written(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    clock = Clock()
    outbox = outbox_in(tmp_path, clock, {"does": "listener.set", "listener": HOOK})
    with pytest.raises(DesirelineError, match=says.replace("?", r"\?")):
        outbox.check(change, at=clock())


def test_a_test_notice_goes_to_one_listener(tmp_path: Path) -> None:
    clock = Clock()
    with web_listener() as listener:
        other = hook("other", address=listener.url)
        outbox = outbox_in(tmp_path, clock, hook(address=listener.url), other)
        for _ in range(2):
            outbox.apply({"does": "listener.test", "name": "hook"}, at=clock())
        deliver(deliverer_of(outbox, clock), clock, until=clock() + HOUR)
    assert len(listener.heard) == 1
    assert b"desireline.listener.test" in listener.heard[0].body


def test_a_stopped_listener_keeps_what_waits_until_it_is_enabled_again(tmp_path: Path) -> None:
    clock = Clock()
    with web_listener() as listener:
        outbox = outbox_in(tmp_path, clock, hook(address=listener.url))
        outbox.tell([broken(1, clock())], now=clock())
        outbox.apply({"does": "listener.disable", "name": "hook"}, at=clock())
        deliverer = deliverer_of(outbox, clock)
        deliver(deliverer, clock, until=clock() + HOUR)
        assert (listener.heard, statuses(outbox)) == ([], {"waiting": 1})
        outbox.apply({"does": "listener.enable", "name": "hook"}, at=clock())
        deliver(deliverer, clock, until=clock() + HOUR)
    assert statuses(outbox) == {"told": 1}


def test_a_removed_listener_leaves_nothing_waiting_and_keeps_what_was_told(tmp_path: Path) -> None:
    clock = Clock()
    with web_listener() as listener:
        outbox = outbox_in(tmp_path, clock, hook(address=listener.url))
        outbox.tell([broken(1, clock())], now=clock())
        deliver(deliverer_of(outbox, clock), clock, until=clock() + 1_000)
        outbox.tell([broken(2, clock())], now=clock())
        outbox.apply({"does": "listener.remove", "name": "hook"}, at=clock())
    assert statuses(outbox) == {"told": 1, "discarded": 1}
    assert outbox.listeners() == []


def test_dead_letters_are_listed_retried_and_discarded_and_old_changes_touch_no_new_ones(tmp_path: Path) -> None:
    clock = Clock()
    outbox = outbox_in(tmp_path, clock, desk(), most_waiting=0)
    notices = [broken(each, clock()) for each in range(3)]
    outbox.tell(notices, now=clock())
    assert [row["reason"] for row in outbox.dead_letters(listener="desk")] == ["0 wait already"] * 3
    outbox.apply({"does": "outbox.retry", "name": "desk"}, at=clock() - 1)
    assert statuses(outbox) == {"dead": 3}
    outbox.apply({"does": "outbox.discard", "name": "desk", "notices": [notices[0].id]}, at=clock())
    outbox.apply({"does": "outbox.retry", "name": "desk"}, at=clock())
    assert statuses(outbox) == {"discarded": 1, "waiting": 2}


def test_what_was_told_long_ago_is_forgotten_dead_letters_are_not(tmp_path: Path) -> None:
    clock = Clock()
    with web_listener(answers=lambda heard: (200, {})) as listener:
        outbox = outbox_in(tmp_path, clock, hook(address=listener.url), desk(), most_waiting=1)
        outbox.tell([broken(1, clock())], now=clock())
        outbox.tell([broken(2, clock())], now=clock())
        deliver(deliverer_of(outbox, clock), clock, until=clock() + 1_000)
        clock.now += outbox.limits.keep_told + HOUR
        assert outbox.forget_old(now=clock()) == 1
    assert statuses(outbox) == {"dead": 2, "waiting": 1}
    assert outbox.book.attempts(listener="hook") == []
