"""A network between a client and a server that can be cut: reset, silent, slow, refusing, or losing an answer."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal

Way = Literal["open", "silent", "slow", "refusing"]
_RESET = struct.pack("ii", 1, 0)
_ORDER = b"E\0\0\0\x09\0\0\0\0\0"
"""PostgreSQL's message that carries out what was said before."""
_SLOW_BYTES, _SLOW_SECONDS = 200, 0.02


class Between:
    """Passes bytes on from `port` to the server's port, as the way of the moment allows."""

    def __init__(self, server_port: int) -> None:
        self.way: Way = "open"
        self.attempts: list[float] = []
        self.lose: tuple[bytes, Literal["request", "answer"]] | None = None
        self._server_port = server_port
        self._unheard: set[socket.socket] = set()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def reset(self) -> None:
        """Cut every connection at once, as a firewall does that has forgotten them."""
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for end in pair:
                _cut(end)

    def stay(self, way: Way, *, seconds: float) -> None:
        """Be like this for so long, then open again."""
        self.way = way
        if way == "refusing":
            self.reset()
        time.sleep(seconds)
        self.way = "open"

    def lose_once(self, words: bytes, what: Literal["request", "answer"]) -> None:
        """Lose the carrying out of the next request with these words, or only its answer, and the connection with it.

        The driver sends each statement in steps: its words first, the order to carry it out last.
        """
        self.lose = (words, what)

    def close(self) -> None:
        self._listening.close()
        self.reset()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            self.attempts.append(time.monotonic())
            if self.way == "refusing":
                _cut(client)
                continue
            with suppress(OSError):
                server = socket.create_connection(("127.0.0.1", self._server_port))
                self._pairs.append((client, server))
                for here, there in ((client, server), (server, client)):
                    threading.Thread(target=self._pass_on, args=(here, there, here is client), daemon=True).start()
                continue
            _cut(client)

    def _pass_on(self, here: socket.socket, there: socket.socket, asks: bool) -> None:
        with suppress(OSError):
            order_follows = False
            while (given := here.recv(65_536)) and here not in self._unheard:
                if order_follows and _ORDER in given:
                    self._lose_it(given, there)
                    return
                order_follows |= asks and self.lose is not None and self.lose[0] in given
                self._send(there, given)
        _cut(there)
        _cut(here)

    def _lose_it(self, request: bytes, server: socket.socket) -> None:
        assert self.lose is not None
        what, self.lose = self.lose[1], None
        if what == "answer":
            self._unheard.add(server)
            server.sendall(request)
        else:
            self.reset()

    def _send(self, there: socket.socket, given: bytes) -> None:
        while self.way == "silent":
            time.sleep(0.01)
            if there.fileno() < 0:
                return
        if self.way != "slow":
            there.sendall(given)
            return
        for start in range(0, len(given), _SLOW_BYTES):
            there.sendall(given[start : start + _SLOW_BYTES])
            time.sleep(_SLOW_SECONDS)


def _cut(end: socket.socket) -> None:
    with suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


@contextmanager
def between(server_port: int) -> Iterator[Between]:
    """A network to a server, while the block runs."""
    network = Between(server_port)
    try:
        yield network
    finally:
        network.close()
