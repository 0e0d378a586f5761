"""Who listens: where to, and which notices they want. Every mistake in one is told at once."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from desireline.outreach.notices import KINDS, Notice
from desireline.outreach.policies import POLICIES
from desireline.vocabulary.errors import DesirelineError, Mistake, nearest

ListenerKind = Literal["webhook", "email"]
MOST_LISTENERS = 100
FEWEST_PER_SECOND, MOST_PER_SECOND = 0.001, 100.0
PORTS = {"http": 80, "https": 443}
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_ENVIRONMENT = re.compile(r"[A-Z_][A-Z0-9_]{0,100}")
_MAIL = re.compile(r"[^@\s<>,;:\"()\[\]\\\x00-\x20\x7f-\uffff]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_WORDS = {
    "name": str,
    "kind": str,
    "address": str,
    "secret_env": str,
    "maps": list,
    "promises": list,
    "kinds": list,
    "purpose": str,
    "per_second": float,
    "allow_private": bool,
    "with_handles": bool,
    "enabled": bool,
}


@dataclass(frozen=True, slots=True)
class Listener:
    """Somebody who is told.

    kind: webhook (address is a URL) or email. secret_env: the environment name that holds the webhook's secrets.
    maps, promises, kinds: what they want, empty for all maps and promises. per_second: never more messages than that.
    allow_private: the address may lie in the own network. with_handles: the person's handles are told too.
    since: what happened before this moment is not told to them.
    """

    name: str
    kind: ListenerKind
    address: str
    secret_env: str = ""
    maps: tuple[str, ...] = ()
    promises: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ("promise.broken",)
    purpose: str = "service"
    per_second: float = 10.0
    allow_private: bool = False
    with_handles: bool = False
    enabled: bool = True
    why_stopped: str = ""
    since: int = 0
    changed_at: int = 0

    def wants(self, notice: Notice) -> bool:
        """Whether this notice is for them."""
        return (
            notice.kind in self.kinds
            and (not self.maps or notice.map in self.maps)
            and (not self.promises or notice.promise in self.promises)
        )

    def as_row(self) -> dict[str, Any]:
        """As the state store keeps it."""
        row = asdict(self)
        which = {name: list(row.pop(name)) for name in ("maps", "promises", "kinds")}
        return {**row, "which": json.dumps(which)}


def listener_from_row(row: Mapping[str, Any]) -> Listener:
    """A listener as the state store kept it."""
    values = {name: value for name, value in row.items() if name != "which"}
    values |= {name: tuple(words) for name, words in json.loads(row["which"]).items()}
    return Listener(**values)


def read_listener(given: Mapping[str, Any], *, at: int) -> Listener:
    """A listener as somebody wrote it down at a moment; raises `DesirelineError` with every mistake.

    >>> read_listener({"name": "desk", "kind": "email", "address": "desk@harbour.example"}, at=0).kinds
    ('promise.broken',)
    """
    mistakes = [
        Mistake(f"unknown word '{word}'.", "listener", do=nearest(str(word), list(_WORDS)))
        for word in given
        if word not in _WORDS
    ]
    mistakes += [
        Mistake(f"'{word}' must be {_said(kind)}.", "listener")
        for word, kind in _WORDS.items()
        if word in given and not _is(given[word], kind)
    ]
    if not mistakes:
        mistakes = _mistakes(given)
    if mistakes:
        raise DesirelineError(mistakes)
    values: dict[str, Any] = {word: tuple(each) if isinstance(each, list) else each for word, each in given.items()}
    return Listener(**values, since=at, changed_at=at)


def _mistakes(given: Mapping[str, Any]) -> list[Mistake]:
    name, kind, address = (str(given.get(word, "")) for word in ("name", "kind", "address"))
    at = f"listener '{name}'" if name else "listener"
    found: list[tuple[str, str]] = []
    if not _NAME.fullmatch(name):
        found.append((f"'{name}' cannot name a listener.", "Use small letters, digits, . _ -"))
    if kind not in ("webhook", "email"):
        found.append((f"'{kind}' is not a kind of listener.", "Write webhook or email."))
    if kind == "webhook":
        found += _url_mistakes(address, allow_private=bool(given.get("allow_private", False)))
        if not given.get("secret_env"):
            found.append(("a webhook needs 'secret_env'.", "Name the environment variable that holds its secret."))
    if kind == "email" and not _MAIL.fullmatch(address):
        found.append((f"'{address}' is not a mail address.", "Write one such as desk@harbour.example."))
    if given.get("secret_env") and not _ENVIRONMENT.fullmatch(given["secret_env"]):
        found.append(("'secret_env' must be the name of an environment variable.", "Never write the secret itself."))
    for word in given.get("kinds", ()):
        if word not in KINDS:
            found.append((f"'{word}' is not a kind of notice.", nearest(word, KINDS) or f"Known: {', '.join(KINDS)}."))
    if given.get("purpose", "service") not in POLICIES:
        found.append((f"'{given['purpose']}' is not a purpose.", f"Known: {', '.join(POLICIES)}."))
    if not FEWEST_PER_SECOND <= given.get("per_second", 1.0) <= MOST_PER_SECOND:
        found.append((f"'per_second' must be between {FEWEST_PER_SECOND:g} and {MOST_PER_SECOND:g}.", ""))
    return [Mistake(what, at, do=do) for what, do in found]


def _url_mistakes(url: str, *, allow_private: bool) -> list[tuple[str, str]]:
    if not url.isascii() or any(letter <= " " or letter == "\x7f" for letter in url) or len(url) > 2_000:
        return [("the address must be ASCII without spaces, at most 2,000 letters.", "Write other letters as %xx.")]
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS.get(parts.scheme)
    except ValueError:
        return [("the address is not a URL.", "Write one such as https://harbour.example/told.")]
    if parts.scheme not in PORTS or not parts.hostname:
        return [("the address is not a URL.", "Write one such as https://harbour.example/told.")]
    found: list[tuple[str, str]] = []
    if parts.username or parts.password or parts.fragment:
        found.append(("the address must not carry a user, a password or a fragment.", "Requests are signed instead."))
    if not allow_private and port not in PORTS.values():
        found.append((f"port {port} is not allowed.", "Use 80 or 443, or 'allow_private: true' in your own network."))
    return found


def _is(value: Any, kind: type) -> bool:
    if kind is list:
        return isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, kind)


def _said(kind: type) -> str:
    return {str: "a text", list: "a list of texts", float: "a number", bool: "true or false"}[kind]
