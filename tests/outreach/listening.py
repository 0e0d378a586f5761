"""Who listens in these tests: a real web server, a real mail server, sockets that misbehave; and a clock of our own."""

from __future__ import annotations

import asyncio
import base64
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import uvicorn
from aiosmtpd.smtp import SMTP
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from desireline.outreach import Deliverer, Limits, Mail, MailServer, Notice, Outbox, Surroundings, Webhook
from desireline.storage.state import State

SECRET = "whsec_" + base64.b64encode(b"the secret of the harbour office").decode()
OLD_SECRET = "whsec_" + base64.b64encode(b"the secret it had before that day").decode()
ENVIRONMENT = {"HOOK_SECRET": SECRET}
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


class Clock:
    """The wall clock, standing still until it is set."""

    def __init__(self, now: int | None = None) -> None:
        self.now = int(time.time() * 1_000) if now is None else now

    def __call__(self) -> int:
        return self.now


@dataclass
class Heard:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class WebListener:
    """A web server that writes down what it hears and answers as it is told to."""

    answers: Callable[[Heard], tuple[int, dict[str, str]]] = lambda heard: (200, {})
    heard: list[Heard] = field(default_factory=list)
    held: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/told"

    async def hear(self, request: Request) -> Response:
        heard = Heard(request.url.path, dict(request.headers), await request.body())
        self.heard.append(heard)
        if request.url.path == "/held":
            await run_in_threadpool(self.held.wait, 20)
        status, headers = self.answers(heard)
        return Response("noted", status_code=status, headers=headers)


@contextmanager
def web_listener(*, certificate: Path | None = None, **how: Any) -> Iterator[WebListener]:
    """A real web server for one block; with a certificate (and its key in the same file) by TLS."""
    listener = WebListener(**how)
    listening = socket.create_server(("127.0.0.1", 0))
    listener.port = listening.getsockname()[1]
    app = Starlette(routes=[Route("/{path:path}", listener.hear, methods=["POST", "GET"])])
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off", ssl_certfile=certificate))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield listener
    finally:
        listener.held.set()
        server.should_exit = True
        thread.join(10)


@dataclass
class PostOffice:
    """A mail server that keeps what it takes. `answer` may refuse; `cut` hangs up after a mail came, without a word."""

    mails: list[EmailMessage] = field(default_factory=list)
    receivers: list[str] = field(default_factory=list)
    answer: str = "250 taken"
    answer_receiver: str = "250 known"
    cut: bool = False
    port: int = 0

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        envelope.rcpt_tos.append(address)
        return self.answer_receiver

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.receivers += envelope.rcpt_tos
        if self.cut:
            server.transport.abort()
        return self.answer


@contextmanager
def post_office(**how: Any) -> Iterator[PostOffice]:
    """A real mail server for one block."""
    office = PostOffice(**how)
    listening = socket.create_server(("127.0.0.1", 0))
    office.port = listening.getsockname()[1]
    loop = asyncio.new_event_loop()

    def serve() -> None:
        asyncio.set_event_loop(loop)
        server = loop.run_until_complete(
            loop.create_server(lambda: SMTP(office, hostname="office.example", loop=loop), sock=listening)
        )
        loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(loop.shutdown_asyncgens())

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield office
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


@contextmanager
def raw_listener(answer: bytes | None) -> Iterator[int]:
    """A socket that answers every connection with these bytes and hangs up; `None`: it hangs up at once."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                connection.recv(65_536)
                if answer is not None:
                    connection.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(5)


def hook(name: str = "hook", **also: Any) -> dict[str, Any]:
    """A webhook listener in our own network, as people write it down."""
    given = {"name": name, "kind": "webhook", "secret_env": "HOOK_SECRET", "allow_private": True, **also}
    return {"does": "listener.set", "listener": given}


def desk(name: str = "desk", **also: Any) -> dict[str, Any]:
    """A mail listener."""
    return {"does": "listener.set", "listener": {"name": name, "kind": "email", "address": f"{name}@x.example", **also}}


def broken(number: int, at: int, **also: Any) -> Notice:
    """A promise of the loan map, broken."""
    given = {"due_at": at, "verdict": "broken", "breach": "missing", **also}
    return Notice("promise.broken", "loan", "answer in time", person=9_000 + number, opening_id=number, at=at, **given)


def outbox_in(folder: Path, clock: Clock, *changes: dict[str, Any], **limits: Any) -> Outbox:
    """An outbox of its own, with listeners."""
    outbox = Outbox(State(folder / "state.sqlite"), limits=Limits(**limits))
    for change in changes:
        outbox.check(change, at=clock() - DAY)
        outbox.apply(change, at=clock() - DAY)
    return outbox


def deliverer_of(
    outbox: Outbox, clock: Callable[[], int], *, mail_port: int = 0, around: Surroundings | None = None, seed: int = 1
) -> Deliverer:
    """A deliverer with the real ways out."""
    server = MailServer("127.0.0.1", "Harbour <promises@harbour.example>", port=mail_port, security="none")
    surroundings = around or Surroundings(source="/desireline/harbour")
    channels = {"webhook": Webhook(ENVIRONMENT, surroundings), "email": Mail(server, ENVIRONMENT, surroundings)}
    return Deliverer(outbox, channels, now=clock, chance=random.Random(seed).random)


def deliver(deliverer: Deliverer, clock: Clock, *, until: int) -> None:
    """Let time pass up to a moment, delivering whatever falls due."""

    async def go_on() -> None:
        moment = await deliverer.deliver_due()
        while moment is not None and moment <= until:
            clock.now = max(clock.now, moment)
            moment = await deliverer.deliver_due()

    asyncio.run(go_on())
    clock.now = max(clock.now, until)


def statuses(outbox: Outbox) -> dict[str, int]:
    """How many intents stand in each status, all listeners together."""
    found: dict[str, int] = {}
    for row in outbox.book.counts():
        found[row["status"]] = found.get(row["status"], 0) + row["intents"]
    return found
