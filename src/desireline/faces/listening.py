"""Where the server listens: the pages on this machine only, and, when asked to, the collector beside them.

The second address answers collector addresses, `/health` and `/ready`, nothing else. Which of the two a request came
in by is known from the socket, never from a header.
"""

from __future__ import annotations

import errno
import ipaddress
import socket
from typing import Any

from desireline.vocabulary.errors import DesirelineError, Mistake

OUTSIDE_PATHS = ("/health", "/ready")
BACKLOG = 2_048


def outside_address(text: str, *, behind_proxy: bool) -> tuple[str, int]:
    """The address and port of `--listen`; one that others can reach is refused unless a proxy stands before it.

    >>> outside_address("127.0.0.1:9000", behind_proxy=False)
    ('127.0.0.1', 9000)
    >>> outside_address("[::]:9000", behind_proxy=True)
    ('::', 9000)
    """
    host, _, port = text.rpartition(":")
    try:
        address = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
        number = int(port)
        if not 0 <= number <= 65_535:
            raise ValueError(number)
    except ValueError:
        says = f"'{text}' is not an address and a port."
        raise DesirelineError(Mistake(says, "--listen", do="Write 10.0.0.5:9000 or [::]:9000.")) from None
    if not address.is_loopback and not behind_proxy:
        says = (
            f"{text} can be reached from other machines, and this server speaks HTTP without encryption: write keys "
            "and people's data would travel in the open."
        )
        do = "Put a proxy with TLS before it (docs/how-to/operate.md) and say so with --behind-proxy."
        raise DesirelineError(Mistake(says, "--listen", do=do))
    return str(address), number


def listen_outside(address: tuple[str, int]) -> socket.socket:
    """A listening socket there; an address that is taken or not ours is said so."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(address)
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        why = {errno.EADDRINUSE: "is taken", errno.EACCES: "may not be used by this user"}.get(
            error.errno or 0, "is not an address of this machine"
        )
        says = f"{address[0]} port {address[1]} {why}."
        raise DesirelineError(Mistake(says, "--listen", do="Choose another one.")) from None
    return listening


class TwoDoors:
    """An ASGI application with two doors: what comes in by the loopback socket may ask everything, others little."""

    def __init__(self, inside: Any, *, collector: Any, loopback: tuple[str, int]) -> None:
        self.inside, self.collector, self.loopback = inside, collector, loopback
        self.operating: Any = collector

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or tuple(scope.get("server") or ())[:2] == self.loopback:
            await self.inside(scope, receive, send)
        elif scope["path"] in OUTSIDE_PATHS:
            await self.operating(scope, receive, send)
        else:
            await self.collector(scope, receive, send)
