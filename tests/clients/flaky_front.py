"""A small HTTP server in front of the collector that fails by script before it lets everything through.

`429`: too many requests, with Retry-After: 1. `500`: an error without any word. `cut`: the collector stores the
request, and the connection breaks in the middle of its answer, so that what comes next is a true repeat. `400` and
`413`: refused for good. Only requests that send interactions are failed, never settings or what a browser asks first.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from desireline.faces.collector.routes import find

FAILING = ("429", "500", "cut")
REFUSED = {"429": b"429 Too Many Requests", "500": b"500 Internal Server Error", "400": b"400 Bad Request",
           "413": b"413 Content Too Large"}  # fmt: skip
RESET_AT_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Request:
    """A request as it came in."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def sends(self) -> bool:
        """Whether it brings interactions."""
        found = find(self.path)
        return self.method == "POST" and found is not None and bool(found[0].dialect)

    def raw(self) -> bytes:
        """The request as it goes on to the collector, on a connection of its own."""
        kept = {name: value for name, value in self.headers.items() if name not in ("connection", "transfer-encoding")}
        kept |= {"connection": "close", "content-length": str(len(self.body))}
        lines = [f"{self.method} {self.target} HTTP/1.1", *(f"{name}: {value}" for name, value in kept.items())]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + self.body


@dataclass(frozen=True)
class Exchange:
    """A request and what was done with it: `passed` or a word of the script, and the status it was answered with."""

    request: Request
    did: str
    status: int


class FlakyFront:
    """Listens on a port of its own; `script` may be added to at any time."""

    def __init__(self, port_behind: int, script: Sequence[str]) -> None:
        self.port_behind = port_behind
        self.script = deque(script)
        self.exchanges: list[Exchange] = []
        self._changed = threading.Condition()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self.address = f"http://127.0.0.1:{self.port}"

    @property
    def sent(self) -> list[Exchange]:
        """What was done with the requests that brought interactions."""
        return [each for each in self.exchanges if each.request.sends]

    @property
    def did(self) -> list[str]:
        """The same in words, in order."""
        return [each.did for each in self.sent]

    def wait_until(self, holds: Callable[[], bool], what: str, *, seconds: float = 60) -> None:
        """Wait until this holds, looking again whenever a request was answered."""
        assert self.holds_within(holds, seconds=seconds), f"{what} never came; seen: {self.did}"

    def holds_within(self, holds: Callable[[], bool], *, seconds: float) -> bool:
        """Whether this comes to hold in time."""
        with self._changed:
            return self._changed.wait_for(holds, seconds)

    async def _serve(self, ready: threading.Event, ending: asyncio.Event) -> None:
        server = await asyncio.start_server(self._connection, sock=self._listening)
        async with server:
            ready.set()
            await ending.wait()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while await self._exchange(reader, writer):
                pass
        writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        request = await _read_request(reader)
        did = self.script.popleft() if request.sends and self.script else "passed"
        if did in REFUSED:
            answer = _refusal(request, did)
        else:
            answer = await self._behind(request)
        if did == "cut":
            writer.write(answer[: answer.index(b"\r\n\r\n") // 2])
            await writer.drain()
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
            writer.transport.abort()
        else:
            writer.write(answer)
            await writer.drain()
        with self._changed:
            self.exchanges.append(Exchange(request, did, int(answer[9:12])))
            self._changed.notify_all()
        return did != "cut"

    async def _behind(self, request: Request) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port_behind)
        writer.write(request.raw())
        answer = await reader.read(-1)
        writer.close()
        head, _, body = answer.partition(b"\r\n\r\n")
        lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
        return b"\r\n".join(lines) + b"\r\n\r\n" + body


async def _read_request(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:-2])}
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return Request(method, target, headers, await _chunks(reader))
    return Request(method, target, headers, await reader.readexactly(int(headers.get("content-length", 0))))


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int((await reader.readline()).partition(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return body


def _refusal(request: Request, did: str) -> bytes:
    lines = [b"HTTP/1.1 " + REFUSED[did], b"content-length: 0"]
    if did == "429":
        lines.append(b"retry-after: 1")
    if "origin" in request.headers:
        lines.append(b"access-control-allow-origin: " + request.headers["origin"].encode())
        lines.append(b"access-control-allow-credentials: true")
        lines.append(b"access-control-expose-headers: Retry-After")
    return b"\r\n".join(lines) + b"\r\n\r\n"


@contextlib.contextmanager
def flaky_front(port_behind: int, script: Sequence[str] = FAILING) -> Iterator[FlakyFront]:
    """A front over the collector on this port, until the block ends."""
    front, ready = FlakyFront(port_behind, script), threading.Event()
    loop = asyncio.new_event_loop()
    ending = asyncio.Event()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(front._serve(ready, ending))
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.tasks.gather(*asyncio.all_tasks(loop), return_exceptions=True))
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(20)
    try:
        yield front
    finally:
        loop.call_soon_threadsafe(ending.set)
        thread.join(20)
