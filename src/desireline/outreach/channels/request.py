"""One HTTP request to one address that was looked at before: resolved once, no redirects, bounded in time and size."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

import httptools

from desireline.outreach.addresses import first_forbidden
from desireline.outreach.listeners import MOST_LISTENERS, PORTS

MOST_ANSWER_BYTES = 64 * 1024
MOST_HEAD_BYTES = 16 * 1024
MOST_HEADERS = 100
MOST_ADDRESSES = 3
CONNECT_SECONDS = 5.0
MOST_ASKED_AT_ONCE = 4 * MOST_LISTENERS
"""So many host names may be looked up at the same time; one that was given up may go on for some tries."""

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Host and port to addresses."""


class NotSent(Exception):
    """The request never left: the listener has it not."""


class Forbidden(NotSent):
    """The address is one that must never be reached."""


class PerhapsSent(Exception):
    """The request left, wholly or in part, and no answer came: the listener perhaps has it."""


@dataclass(frozen=True, slots=True)
class Response:
    """What was answered. `body` is cut at `MOST_ANSWER_BYTES`."""

    status: int
    headers: Mapping[str, str]
    body: bytes


async def post(
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes,
    seconds: float,
    allow_private: bool,
    resolve: Resolve,
    tls: ssl.SSLContext | None = None,
) -> Response:
    """Send one POST and read the answer, all within `seconds`; raises `NotSent` or `PerhapsSent`.

    The host is resolved once; if any of its addresses is forbidden nothing is sent, and the connection goes to
    an address that was looked at, so a name that changes its mind in between changes nothing. The head of an
    answer is an answer, also when its body never ends.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    sent, says, hearing = False, "", _Hearing()
    try:
        async with asyncio.timeout(seconds):
            addresses = await _allowed_addresses(host, port, allow_private=allow_private, resolve=resolve)
            context = (tls or _trusting_the_system()) if parts.scheme == "https" else None
            reader, writer = await _connect(addresses, port, host=host, tls=context)
            try:
                sent = True
                writer.write(_request(parts.netloc, _target(parts.path, parts.query), headers, body))
                await writer.drain()
                await hearing.all_of(reader)
            finally:
                writer.transport.abort()
    except TimeoutError:
        says = f"no answer within {seconds:g} seconds"
    except (OSError, EOFError) as error:
        says = _in_words(error)
    if hearing.head_complete:
        return hearing.response()
    raise PerhapsSent(says) if sent else NotSent(says)


@cache
def _trusting_the_system() -> ssl.SSLContext:
    return ssl.create_default_context()


async def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, as the system knows them.

    The system may think about a name for half a minute, and cannot be told to stop. So each listener has a thread
    for it: those whose names nobody knows never keep the others waiting.
    """

    def ask() -> list[str]:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(str(each[4][0]) for each in found))

    return await asyncio.get_running_loop().run_in_executor(_askers(), ask)


@cache
def _askers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(MOST_ASKED_AT_ONCE, thread_name_prefix="host names")


async def _allowed_addresses(host: str, port: int, *, allow_private: bool, resolve: Resolve) -> Sequence[str]:
    try:
        addresses = await resolve(host, port)
    except (OSError, UnicodeError):
        raise NotSent("the host name is not known") from None
    why = first_forbidden(addresses, allow_private=allow_private)
    if why or not addresses:
        raise Forbidden(f"the address is forbidden: {why or 'the host has none'}")
    return addresses[:MOST_ADDRESSES]


async def _connect(
    addresses: Sequence[str], port: int, *, host: str, tls: ssl.SSLContext | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    problem = ""
    for address in addresses:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                reader, writer = await asyncio.open_connection(
                    address, port, ssl=tls, server_hostname=host if tls else None, limit=MOST_HEAD_BYTES
                )
        except TimeoutError:
            problem = f"no connection within {CONNECT_SECONDS:g} seconds"
        except OSError as error:
            problem = _in_words(error)
        else:
            return reader, writer
    raise NotSent(problem)


def _target(path: str, query: str) -> str:
    return (path or "/") + (f"?{query}" if query else "")


def _request(host: str, target: str, headers: Mapping[str, str], body: bytes) -> bytes:
    lines = [f"POST {target} HTTP/1.1", f"host: {host}", f"content-length: {len(body)}", "connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    assert not any("\r" in line or "\n" in line for line in lines), "a line break would forge a header"
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body


class _Hearing:
    """What is heard of an answer, as httptools reads it. Heads of interim answers (1xx) are passed over."""

    def __init__(self) -> None:
        self.head_complete = False
        self._complete = False
        self._headers: dict[str, str] = {}
        self._body = b""
        self._parser = httptools.HttpResponseParser(self)

    def on_header(self, name: bytes, value: bytes) -> None:
        if len(self._headers) < MOST_HEADERS:
            self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self.head_complete = self._parser.get_status_code() >= 200
        if not self.head_complete:
            self._headers.clear()

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        self._complete = self.head_complete

    async def all_of(self, reader: asyncio.StreamReader) -> None:
        """Read until the answer ends or is longer than it may be; raises EOFError when there is none."""
        read = 0
        while not self._complete and read < MOST_ANSWER_BYTES + MOST_HEAD_BYTES:
            piece = await reader.read(16 * 1024)
            if not piece:
                break
            read += len(piece)
            try:
                self._parser.feed_data(piece)
            except httptools.HttpParserError:
                break
        if not self.head_complete:
            raise EOFError

    def response(self) -> Response:
        """The answer, as far as it was heard."""
        return Response(self._parser.get_status_code(), self._headers, self._body[:MOST_ANSWER_BYTES])


def _in_words(error: BaseException) -> str:
    """What went wrong, without addresses or anything the other side wrote."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return "the certificate is not valid for this host"
    if isinstance(error, ssl.SSLError):
        return "no secure connection could be made"
    if isinstance(error, ConnectionRefusedError):
        return "the connection was refused"
    if isinstance(error, ConnectionError | EOFError):
        return "the connection was cut"
    return "the host could not be reached"
