"""How each field of an interaction lies in the journey store: its type and what stands for "not given"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from desireline.storage.journey_store.snapshot import EMPTY_CODE, EMPTY_KEY, EMPTY_NUMBER
from desireline.vocabulary.interaction import BY_NAME, FIELDS, Field

Kind = Literal["code16", "code32", "key", "flag", "number", "score", "has"]
"""Codes of texts (two widths), hashes of keys, yes/no, integers, decimals, "has any text at all"."""

OTHER = "(other)"
MOST_SHORT_CODES = 32_000
"""Texts of a two-byte column beyond this many are all kept as "(other)"."""

ALWAYS = ("occurred_at", "id", "position", "handle")
"""Columns every journey store has."""

ORIGIN = "origin"
"""Hidden column: the lake part (upper 31 bits) and the row within it (lower 32 bits) a row came from."""

PROPERTY = "properties."

_ON_DEMAND = ("source_key", "original_at", "zone", "sent_at", "received_at", "raw", "import")
_NEVER = ("handles", "others", "properties")
_SHORT = ("channel", "touchpoint", "direction")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the store: the field it holds, its kind, the physical type and its empty value."""

    name: str
    kind: Kind
    dtype: np.dtype[Any]
    empty: Any

    @property
    def coded(self) -> bool:
        """Whether the column holds codes of texts."""
        return self.kind in ("code16", "code32")

    def empties(self, rows: int) -> NDArray[Any]:
        """A read-only array that says "not given" in every row."""
        values = np.full(rows, self.empty, dtype=self.dtype)
        values.flags.writeable = False
        return values


_TYPES: dict[Kind, tuple[str, Any]] = {
    "code16": ("int16", EMPTY_CODE),
    "code32": ("int32", EMPTY_CODE),
    "key": ("int64", EMPTY_KEY),
    "flag": ("int8", EMPTY_CODE),
    "number": ("int64", EMPTY_NUMBER),
    "score": ("float64", np.nan),
    "has": ("int8", 0),
}


def column(name: str, kind: Kind | None = None) -> Column:
    """The column of a field; the kind of a property (`properties.amount`) must be given.

    >>> column("channel").dtype, column("score").dtype, column("case").empty
    (dtype('int16'), dtype('float64'), 0)
    """
    kind = kind or _kind(name)
    dtype, empty = _TYPES[kind]
    if name in (*ALWAYS, ORIGIN):
        empty = 0
    return Column(name, kind, np.dtype(dtype), empty)


def _kind(name: str) -> Kind:
    if name == ORIGIN:
        return "number"
    if name.startswith(PROPERTY):
        return "code32"
    field = BY_NAME[name]
    if name == "text":
        return "has"
    if name == "score":
        return "score"
    if field.key:
        return "key"
    if field.type == "flag":
        return "flag"
    if field.type in ("number", "moment"):
        return "number"
    return "code16" if name in _SHORT else "code32"


def stored_fields() -> tuple[Field, ...]:
    """The fields the store keeps whenever a source gives them."""
    return tuple(field for field in FIELDS if field.name not in (*_ON_DEMAND, *_NEVER))


def on_demand(name: str) -> bool:
    """Whether a column is read from the lake only when somebody asks for it."""
    return name in _ON_DEMAND or name.startswith(PROPERTY)


def known(name: str) -> bool:
    """Whether the store can hold a column of this name at all."""
    return name.startswith(PROPERTY) or (name in BY_NAME and name not in _NEVER)
