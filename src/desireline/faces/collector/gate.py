"""Who comes in while much comes in at once: counts what is being answered, and refuses the rest before it is read."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType

from desireline.faces.collector.answers import STATUS_LINES, Header, lines_of, refuse
from desireline.faces.collector.counters import Counters
from desireline.faces.collector.cross_origin import allowed
from desireline.faces.collector.limits import Limits
from desireline.faces.collector.routes import ROUTES

_HEAD = re.compile(
    rb"POST (/[!-~]*) HTTP/1\.1\r\n"
    rb"(?:[A-Za-z0-9!#$%&'*+.^_`|~-]+:[ \t]*[\t -~\x80-\xff]*\r\n)*\r\n"
)
_ASKS_FOR_MORE = re.compile(rb"\r\n(?:connection|expect|transfer-encoding|upgrade|content-length):[ \t]*([^\r]*)")
_ORIGIN = re.compile(rb"\r\norigin:[ \t]*([^\r]*?)[ \t]*\r\n", re.IGNORECASE)
_PATHS: Mapping[bytes, str] = MappingProxyType(
    {route.path.encode(): route.dialect for route in ROUTES if route.does == "store" and "{" not in route.path}
)


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

    def is_full(self) -> bool:
        """Whether the next request is to be refused."""
        counters, limits = self.counters, self.limits
        waiting = max(self.entered, counters.at_once)
        return waiting >= limits.requests_at_once or counters.bytes_at_once >= limits.bytes_at_once

    def refusal(self, data: bytes, *, default_headers: list[Header]) -> bytes:
        """The answer to a request that lies here whole and may not come in; empty when it has to be read first.

        Only the plainest form of a request is judged by its looks, so that nothing is taken for its end
        that a careful reader would not.
        """
        dialect = plain_request(data)
        if not dialect:
            return b""
        self.counters.answered(dialect=dialect, status=_BUSY.status, code=_BUSY.code)
        found = _ORIGIN.search(data)
        headers = (*default_headers, *(allowed(found[1]) if found else ()))
        return b"".join((STATUS_LINES[_BUSY.status], lines_of(headers), _BUSY.head, b"\r\n", _BUSY.body))


_BUSY = refuse("busy", retry_after_seconds=1)


def plain_request(data: bytes) -> str:
    """The dialect of one whole, plain request to store something; empty for everything else.

    >>> plain_request(b"POST /v1/track HTTP/1.1\\r\\nhost: h\\r\\nContent-Length: 2\\r\\n\\r\\n{}")
    'segment'
    >>> plain_request(b"POST /v1/track HTTP/1.1\\r\\nhost: h\\r\\nContent-Length: 3\\r\\n\\r\\n{}")
    ''
    """
    found = _HEAD.match(data)
    if found is None:
        return ""
    dialect = _PATHS.get(found[1].partition(b"?")[0], "")
    said = _ASKS_FOR_MORE.findall(data[: found.end() - 2].lower())
    if not dialect or len(data) <= found.end():
        return ""
    length = b"%d" % (len(data) - found.end())
    return dialect if said in ([length], [b"keep-alive", length], [length, b"keep-alive"]) else ""
