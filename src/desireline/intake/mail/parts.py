"""The parts of an e-mail, found in its bytes: never an exception, and never more work than the bytes are long.

The standard library's parser goes through a message line by line, once for every level it is nested;
a small message can keep it busy for minutes. Here bodies are split at their boundaries, to a depth and
a number of parts that no honest message reaches.
"""

from __future__ import annotations

import binascii
import hashlib
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from desireline.intake.mail.headers import Headers, read_headers

MOST_DEPTH = 12
MOST_PARTS = 500
MOST_HEADER_BYTES = 256 * 1024
MOST_TEXT_BYTES = 1024 * 1024
"""How much of a part is decoded as text."""

_END_OF_HEADERS = re.compile(rb"\r?\n\r?\n")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")


@dataclass(frozen=True, slots=True)
class Part:
    """One part that holds no others: its headers and where in the message its body lies."""

    headers: Headers
    start: int
    end: int
    depth: int
    within: str = ""

    @property
    def kind(self) -> str:
        """Its type, such as text/plain."""
        return self.headers.kind

    @property
    def is_attachment(self) -> bool:
        """Whether it is a file that came along, not words to be read."""
        if self.headers.parameter("content-disposition", "") == "attachment" or self.file_name:
            return True
        return not self.kind.startswith("text/") or self.kind == "text/calendar"

    @property
    def file_name(self) -> str:
        """The name of the file, empty when it has none."""
        named = self.headers.parameter("content-disposition", "filename")
        return named or self.headers.parameter("content-type", "name")


@dataclass(slots=True)
class _Walk:
    raw: bytes
    parts: list[Part] = field(default_factory=list)
    cut: bool = False


def split_headers(raw: bytes, start: int, end: int) -> tuple[Headers, int]:
    """The headers that begin at a place, and where the body begins."""
    if raw[start : start + 1] == b"\n" or raw[start : start + 2] == b"\r\n":
        return Headers(()), min(end, start + (1 if raw[start : start + 1] == b"\n" else 2))
    found = _END_OF_HEADERS.search(raw, start, end)
    over = found.start() if found else end
    headers = read_headers(raw[start : min(over, start + MOST_HEADER_BYTES)])
    return headers, found.end() if found else end


def parts_of(raw: bytes) -> tuple[Headers, list[Part], bool]:
    """The headers of a message, its parts in their order, and whether there were too many of them."""
    headers, body = split_headers(raw, 0, len(raw))
    walk = _Walk(raw)
    _walk(walk, headers, body, len(raw), depth=0, within="")
    return headers, walk.parts, walk.cut


def _walk(walk: _Walk, headers: Headers, start: int, end: int, *, depth: int, within: str) -> None:
    boundary = headers.parameter("content-type", "boundary") if headers.kind.startswith("multipart/") else ""
    if not boundary or depth >= MOST_DEPTH:
        walk.cut |= bool(boundary)
        walk.parts.append(Part(headers, start, end, depth, within))
        return
    found = False
    for first, last in _between(walk.raw, boundary.encode("utf-8", "replace"), start, end):
        found = True
        if len(walk.parts) >= MOST_PARTS:
            walk.cut = True
            return
        inner, body = split_headers(walk.raw, first, last)
        _walk(walk, inner, body, last, depth=depth + 1, within=headers.kind)
    if not found:
        walk.parts.append(Part(headers, start, end, depth, within))


def _between(raw: bytes, boundary: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where the parts between a boundary's lines lie; the last may lack its end."""
    line = re.compile(rb"(?:\A|\r?\n)--" + re.escape(boundary) + rb"(--)?[ \t]*(?=\r?\n|\Z)")
    begin: int | None = None
    for found in line.finditer(raw[start:end]):
        if begin is not None:
            yield begin, start + found.start()
        if found[1]:
            return
        begin = start + found.end()
        begin += 2 if raw[begin : begin + 2] == b"\r\n" else 1
        begin = min(begin, end)
    if begin is not None:
        yield begin, end


def bytes_of(raw: bytes, part: Part, *, most: int = MOST_TEXT_BYTES) -> bytes:
    """What a part holds, its encoding for transport undone, at most so many bytes."""
    body = raw[part.start : min(part.end, part.start + most * 4)]
    encoding = part.headers.first("content-transfer-encoding").strip().lower()
    if encoding == "base64":
        plain = _NOT_BASE64.sub(b"", body)
        try:
            return binascii.a2b_base64(plain[: len(plain) // 4 * 4])[:most]
        except binascii.Error:
            return b""
    if encoding == "quoted-printable":
        return quopri.decodestring(body)[:most]
    return body[:most]


def text_of(raw: bytes, part: Part) -> str:
    """The words of a part; an unknown or wrong character set is read as well as may be."""
    data = bytes_of(raw, part)
    charset = part.headers.parameter("content-type", "charset").strip().strip("'\"") or "utf-8"
    for name in (charset, "utf-8"):
        try:
            return _clean(data.decode(name))
        except (LookupError, ValueError, UnicodeError):
            continue
    return _clean(data.decode("cp1252", "replace"))


def _clean(text: str) -> str:
    return re.sub("[\x00\ud800-\udfff]", "\ufffd", text.replace("\r\n", "\n"))


def slim(raw: bytes, *, most: int) -> bytes:
    """The message without what its large files hold: their names, sizes and digests stay.

    A message of no more than `most` bytes is given back as it is. So much is kept of what remains, too.
    """
    if len(raw) <= most:
        return raw
    _, parts, _ = parts_of(raw)
    out, kept = [], 0
    for part in sorted(parts, key=lambda each: each.start):
        body = raw[part.start : part.end]
        if len(body) <= 2048 or not part.is_attachment or part.start < kept:
            continue
        said = f"[{len(body)} bytes left out, sha256 {hashlib.sha256(body).hexdigest()}]"
        out += [raw[kept : part.start], said.encode()]
        kept = part.end
    slimmed = b"".join([*out, raw[kept:]])
    return slimmed[:most]


LEFT_OUT = re.compile(rb"\[(\d{1,12}) bytes left out, sha256 [0-9a-f]{64}\]")


def size_bytes(raw: bytes, part: Part) -> int:
    """How large a part is in the message, also when its content was left out."""
    found = LEFT_OUT.match(raw, part.start, min(part.end, part.start + 120))
    return int(found[1]) if found else part.end - part.start


def nested(raw: bytes, part: Part) -> tuple[Headers, int]:
    """The headers of a message that lies in a part whole, or of which only the headers lie there."""
    return split_headers(raw, part.start, part.end)
