"""Who comes in while much comes in at once: counts what is being answered, and refuses the rest before it is read."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType

from desireline.faces.collector.answers import Header, lines_of, refuse
from desireline.faces.collector.counters import Counters
from desireline.faces.collector.cross_origin import allowed
from desireline.faces.collector.limits import Limits
from desireline.faces.collector.routes import ROUTES

LOOK_SECONDS = 0.05
"""While requests come, so often the loop looks how late it is."""
_HEAD = re.compile(
    rb"POST (/[!-~]*) HTTP/1\.1\r\n(?:[A-Za-z0-9!#$%&'*+.^_`|~-]+:[\t -~\x80-\xff]*\r\n)*\r\n",
)
_DECIDES = re.compile(rb"\r\n(?:connection|expect|transfer-encoding|upgrade|content-length):[ \t]*([^\r]*)")
_ORIGIN = re.compile(rb"\r\norigin:([^\r]*)", re.IGNORECASE)
_PATHS: Mapping[bytes, str] = MappingProxyType(
    {route.path.encode(): route.dialect for route in ROUTES if route.does == "store" and "{" not in route.path}
)
_COUNTED = frozenset(path.decode() for path in _PATHS)
_BUSY = refuse("busy", retry_after_seconds=1)
_BUSY_START = b"HTTP/1.1 503 Service Unavailable\r\n" + _BUSY.head
_BUSY_END = b"\r\n" + _BUSY.body


class Gate:
    """Lets in as many requests as may be answered at once; the others are told so for the price of a glance.

    entered: requests that came in through the server's protocol and are not answered yet, also those whose
        turn has not come: hundreds can arrive in one turn of the loop.
    """

    def __init__(
        self, limits: Limits, counters: Counters, *, monotonic: Callable[[], float] = time.perf_counter
    ) -> None:
        self.limits = limits
        self.counters = counters
        self.monotonic = monotonic
        self.entered = 0
        self._looks = False

    def is_full(self) -> bool:
        """Whether the next request is to be refused."""
        counters, limits = self.counters, self.limits
        waiting = max(self.entered, counters.at_once)
        return waiting >= limits.requests_at_once or counters.bytes_at_once >= limits.bytes_at_once

    def counts(self, path: str) -> bool:
        """Whether requests at this address bring something to store; their number is bounded."""
        return path in _COUNTED

    def enter(self, loop: asyncio.AbstractEventLoop) -> None:
        """A request comes in."""
        self.entered += 1
        if not self._looks:
            self._looks = True
            loop.call_later(LOOK_SECONDS, self._look, self.monotonic() + LOOK_SECONDS)

    def leave(self, _task: object = None) -> None:
        """A request is answered, or its sender is gone."""
        self.entered -= 1

    def _look(self, due: float) -> None:
        self._looks = False
        self.counters.late.add(max(0.0, self.monotonic() - due))

    def refusal(self, data: bytes, *, default_headers: list[Header]) -> bytes:
        """The answer to a request that lies here whole and may not come in; empty when it has to be read first."""
        begun = self.monotonic()
        dialect, head = plain_request(data)
        if not dialect:
            return b""
        found = _ORIGIN.search(head)
        headers = (*default_headers, *(allowed(found[1].strip()) if found else ()))
        self.counters.answered(dialect=dialect, status=_BUSY.status, code=_BUSY.code)
        self.counters.refused.add(self.monotonic() - begun)
        return b"".join((_BUSY_START, lines_of(headers), _BUSY_END))


def plain_request(data: bytes) -> tuple[str, bytes]:
    """The dialect and the head of one whole request to store something, in its plainest form; empty for all else.

    Where a careful reader might see another end than we do, we let the careful reader look.

    >>> plain_request(b"POST /v1/track HTTP/1.1\\r\\nContent-Length: 2\\r\\n\\r\\n{}")[0]
    'segment'
    >>> plain_request(b"POST /v1/track HTTP/1.1\\r\\nContent-Length: 3\\r\\n\\r\\n{}")[0]
    ''
    """
    found = _HEAD.match(data)
    dialect = _PATHS.get(found[1].partition(b"?")[0], "") if found else ""
    if not found or not dialect:
        return "", b""
    head = found[0]
    said = _DECIDES.findall(head.lower())
    length = b"%d" % (len(data) - len(head))
    plain = length in said and (len(said) == 1 or (len(said) == 2 and b"keep-alive" in said))
    return (dialect, head) if plain else ("", b"")
