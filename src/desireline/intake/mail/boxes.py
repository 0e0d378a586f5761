"""Letters out of mailbox files: mbox (also gzipped), Maildir folders, single letters (.eml)."""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, cast

from desireline.intake.mail.headers import Headers, addresses_of, date_of
from desireline.intake.mail.interactions import interactions_of
from desireline.intake.mail.parts import slim, split_headers
from desireline.intake.mail.reading import mail_of

MOST_LETTER_BYTES = 50 * 1024 * 1024
"""Of a larger letter the rest is passed over."""
MOST_KEPT_BYTES = 3 * 1024 * 1024
MOST_GUESSED = 1_000
_LONGEST_LINE = 1 << 20
_BEGINS = re.compile(rb"From \S.{0,200}\d{4}\s*$")
_LATE = 4_102_444_800_000
_FREE_MAIL = frozenset(
    ("gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "yahoo.com", "icloud.com", "me.com",
     "aol.com", "gmx.de", "gmx.net", "web.de", "t-online.de", "freenet.de", "posteo.de", "mailbox.org", "proton.me",
     "protonmail.com", "orange.fr", "free.fr", "laposte.net", "libero.it")
)  # fmt: skip


def is_mailbox(name: str, head: bytes) -> bool:
    """Whether a file is a mailbox: it begins as one, or is named as a letter and begins with headers."""
    plain = name.lower().removesuffix(".gz")
    if _BEGINS.match(head.lstrip(b"\r\n").split(b"\n", 1)[0].rstrip(b"\r")):
        return True
    return plain.endswith((".eml", ".mbox")) and re.match(rb"[\r\n]*>?[!-9;-~]{1,100}[: ]", head) is not None


def is_maildir(path: Path) -> bool:
    """Whether a folder is a Maildir."""
    return path.is_dir() and (path / "cur").is_dir() and (path / "new").is_dir()


def letters(path: Path, *, zipped: bool = False) -> Iterator[bytes]:
    """The letters of a mailbox, in their order, each as it lies there."""
    if path.is_dir():
        for file in sorted(each for name in ("cur", "new") for each in (path / name).iterdir() if each.is_file()):
            with file.open("rb") as letter:
                yield letter.read(MOST_LETTER_BYTES)
        return
    with gzip.open(path) if zipped else path.open("rb") as mbox:
        yield from _letters_of_mbox(cast(BinaryIO, mbox))


def _letters_of_mbox(file: BinaryIO) -> Iterator[bytes]:
    """A letter begins where, after an empty line, a line begins with `From `."""
    lines: list[bytes] = []
    size, after_empty = 0, True
    while line := file.readline(_LONGEST_LINE):
        if after_empty and line[:5] == b"From " and (not lines or _BEGINS.match(line.rstrip())):
            if size:
                yield b"".join(lines)
            lines, size = [line], len(line)
            after_empty = False
            continue
        after_empty = not line.strip(b"\r\n")
        if size < MOST_LETTER_BYTES:
            lines.append(_unescaped(line))
            size += len(line)
    if any(line.strip() for line in lines):
        yield b"".join(lines)


def _unescaped(line: bytes) -> bytes:
    """A line that a mailbox escaped because it began with `From `."""
    return line[1:] if line[:1] == b">" and line.lstrip(b">")[:5] == b"From " else line


def rows_of_mailbox(
    path: Path, *, zipped: bool, own_addresses: Iterable[str]
) -> Iterator[tuple[dict[str, Any] | None, str]]:
    """What each interaction of a mailbox says, as an object a recipe reads; or None and the head of no letter."""
    ours = tuple(own_addresses)
    for raw in letters(path, zipped=zipped):
        mail = mail_of(slim(raw, most=MOST_KEPT_BYTES))
        if not (mail["from"] or mail["to"] or mail["reports"] or mail["message_id"]):
            yield None, raw[:4096].decode("utf-8", "replace").replace("\x00", "\ufffd")
            continue
        if mail["at"] is None:
            mail["at"], mail["date_doubt"] = _taken_in(raw), "missing"
        for row in interactions_of(mail, source="", own_addresses=ours, received_at=_LATE):
            yield _row(row, mail), ""


def _taken_in(raw: bytes) -> int | None:
    """When the mailbox took a letter in, as its `From ` line says."""
    line = raw[:300].split(b"\n", 1)[0].decode("latin-1").strip()
    found = date_of(line.split(" ", 2)[2]) if line.startswith("From ") and line.count(" ") > 2 else None
    return int(found.timestamp() * 1000) if found else None


def _row(row: dict[str, Any], mail: dict[str, Any]) -> dict[str, Any]:
    handles, others = row["handles"] or [], row["others"] or []
    copied = {f"copied_{place}": other.split(":", 2)[2] for place, other in enumerate(others[:3], start=1)}
    known = {
        "key": row["source_key"],
        "at": _moment(mail),
        "case": row["about_case"],
        "email": handles[0].partition(":")[2] if handles else None,
        **{name: row[name] for name in ("touchpoint", "direction", "asks", "answers", "topic", "text")},
        **{name: row[name] for name in ("language", "hands", "outcome")},
        **copied,
    }
    filled = {name: value for name, value in known.items() if value is not None}
    return {**json.loads(row["properties"] or "{}"), **filled}


def _moment(mail: dict[str, Any]) -> str | None:
    """The moment with the zone its sender wrote, where it is believed."""
    if not isinstance(mail["at"], int):
        return None
    written = date_of(mail["date"]) if not mail["date_doubt"] else None
    moment = written or datetime.fromtimestamp(mail["at"] / 1000, UTC)
    return moment.isoformat()


def guessed_addresses(path: Path, *, zipped: bool) -> tuple[str, ...]:
    """Which addresses are probably the company's: those the letters were delivered to, or the one that is in most.

    Of a company's own domain all addresses are taken, of a free one only this address.
    """
    delivered, named = Counter[str](), Counter[str]()
    for raw in islice(letters(path, zipped=zipped), MOST_GUESSED):
        begin = raw.find(b"\n") + 1 if raw[:5] == b"From " else 0
        headers, _ = split_headers(raw, begin, len(raw))
        delivered.update({_ours(address) for _, address in addresses_of(_delivered(headers))})
        named.update(list(dict.fromkeys(_ours(each) for name in ("to", "from") for _, each in headers.addresses(name))))
    most = (delivered or named).most_common(1)
    return (most[0][0],) if most else ()


def _ours(address: str) -> str:
    """How an address would be named among the company's: by its domain, unless anybody may have one there."""
    domain = address.rpartition("@")[2]
    return address if domain in _FREE_MAIL else f"@{domain}"


def _delivered(headers: Headers) -> list[str]:
    return [*headers.all("delivered-to"), *headers.all("x-original-to"), *headers.all("envelope-to")]
