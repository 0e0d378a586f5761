"""The word `mail` of the project file: the mail server that notices and answers go out through."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from desireline.storage.documents import Document
from desireline.vocabulary.errors import Mistake, nearest

MAIL_WORDS = ("host", "port", "security", "user_env", "password_env", "from")
SECURITIES = ("tls", "starttls", "none")
_ENVIRONMENT = re.compile(r"[A-Z_][A-Z0-9_]*")


def mail_mistakes(document: Document, mail: Any) -> list[Mistake]:
    """Every mistake under `mail`."""
    if not isinstance(mail, Mapping):
        return [document.mistake(("mail",), "'mail' must name a mail server.", "Write 'host' and 'from' below it.")]
    found = document.unknown_words(("mail",), mail, MAIL_WORDS)
    for word in ("host", "from"):
        if not isinstance(mail.get(word), str) or not mail[word].strip():
            found.append(document.mistake(("mail", word), f"'mail' needs '{word}'.", "Write a text."))
    if isinstance(mail.get("from"), str) and not re.fullmatch(r"[^\r\n]*@[\w.-]+>?", mail["from"]):
        found.append(document.mistake(("mail", "from"), f"'{mail['from']}' is not a mail address."))
    port = mail.get("port", 587)
    if not isinstance(port, int) or isinstance(port, bool) or not 0 < port < 65_536:
        found.append(document.mistake(("mail", "port"), f"'{port}' is not a port.", "Write 587 or 465."))
    security = mail.get("security", "starttls")
    if security not in SECURITIES:
        hint = nearest(str(security), SECURITIES) or f"Known: {', '.join(SECURITIES)}."
        found.append(document.mistake(("mail", "security"), f"'{security}' is not a security.", hint))
    for word in ("user_env", "password_env"):
        if word in mail and not _ENVIRONMENT.fullmatch(str(mail[word])):
            says = f"'{word}' must be the name of an environment variable."
            found.append(document.mistake(("mail", word), says, "Never write the secret itself."))
    return found


def public_url_mistakes(document: Document, url: Any) -> list[Mistake]:
    """Every mistake of `public_url`."""
    if isinstance(url, str) and re.fullmatch(r"https?://[\w.-]+(:\d{1,5})?(/[\w./-]*)?", url):
        return []
    return [document.mistake(("public_url",), f"'{url}' is not a URL.", "Write one such as https://harbour.example.")]
