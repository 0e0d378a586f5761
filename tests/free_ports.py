"""Ports that nobody listens on and that nobody else is given before they are used."""

from __future__ import annotations

import os
import random
import socket

_SIDE_BY_SIDE = 16
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _SIDE_BY_SIDE
_CHANCE = random.SystemRandom()
_OURS = range(10_000 + _WORKER, 32_000, _SIDE_BY_SIDE)
"""Below those the system gives to whoever asks for any, and others for each worker of the tests."""
_given: set[int] = set()


def free_port() -> int:
    """A port of the loopback, another one at each call."""
    while True:
        port = _CHANCE.choice(_OURS)
        if port not in _given and _is_free(port):
            _given.add(port)
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
