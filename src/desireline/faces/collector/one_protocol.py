"""HTTP/1.1 and nothing else: an offer to speak another protocol is passed over, as the standard allows.

The parser takes what follows the head of such a request for the other protocol, and its body would be lost:
`curl --http2` and Java's client offer h2c with every first request. So the head is read again without the offer.
"""

from __future__ import annotations

from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class OneProtocol(HttpToolsProtocol):
    """The server's protocol, to which a request with an offer is a request without one (RFC 9110, 7.8)."""

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        while data:
            try:
                self.parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as offer:
                data = self._head_without_offer() + data[offer.args[0] :]
                self.parser = httptools.HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
            except httptools.HttpParserError:
                self.send_400_response("")
                return

    def is_offer(self) -> bool:
        """Whether the head that was just read offers another protocol, so that it will be read again."""
        return self.parser.should_upgrade() and self._get_upgrade() is not None

    def on_headers_complete(self) -> None:
        if not self.is_offer():
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        if not self.is_offer():
            super().on_message_complete()

    def _head_without_offer(self) -> bytes:
        kept: list[Any] = [header for header in self.headers if header[0] != b"upgrade"]
        first = b"%b %b HTTP/%b\r\n" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        return first + b"".join([b"%b: %b\r\n" % header for header in kept]) + b"\r\n"
