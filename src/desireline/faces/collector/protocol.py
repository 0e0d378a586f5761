"""HTTP on the wire, guarded: heads that never end, connections beyond counting, bytes nobody asked for."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from desireline.faces.collector.answers import READ_AT, WHOLE
from desireline.faces.collector.gate import Gate
from desireline.faces.collector.limits import Limits
from desireline.faces.collector.one_protocol import OneProtocol


def canned(status: int, phrase: str, code: str, says: str, *, retry_after_seconds: int = 0) -> bytes:
    """A whole answer as bytes, for requests that never become one."""
    body = f'{{"success":false,"code":"{code}","message":"{says}"}}'
    wait = f"retry-after: {retry_after_seconds}\r\n" if retry_after_seconds else ""
    return (
        f"HTTP/1.1 {status} {phrase}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
        f"{wait}connection: close\r\n\r\n{body}"
    ).encode("ascii")


MALFORMED = canned(400, "Bad Request", "http.malformed", "This is not HTTP/1.1 as this server reads it.")
CUT_OFF = canned(400, "Bad Request", "body.cut_off", "The body ended before its announced end. Send it again.")
HEAD_TOO_SLOW = canned(408, "Request Timeout", "head.too_slow", "The request did not arrive in time. Send it again.")
HEAD_TOO_LARGE = canned(
    431, "Request Header Fields Too Large", "head.too_large", "Address and headers are too large. Send less in them."
)
TOO_MANY = canned(
    503, "Service Unavailable", "connections", "Too many connections are open. Try again.", retry_after_seconds=1
)


class GuardedProtocol(OneProtocol):
    """The server's protocol with limits on what comes before, beside and after a request."""

    limits = Limits()
    gate: Gate | None = None

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._timer: asyncio.TimerHandle | None = None
        self._head_open = True
        self._message_open = False
        self._head_bytes = 0
        self._messages = 0
        self._before: RequestResponseCycle | None = None
        self._is_deaf = False

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections:
            self._end(TOO_MANY)
            return
        self._timer = self.loop.call_later(self.limits.head_seconds, self._too_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_deaf:
            return
        if self.gate is not None and self.gate.is_full() and self._refused_unread(self.gate, data):
            return
        head_was_open, messages = self._head_open, self._messages
        super().data_received(data)
        if self.transport.is_closing():
            self._stop_timer()
            return
        if head_was_open and self._head_open and self._messages == messages:
            self._head_bytes += len(data)
            if self._head_bytes > self.limits.request_head_bytes:
                self._end(HEAD_TOO_LARGE)
                return
        self._guard()

    def eof_received(self) -> Any:
        """The client will send nothing more: what is being answered is still answered."""
        if self.cycle is None or self.cycle.response_complete:
            return None
        if self._message_open:
            self._end(CUT_OFF)
            return self._is_deaf
        self.cycle.keep_alive = False
        return True

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_open = self._message_open = True

    def on_headers_complete(self) -> None:
        if self.is_offer():
            return
        self._head_open, self._head_bytes = False, 0
        self._before = self.cycle
        super().on_headers_complete()
        if self.cycle is not None:
            offered: Any = {WHOLE: partial(self._answer_whole, self.cycle)}
            self.cycle.scope["extensions"] = offered
            if self.gate is not None:
                offered[READ_AT] = self.gate.monotonic()

    def on_message_complete(self) -> None:
        if self.is_offer():
            return
        super().on_message_complete()
        self._message_open = False
        self._head_open = True
        self._messages += 1

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._message_open:
            self._guard()

    def send_400_response(self, msg: str) -> None:
        self._end(MALFORMED)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        gate = self.gate
        if gate is None or not gate.counts(cycle.scope["path"]):
            super()._start_asgi_task(cycle, app)
            return
        gate.enter(self.loop)

        async def counted(scope: Any, receive: Any, send: Any) -> None:
            try:
                await app(scope, receive, send)
            finally:
                gate.leave()

        super()._start_asgi_task(cycle, counted)

    def _refused_unread(self, gate: Gate, data: bytes) -> bool:
        """Refuse a whole request between two others at once; the connection stays as it is."""
        if self._message_open or self._head_bytes or self.flow.write_paused or self.transport.is_closing():
            return False
        if self.cycle is not None and not self.cycle.response_complete:
            return False
        answer = gate.refusal(data, default_headers=self.server_state.default_headers)
        if answer:
            self._stop_timer()
            self.transport.write(answer)
            self.on_response_complete()
        return bool(answer)

    def _answer_whole(self, cycle: RequestResponseCycle, status: int, head: bytes, body: bytes) -> bool:
        """Send an answer that is complete in one write; False when it has to go the long way.

        uvicorn writes head and body apart, which costs a second call of the system for each request.
        """
        if cycle.response_started or self.flow.write_paused:
            return False
        cycle.response_started = cycle.response_complete = True
        if cycle.waiting_for_100_continue:
            cycle.keep_alive = False  # whether the body follows nobody knows, so nothing may follow it
        if not cycle.disconnected and not self.transport.is_closing():
            lines = [STATUS_LINE[status], *(b"%b: %b\r\n" % each for each in cycle.default_headers), head]
            if not cycle.keep_alive:
                lines.append(b"connection: close\r\n")
            self.transport.write(b"".join((*lines, b"\r\n", body)))
            if not cycle.keep_alive:
                self.transport.close()
        cycle.message_event.set()
        cycle.on_response()
        return True

    def _guard(self) -> None:
        """A timer runs while a head is incomplete, or a body comes in that nobody waits for any more."""
        answered = self.cycle is None or self.cycle.response_complete
        if not answered or not (self._head_open or self._message_open):
            self._stop_timer()
        elif self._timer is None:
            self._timer = self.loop.call_later(self.limits.head_seconds, self._too_slow)

    def _too_slow(self) -> None:
        self._timer = None
        if self.transport.is_closing():
            return
        if self._head_open and self._message_open:
            self._end(HEAD_TOO_SLOW)
        else:
            self.transport.close()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end(self, answer: bytes) -> None:
        """Close the connection with this answer; requests that came whole before are answered first, and instead."""
        self._stop_timer()
        if self.transport.is_closing():
            return
        whole = self._last_whole_request()
        if whole is not None:
            whole.keep_alive, self._is_deaf = False, True
            return
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            self.transport.write(answer)
        self.transport.close()

    def _last_whole_request(self) -> RequestResponseCycle | None:
        """The last request that came whole and has no answer yet; one after it that did not is forgotten."""
        if self.cycle is None or self.cycle.response_complete:
            return None
        if self._head_open:
            return self.cycle
        if not self.pipeline:
            return None
        self.pipeline.popleft()
        return self._before
