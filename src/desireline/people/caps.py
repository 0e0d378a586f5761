"""Which handles are shared by strangers and so never join anybody, each with its reason in words.

Two ways to be found out: the value itself says so (`noreply@...`, a phone of zeros), or the company
the handle keeps does (an e-mail address seen with more than five customer numbers). Both depend only
on the value and on the links in force, never on the order in which they arrived.
"""

from __future__ import annotations

import re

from desireline.vocabulary.handles import HANDLE_KINDS, OTHER_RANK, is_strong

MOST_CUSTOMER_NUMBERS = 5
"""A strong handle seen with more different CRM ids than this is shared."""
MOST_OTHER_STRONG = 20
"""A strong handle seen with more different strong handles of one other kind than this is shared."""
MOST_PERSONS_OF_A_WEAK_HANDLE = 5
"""A weak handle seen with more different persons than this is shared."""
MOST_WEAKER_HANDLES = 200
"""A weak handle seen with more different handles weaker than itself is a kiosk or an office."""

UNSHARED, KNOWN_VALUE, MANY_PERSONS, MANY_WEAKER, MANY_OF_RANK = 0, 1, 2, 3, 16
"""Why a handle is shared; `MANY_OF_RANK + rank` names the kind it was seen with too often."""

_SENDERS = re.compile(
    r"^(?:(?:no|do[-_.]?not|dont)[-_.]?reply|mailer[-_.]?daemon|postmaster|abuse|bounces?|"
    r"notifications?|auto[-_.]?(?:reply|responder)|undisclosed[-_.]?recipients)(?:[-_.+]?\d*|[-_.+].*)$",
    re.ASCII,
)
_PLACEHOLDERS = re.compile(
    r"^(?:test\d*@(?:test|example)\.[a-z.]+|(?:none|null|noemail|no[-_.]mail|nomail|unknown|anonymous|asdf|xxx?)"
    r"@(?:none|null|noemail|nomail|unknown|asdf|xxx?|test|email|mail|example)\.[a-z.]+|.*@(?:.*\.)?invalid)$",
    re.ASCII,
)
_COUNTED_UP = ("0123456789", "1234567890")
_FEWEST_REPEATED_DIGITS = 6


def known_shared(kind: str, value: str) -> str:
    """Why a handle's own value says that it names nobody in particular; empty when it does not.

    >>> known_shared("email", "noreply@bank.example")
    'a sender that nobody reads, not a person'
    >>> known_shared("email", "anna@bank.test")
    ''
    >>> known_shared("phone", "+490000000")
    'a number made up of one digit'
    """
    text = value.strip().lower()
    if kind == "email":
        return _shared_address(text)
    if kind == "phone":
        return _shared_number(text)
    return _shared_code(text, strong=is_strong(kind))


def limit(rank_of_other: int) -> int:
    """How many different strong handles of one kind a strong handle may be seen with."""
    return MOST_CUSTOMER_NUMBERS if rank_of_other == 0 else MOST_OTHER_STRONG


def reason(why: int) -> str:
    """The reason a handle is shared, in words.

    >>> reason(MANY_OF_RANK)
    'seen with more than 5 different crm handles'
    """
    if why == UNSHARED:
        return ""
    if why == KNOWN_VALUE:
        return "its value names nobody in particular"
    if why == MANY_PERSONS:
        return f"a weak handle seen with more than {MOST_PERSONS_OF_A_WEAK_HANDLE} different persons"
    if why == MANY_WEAKER:
        return f"a weak handle seen with more than {MOST_WEAKER_HANDLES} different weaker handles"
    rank = why - MANY_OF_RANK
    kind = HANDLE_KINDS[rank].name if rank < OTHER_RANK else "other"
    return f"seen with more than {limit(rank)} different {kind} handles"


def _shared_address(text: str) -> str:
    name = text.partition("@")[0]
    if _SENDERS.match(name):
        return "a sender that nobody reads, not a person"
    if _PLACEHOLDERS.match(text):
        return "a placeholder address, not a person"
    return ""


def _shared_number(text: str) -> str:
    digits = "".join(letter for letter in text if letter.isdigit())
    if len(digits) - len(digits.rstrip(digits[-1:])) >= _FEWEST_REPEATED_DIGITS:
        return "a number made up of one digit"
    if any(run in digits for run in _COUNTED_UP):
        return "a number counted up, not a real one"
    return ""


def _shared_code(text: str, *, strong: bool) -> str:
    letters = "".join(letter for letter in text if letter.isalnum())
    if letters and set(letters) <= {"0"}:
        return "a number of zeros"
    if not strong and len(letters) >= _FEWEST_REPEATED_DIGITS and len(set(letters)) == 1:
        return "one letter or digit repeated"
    return ""
