"""A load generator for the collector, in a process of its own: bare sockets kept alive, one request at a time on each.

    python -m bench.collector_load --port 8000 --seconds 5 --connections 64 --events 20 [--rate 15000]

Without a rate every connection sends its next request when it has its answer. With one, requests fall due
at that rate whatever the answers say; those for which no connection is free are counted as not sent.
Prints one JSON line; latencies are in milliseconds, from the first byte sent to the last one read.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import sys
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

import uvloop

EVENT = (
    b'{"type":"track","messageId":"%s","userId":"user-%s","event":"Order Completed","properties":{"order_id":"o-1",'
    b'"revenue":49.90,"currency":"EUR","coupon":"SPRING"},"context":{"library":{"name":"analytics.js","version":"1.84.3"},'
    b'"page":{"path":"/checkout","url":"https://shop.example/checkout","referrer":""},"locale":"de-DE"},'
    b'"timestamp":"2026-11-22T19:30:00.000Z"}'
)
DRAIN_SECONDS = 10.0
TICK_SECONDS = 0.002


class Requests:
    """Requests that all differ in their ids and are equally long."""

    def __init__(self, *, key: str, events: int) -> None:
        self.events = events
        self._run, self._number = os.urandom(4).hex(), 0
        path = b"/v1/track" if events == 1 else b"/v1/batch"
        length = len(self._body())
        authorization = base64.b64encode(f"{key}:".encode())
        self._head = (
            b"POST %s HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\nauthorization: Basic %s\r\n"
            b"content-length: %d\r\n\r\n"
        ) % (path, authorization, length)

    def _event(self) -> bytes:
        self._number += 1
        return EVENT % (b"%s-%09d" % (self._run.encode(), self._number), b"%05d" % (self._number % 5_000))

    def _body(self) -> bytes:
        if self.events == 1:
            return self._event()
        events = b",".join([self._event() for _ in range(self.events)])
        return b'{"batch":[%s],"sentAt":"2026-11-22T19:30:00.000Z"}' % events

    def next(self) -> bytes:
        """The next request as bytes."""
        return self._head + self._body()


@dataclass
class Seen:
    """What came back: how often each status, and how long it took."""

    statuses: Counter[int] = field(default_factory=Counter)
    accepted_ms: list[float] = field(default_factory=list)
    refused_ms: list[float] = field(default_factory=list)
    not_sent: int = 0
    lost: int = 0

    def add(self, status: int, milliseconds: float) -> None:
        """An answer was read whole."""
        self.statuses[status] += 1
        (self.accepted_ms if status == 200 else self.refused_ms).append(milliseconds)


class Client(asyncio.Protocol):
    """One connection."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.sent_at = 0.0
        self.data = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def ask(self) -> None:
        """Send the next request."""
        self.load.open += 1
        self.sent_at = time.perf_counter()
        self.transport.write(self.load.requests.next())

    def data_received(self, data: bytes) -> None:
        self.data += data
        head, found, body = self.data.partition(b"\r\n\r\n")
        if not found or len(body) < int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]):
            return
        self.data = b""
        self.load.open -= 1
        self.load.seen.add(int(head[9:12]), (time.perf_counter() - self.sent_at) * 1_000)
        self.load.free(self)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.load.done:
            self.load.seen.lost += 1


class Load:
    """All connections of one run."""

    def __init__(self, requests: Requests, *, rate: float) -> None:
        self.requests = requests
        self.rate = rate
        self.seen = Seen()
        self.open = 0
        self.done = False
        self.stopping = False
        self.idle: deque[Client] = deque()

    def free(self, client: Client) -> None:
        """A connection has its answer."""
        if self.rate or self.stopping:
            self.idle.append(client)
        else:
            client.ask()

    async def run(self, port: int, connections: int, seconds: float) -> float:
        """Send for this long, then wait for what is still open; returns the seconds it took."""
        loop = asyncio.get_running_loop()
        clients = [
            (await loop.create_connection(lambda: Client(self), "127.0.0.1", port))[1] for _ in range(connections)
        ]
        begun = time.perf_counter()
        if self.rate:
            self.idle.extend(clients)
            await self._at_a_rate(begun, seconds)
        else:
            for client in clients:
                client.ask()
            await asyncio.sleep(seconds)
        self.stopping = True
        took = time.perf_counter() - begun
        until = time.perf_counter() + DRAIN_SECONDS
        while self.open and time.perf_counter() < until:
            await asyncio.sleep(TICK_SECONDS)
        self.done = True
        for client in clients:
            client.transport.close()
        return took

    async def _at_a_rate(self, begun: float, seconds: float) -> None:
        due_so_far = 0
        while (now := time.perf_counter()) < begun + seconds:
            due = int((now - begun) * self.rate) - due_so_far
            due_so_far += due
            sent = min(due, len(self.idle))
            for _ in range(sent):
                self.idle.popleft().ask()
            self.seen.not_sent += due - sent
            await asyncio.sleep(TICK_SECONDS)


def quantile(values: list[float], share: float) -> float:
    """The value below which this share lies; 0 when there is none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def main() -> int:
    """Read the command line, send, print what came back."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--key", default="bench-key")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--events", type=int, default=1)
    parser.add_argument("--rate", type=float, default=0.0)
    given = parser.parse_args()
    load = Load(Requests(key=given.key, events=given.events), rate=given.rate)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        took = runner.run(load.run(given.port, given.connections, given.seconds))
    seen = load.seen
    accepted = seen.statuses[200]
    refused = sum(seen.statuses.values()) - accepted
    said = {
        "seconds": took, "accepted": accepted, "refused": refused, "statuses": dict(seen.statuses),
        "not_sent": seen.not_sent, "lost": seen.lost, "unanswered": load.open,
        "per_second": accepted / took, "interactions_per_second": accepted * given.events / took,
        "accepted_ms": {str(share): quantile(seen.accepted_ms, share) for share in (0.5, 0.95, 0.99, 1.0)},
        "refused_ms": {str(share): quantile(seen.refused_ms, share) for share in (0.5, 0.95, 0.99, 1.0)},
    }  # fmt: skip
    print(json.dumps(said))
    return 0


if __name__ == "__main__":
    sys.exit(main())
