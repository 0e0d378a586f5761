"""An e-mail becomes interactions: received or sent, returned, complained about, answered by a machine."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from desireline.intake.mail.reading import mail_of
from desireline.vocabulary.tables import INTERACTIONS

MOST_RECIPIENTS = 50
RECEIVED, SENT, INSIDE = "email.received", "email.sent", "email.sent_inside"
ANSWERED_BY_MACHINE = "email.answered_automatically"
_REPORTED = {
    "bounced": "email.returned",
    "delayed": "email.delayed",
    "delivered": "email.delivered",
    "complained": "email.complained",
}
_EMPTY_ROW: dict[str, Any] = dict.fromkeys(
    column for column in INTERACTIONS.columns if column not in ("id", "handle", "import_id")
)


def interactions_of_mail(
    raw: bytes, *, source: str, own_addresses: Sequence[str], received_at: int
) -> list[dict[str, Any]]:
    """The interactions of an e-mail as it came; none of a delivery report that names nobody."""
    return interactions_of(mail_of(raw), source=source, own_addresses=own_addresses, received_at=received_at)


def interactions_of(
    mail: Mapping[str, Any], *, source: str, own_addresses: Sequence[str], received_at: int
) -> list[dict[str, Any]]:
    """The interactions of an e-mail that was read (`mail_of`); `own_addresses` are the company's.

    A mail from us to several people is one interaction for each: they are not one person. Its key is
    the message id, so the same mail met in several mailboxes counts once.
    """
    base = _base(mail, source=source, received_at=received_at)
    reports = [report for report in mail.get("reports") or [] if isinstance(report, Mapping)]
    if reports:
        return _unique(_reported(base, report) for report in reports[:MOST_RECIPIENTS])
    ours = Ours(own_addresses)
    author = _author(mail, ours)
    people = [*_addresses(mail, "to"), *_addresses(mail, "cc")]
    outside = list(dict.fromkeys(address for address in people if not ours.has(address)))
    if not author or not ours.has(author):
        return [_inbound(base, mail, author, ours)]
    if not outside:
        return [{**base, "touchpoint": INSIDE, "direction": "internal", "hands": author}]
    return [_outbound(base, mail, author, person, outside) for person in outside[:MOST_RECIPIENTS]]


class Ours:
    """The company's own addresses; `@example.org` stands for all of a domain."""

    def __init__(self, own_addresses: Iterable[str]) -> None:
        spelled = [address.strip().lower() for address in own_addresses]
        self._addresses = frozenset(address for address in spelled if not address.startswith("@"))
        self._domains = tuple(address for address in spelled if address.startswith("@") and len(address) > 1)

    def has(self, address: str) -> bool:
        """Whether an address is one of ours.

        >>> Ours(["@bank.example"]).has("help@bank.example"), Ours(["help@bank.example"]).has("anna@bank.example")
        (True, False)
        """
        return address in self._addresses or address.endswith(self._domains)


def _base(mail: Mapping[str, Any], *, source: str, received_at: int) -> dict[str, Any]:
    row = _EMPTY_ROW.copy()
    at, doubt = mail.get("at"), mail.get("date_doubt") or ""
    quality = "exact" if not doubt else "corrected"
    if not isinstance(at, int):
        at, quality = received_at, "received"
    elif at > received_at:
        at, quality = received_at, "clamped"
    written = str(mail.get("date") or "")
    key = str(mail.get("message_id") or "") or f"mail-{mail.get('digest', '')}"
    row.update(
        source=source,
        source_key=key[:200],
        position=0,
        occurred_at=at,
        original_at=written or None,
        zone=_zone(written) if not doubt else None,
        received_at=received_at,
        time_quality=quality,
        channel="email",
        about_case=_thread(mail, key),
        topic=str(mail.get("subject") or "")[:500] or None,
        text=str(mail.get("text") or "") or None,
        language=str(mail.get("language") or "") or None,
        properties=_properties(mail),
    )
    return row


def _zone(written: str) -> str | None:
    last = written.partition("(")[0].split()
    return last[-1] if last and (last[-1][0] in "+-" or last[-1].isalpha()) else None


def _thread(mail: Mapping[str, Any], key: str) -> str:
    """The message a thread began with: the first reference, else what this one answers, else itself."""
    references = mail.get("references") or []
    first = references[0] if isinstance(references, list) and references else mail.get("in_reply_to")
    return str(first or key)[:256]


def _properties(mail: Mapping[str, Any]) -> str | None:
    kept = {
        name: mail[name]
        for name in (
            "message_id",
            "in_reply_to",
            "attachments",
            "automatic",
            "bulk",
            "delivered_to",
            "odd",
            "date_doubt",
        )
        if mail.get(name)
    }
    for name in ("to", "cc"):
        addresses = _addresses(mail, name)
        if addresses:
            kept[name] = addresses[:MOST_RECIPIENTS]
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":")) if kept else None


def _addresses(mail: Mapping[str, Any], name: str) -> list[str]:
    listed = mail.get(name) or []
    return [str(each["address"]) for each in listed if isinstance(each, Mapping) and each.get("address")]


def _author(mail: Mapping[str, Any], ours: Ours) -> str:
    """Who wrote it: the sender, or for a form of our own page the one who is to be answered."""
    author = next(iter(_addresses(mail, "from")), "")
    answer_to = next(iter(_addresses(mail, "reply_to")), "")
    if author and ours.has(author) and answer_to and not ours.has(answer_to):
        return answer_to
    return author or answer_to


def _inbound(base: dict[str, Any], mail: Mapping[str, Any], author: str, ours: Ours) -> dict[str, Any]:
    by_machine, bulk = bool(mail.get("automatic")), bool(mail.get("bulk"))
    others = [address for address in _addresses(mail, "cc") if address != author and not ours.has(address)]
    return {
        **base,
        "touchpoint": ANSWERED_BY_MACHINE if by_machine else RECEIVED,
        "direction": "inbound",
        "handles": [f"email:{author}"] if author else None,
        "others": [f"copied:email:{address}" for address in others[:MOST_RECIPIENTS]] or None,
        "asks": None if by_machine or bulk else True,
    }


def _outbound(
    base: dict[str, Any], mail: Mapping[str, Any], author: str, person: str, outside: Sequence[str]
) -> dict[str, Any]:
    by_machine = bool(mail.get("automatic"))
    is_answer = bool(mail.get("in_reply_to") or mail.get("references"))
    several = len(outside) > 1
    return {
        **base,
        "source_key": f"{base['source_key']}:{person}" if several else base["source_key"],
        "touchpoint": ANSWERED_BY_MACHINE if by_machine else SENT,
        "direction": "outbound",
        "handles": [f"email:{person}"],
        "hands": author,
        "answers": True if is_answer and not by_machine and not mail.get("bulk") else None,
    }


def _reported(base: dict[str, Any], report: Mapping[str, Any]) -> dict[str, Any]:
    """A letter returned or complained about: what a server says of one of our recipients."""
    what, address = str(report.get("what") or "bounced"), str(report.get("address") or "")
    hard = bool(report.get("hard"))
    kept = json.loads(base["properties"] or "{}")
    kept |= {name: report[name] for name in ("status", "says", "about") if report.get(name)}
    outcome = {"bounced": "hard" if hard else "soft", "complained": str(report.get("status") or "abuse")}.get(what)
    return {
        **base,
        "source_key": f"{base['source_key']}:{what}:{address}",
        "touchpoint": _REPORTED.get(what, "email.returned"),
        "direction": "inbound",
        "handles": [f"email:{address}"] if address else None,
        "about_case": str(report.get("about") or base["about_case"])[:256],
        "outcome": outcome,
        "text": None,
        "properties": json.dumps(kept, ensure_ascii=False, separators=(",", ":")),
    }


def _unique(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({row["source_key"]: row for row in rows}.values())
