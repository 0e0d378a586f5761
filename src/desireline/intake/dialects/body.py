"""A request's body as JSON text in UTF-8, whatever it was packed in: sniffed, never believed.

Clients send JSON as text/plain, gzip as a form, and forms that carry base64; so the bytes decide and
the headers only break ties. Nothing is unpacked beyond `MOST_BODY_BYTES`.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

import zstandard

from desireline.intake.dialects.received import Problem, Received

MOST_BODY_BYTES = 4 * 1024 * 1024
"""The largest body, before and after it is unpacked."""

MOST_MEMBERS = 256
"""So many members a packed body may have: parallel packers write one for each 64 KB or more."""
_PIECE_BYTES = 16 * 1024
_GZIP_MARK = b"\x1f\x8b"
_WHITE = b" \t\r\n"
_JSON_BEGINS = b'{["'
_UTF_8_MARK = b"\xef\xbb\xbf"
_FORM = re.compile(rb"(?:^|&)(data)=([^&]*)")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_=\s-]+")
_ENCODINGS = ("", "identity", "gzip", "x-gzip", "deflate", "zlib", "zstd", "utf-8", "none")
_TOO_LARGE = Problem(413, "body.too_large", "The body is larger than 4 MB. Send fewer events at a time.")
_DAMAGED = Problem(400, "body.damaged", "The compressed body is damaged. Send it again.")
_TRUNCATED = Problem(400, "body.truncated", "The compressed body ends too early. Send it again.")
_EMPTY = Problem(400, "body.empty", "The body is empty. Send JSON.")


@dataclass(frozen=True, slots=True)
class Payload:
    """A body's JSON text in UTF-8, and what was odd about how it came."""

    text: bytes
    odd: tuple[str, ...] = ()


def payload_of(received: Received) -> Payload | Problem:
    """The JSON text a request carries in its body, in a form within it, or in the query of a GET."""
    if received.method == "GET" or (not received.body and "data=" in received.query):
        packed = form_value(received.query.encode("utf-8", "replace"))
        return _EMPTY if packed is None else _opened(packed, received.headers)
    if len(received.body) > MOST_BODY_BYTES:
        return _TOO_LARGE
    return _opened(received.body, received.headers)


def form_value(form: bytes) -> bytes | None:
    """The value of the field `data` of a form, base64 undone."""
    found = _FORM.search(form)
    if found is None:
        return None
    value = unquote_to_bytes(found[2])
    begins = value.lstrip(_WHITE)[:1]
    if begins and begins in _JSON_BEGINS:
        return unquote_to_bytes(found[2].replace(b"+", b" ")) if b"+" in found[2] else value
    if not _BASE64.fullmatch(value):
        return value
    plain = value.replace(b" ", b"+").translate(None, b"\r\n\t=").replace(b"-", b"+").replace(b"_", b"/")
    try:
        return base64.b64decode(plain + b"=" * (-len(plain) % 4))
    except (binascii.Error, ValueError):
        return value


def _opened(packed: bytes, headers: Mapping[str, str]) -> Payload | Problem:
    body = inflated(packed, headers.get("content-encoding", ""))
    if isinstance(body, Problem):
        return body
    begins = body[:64].lstrip(_WHITE)[:1]
    if begins not in (b"{", b"["):
        inner = form_value(body[: MOST_BODY_BYTES + 1]) if _FORM.search(body[:2048]) else None
        if inner is not None:
            body = inflated(inner, "")
            if isinstance(body, Problem):
                return body
    return in_utf_8(body)


def inflated(packed: bytes, encoding: str) -> bytes | Problem:
    """The bytes unpacked, as their first bytes say; stops at 4 MB, so a bomb costs no more than that."""
    encoding = encoding.strip().lower()
    if packed[:2] == _GZIP_MARK:
        return _unzipped(packed, 31)
    if packed[:4] == b"\x28\xb5\x2f\xfd":
        return _unstandard(packed)
    if packed[:1] == b"\x78" and len(packed) > 1 and (packed[0] << 8 | packed[1]) % 31 == 0:
        return _unzipped(packed, 15)
    begins = packed[:64].lstrip(_WHITE)[:1]
    if encoding == "deflate" and begins and begins not in _JSON_BEGINS:
        return _unzipped(packed, -15)
    if encoding not in _ENCODINGS and begins not in (b"{", b"["):
        return Problem(
            415, "body.encoding", f"Content-Encoding '{encoding[:40]}' is not read. Send gzip or plain JSON."
        )
    return packed if len(packed) <= MOST_BODY_BYTES else _TOO_LARGE


def _unzipped(packed: bytes, window_bits: int) -> bytes | Problem:
    return _unpacked(
        packed,
        begin=lambda: zlib.decompressobj(window_bits),
        take=lambda unzip, piece, room: unzip.decompress(piece, room),
        goes_on=lambda rest: window_bits == 31 and rest == _GZIP_MARK,
        refuses=zlib.error,
    )


def _unstandard(packed: bytes) -> bytes | Problem:
    """Zstandard; how much comes out is looked at before it is taken, since its pieces have no limit of their own."""
    standard = zstandard.ZstdDecompressor(max_window_size=1 << 23)
    try:
        with standard.stream_reader(packed, read_across_frames=True) as reader:
            if len(reader.read(MOST_BODY_BYTES + 1)) > MOST_BODY_BYTES:
                return _TOO_LARGE
    except zstandard.ZstdError:
        return _DAMAGED
    return _unpacked(
        packed,
        begin=standard.decompressobj,
        take=lambda frame, piece, _room: frame.decompress(piece),
        goes_on=lambda rest: rest != b"",
        refuses=zstandard.ZstdError,
    )


def _unpacked(
    packed: bytes,
    *,
    begin: Callable[[], Any],
    take: Callable[[Any, bytes, int], bytes],
    goes_on: Callable[[bytes], bool],
    refuses: type[Exception],
) -> bytes | Problem:
    """What one member holds, or a few of them, one behind the other; read in pieces, for each rest is a copy."""
    out, room, at = [], MOST_BODY_BYTES + 1, 0
    for _ in range(MOST_MEMBERS):
        member = begin()
        while not member.eof and at < len(packed):
            piece = packed[at : at + _PIECE_BYTES]
            try:
                out.append(take(member, piece, room))
            except refuses:
                return _DAMAGED
            room -= len(out[-1])
            if room <= 0:
                return _TOO_LARGE
            at += len(piece) - len(member.unused_data)
        if not member.eof:
            return _TRUNCATED
        if not goes_on(packed[at : at + 2]):
            return b"".join(out)
    return _DAMAGED


def in_utf_8(body: bytes) -> Payload | Problem:
    """The text in UTF-8: a mark at its beginning is dropped, UTF-16, UTF-32 and Latin-1 are turned."""
    if not body.strip(_WHITE):
        return _EMPTY
    if body.startswith(_UTF_8_MARK):
        body = body[len(_UTF_8_MARK) :]
        return _EMPTY if not body.strip(_WHITE) else in_utf_8(body)
    encoding = _wide_encoding(body)
    if encoding:
        try:
            text = body.decode(encoding)
        except UnicodeDecodeError:
            return Problem(400, "text.damaged", f"The body looks like {encoding} but is damaged. Send UTF-8.")
        turned = text.removeprefix("\ufeff").encode("utf-8", "replace")
        if len(turned) > MOST_BODY_BYTES:
            return _TOO_LARGE
        return Payload(turned, (f"text.{encoding.replace('-', '')[:5]}: the body was not UTF-8",))
    if body.isascii():
        return Payload(body)
    try:
        body.decode()
    except UnicodeDecodeError:
        turned = body.decode("cp1252", "replace").encode()
        odd = "text.latin1: the body was not UTF-8 and was read as Windows-1252"
        return Payload(turned, (odd,)) if len(turned) <= MOST_BODY_BYTES else _TOO_LARGE
    return Payload(body)


def _wide_encoding(body: bytes) -> str:
    """UTF-16 or UTF-32, by its mark or by where the zero bytes of its first characters lie."""
    for mark, encoding in (
        (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"),
        (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):  # fmt: skip
        if body.startswith(mark):
            return encoding
    zeros = "".join("0" if byte == 0 else "x" for byte in body[:4])
    return {"x000": "utf-32-le", "000x": "utf-32-be", "x0x0": "utf-16-le", "0x0x": "utf-16-be"}.get(zeros, "")
