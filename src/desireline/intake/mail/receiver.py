"""E-mail handed in over SMTP or LMTP: a mail server forwards here, and is told yes only when the letter is safe."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from aiosmtpd.controller import Controller
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from desireline.intake.mail.interactions import Ours
from desireline.intake.mail.parts import slim

Take = Callable[[bytes], None]
"""Takes one e-mail as it came; returns when it lies in the log, and raises when it does not."""

MOST_BYTES = 50 * 1024 * 1024
"""The largest e-mail that is taken; what its files hold is not kept (`slim`)."""
MOST_KEPT_BYTES = 3 * 1024 * 1024
MOST_RECIPIENTS = 100
MOST_AT_ONCE = 8
LONGEST_LINE_BYTES = 64 * 1024
_UNFIT = re.compile(r"[^\x21-\x7e]|[<>]")

STORED = "250 2.0.0 stored"
NOT_STORED = "451 4.3.0 not stored, try again"
NOT_OURS = "550 5.1.1 nobody here has this address"
TOO_MANY = "452 4.5.3 too many recipients"
BUSY = "451 4.3.2 busy, try again"


class _Smtp(SMTP):
    line_length_limit = LONGEST_LINE_BYTES


class _Lmtp(LMTP):
    line_length_limit = LONGEST_LINE_BYTES


class _Handler:
    """What the server asks at each step of a delivery."""

    def __init__(self, take: Take, accepts: Sequence[str], *, each_recipient: bool) -> None:
        self._take = take
        self._ours = Ours(accepts) if accepts else None
        self._each_recipient = each_recipient
        self._hands = ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="mail")
        self._waiting = 0

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._ours is not None and not self._ours.has(address.strip("<>").lower()):
            return NOT_OURS
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return TOO_MANY
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        said = await self._stored(envelope)
        return "\r\n".join([said] * len(envelope.rcpt_tos)) if self._each_recipient else said

    async def _stored(self, envelope: Envelope) -> str:
        if self._waiting >= MOST_AT_ONCE:
            return BUSY
        raw = _delivered(envelope)
        self._waiting += 1
        try:
            await asyncio.get_running_loop().run_in_executor(self._hands, self._keep, raw)
        except Exception as error:
            logging.getLogger("desireline.mail").error("an e-mail was not stored: %s", type(error).__name__)
            return NOT_STORED
        finally:
            self._waiting -= 1
        return STORED

    def _keep(self, raw: bytes) -> None:
        self._take(slim(raw, most=MOST_KEPT_BYTES))

    def close(self) -> None:
        self._hands.shutdown(wait=True)


def _delivered(envelope: Envelope) -> bytes:
    """The letter with the envelope's own words on top, as a mail server writes them when it delivers."""
    content = envelope.content or b""
    body = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else bytes(content)
    lines = [f"Return-Path: <{_UNFIT.sub('', envelope.mail_from or '')[:320]}>"]
    lines += [f"Delivered-To: {_UNFIT.sub('', address)[:320]}" for address in envelope.rcpt_tos[:MOST_RECIPIENTS]]
    return "".join(f"{line}\r\n" for line in lines).encode("ascii", "replace") + body


class _Controller(Controller):
    def __init__(self, handler: _Handler, *, host: str, port: int, lmtp: bool) -> None:
        self._lmtp = lmtp
        super().__init__(handler, hostname=host, port=port, ready_timeout=10.0)

    def factory(self) -> SMTP:
        kind = _Lmtp if self._lmtp else _Smtp
        return kind(self.handler, data_size_limit=MOST_BYTES, enable_SMTPUTF8=True, ident="Desireline", timeout=60)


class MailReceiver:
    """A small mail server that only takes: put it behind the company's own, on the loopback.

        receiver = MailReceiver(take, host="127.0.0.1", port=2525, accepts=["@bank.example"])
        receiver.start()
        ...
        receiver.stop()

    `take` returns when an e-mail lies in the log; only then is the sender told so, and it sends again
    whatever it was not told about. `accepts` are addresses and `@domains` taken for; none means all.
    `lmtp` speaks LMTP, with an answer for each recipient, in place of SMTP.
    """

    def __init__(
        self, take: Take, *, host: str = "127.0.0.1", port: int = 2525, accepts: Sequence[str] = (), lmtp: bool = False
    ) -> None:
        self._handler = _Handler(take, accepts, each_recipient=lmtp)
        self._controller = _Controller(self._handler, host=host, port=port, lmtp=lmtp)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._controller.port)

    def start(self) -> None:
        """Listen, on a thread of its own; returns when it does."""
        self._controller.start()

    def stop(self) -> None:
        """Take no more; returns when what was being taken lies in the log."""
        self._controller.stop(no_assert=True)
        self._handler.close()
