"""A load generator for the collector, in a process of its own: bare sockets kept alive, one request at a time on each.

    python -m bench.collector_load --port 8000 --seconds 5 --connections 64 --events 20 [--rate 15000]
        [--then-seconds 12 --then-connections 64]

Without a rate every connection sends its next request when it has its answer. With one, requests fall due
at that rate whatever the answers say; those for which no connection is free are counted as not sent.
A second load begins when the last answer of the first is there; only then is anything computed, so that how long
the generator thinks about the first is no part of it.
Prints one JSON line for each load; latencies are in milliseconds, from just before a request is handed to the kernel
until the kernel had its answer (SO_TIMESTAMPNS): the time in which an answer lies unread because this process was
not running is no time of the collector's. It is told apart, as `unread_ms`, and is the whole error of a
generator that shares the cores.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import select
import socket
import struct
import sys
import time
from array import array
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

EVENT = (
    b'{"type":"track","messageId":"%s","userId":"user-%s","event":"Order Completed","properties":{"order_id":"o-1",'
    b'"revenue":49.90,"currency":"EUR","coupon":"SPRING"},"context":{"library":{"name":"analytics.js","version":"1.84.3"},'
    b'"page":{"path":"/checkout","url":"https://shop.example/checkout","referrer":""},"locale":"de-DE"},'
    b'"timestamp":"2026-11-22T19:30:00.000Z"}'
)
DRAIN_SECONDS = 10.0
TICK_SECONDS = 0.001
SECOND = 1_000_000_000
SO_TIMESTAMPNS = 35
"""Linux: each read says when its last byte came in (socket(7)); Python does not name it."""
STAMP = struct.Struct("qq")


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
    accepted_ms: array[float] = field(default_factory=lambda: array("d"))
    accepted_at: array[int] = field(default_factory=lambda: array("q"))
    refused_ms: array[float] = field(default_factory=lambda: array("d"))
    unread_ms: array[float] = field(default_factory=lambda: array("d"))
    not_sent: int = 0
    lost: int = 0

    def add(self, status: int, *, sent_at: int, came_at: int, read_at: int) -> None:
        """An answer was read whole; nanoseconds."""
        self.statuses[status] += 1
        self.unread_ms.append((read_at - came_at) / 1e6)
        if status == 200:
            self.accepted_ms.append((came_at - sent_at) / 1e6)
            self.accepted_at.append(sent_at)
        else:
            self.refused_ms.append((came_at - sent_at) / 1e6)

    def p99_of_each_second(self, *, begun_at: int) -> list[float]:
        """Of what was accepted, by the second since the beginning in which it was sent."""
        seconds: dict[int, list[float]] = {}
        for sent_at, took_ms in zip(self.accepted_at, self.accepted_ms, strict=True):
            seconds.setdefault((sent_at - begun_at) // SECOND, []).append(took_ms)
        return [quantile(seconds.get(second, []), 0.99) for second in range(max(seconds, default=-1) + 1)]


class Client:
    """One connection."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.setblocking(False)
        self.sent_at = 0
        self.data = b""

    def ask(self, request: bytes) -> None:
        """Send a request; it is small beside the socket's buffer."""
        self.sent_at = time.time_ns()
        if self.socket.send(request) != len(request):
            raise RuntimeError("A request did not fit into the socket: make its batches smaller.")

    def read(self) -> tuple[int, int]:
        """The status of an answer that is whole, else 0, and when it came; -1 when the connection is gone."""
        try:
            data, said, _, _ = self.socket.recvmsg(65_536, 64)
        except ConnectionError:
            return -1, 0
        if not data:
            return -1, 0
        self.data += data
        head, found, body = self.data.partition(b"\r\n\r\n")
        if not found or len(body) < int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]):
            return 0, 0
        self.data = b""
        seconds, nanoseconds = STAMP.unpack(said[0][2])
        return int(head[9:12]), seconds * SECOND + nanoseconds


class Load:
    """All connections of one run."""

    def __init__(self, requests: Requests, *, rate: float) -> None:
        self.requests = requests
        self.rate = rate
        self.seen = Seen()
        self.open = 0
        self.begun_at = 0
        self.ended_at = 0
        self.idle: deque[Client] = deque()
        self._clients: dict[int, Client] = {}
        self._poll = select.epoll()

    def run(self, port: int, connections: int, seconds: float) -> float:
        """Send for this long, then wait for what is still open; returns the seconds it took."""
        for _ in range(connections):
            client = Client(port)
            self._clients[client.socket.fileno()] = client
            self._poll.register(client.socket.fileno(), select.EPOLLIN)
            self.idle.append(client)
        self.begun_at = time.time_ns()
        until = self.begun_at + round(seconds * SECOND)
        due_so_far = 0
        while (now := time.time_ns()) < until:
            due = int((now - self.begun_at) * self.rate / SECOND) - due_so_far if self.rate else len(self.idle)
            due_so_far += due
            self._send(due)
            self._read(TICK_SECONDS)
        self.ended_at = time.time_ns()
        while self.open and time.time_ns() < self.ended_at + DRAIN_SECONDS * SECOND:
            self._read(TICK_SECONDS)
        for client in self._clients.values():
            client.socket.close()
        return (self.ended_at - self.begun_at) / SECOND

    def _send(self, due: int) -> None:
        sent = min(due, len(self.idle))
        for _ in range(sent):
            self.open += 1
            self.idle.popleft().ask(self.requests.next())
        self.seen.not_sent += due - sent

    def _read(self, patience_seconds: float) -> None:
        for number, _ in self._poll.poll(patience_seconds):
            client = self._clients[number]
            status, came_at = client.read()
            if status > 0:
                self.open -= 1
                self.seen.add(status, sent_at=client.sent_at, came_at=came_at, read_at=time.time_ns())
                self.idle.append(client)
            elif status < 0:
                self.seen.lost += 1
                self._poll.unregister(number)


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which this share lies; 0 when there is none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def quantiles(values: Sequence[float]) -> dict[str, float]:
    """The shares that are looked at."""
    return {str(share): quantile(values, share) for share in (0.5, 0.95, 0.99, 1.0)}


def said_of(load: Load, *, took: float, events: int) -> dict[str, object]:
    """What came back in one load, to be printed."""
    seen = load.seen
    accepted = seen.statuses[200]
    refused = sum(seen.statuses.values()) - accepted
    return {
        "seconds": took, "accepted": accepted, "refused": refused, "statuses": dict(seen.statuses),
        "not_sent": seen.not_sent, "lost": seen.lost, "unanswered": load.open,
        "per_second": accepted / took, "interactions_per_second": accepted * events / took,
        "accepted_ms": quantiles(seen.accepted_ms), "refused_ms": quantiles(seen.refused_ms),
        "unread_ms": quantiles(seen.unread_ms), "begun_at": load.begun_at, "ended_at": load.ended_at,
        "p99_of_each_second_ms": seen.p99_of_each_second(begun_at=load.begun_at),
    }  # fmt: skip


def main() -> int:
    """Read the command line, send, print what came back: a line for each load."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--key", default="bench-key")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--events", type=int, default=1)
    parser.add_argument("--rate", type=float, default=0.0)
    parser.add_argument("--then-seconds", type=float, default=0.0, help="at once a second load, without a rate")
    parser.add_argument("--then-connections", type=int, default=64)
    given = parser.parse_args()
    requests = Requests(key=given.key, events=given.events)
    loads = [Load(requests, rate=given.rate)]
    took = [loads[0].run(given.port, given.connections, given.seconds)]
    if given.then_seconds:
        loads.append(Load(requests, rate=0.0))
        took.append(loads[1].run(given.port, given.then_connections, given.then_seconds))
    for load, seconds in zip(loads, took, strict=True):
        print(json.dumps(said_of(load, took=seconds, events=given.events)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
