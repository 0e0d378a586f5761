"""The words of the promise ledger."""

from __future__ import annotations

from typing import Literal, get_args

VerdictWord = Literal["waiting", "kept", "broken", "withdrawn"]
BreachKind = Literal[
    "forbidden",
    "repeated",
    "without_consent",
    "wrong_channel",
    "wrong_hands",
    "late",
    "missing",
]
"""Kinds of breach, in the order that decides ties: the last four are the deadline's."""

VERDICTS: tuple[str, ...] = get_args(VerdictWord)
BREACHES: tuple[str, ...] = get_args(BreachKind)
