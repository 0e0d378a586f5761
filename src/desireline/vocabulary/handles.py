"""Handles: what we know a person by, in one spelling, strongest first.

The same rules are written as SQL in `intake` for bulk loads; a test holds the two together.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HandleKind:
    """One kind of handle. `rank` 0 is the strongest; a strong one names one person, a weak one may be shared."""

    name: str
    rank: int
    strong: bool
    says: str


HANDLE_KINDS: tuple[HandleKind, ...] = (
    HandleKind("crm", 0, True, "the number in the customer records"),
    HandleKind("customer", 1, True, "a customer, account or contract number"),
    HandleKind("email", 2, True, "an e-mail address"),
    HandleKind("phone", 3, True, "a phone number in E.164"),
    HandleKind("card", 4, True, "a payment or loyalty card; only its last four and a hash are kept"),
    HandleKind("social", 5, True, "a name on a social network: network/name"),
    HandleKind("device", 6, False, "a device's number"),
    HandleKind("cookie", 7, False, "a browser's cookie"),
)
BY_KIND: dict[str, HandleKind] = {kind.name: kind for kind in HANDLE_KINDS}
OTHER_RANK = len(HANDLE_KINDS)
"""The rank of kinds only a recipe knows; they are weak."""

WHITE = " \t\r\n\f\v\u00a0\u2007\u202f\ufeff\u200b"
"""What is trimmed at both ends of a handle."""

NO_VALUES = ("", "-", "--", "?", "n/a", "na", "nan", "nil", "none", "null", "unknown", "undefined", "anonymous")
"""What systems write where they know nobody (compared in small letters)."""

KEEPS_TRUNK_ZERO = ("39", "378")
"""Countries whose numbers keep their leading zero after the country code."""

FEWEST_PHONE_DIGITS = 5
MOST_PHONE_DIGITS = 15
_EXTENSION = re.compile(r"(?:ext|x|#|;).*$", re.ASCII)
_ADDRESS = re.compile(r"[^@\s<>]+@[^@\s<>]+", re.ASCII)


def rank(kind: str) -> int:
    """Where a kind stands, 0 the strongest.

    >>> rank("email") < rank("cookie") < rank("loyalty")
    True
    """
    return BY_KIND[kind].rank if kind in BY_KIND else OTHER_RANK


def is_strong(kind: str) -> bool:
    """Whether one handle of this kind names one person."""
    return kind in BY_KIND and BY_KIND[kind].strong


def normalise(kind: str, value: str | None, *, country_code: str = "") -> str | None:
    """The one spelling of a handle, as 'kind:value'; `None` when the value names nobody.

    `country_code` is given in digits ("49") to numbers written without one.

    >>> normalise("email", " Anna@X.org ")
    'email:anna@x.org'
    >>> normalise("phone", "0170 / 123 45 67", country_code="49")
    'phone:+491701234567'
    >>> normalise("email", "nobody") is None
    True
    """
    text = (value or "").strip(WHITE)
    if _small(text) in NO_VALUES:
        return None
    spell = {"email": _email, "card": _card, "social": _social}.get(kind, _as_it_is)
    spelled = _phone(text, country_code) if kind == "phone" else spell(text)
    return f"{kind}:{spelled}" if spelled else None


def strongest_first(handles: Iterable[str]) -> list[str]:
    """Handles without repeats, strongest kind first, else in the order given.

    >>> strongest_first(["cookie:c1", "email:a@b.c", "cookie:c1"])
    ['email:a@b.c', 'cookie:c1']
    """
    return sorted(dict.fromkeys(handles), key=lambda handle: rank(handle.partition(":")[0]))


def _small(text: str) -> str:
    return "".join(letter.lower()[0] for letter in text)


def _email(text: str) -> str | None:
    if "<" in text:
        text = text.rpartition("<")[2].partition(">")[0]
    text = _small(text.strip(WHITE)).removeprefix("mailto:")
    return text if _ADDRESS.fullmatch(text) else None


def _phone(text: str, country_code: str) -> str | None:
    text = _EXTENSION.sub("", _small(text).removeprefix("tel:")).replace("(0)", "")
    digits = "".join(letter for letter in text if letter in "0123456789")
    if digits.strip("0") == "":
        return None
    if "+" in text:
        number = "+" + digits
    elif digits.startswith("00"):
        number = "+" + digits[2:]
    elif not country_code:
        number = digits
    elif digits.startswith("0"):
        number = "+" + country_code + (digits if country_code in KEEPS_TRUNK_ZERO else digits[1:])
    elif digits.startswith(country_code) and len(digits) >= len(country_code) + 9:
        number = "+" + digits
    else:
        number = "+" + country_code + digits
    length = len(number.removeprefix("+"))
    return number if FEWEST_PHONE_DIGITS <= length <= MOST_PHONE_DIGITS else None


def _card(text: str) -> str | None:
    number = "".join(letter for letter in text if letter not in " -").upper()
    if "*" in number or len(number) < 8:
        return None
    return f"{number[-4:]}-{hashlib.sha256(number.encode()).hexdigest()[:16]}"


def _social(text: str) -> str | None:
    network, slash, name = _small(text).rpartition("/")
    name = name.removeprefix("@")
    return f"{network}{slash}{name}" if name else None


def _as_it_is(text: str) -> str:
    return text
