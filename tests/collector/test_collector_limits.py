"""What is refused for its size, its number or its time, and how senders are told to come again."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import json
import socket
import threading
import zlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import zstandard

from collector.running import NOW, SHOP, SLOW, TRACK, running
from desireline.faces.collector import Collector, Limits, Source, Sources
from desireline.faces.collector.budget import Budgets
from desireline.intake import dialects
from desireline.storage.log import LogFull, Outcome

SMALL = Limits(body_bytes=2_000, head_bytes=100, drain_bytes=10_000)


def test_a_budget_that_is_spent_says_when_to_come_again(tmp_path: Path) -> None:
    clock = [0.0]
    with running(tmp_path, monotonic=lambda: clock[0]) as server:
        statuses = [server.post("/v1/track", TRACK, key="slow-key").status for _ in range(5)]
        assert statuses == [200, 200, 200, 200, 429]
        answer = server.post("/v1/track", TRACK, key="slow-key")
        assert answer.code == "budget.spent"
        assert answer.headers["retry-after"] == answer.headers["x-ratelimit-reset"] == "1"
        assert server.post("/v1/track", TRACK).status == 200, "the budget of one source is not that of another"
        clock[0] += float(answer.headers["retry-after"])
        assert server.post("/v1/track", TRACK, key="slow-key").status == 200
        assert server.log.last == 6


def test_a_client_that_throws_away_what_is_answered_429_is_told_503(tmp_path: Path) -> None:
    product = Source("product", "posthog", "phc_key", per_second=1)
    with running(tmp_path, sources=(product,), monotonic=lambda: 0.0) as server:
        event = {"api_key": "phc_key", "event": "asked", "distinct_id": "ana", "uuid": "u-1"}
        asked = [server.post("/e/", event, key=None, origin="https://shop.example") for _ in range(3)]
        assert [answer.status for answer in asked] == [200, 200, 503]
        assert (asked[-1].code, asked[-1].headers["retry-after"]) == ("budget.spent", "1")
        assert server.post("/e/", event, key=None).status == 429, "servers and apps are told 429"


def test_a_network_address_has_a_budget_where_one_is_set(tmp_path: Path) -> None:
    with running(tmp_path, limits=Limits(address_per_second=1), monotonic=lambda: 0.0) as server:
        answers = [server.post("/v1/track", TRACK) for _ in range(3)]
        assert [answer.status for answer in answers] == [200, 200, 429]
        assert answers[-1].code == "address.budget_spent"


def test_the_number_of_budgets_that_are_remembered_is_bounded() -> None:
    budgets = Budgets(most=2)
    assert budgets.wait_seconds(("a", "1"), per_second=0.4, now=0.0) == 0
    assert budgets.wait_seconds(("a", "1"), per_second=0.4, now=0.0) == 3
    for name in "23":
        budgets.wait_seconds(("a", name), per_second=1, now=0.0)
    assert budgets.wait_seconds(("a", "1"), per_second=0.4, now=0.0) == 0


@pytest.mark.parametrize(("size", "whole"), [(2_001, True), (9_000, True), (3_000_000, False)])
def test_a_body_that_is_too_large_is_refused_and_known_by_head_hash_and_length(
    tmp_path: Path, size: int, whole: bool
) -> None:
    body = (b'{"event":"' + b"x" * size)[:size]
    with running(tmp_path, limits=SMALL) as server:
        answer = server.post("/v1/track", body)
        assert (answer.status, answer.code) == (413, "body.too_large")
        frame = server.frames()[-1]
        kept = json.loads(frame.meta)["kept"]
        assert (frame.source, frame.body, kept["whole"]) == ("shop", body[:100], whole)
        assert kept["code"] == "body.too_large"
        assert (kept["length"] == size) is whole
        assert (kept["sha256"] == hashlib.sha256(body).hexdigest()) is whole
        assert server.collector.counters.bytes_at_once == 0
        assert server.post("/v1/track", TRACK).status == 200


def test_a_body_of_the_largest_size_is_taken_however_it_is_cut(tmp_path: Path) -> None:
    event = json.dumps({**TRACK, "properties": {"note": "x" * 300_000}}).encode()
    body = b'{"batch":[' + b",".join([event] * 8) + b"]}"
    with running(tmp_path) as server:
        assert server.post("/v1/batch", body).status == 200
        assert server.frames()[-1].body == body
        assert server.collector.counters.bytes_at_once == 0


def test_a_small_body_that_unpacks_to_a_large_one_is_refused(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        answer = server.post("/v1/batch", gzip.compress(b"[" + b" " * 5_000_000 + b"]"))
        assert (answer.status, answer.code) == (413, "body.too_large")
        assert server.log.last == 1, "the small bytes are kept"


def test_too_much_at_once_is_refused_before_the_body_is_read(tmp_path: Path) -> None:
    with running(tmp_path, limits=Limits(requests_at_once=0)) as server:
        answer = server.post("/v1/track", TRACK)
        assert (answer.status, answer.code, answer.headers["retry-after"]) == (503, "busy", "1")
        assert server.log.last == 0


def test_bodies_held_in_memory_are_bounded(tmp_path: Path) -> None:
    with running(tmp_path, limits=Limits(bytes_at_once=50_000)) as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as held:
            head = b"POST /v1/track?writeKey=shop-key HTTP/1.1\r\nhost: h\r\ncontent-length: 200000\r\n\r\n"
            held.sendall(head + b"x" * 49_000)
            held.sendall(b"x" * 50_000)
            answer = held.recv(65_536)
            assert b"503" in answer.split(b"\r\n")[0]
            assert b'"code":"busy"' in answer
        assert server.post("/v1/track", TRACK).status == 200
        assert server.collector.counters.bytes_at_once == 0
        assert server.log.last == 1, "what was refused for want of room is not kept either"


def test_what_nobody_known_sends_unreadably_is_kept_only_now_and_then(tmp_path: Path) -> None:
    with running(tmp_path, monotonic=lambda: 0.0) as server:
        answers = [server.post("/v1/track", b"\x1f\x8bnonsense", key=None) for _ in range(15)]
        assert {(answer.status, answer.code) for answer in answers} == {(400, "body.damaged")}
        assert server.log.last == 10
        assert {frame.source for frame in server.frames()} == {""}


@pytest.mark.parametrize(
    ("reason", "code"), [("queue", "log.queue"), ("disk", "log.disk"), ("read only", "log.read_only")]
)
def test_a_log_that_is_full_is_told_with_the_time_to_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: str, code: str
) -> None:
    def full(*_given: object, **_named: object) -> None:
        raise LogFull("It is full.", reason=reason, retry_after_seconds=3)

    with running(tmp_path) as server:
        monkeypatch.setattr(server.log, "submit", full)
        answer = server.post("/v1/track", TRACK)
        assert (answer.status, answer.code, answer.headers["retry-after"]) == (503, code, "3")


def test_a_collector_that_stops_sends_everybody_away(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        server.collector.stop()
        answer = server.post("/v1/track", TRACK)
        assert (answer.status, answer.code, answer.headers["retry-after"]) == (503, "stopping", "2")


def test_sources_may_change_while_it_runs(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        assert server.post("/v1/track", TRACK, key="new-key").status == 401
        server.collector.sources.replace([Source("new", "segment", "new-key")])
        assert server.post("/v1/track", TRACK, key="new-key").status == 200
        assert server.post("/v1/track", TRACK).status == 401
        with pytest.raises(ValueError, match="a write key of its own"):
            server.collector.sources.replace([SHOP, SHOP])


def test_what_was_answered_with_success_is_there_after_a_restart(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        for number in range(5):
            assert server.post("/v1/track", {**TRACK, "messageId": f"m{number}"}).status == 200
    with running(tmp_path) as server:
        assert [json.loads(frame.body)["messageId"] for frame in server.frames()] == [f"m{n}" for n in range(5)]
        assert server.post("/v1/track", TRACK).status == 200
        assert server.frames()[-1].sequence == 6


class _HeldLog:
    """A log whose disk answers when the test lets it."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Any, Any]] = []
        self.three_wait = asyncio.Event()

    def submit(self, _kind: Any, *, token: Any, tell: Any, **_frame: Any) -> None:
        self.waiting.append((token, tell))
        if len(self.waiting) == 3:
            self.three_wait.set()

    def release(self, *outcomes: Outcome) -> None:
        self.waiting[0][1](outcomes)


async def _ask(collector: Collector, answers: list[int]) -> None:
    scope = {
        "type": "http", "method": "POST", "path": "/v1/track", "query_string": b"writeKey=shop-key",
        "headers": [], "client": ("127.0.0.1", 1),
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": json.dumps(TRACK).encode()}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            answers.append(message["status"])

    await collector(scope, receive, send)


def _outcomes(log: _HeldLog, errors: Sequence[Exception | None]) -> list[Outcome]:
    return [Outcome(token, 0 if error else 7, error) for (token, _), error in zip(log.waiting, errors, strict=True)]


def test_nobody_is_told_success_before_the_disk_is_done() -> None:
    log, answers = _HeldLog(), []
    collector = Collector(log, Sources([SHOP, SLOW]), now=lambda: NOW)

    async def story() -> None:
        asking = [asyncio.create_task(_ask(collector, answers)) for _ in range(3)]
        await log.three_wait.wait()
        assert answers == []
        asking[1].cancel()
        log.release(*_outcomes(log, [None, None, OSError("no space")]))
        await asyncio.gather(*asking, return_exceptions=True)

    asyncio.run(story())
    assert answers == [200, 503], "a client that left does not keep the others of its group from their answers"
    assert collector.counters.at_once == collector.counters.bytes_at_once == 0


MANY = json.dumps({"batch": [TRACK] * 4_000, "writeKey": "shop-key"}).encode()
HEAVY = {
    "large": (MANY, ""),
    "packed": (gzip.compress(MANY), ""),
    "packed in two members": (gzip.compress(MANY) + gzip.compress(b" "), ""),
    "packed otherwise": (zlib.compress(MANY), ""),
    "zstd": (zstandard.compress(MANY), ""),
    "a form": (b"data=" + base64.b64encode(gzip.compress(MANY)), ""),
    "a query": (b"", "&data=" + base64.urlsafe_b64encode(gzip.compress(MANY)).decode()),
}
LIGHT = {
    "plain": (json.dumps(TRACK).encode(), ""),
    "packed": (gzip.compress(json.dumps({**TRACK, "writeKey": "shop-key"}).encode()), ""),
    "nothing": (b"", ""),
}


@pytest.mark.parametrize("key", ["shop-key", None])
@pytest.mark.parametrize(("form", "beside"), [*((form, True) for form in HEAVY), *((form, False) for form in LIGHT)])
def test_what_is_large_once_unpacked_holds_nobody_else_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, beside: bool, key: str | None
) -> None:
    readers: set[bool] = set()

    def seen(does: Any, received: dialects.Received) -> Any:
        readers.add(threading.current_thread().name.startswith("read a large body"))
        return does(received)

    for name in ("read", "payload_of"):
        monkeypatch.setattr(dialects, name, partial(seen, getattr(dialects, name)))
    body, query = (HEAVY if beside else LIGHT)[form]
    with running(tmp_path) as server:
        server.post(f"/v1/batch?v=1{query}", body, key=key)
    assert readers == {beside}


def test_a_reader_that_fails_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_received: object) -> None:
        raise RecursionError

    monkeypatch.setattr("desireline.intake.dialects.read", broken)
    with running(tmp_path) as server:
        assert server.post("/v1/track", TRACK).json == {"success": True}
        assert json.loads(server.frames()[-1].body) == TRACK


def test_a_fault_of_ours_is_told_as_a_moment_to_wait_never_as_500(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_given: object, **_named: object) -> None:
        raise RuntimeError("ana@example.org")

    monkeypatch.setattr("desireline.faces.collector.taking.answer", broken)
    with running(tmp_path) as server:
        answer = server.post("/v1/track", TRACK)
        assert (answer.status, answer.code, answer.headers["retry-after"]) == (503, "collector.fault", "1")
        assert server.collector.counters.faults == 1
    assert "ana@example.org" not in caplog.text
