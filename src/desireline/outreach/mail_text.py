"""What a mail about a promise says: plain text, one promise or a list of many, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP

from desireline.outreach.message import Message, Surroundings
from desireline.outreach.notices import Notice
from desireline.vocabulary.units import counted, moment_text

MOST_LISTED = 100
HAPPENED = {
    "promise.broken": "was broken",
    "promise.kept": "was kept",
    "promise.made_good": "was made good",
    "promise.restated": "was judged anew",
    "promise.due_soon": "falls due soon",
    "listener.test": "is only a test",
}


def mail(
    message: Message, around: Surroundings, *, sender: str, receiver: str, handles: Sequence[str], now: int
) -> EmailMessage:
    """The mail for one message. Its Message-ID is the message's own, the same at every try."""
    written = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    written["From"] = sender
    written["To"] = receiver
    written["Subject"] = _one_line(_subject(message))
    written["Date"] = datetime.fromtimestamp(now / 1_000, UTC)
    written["Message-ID"] = message_id(message, sender=sender, receiver=receiver)
    written["Auto-Submitted"] = "auto-generated"
    text = _list(message.notices, around) if message.gathered else _one(message.notices[0], around, handles)
    written.set_content(text)
    return written


def message_id(message: Message, *, sender: str, receiver: str) -> str:
    """The Message-ID: the same message to the same receiver always bears the same one."""
    domain = sender.rpartition("@")[2].rstrip(">").strip() or "desireline.invalid"
    return f"<{message.id}.{_number(receiver):08x}@{domain}>"


def _number(text: str) -> int:
    number = 0
    for byte in text.lower().encode():
        number = (number * 257 + byte) % 0xFFFFFFFB
    return number


def _subject(message: Message) -> str:
    if message.gathered:
        kinds = Counter(notice.kind for notice in message.notices)
        return "; ".join(f"{counted(count, 'promise')} {_were(kind, count)}" for kind, count in kinds.most_common())
    notice = message.notices[0]
    return f"{notice.promise} {HAPPENED[notice.kind]}"


def _were(kind: str, count: int) -> str:
    happened = HAPPENED[kind]
    return happened if count == 1 else happened.replace("was ", "were ").replace("falls", "fall").replace("is ", "are ")


def _one(notice: Notice, around: Surroundings, handles: Sequence[str]) -> str:
    says = around.says(notice)
    lines = [f"The promise '{notice.promise}' {HAPPENED[notice.kind]}.", ""]
    lines += [f"Promise:  {says}"] if says else []
    lines += [f"Map:      {notice.map}", f"Person:   {notice.person}"]
    lines += [f"          {handle}" for handle in handles]
    lines += [f"About:    {notice.key}"] if notice.key else []
    lines += [f"Due:      {moment_text(notice.due_at)}"] if notice.due_at is not None else []
    lines += [f"Happened: {moment_text(notice.at)}"]
    lines += [f"Breach:   {notice.breach}"] if notice.breach else []
    lines += [f"Verdict:  {notice.verdict}"] if notice.verdict else []
    lines += ["", around.link(notice)] if around.link(notice) else []
    return "\n".join(_one_line(line) for line in lines) + "\n"


def _list(notices: Sequence[Notice], around: Surroundings) -> str:
    counts = Counter((notice.map, notice.promise, notice.kind) for notice in notices)
    lines = [f"{counted(len(notices), 'notice')}, gathered in one mail because many came within a minute.", ""]
    lines += [
        f"{count:>7,}  {of} / {promise} {_were(kind, count)}" for (of, promise, kind), count in counts.most_common()
    ]
    lines += [""]
    for notice in notices[:MOST_LISTED]:
        about = f", {notice.key}" if notice.key else ""
        due = f", due {moment_text(notice.due_at)}" if notice.due_at is not None else ""
        lines.append(f"- {notice.promise} {HAPPENED[notice.kind]}: person {notice.person}{about}{due}")
        lines += [f"  {around.link(notice)}"] if around.link(notice) else []
    if len(notices) > MOST_LISTED:
        lines.append(f"... and {len(notices) - MOST_LISTED:,} more.")
    return "\n".join(_one_line(line) for line in lines) + "\n"


def _one_line(text: str) -> str:
    return " ".join(text.splitlines()).rstrip()[:900]
