"""Faults at the collector's door: malformed and hostile requests, slow clients, more than it can take."""

from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import json
import re
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.running import TRACK, Running, running
from desireline.faces.collector import Limits
from faults.forms import LONG, how_many

SMALL_HEADS = Limits(request_head_bytes=8_192)
HURRIED = Limits(head_seconds=1.0, body_seconds=1.0)
GOOD = json.dumps(TRACK).encode()
KEY = b"authorization: Basic " + base64.b64encode(b"shop-key:") + b"\r\n"


def _nested(depth: int) -> bytes:
    return b'{"type":"track","userId":"a","event":"e","properties":' + b'{"a":' * depth + b"1" + b"}" * depth + b"}"


def _many_keys(count: int) -> bytes:
    return json.dumps({**TRACK, "properties": {f"k{number}": 1 for number in range(count)}}).encode()


UNREADABLE = {
    "empty": b"",
    "blank": b"  \r\n ",
    "half an object": b'{"type":"track"',
    "no json": b"<xml/>",
    "a bare word": b"track",
    "a number": b"7",
    "gzip cut short": gzip.compress(GOOD)[:-9],
    "gzip damaged": gzip.compress(GOOD)[:12] + b"\xff\xff" + gzip.compress(GOOD)[14:],
    "utf-16 cut short": GOOD.decode().encode("utf-16")[:-1],
    "deep beyond any stack": b"[" * 100_000,
}
"""Answered with 400 and kept."""

TOO_LARGE = {
    "gzip bomb": gzip.compress(b" " * 40_000_000, 9),
    "5 MB": b'{"a":"' + b"x" * 5_000_000 + b'"}',
}
"""Answered with 413 and kept, or known by head, hash and length."""

TAKEN = {
    "NaN": b'{"type":"track","userId":"a","event":"e","properties":{"n":NaN}}',
    "infinity by exponent": b'{"type":"track","userId":"a","event":"e","properties":{"n":1e999}}',
    "an integer of 5,000 digits": b'{"type":"track","userId":"a","event":"e","properties":{"n":' + b"9" * 5_000 + b"}}",
    "a key twice": b'{"type":"track","userId":"a","userId":"b","event":"e"}',
    "half a character": b'{"type":"track","userId":"a","event":"\\ud800"}',
    "NUL": b'{"type":"track","userId":"a\\u0000","event":"e"}',
    "byte order mark": b"\xef\xbb\xbf" + GOOD,
    "utf-16": GOOD.decode().encode("utf-16"),
    "latin-1": '{"type":"track","userId":"a","event":"Käse"}'.encode("latin-1"),
    "nested too deep": _nested(40),
    "200,000 keys": _many_keys(200_000),
    "an event of 1.2 MB": json.dumps({**TRACK, "properties": {"x": "y" * 1_200_000}}).encode(),
}
"""Answered with 200: mended, or in quarantine as a single bad event."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("faults"), limits=SMALL_HEADS) as server:
        yield server


@pytest.fixture(scope="module")
def hurried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A collector that waits a second for a head and a second for a body."""
    with running(tmp_path_factory.mktemp("hurried"), limits=HURRIED) as server:
        yield server


def _used(server: Running, body: bytes) -> float:
    """The processor time of one request, in seconds: the least of three tries, for a busy machine."""
    tries = []
    for _ in range(3):
        begun = time.process_time()
        server.post("/v1/track", body)
        tries.append(time.process_time() - begun)
    return min(tries)


@pytest.mark.parametrize("name", UNREADABLE)
def test_F18_an_unreadable_body_is_refused_with_a_code_and_kept(server: Running, name: str) -> None:
    answer = server.post("/v1/track", UNREADABLE[name])
    assert answer.status == 400
    assert answer.code.partition(".")[0] in ("body", "json", "text")
    assert server.frames()[-1].body == UNREADABLE[name]
    assert server.post("/v1/track", UNREADABLE[name]).code == answer.code, "a code is stable"


@pytest.mark.parametrize("name", TOO_LARGE)
def test_F18_a_body_that_is_too_large_is_refused_and_known(server: Running, name: str) -> None:
    body = TOO_LARGE[name]
    answer = server.post("/v1/track", body)
    assert (answer.status, answer.code) == (413, "body.too_large")
    frame = server.frames()[-1]
    kept = json.loads(frame.meta).get("kept")
    assert frame.body == body if kept is None else kept["sha256"] == hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize("name", TAKEN)
def test_F18_an_odd_event_is_stored_as_it_came_and_never_fails(server: Running, name: str) -> None:
    assert server.post("/v1/track", TAKEN[name]).status == 200
    assert server.frames()[-1].body == TAKEN[name]


@pytest.mark.parametrize("name", ["gzip bomb", "deep beyond any stack", "an integer of 5,000 digits"])
def test_F18_a_hostile_body_costs_little(server: Running, name: str) -> None:
    body = {**UNREADABLE, **TOO_LARGE, **TAKEN}[name]
    assert _used(server, body) <= 0.25


def _status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


def _statuses(answers: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answers)]


def _code(answer: bytes) -> str:
    return str(json.loads(answer.rpartition(b"\r\n\r\n")[2])["code"])


def _request(body: bytes = GOOD, length: int | None = None, more: bytes = b"") -> bytes:
    size = b"content-length: %d\r\n" % (len(body) if length is None else length)
    return b"POST /v1/track HTTP/1.1\r\nhost: h\r\n" + KEY + more + size + b"\r\n" + body


MALFORMED = {
    "no http": b"\x16\x03\x01\x02\x00\x01\x00",
    "length that is no number": _request().replace(b"content-length: ", b"content-length: x"),
    "two lengths": _request(more=b"content-length: 5\r\n"),
    "length and chunks at once": _request(more=b"transfer-encoding: chunked\r\n"),
    "chunk size that is none": (
        b"POST /v1/track HTTP/1.1\r\nhost: h\r\n" + KEY + b"transfer-encoding: chunked\r\n\r\nzz\r\n"
    ),
    "header with a NUL": _request(more=b"x-a: \x00\r\n"),
    "header name with a space": _request(more=b"x a: 1\r\n"),
    "address that is none": b"POST http://[::1 HTTP/1.1\r\nhost: h\r\n\r\n",
    "address that is not ascii": b"POST /v1/\xff\xfe HTTP/1.1\r\nhost: h\r\n\r\n",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_F18_malformed_http_is_refused_with_json_and_the_connection_ends(server: Running, name: str) -> None:
    before = server.log.last
    answer = server.raw(MALFORMED[name])
    assert _status(answer) == 400
    assert _code(answer) in ("http.malformed", "body.cut_off")
    assert b"application/json" in answer
    assert server.post("/v1/track", TRACK).status == 200
    assert server.log.last <= before + 2


def test_F18_a_chunk_that_is_cut_off_is_refused_and_never_acknowledged(server: Running) -> None:
    head = b"POST /v1/track HTTP/1.1\r\nhost: h\r\n" + KEY + b"transfer-encoding: chunked\r\n\r\n"
    answer = server.raw(head + b"ff\r\n" + GOOD[:20], half_close=True)
    assert (_status(answer), _code(answer)) == (400, "body.cut_off")


def test_F18_a_length_that_promises_too_much_is_refused_in_time(hurried: Running) -> None:
    cut = hurried.raw(_request(length=len(GOOD) + 10), half_close=True)
    assert (_status(cut), _code(cut)) == (400, "body.cut_off")
    held = hurried.raw(_request(length=len(GOOD) + 10, more=b"connection: close\r\n"))
    assert (_status(held), _code(held)) == (408, "body.too_slow")
    kept = json.loads(hurried.frames()[-1].meta)["kept"]
    assert (kept["code"], kept["whole"], kept["length"]) == ("body.too_slow", False, len(GOOD))


def test_F18_a_length_that_promises_too_little_leaves_no_second_request(server: Running) -> None:
    before = server.log.last
    answer = server.raw(_request(length=len(GOOD) - 5))
    assert answer.count(b"HTTP/1.1 ") <= 2
    assert b" 400 " in answer
    assert server.log.last <= before + 1


def test_F18_a_head_that_never_ends_is_cut_off(server: Running, hurried: Running) -> None:
    answer = hurried.raw(b"POST /v1/track HTTP/1.1\r\nhost: h\r\nx-a: ")
    assert (_status(answer), _code(answer)) == (408, "head.too_slow")
    large = server.raw(b"POST /v1/track HTTP/1.1\r\nhost: h\r\nx-a: " + b"a" * 20_000)
    assert (_status(large), _code(large)) == (431, "head.too_large")


def test_F18_a_connection_that_says_nothing_is_closed(hurried: Running) -> None:
    assert hurried.raw() == b""
    assert hurried.raw(b"\r\n") == b""


def test_F18_a_body_sent_a_byte_at_a_time_is_refused_in_time_and_holds_nobody_up(hurried: Running) -> None:
    with contextlib.ExitStack() as open_connections:
        slow = [
            open_connections.enter_context(socket.create_connection(("127.0.0.1", hurried.port), timeout=20))
            for _ in range(how_many(50, 500))
        ]
        for each in slow:
            each.sendall(_request(b"{", length=1_000))
        assert hurried.post("/v1/track", TRACK).status == 200, "the others are answered meanwhile"
        for each in slow:
            answer = each.recv(65_536)
            assert (_status(answer), _code(answer)) == (408, "body.too_slow")
    assert hurried.collector.counters.at_once <= 1


def test_F18_an_answer_does_not_wait_for_bytes_nobody_reads(hurried: Running) -> None:
    with socket.create_connection(("127.0.0.1", hurried.port), timeout=20) as connection:
        connection.sendall(_request(b"{", length=10_000_000).replace(b"Basic", b"Digest"))
        answer = connection.recv(65_536)
        assert _status(answer) in (401, 408)
        with contextlib.suppress(ConnectionError):
            for _ in range(100):
                connection.sendall(b"x" * 1_000)
    assert hurried.post("/v1/track", TRACK).status == 200


def test_F18_a_client_that_asks_before_it_sends_its_body_is_answered_once(server: Running) -> None:
    expecting = b"expect: 100-continue\r\n"
    good = server.raw(_request(more=expecting + b"connection: close\r\n"))
    assert good.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 ")
    refused = server.raw(_request(more=expecting).replace(b"/v1/track", b"/hooks/nobody"))
    assert _status(refused) == 401
    assert b"connection: close" in refused


def test_F18_requests_in_a_row_on_one_connection_are_answered_in_order(server: Running) -> None:
    last = _request().replace(b"host: h\r\n", b"host: h\r\nconnection: close\r\n")
    answer = server.raw(_request() + _request(b"{") + last)
    assert _statuses(answer) == [200, 400, 200]


@pytest.mark.parametrize("cut", [0, 40, -5])
def test_F18_an_offer_to_speak_another_protocol_is_passed_over(server: Running, cut: int) -> None:
    """curl --http2 and Java's client offer h2c with their first request; its body is not to be lost."""
    offer = b"connection: keep-alive, Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n"
    whole = _request(more=offer) + _request(more=b"connection: close\r\n")
    answer = server.raw(*((whole[:cut], whole[cut:]) if cut else (whole,)))
    assert _statuses(answer) == [200, 200]
    assert server.frames()[-1].body == server.frames()[-2].body == GOOD


def test_F18_what_follows_a_good_request_and_is_none_does_not_spoil_its_answer(
    server: Running, capfd: pytest.CaptureFixture[str]
) -> None:
    chunks = b"POST /v1/track HTTP/1.1\r\nhost: h\r\n" + KEY + b"transfer-encoding: chunked\r\n\r\nzz\r\n"
    for what, half_close in (
        (b"\x16\x03\x01 no request\r\n\r\n" + _request(), False),
        (b"POST /v1/tra", True),
        (_request()[:-5], True),
        (chunks, False),
    ):
        before = server.log.last
        answer = server.raw(_request() * 3 + what, half_close=half_close)
        assert _statuses(answer) == [200, 200, 200], what[:20]
        assert answer.count(b"connection: close") == 1
        assert server.log.last == before + 3
    assert capfd.readouterr().err == ""


def test_F18_half_a_head_after_whole_requests_is_cut_off_in_time(server: Running) -> None:
    begun = time.monotonic()
    assert _statuses(server.raw(_request() * 3 + b"POST /v1/tra")) == [200, 200, 200, 408]
    assert time.monotonic() - begun < 15, "long before an idle connection is closed"


def test_F18_a_client_that_is_gone_before_its_answer_leaves_no_error(
    server: Running, capfd: pytest.CaptureFixture[str]
) -> None:
    for _ in range(how_many(20, 500)):
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.sendall(_request())
    assert server.post("/v1/track", TRACK).status == 200
    assert capfd.readouterr().err == ""


def test_F18_connections_beyond_the_limit_are_sent_away(tmp_path: Path) -> None:
    with running(tmp_path, limits=Limits(connections=2)) as server, contextlib.ExitStack() as held:
        for _ in range(2):
            connection = held.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=20))
            connection.sendall(_request())
            assert _status(connection.recv(65_536)) == 200
        answer = server.raw()
        assert (_status(answer), _code(answer)) == (503, "connections")
        assert b"retry-after: 1" in answer
        held.close()
        assert _eventually_taken(server)


def _eventually_taken(server: Running) -> bool:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with contextlib.suppress(ConnectionError):
            if server.post("/v1/track", TRACK).status == 200:
                return True
    return False


def test_F24_more_than_it_can_take_is_refused_quickly_and_what_was_taken_is_stored(tmp_path: Path) -> None:
    acknowledged: list[str] = []
    refused: list[str] = []
    clients, limits = how_many(24, 64), Limits(requests_at_once=4)
    together = threading.Barrier(clients)
    with running(tmp_path, limits=limits) as server:

        def client(number: int) -> None:
            with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
                together.wait(60)
                for turn in range(how_many(25, 2_000)):
                    key = f"{number}-{turn}"
                    connection.sendall(_request(json.dumps({**TRACK, "messageId": key}).encode()))
                    answer = connection.recv(65_536)
                    if _status(answer) == 200:
                        acknowledged.append(key)
                    else:
                        assert (_status(answer), _code(answer)) == (503, "busy")
                        assert b"retry-after: 1" in answer
                        refused.append(key)

        threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        stored = [json.loads(frame.body)["messageId"] for frame in server.frames()]
        assert sorted(stored) == sorted(acknowledged)
        assert refused, "three times of what it takes at once was sent"
        assert server.post("/v1/track", TRACK).status == 200, "normal again at once"
        counters = server.collector.counters
        assert sum(counters.refused.counts) == len(refused), "each refusal is counted, with its time"
        assert counters.refused.at_most(0.99 if LONG else 0.9) <= 0.05
        assert server.collector.gate.entered <= 1
    if LONG:
        assert counters.stored.at_most(0.99) <= 0.25


def test_F37_a_write_key_reads_nothing_out(server: Running) -> None:
    server.post("/v1/identify", {"type": "identify", "userId": "ana", "traits": {"email": "ana@example.org"}})
    described = server.ask("GET", "/openapi.json").json["paths"]
    for path, item in described.items():
        for method in item:
            asked = path.replace("{key}", "shop-key").replace("{kind}", "identify")
            answer = server.ask(
                method.upper(), f"{asked}?writeKey=shop-key&userId=ana", b"{}" if method == "post" else None
            )
            assert b"example.org" not in answer.body, path


def test_F39_nothing_about_a_person_is_logged_or_counted(server: Running, caplog: pytest.LogCaptureFixture) -> None:
    canaries = ("canary@example.org", "DE44500105175407324931", "+4915112345678")
    for canary in canaries:
        server.post("/v1/identify", {"type": "identify", "userId": canary, "traits": {"x": canary}})
        server.post(f"/v1/identify?x={canary}", f'{{"{canary}'.encode())
        server.post(f"/v1/{canary}", {"a": canary})
        server.raw(b"GARBAGE " + canary.encode() + b"\r\n\r\n")
    said = caplog.text + server.collector.counters.text()
    assert not [canary for canary in canaries if canary in said]
