"""An e-mail read: who wrote whom, when, in which thread, which words; and whether a machine wrote it."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from typing import Any

from desireline.intake.mail.headers import Headers, addresses_of, date_of
from desireline.intake.mail.parts import Part, parts_of, size_bytes, text_of
from desireline.intake.mail.reports import reports_in
from desireline.intake.mail.words import LONGEST_TEXT, own_words, plain_subject, words_of_html

MOST_ATTACHMENTS = 50
FAR_OFF = timedelta(days=1)
"""A date this far from when the first server took the mail is wrong: the server's counts."""
_PRECEDENCE = ("bulk", "junk", "list", "auto_reply", "auto-reply")
_ROBOTS = re.compile(r"^(mailer-daemon|postmaster|no-?reply|do-?not-?reply|bounces?)([+.\-].*)?@", re.IGNORECASE)
_AWAY = re.compile(
    r"^(automatic reply|auto(matic)?[ -]?(reply|response)|out of (the )?office|automatische antwort|abwesenheit|"
    r"réponse automatique|respuesta automática|risposta automatica|automatisch antwoord)\b",
    re.IGNORECASE,
)


def mail_of(raw: bytes) -> dict[str, Any]:
    """What an e-mail says, as plain values. Whatever the bytes are, there is an answer and no exception."""
    begin = _begin(raw)
    raw = raw[begin:]
    headers, parts, cut = parts_of(raw)
    reports = reports_in(raw, parts) if len(parts) > 1 else []
    text, odd = _text(raw, parts)
    written, at, doubt = _when(headers)
    ids = headers.ids("message-id")
    return {
        "message_id": ids[0] if ids else "",
        "digest": hashlib.sha256(raw).hexdigest()[:32],
        "in_reply_to": (headers.ids("in-reply-to") or [""])[0],
        "references": headers.ids("references"),
        "from": _listed(headers, "from") or _listed(headers, "sender"),
        "reply_to": _listed(headers, "reply-to"),
        "to": _listed(headers, "to"),
        "cc": _listed(headers, "cc") + _listed(headers, "bcc"),
        "delivered_to": sorted({address for _, address in addresses_of(_delivered(headers))}),
        "subject": plain_subject(headers.words("subject")),
        "date": written,
        "at": at,
        "date_doubt": doubt,
        "text": text,
        "language": headers.words("content-language").split(",")[0].strip()[:20],
        "automatic": _automatic(headers, has_report=bool(reports)),
        "bulk": _bulk(headers),
        "attachments": _attachments(raw, parts),
        "reports": reports,
        "odd": [*odd, *(["mail.parts: nested too deep or too many parts; the first were read"] if cut else [])],
    }


def _begin(raw: bytes) -> int:
    """Where the headers begin: after a mailbox's `From ` line or empty lines."""
    head = raw[:2048]
    begin = len(head) - len(head.lstrip(b"\r\n"))
    if head[begin : begin + 5] == b"From " or head[begin : begin + 6] == b">From ":
        return begin + head[begin:].find(b"\n") + 1
    return begin


def _listed(headers: Headers, name: str) -> list[dict[str, str]]:
    return [{"name": said, "address": address} for said, address in headers.addresses(name)]


def _delivered(headers: Headers) -> list[str]:
    return [*headers.all("delivered-to"), *headers.all("x-original-to"), *headers.all("envelope-to")][:10]


def _when(headers: Headers) -> tuple[str, int | None, str]:
    """The date as written, its instant in milliseconds, and what is doubtful about it."""
    written = headers.first("date")[:100]
    date = date_of(written)
    servers = [found for value in headers.all("received")[:50] if (found := date_of(value.rpartition(";")[2].strip()))]
    first = min(servers) if servers else None
    if date is None or not 1980 <= date.year <= 2100:
        return written, None if first is None else int(first.timestamp() * 1000), "missing"
    if first is not None and abs(date - first) > FAR_OFF:
        return written, int(first.timestamp() * 1000), "wrong"
    return written, int(date.timestamp() * 1000), ""


def _automatic(headers: Headers, *, has_report: bool) -> str:
    """Why a machine wrote this (RFC 3834 and what came before it); empty when a person did."""
    said = headers.first("auto-submitted").partition(";")[0].strip().lower()
    if said and said != "no":
        return said[:40]
    if has_report:
        return "report"
    for name in ("x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-response-suppress"):
        value = headers.first(name).strip().lower()
        if value and value not in ("no", "none") and name != "x-auto-response-suppress":
            return "auto-replied"
    if headers.first("precedence").strip().lower() in ("auto_reply", "auto-reply"):
        return "auto-replied"
    if headers.first("return-path").strip() == "<>" or _ROBOTS.match(_first_address(headers)):
        return "auto-generated"
    return "auto-replied" if _AWAY.match(headers.words("subject")) else ""


def _first_address(headers: Headers) -> str:
    found = headers.addresses("from")
    return found[0][1] if found else ""


def _bulk(headers: Headers) -> bool:
    """Whether it went to many: newsletters, mailing lists."""
    if headers.first("precedence").strip().lower() in _PRECEDENCE:
        return True
    return any(headers.first(name) for name in ("list-id", "list-unsubscribe", "list-post", "feedback-id"))


def _text(raw: bytes, parts: list[Part]) -> tuple[str, list[str]]:
    """The sender's own words: of the plain text, else of the page."""
    plain = [part for part in parts if part.kind == "text/plain" and not part.is_attachment]
    pages = [part for part in parts if part.kind == "text/html" and not part.is_attachment]
    words = ""
    for part in plain[:5]:
        words = text_of(raw, part).strip()
        if words:
            break
    for part in pages[:3]:
        if words:
            break
        words = words_of_html(text_of(raw, part))
    odd = ["mail.long: only the first 20,000 characters are kept"] if len(words) > LONGEST_TEXT else []
    return own_words(words)[:LONGEST_TEXT] if words else "", odd


def _attachments(raw: bytes, parts: list[Part]) -> list[dict[str, Any]]:
    """Files that came along, by name, type and size: what they hold is not kept."""
    return [
        {"name": part.file_name[:200], "type": part.kind[:100], "bytes": size_bytes(raw, part)}
        for part in parts
        if part.is_attachment and not part.kind.startswith("message/") and part.end > part.start
    ][:MOST_ATTACHMENTS]
