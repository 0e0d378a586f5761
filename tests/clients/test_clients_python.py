"""Segment's, RudderStack's and PostHog's Python clients, unmodified, through 429, 500 and a cut connection."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from clients.flaky_front import FAILING, FlakyFront, flaky_front
from clients.whole_project import WholeProject, whole_project

logging.getLogger("backoff").addHandler(logging.NullHandler())
pytestmark = pytest.mark.long
TRACKED = 20


@dataclass
class Sender:
    """An unmodified client: what it is told to send, how it is made to send it, and what it gave up on.

    kinds: what must be in the project after one round of `everything`.
    """

    name: str
    dialect: str
    make: Callable[[str, str, Callable[[Any, Any], None]], Any]
    everything: Callable[[Any], None]
    track: Callable[[Any, int], None]
    kinds: dict[str, int]
    lost: list[Any] = field(default_factory=list)

    def connect(self, key: str, address: str) -> Any:
        return self.make(key, address, lambda _error, batch: self.lost.extend(batch))


def _segment(key: str, address: str, on_error: Callable[[Any, Any], None]) -> Any:
    from segment.analytics.client import Client

    return Client(key, host=address, on_error=on_error)


def _segment_gzip(key: str, address: str, on_error: Callable[[Any, Any], None]) -> Any:
    from segment.analytics.client import Client

    return Client(key, host=address, on_error=on_error, gzip=True)


def _rudder(key: str, address: str, on_error: Callable[[Any, Any], None]) -> Any:
    from rudderstack.analytics.client import Client

    return Client(key, host=address, on_error=on_error)


def _posthog(key: str, address: str, on_error: Callable[[Any, Any], None]) -> Any:
    from posthog import Posthog

    return Posthog(key, host=address, on_error=on_error, flush_interval=0.5)


def _posthog_v1(key: str, address: str, on_error: Callable[[Any, Any], None]) -> Any:
    from posthog import Posthog

    return Posthog(key, host=address, on_error=on_error, flush_interval=0.5, capture_mode="v1", gzip=True)


def _segment_track(client: Any, number: int) -> None:
    client.track(f"user-{number % 5}", "Desk Asked", {"number": number, "total": 12.5})


def _segment_everything(client: Any) -> None:
    client.identify("user-1", {"email": "anna@harbour.example", "plan": "gold"})
    client.alias("visitor-1", "user-1")
    client.page("user-1", "Docs", "Opening hours", {"path": "/hours"})
    client.screen("user-1", "Account")
    client.group("user-1", "harbour", {"seats": 4})
    for number in range(TRACKED):
        _segment_track(client, number)


def _posthog_track(client: Any, number: int) -> None:
    client.capture("Desk Asked", distinct_id=f"user-{number % 5}", properties={"number": number})


def _posthog_everything(client: Any) -> None:
    client.set(distinct_id="user-1", properties={"email": "anna@harbour.example"})
    client.set_once(distinct_id="user-1", properties={"first": "shop"})
    client.alias("visitor-1", "user-1")
    client.group_identify("company", "harbour", {"seats": 4}, distinct_id="user-1")
    client.capture("$pageview", distinct_id="user-1", properties={"$pathname": "/hours"})
    client.capture("$screen", distinct_id="user-1", properties={"$screen_name": "Account"})
    for number in range(TRACKED):
        _posthog_track(client, number)


SEGMENT_KINDS = {
    "desk.asked": TRACKED, "group.joined": 1, "page.viewed": 1, "person.identified": 1, "person.linked": 1,
    "screen.viewed": 1,
}  # fmt: skip
POSTHOG_KINDS = {
    "desk.asked": TRACKED, "group.described": 1, "page.viewed": 1, "person.described": 2, "person.linked": 1,
    "screen.viewed": 1,
}  # fmt: skip


def senders() -> list[Sender]:
    return [
        Sender("segment", "segment", _segment, _segment_everything, _segment_track, SEGMENT_KINDS),
        Sender("segment-gzip", "segment", _segment_gzip, _segment_everything, _segment_track, SEGMENT_KINDS),
        Sender("rudder", "segment", _rudder, _segment_everything, _segment_track, SEGMENT_KINDS),
        Sender("posthog", "posthog", _posthog, _posthog_everything, _posthog_track, POSTHOG_KINDS),
        Sender("posthog-v1", "posthog", _posthog_v1, _posthog_everything, _posthog_track, POSTHOG_KINDS),
    ]


@pytest.fixture(params=senders(), ids=lambda sender: sender.name)
def sender(request: pytest.FixtureRequest) -> Sender:
    return request.param


@pytest.fixture
def project(tmp_path: Path, sender: Sender) -> Iterator[WholeProject]:
    pytest.importorskip("segment.analytics.client" if sender.dialect == "segment" else "posthog")
    with whole_project(tmp_path, dialect=sender.dialect) as project:
        yield project


@pytest.fixture
def front(project: WholeProject) -> Iterator[FlakyFront]:
    with flaky_front(project.port, ()) as front:
        yield front


def test_everything_a_client_sends_is_there_once_after_429_500_and_a_cut(
    sender: Sender, project: WholeProject, front: FlakyFront
) -> None:
    front.script.extend(FAILING)
    client = sender.connect(project.key, front.address)
    sender.everything(client)
    client.flush()
    client.join()
    assert sender.lost == []
    assert front.did[:4] == [*FAILING, "passed"] and {each.status for each in front.sent[2:]} == {200}
    seen = project.seen()
    seen.check_each_once()
    assert seen.touchpoints == sender.kinds
    assert seen.numbers == list(range(TRACKED))


def test_what_a_client_gives_up_on_is_told_by_it_and_nothing_else_is_missing(
    sender: Sender, project: WholeProject, front: FlakyFront
) -> None:
    front.script.append("400")
    client = sender.connect(project.key, front.address)
    for number in range(3):
        sender.track(client, number)
    client.flush()
    front.wait_until(lambda: len(sender.lost) == 3, "the client says what it gave up on")
    for number in range(3, 6):
        sender.track(client, number)
    client.flush()
    client.join()
    front.wait_until(lambda: "passed" in front.did, "the client sends the rest")
    assert front.did == ["400", "passed"]
    assert sorted(each["properties"]["number"] for each in sender.lost) == [0, 1, 2]
    assert project.seen().numbers == [3, 4, 5]


def test_the_person_behind_a_clients_ids_is_one(sender: Sender, project: WholeProject, front: FlakyFront) -> None:
    client = sender.connect(project.key, front.address)
    sender.everything(client)
    client.flush()
    client.join()
    seen = project.seen()
    described = seen.of("person.identified") + seen.of("person.described")
    assert ["customer:user-1", "email:anna@harbour.example"] in [sorted(row["handles"]) for row in described]
    assert "customer:user-1" in seen.of("person.linked")[0]["handles"]
    assert {handle for row in seen.of("desk.asked") for handle in row["handles"]} == {
        f"customer:user-{number}" for number in range(5)
    }
