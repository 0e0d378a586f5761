"""E-mail handed in whole, as it came over SMTP or out of a mailbox (RFC 5322)."""

from __future__ import annotations

from typing import Any

from desireline.intake.dialects.received import Dialect, Message, Problem, Read, Received, Refused, Setting
from desireline.intake.mail import interactions_of, mail_of

SAME_BY = ("from", "date", "subject", "text")
"""What a letter says by whichever way it comes; servers on the way write more into its head."""


def read(received: Received) -> Read:
    """The one message of a request; its key is the message id, so the same e-mail counts once."""
    if not received.body.strip():
        return Read(problem=Problem(400, "body.empty", "The body is empty. Send the whole e-mail."))
    mail = mail_of(received.body)
    key = mail["message_id"] or f"mail-{mail['digest']}"
    named = mail["from"] or mail["reply_to"] or mail["to"] or mail["reports"] or mail["message_id"] or mail["date"]
    refused = "" if named else "mail.no_headers: this is no e-mail; it has neither sender nor recipient nor date"
    return Read((Message(0, key, mail, refused, same_by=SAME_BY),))


def rows_of(message: Message, received: Received, setting: Setting) -> list[dict[str, Any]]:
    """The interactions of an e-mail; none of a report that names nobody."""
    if message.refused:
        raise Refused(message.refused)
    rows = interactions_of(
        message.body,
        source=setting.source,
        own_addresses=setting.own_addresses,
        received_at=received.received_at,
    )
    return [{**row, "raw": f"log:{received.sequence}:{message.position}"} for row in rows]


DIALECT = Dialect("email", "e-mails, handed in whole", read, rows_of)
