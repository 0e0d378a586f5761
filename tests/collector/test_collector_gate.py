"""A full collector refuses what it has not read, for the price of a glance, and never by mistake."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from collector.running import TRACK, Running, running
from desireline.faces.collector import Limits
from desireline.faces.collector.gate import plain_request

BODY = json.dumps(TRACK).encode()
KEY = b"authorization: Basic " + base64.b64encode(b"shop-key:") + b"\r\n"


def _request(more: bytes = b"", *, path: bytes = b"/v1/track", body: bytes = BODY, length: int = len(BODY)) -> bytes:
    return b"POST %s HTTP/1.1\r\nhost: h\r\n%b%bcontent-length: %d\r\n\r\n%b" % (path, KEY, more, length, body)


@contextmanager
def _full(folder: Path) -> Iterator[tuple[Running, socket.socket]]:
    """A collector that answers one request at a time, and the sender that has not yet sent all of it."""
    with running(folder, limits=Limits(requests_at_once=1)) as server, _connected(server) as slow:
        slow.sendall(_request(body=BODY[:-1]))
        with _connected(server) as other:
            while b" 503 " not in _asked(other, _request()):
                pass
        yield server, slow


def _connected(server: Running) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=20)


def _asked(connection: socket.socket, request: bytes) -> bytes:
    connection.sendall(request)
    answer = b""
    while b"\r\n\r\n" not in answer or not answer.endswith(b"}"):
        answer += connection.recv(65_536)
    return answer


def test_a_request_that_finds_it_full_is_refused_and_its_connection_serves_the_next(tmp_path: Path) -> None:
    with _full(tmp_path) as (server, slow), _connected(server) as other:
        before, last = server.collector.counters.refused.counts[:], server.log.last
        for _ in range(3):
            answer = _asked(other, _request(b"Origin: https://shop.example\r\n"))
            head, _, body = answer.partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
            assert json.loads(body)["code"] == "busy"
            assert b"\r\nretry-after: 1\r\n" in head
            assert b"\r\ndate: " in head
            assert b"\r\naccess-control-allow-origin: https://shop.example\r\n" in head, (
                "a page may read when to ask again"
            )
            assert b"\r\ncontent-length: %d\r\n" % len(body) in head
        assert sum(server.collector.counters.refused.counts) == sum(before) + 3
        assert server.log.last == last, "what is refused is not stored"
        assert b" 200 " in _asked(slow, BODY[-1:])
        assert b" 200 " in _asked(other, _request())
        assert server.collector.gate.entered <= 1


ODD = {
    "a body that has not come whole": _request(body=BODY[:-1]),
    "a second request behind it": _request() + _request(),
    "two lengths": _request(b"content-length: 5\r\n"),
    "length and chunks": _request(b"transfer-encoding: chunked\r\n"),
    "chunks with another spelling": _request(b"Transfer-Encoding : chunked\r\n"),
    "a question before the body": _request(b"Expect: 100-continue\r\n"),
    "the last on its connection": _request(b"Connection: close\r\n"),
    "a wish for another protocol": _request(b"Connection: Upgrade\r\nUpgrade: h2c\r\n"),
    "a header that goes on in the next line": _request(b"x-a: 1\r\n 2\r\n"),
    "a bare end of line": _request(b"x-a: 1\ncontent-length: 5\r\n"),
    "a NUL": _request(b"x-a: \x00\r\n"),
    "an older HTTP": _request().replace(b"HTTP/1.1", b"HTTP/1.0"),
    "a question": _request().replace(b"POST", b"OPTIONS"),
    "an address of the pages": _request(path=b"/people"),
    "an address with a key in it": _request(path=b"/hooks/abc"),
}


@pytest.mark.parametrize("name", ODD)
def test_a_request_that_is_not_plain_is_left_to_the_careful_reader(name: str) -> None:
    assert plain_request(ODD[name]) == ("", b"")


@pytest.mark.parametrize("more", [b"", b"Connection: keep-alive\r\n", b"X-Retry-Count: 2\r\n"])
def test_what_clients_send_is_plain(more: bytes) -> None:
    dialect, head = plain_request(_request(more, path=b"/v1/batch?writeKey=k"))
    assert dialect == "segment"
    assert head.endswith(b"\r\n\r\n")


def test_a_hostile_head_is_looked_at_in_no_time() -> None:
    spaces = b"x-a: " + b" " * 200_000 + b"\x00\r\n"
    assert plain_request(_request(spaces)) == ("", b"")
    assert plain_request(_request(b"origin:" + b" \t" * 100_000 + b"x\r\n"))[0] == "segment"


def test_a_full_collector_refuses_the_last_request_of_a_connection_and_closes_it(tmp_path: Path) -> None:
    with _full(tmp_path) as (server, _):
        answer = server.raw(ODD["the last on its connection"])
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"connection: close" in answer
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "busy"
