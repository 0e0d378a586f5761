"""How the letters of a source come in: fetched out of a mailbox, or taken over SMTP or LMTP. Every mistake at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal

from desireline.vocabulary.errors import DesirelineError, Mistake, nearest

Security = Literal["tls", "starttls", "none"]
PORTS: Mapping[str, int] = {"tls": 993, "starttls": 143, "none": 143}
MOST_ACCEPTED = 200
LOOPBACK = "127.0.0.1"
_ENVIRONMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,100}")
_HOST = re.compile(r"[A-Za-z0-9.:_-]{1,253}")
_ACCEPTED = re.compile(r"[^@\s<>]{0,64}@[A-Za-z0-9.-]{1,253}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_WORDS: Mapping[str, Mapping[str, type]] = {
    "imap": {
        "host": str,
        "user": str,
        "password_env": str,
        "password_file": str,
        "folder": str,
        "port": int,
        "security": str,
    },
    "smtp": {"port": int, "accepts": list},
    "lmtp": {"port": int, "accepts": list},
}


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A mailbox on a server, to be fetched over IMAP.

    The password is never written down: `password_env` names the environment variable that holds it, or
    `password_file` the file. security: tls from the start, starttls before anything is told, or none, which is
    for servers on this machine only.
    """

    host: str
    user: str
    password_env: str = ""
    password_file: str = ""
    folder: str = "INBOX"
    port: int = PORTS["tls"]
    security: Security = "tls"

    @property
    def place(self) -> str:
        """Which mailbox this is, however one gets there."""
        return f"{self.user}@{self.host}:{self.port}/{self.folder}"


@dataclass(frozen=True, slots=True)
class Receiving:
    """Letters handed in by a mail server on this machine, over SMTP or LMTP, at a port of the loopback.

    accepts: addresses and `@domains` that letters are taken for; none means all.
    """

    protocol: Literal["smtp", "lmtp"]
    port: int
    accepts: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """Where it listens."""
        return f"{self.protocol}://{LOOPBACK}:{self.port}"


Way = Mailbox | Receiving


def way_of(words: Mapping[str, Any]) -> Way | None:
    """How letters come in, from words that were checked (`read_way`); `None` when nobody fetches or takes any."""
    if not words:
        return None
    given = {word: value for word, value in words.items() if word != "way"}
    if words["way"] == "imap":
        return Mailbox(**given)
    return Receiving(words["way"], **{**given, "accepts": tuple(given.get("accepts", ()))})


def read_way(given: Mapping[str, Any]) -> dict[str, Any]:
    """The words of a way as they are kept with the source; raises `DesirelineError` with every mistake.

    >>> read_way({"way": "imap", "host": "imap.bank.example", "user": "help", "password_env": "HELP"})["port"]
    993
    """
    words = {word: value for word, value in given.items() if value not in ("", None, [], ())}
    if not words:
        return {}
    way = str(words.get("way", ""))
    if way not in _WORDS:
        says = f"'{way}' is no way for letters to come in." if way else "it is not said how letters come in."
        raise DesirelineError(Mistake(says, "mail", do="Say imap, smtp or lmtp."))
    if way == "imap":
        words.setdefault("security", "tls")
        words.setdefault("port", PORTS.get(str(words["security"]), 993))
        words.setdefault("folder", "INBOX")
    mistakes = _word_mistakes(words, _WORDS[way])
    if not mistakes:
        mistakes = _mailbox_mistakes(words) if way == "imap" else _receiving_mistakes(words)
    if mistakes:
        raise DesirelineError([Mistake(what, f"mail over {way}", do=do) for what, do in mistakes])
    return {**words, "accepts": list(words["accepts"])} if "accepts" in words else words


def changed_way(before: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The words of a way after a change; another way begins anew, another kind of security at its usual port."""
    if changes.get("way", before.get("way")) != before.get("way"):
        return read_way(changes)
    kept = dict(before)
    if "security" in changes and "port" not in changes and kept.get("port") == PORTS.get(kept.get("security", "")):
        kept.pop("port", None)
    if changes.get("password_env"):
        kept.pop("password_file", None)
    if changes.get("password_file"):
        kept.pop("password_env", None)
    return read_way({**kept, **changes})


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself.

    >>> is_loopback("localhost"), is_loopback("127.0.0.2"), is_loopback("imap.bank.example")
    (True, True, False)
    """
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _word_mistakes(words: Mapping[str, Any], known: Mapping[str, type]) -> list[tuple[str, str]]:
    found = [
        (f"unknown word '{word}'.", nearest(word, list(known)) or f"Known: {', '.join(known)}.")
        for word in words
        if word not in known and word != "way"
    ]
    said = {str: "a text", int: "a whole number", list: "a list of texts"}
    found += [
        (f"'{word}' must be {said[kind]}.", "")
        for word, kind in known.items()
        if word in words and not _is(words[word], kind)
    ]
    if not isinstance(words.get("port", 1), bool) and isinstance(words.get("port", 1), int):
        found += [] if 0 < words.get("port", 1) < 65_536 else [(f"{words['port']} is no port.", "Write 1 to 65535.")]
    return found


def _is(value: Any, kind: type) -> bool:
    if kind is list:
        return isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)
    return isinstance(value, kind) and not isinstance(value, bool)


def _mailbox_mistakes(words: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = []
    host, user, folder = words.get("host", ""), words.get("user", ""), words["folder"]
    if not _HOST.fullmatch(host):
        found.append((f"'{host}' is no mail server.", "Name its host, such as imap.bank.example."))
    if not user or _CONTROL.search(user) or len(user) > 320:
        found.append(("the mailbox needs a user.", "Name it, such as help@bank.example."))
    if _CONTROL.search(folder) or len(folder) > 500:
        found.append(("the folder's name holds what no name can hold.", "Write INBOX, or Help/Letters."))
    found += _password_mistakes(words.get("password_env", ""), words.get("password_file", ""))
    if words["security"] not in PORTS:
        hint = nearest(words["security"], list(PORTS)) or "Write tls or starttls."
        found.append((f"'{words['security']}' is no kind of security.", hint))
    elif words["security"] == "none" and not is_loopback(host):
        found.append(
            (f"'{host}' is another machine: its password would be readable on the way.", "Use tls or starttls.")
        )
    elif words["security"] == "starttls" and words["port"] == PORTS["tls"]:
        found.append(("port 993 speaks TLS from the start.", "Use security tls, or another port."))
    return found


def _password_mistakes(environment: str, file: str) -> list[tuple[str, str]]:
    if bool(environment) == bool(file):
        do = "Name the environment variable that holds it, or the file; one of the two."
        return [("the password must come from somewhere." if not file else "the password has two places.", do)]
    if environment and not _ENVIRONMENT.fullmatch(environment):
        return [("the password's variable must be the name of one.", "Never write the password itself.")]
    if file and (not Path(file).is_absolute() or _CONTROL.search(file)):
        return [(f"'{file}' is not a whole path.", "Write it from the root, such as /run/secrets/help.")]
    return []


def _receiving_mistakes(words: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = []
    if "port" not in words:
        found.append(("a port is needed to listen at.", "Name one that is free, such as 2525."))
    accepts = words.get("accepts", [])
    for address in accepts:
        if not _ACCEPTED.fullmatch(address):
            found.append(
                (f"'{address[:80]}' is no address.", "Write help@bank.example, or @bank.example for all of it.")
            )
    if len(accepts) > MOST_ACCEPTED:
        found.append((f"there are more than {MOST_ACCEPTED} addresses.", "Name their domain, such as @bank.example."))
    return found
