"""A collector that really runs: uvicorn on loopback in a thread of its own, a log on disk, a clock that stands."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from desireline.faces.collector import Collector, Limits, Source, Sources, server_of
from desireline.storage.log import Frame, Log, LogLimits

NOW = 1_790_000_000_000
SHOP = Source("shop", "segment", "shop-key")
SITE = Source("site", "segment", "site-key", origins=("https://shop.example",))
OFF = Source("old", "segment", "old-key", enabled=False)
PRODUCT = Source("product", "posthog", "phc_key")
SLOW = Source("slow", "segment", "slow-key", per_second=2)
SOURCES = (SHOP, SITE, OFF, PRODUCT, SLOW)

TRACK = {"type": "track", "messageId": "m1", "userId": "ana", "event": "Order Completed"}


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return str(self.json["code"])


@dataclass
class Running:
    """A running collector and a plain way to ask it."""

    collector: Collector
    log: Log
    port: int
    clock: list[int] = field(default_factory=lambda: [NOW])
    told: list[int] = field(default_factory=list)

    def ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            names = {name.lower() for name, _ in answer.getheaders()}
            return Reply(answer.status, {name: answer.getheader(name, "") for name in names}, answer.read())

    def post(self, path: str, body: Any, *, key: str | None = "shop-key", **headers: str) -> Reply:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if key is not None:
            named.setdefault("authorization", "Basic " + base64.b64encode(f"{key}:".encode()).decode())
        return self.ask("POST", path, raw, named)

    def raw(self, *pieces: bytes, half_close: bool = False) -> bytes:
        """What comes back on a bare connection, until it is closed."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            for piece in pieces:
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    connection.sendall(piece)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: _received(connection), b""))

    def frames(self) -> list[Frame]:
        return list(self.log.read())

    def metas(self) -> list[dict[str, Any]]:
        return [json.loads(frame.meta) for frame in self.frames()]


def _received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except ConnectionResetError:
        return b""


@contextlib.contextmanager
def running(
    folder: Path,
    *,
    sources: Iterable[Source] = SOURCES,
    limits: Limits | None = None,
    log_limits: LogLimits | None = None,
    monotonic: Any = None,
    pages: Any = None,
) -> Iterator[Running]:
    """A collector over a log in this folder, until the block ends."""
    clock, told = [NOW], []
    log = Log(folder / "log", now=lambda: clock[0], limits=log_limits or LogLimits())
    collector = Collector(
        log,
        Sources(sources),
        now=lambda: clock[0],
        limits=limits,
        told=told.append,
        **({"monotonic": monotonic} if monotonic else {}),
    )
    try:
        with served(pages(collector) if pages else collector, limits=limits, gate=collector.gate) as port:
            yield Running(collector, log, port, clock, told)
    finally:
        log.close()


@contextlib.contextmanager
def served(app: Any, *, limits: Limits | None = None, gate: Any = None) -> Iterator[int]:
    """An application on a free port, in a thread of its own, until the block ends."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(256)
    server = server_of(app, limits=limits, gate=gate)
    ready = threading.Event()

    async def serve() -> None:
        task = asyncio.ensure_future(server.serve(sockets=[listening]))
        while not server.started and not task.done():
            await asyncio.sleep(0.005)
        ready.set()
        await task

    thread = threading.Thread(target=_run, args=(server, serve), daemon=True)
    thread.start()
    assert ready.wait(20)
    try:
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(20)


def _run(server: Any, serve: Any) -> None:
    with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
        runner.run(serve())
