"""Whom an event names: ids, addresses and numbers as handles, what names nobody left out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from desireline.intake.dialects.fields import key_text, snake
from desireline.vocabulary.handles import NO_VALUES, is_strong, normalise, strongest_first

NOBODY = frozenset(
    (*NO_VALUES, "0", "guest", "id", "distinct_id", "distinctid", "not_authenticated", "true", "false", "email",
     "[object object]", "00000000-0000-0000-0000-000000000000")
)  # fmt: skip
"""What broken clients write as an id; joining people on it would make one person of all."""

TRAIT_HANDLES: dict[str, str] = {
    "email": "email", "email_address": "email", "mail": "email",
    "phone": "phone", "phone_number": "phone", "mobile": "phone", "telephone": "phone",
}  # fmt: skip
"""Traits that are handles."""

_ADDRESS = re.compile(r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>.]{2,}", re.ASCII)
_GENERATED = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{10,16}(-[0-9a-f]{6,16}){3,4}|[0-9a-f]{32}",
    re.ASCII | re.IGNORECASE,
)
LONGEST_HANDLE = 320


def id_text(value: Any) -> str | None:
    """An id as text, or nothing when it names nobody.

    >>> id_text(42), id_text("undefined"), id_text(None)
    ('42', None, None)
    """
    text = key_text(value)
    return None if text is None or text.lower() in NOBODY else text


def is_generated(text: str) -> bool:
    """Whether an id was made by a client for a stranger: a UUID or the like.

    >>> is_generated("018f6f9e-1c5e-7c3a-9d4e-1f2a3b4c5d6e"), is_generated("customer-42")
    (True, False)
    """
    return _GENERATED.fullmatch(text) is not None


def known_id(value: Any) -> list[tuple[str, str]]:
    """The handles of a customer's id; one that is an e-mail address is that address, too."""
    text = id_text(value)
    if text is None:
        return []
    return [("customer", text), ("email", text)] if _ADDRESS.fullmatch(text) else [("customer", text)]


def traits_handles(*traits: Mapping[str, Any] | Any) -> list[tuple[str, str]]:
    """E-mail addresses and phone numbers among traits."""
    found: list[tuple[str, str]] = []
    for each in traits:
        if isinstance(each, Mapping):
            for name, value in each.items():
                kind = TRAIT_HANDLES.get(name) or TRAIT_HANDLES.get(snake(name))
                if kind and type(value) in (str, int):
                    found.append((kind, str(value)))
    return found


def normalised(
    named: Iterable[tuple[str, str]], *, country_code: str, server_side: bool
) -> tuple[list[str], list[str], list[str]]:
    """Handles, strongest first; claims a public key may not join; what names nobody and was left out.

    Two strong handles on one interaction join two people. Anyone can read a public key out of a page,
    so with one only the strongest is taken; the others are kept as claims.
    """
    handles: dict[str, None] = {}
    unusable: dict[str, None] = {}
    for kind, value in named:
        text = value.strip()
        spelled = normalise(kind, text, country_code=country_code) if len(text) <= LONGEST_HANDLE else None
        if spelled is not None and (kind != "email" or _ADDRESS.fullmatch(spelled[6:])):
            handles[spelled] = None
        elif text and text.lower() not in NOBODY:
            unusable[f"{kind}:{text[:LONGEST_HANDLE]}"] = None
    taken = strongest_first(handles)
    if server_side:
        return taken, [], list(unusable)
    strong = [handle for handle in taken if is_strong(handle.partition(":")[0])]
    claims = [handle for handle in strong[1:] if handle.partition(":")[2] != strong[0].partition(":")[2].lower()]
    return [handle for handle in taken if handle not in claims], claims, list(unusable)
