"""One request to one listener: an answer counts once its head is there, and nobody waits for another's host name."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from desireline.outreach.channels.request import Response, post, resolve


async def here(host: str, port: int) -> Sequence[str]:
    return ["127.0.0.1"]


async def asked(pieces: Sequence[bytes], *, seconds: float) -> Response:
    """What a listener is heard to answer that sends these pieces and then neither goes on nor hangs up."""
    enough = asyncio.Event()

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        await enough.wait()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"http://hook.example:{server.sockets[0].getsockname()[1]}/"
    try:
        return await post(url, headers={}, body=b"{}", seconds=seconds, allow_private=True, resolve=here)
    finally:
        enough.set()
        server.close()


@pytest.mark.parametrize(
    "pieces",
    [
        [b"HTTP/1.1 200 OK\r\nserver: x\r\n\r\n", b"never ", b"ends"],
        [b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\nhalf"],
        [b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"],
    ],
)
def test_an_answer_whose_body_never_ends_is_an_answer(pieces: Sequence[bytes]) -> None:
    assert asyncio.run(asked(pieces, seconds=3)).status == 200


def test_an_interim_answer_says_nothing_and_its_headers_are_not_the_answers() -> None:
    pieces = [
        b"HTTP/1.1 103 Early Hints\r\nretry-after: 9\r\n\r\n",
        b"HTTP/1.1 201 Created\r\nx: y\r\ncontent-length: 2\r\n\r\nok",
    ]
    assert asyncio.run(asked(pieces, seconds=60)) == Response(201, {"x": "y", "content-length": "2"}, b"ok")


def test_forty_host_names_that_nobody_knows_keep_no_other_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    known = threading.Event()

    def thinking(host: str, *_given: Any, **_more: Any) -> list[tuple[Any, ...]]:
        if host.startswith("dead"):
            known.wait(60)
        return [(0, 0, 0, "", ("192.0.2.7", 80))]

    monkeypatch.setattr(socket, "getaddrinfo", thinking)

    async def ask() -> Sequence[str]:
        dead = [asyncio.create_task(resolve(f"dead-{each}.example", 80)) for each in range(40)]
        try:
            return await asyncio.wait_for(resolve("well.example", 80), 30)
        finally:
            known.set()
            await asyncio.gather(*dead)

    assert asyncio.run(ask()) == ["192.0.2.7"]
