"""What a person is called on screen: the strongest thing we know them by, masked so that it can be shown."""

from __future__ import annotations

from collections.abc import Iterable

from desireline.vocabulary.handles import rank

_SHOWN_ENDING = 3


def shown_name(handles: Iterable[tuple[str, str]]) -> str:
    """A person's name to show, from (kind, value) of their handles: an e-mail address first, then the strongest.

    >>> shown_name([("cookie", "c1"), ("email", "anna.berg@x.org")])
    'a...g@x.org'
    >>> shown_name([])
    'nobody known'
    """
    ordered = sorted(handles, key=lambda handle: (handle[0] != "email", rank(handle[0]), handle[1]))
    return masked(*ordered[0]) if ordered else "nobody known"


def masked(kind: str, value: str) -> str:
    """A handle's value with its middle hidden; numbers in our own records are shown whole.

    >>> masked("phone", "+491701234567")
    'phone ...567'
    >>> masked("crm", "4711")
    'crm 4711'
    >>> masked("card", "1234-9f86d081884c7d65")
    'card ...1234'
    """
    if kind in ("crm", "customer", "social"):
        return f"{kind} {value}"
    if kind == "email":
        name, _, host = value.partition("@")
        return f"{name[:1]}...{name[-1:] if len(name) > 2 else ''}@{host}"
    if kind == "card":
        return f"card ...{value.partition('-')[0]}"
    return f"{kind} ...{value[-_SHOWN_ENDING:]}"
