"""Which interactions match which patterns: one set of bits per row, made from small tables per column.

Every alternative of every pattern owns one bit. A column narrows the bits by a table indexed by the
column's code, so a row costs one look-up per column that any pattern names, however many patterns.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from desireline.promises.patterns import PROPERTY, Alternative, Condition, Pattern, Scalar, outward_alternatives
from desireline.storage.engines import kernel
from desireline.storage.identity import text_hash
from desireline.storage.journey_store import EMPTY_KEY, EMPTY_NUMBER, Bucket, Snapshot
from desireline.vocabulary.interaction import BY_NAME

WORD_BITS = 64


class Bits:
    """Gives each alternative its bit; equal alternatives share one."""

    def __init__(self) -> None:
        self.place: dict[Alternative, int] = {}

    def of(self, several: Sequence[Alternative]) -> tuple[int, ...]:
        """The bits of some alternatives, any of which is enough."""
        return tuple(self.place.setdefault(each, len(self.place)) for each in several)

    @property
    def words(self) -> int:
        """How many 64-bit words a row needs."""
        return max(1, -(-len(self.place) // WORD_BITS))

    def mask(self, bits: Sequence[int]) -> NDArray[np.uint64]:
        """(words,) uint64 with these bits set."""
        mask = np.zeros(self.words, dtype=np.uint64)
        for bit in bits:
            mask[bit // WORD_BITS] |= np.uint64(1) << np.uint64(bit % WORD_BITS)
        return mask


@dataclass(frozen=True, slots=True)
class ColumnTable:
    """How one column narrows the bits.

    values: for numbers and keys, the sorted values that split them; else empty.
    table: (codes + 1, words) uint64; row 0 is the empty field.
    """

    name: str
    kind: str
    values: NDArray[Any]
    table: NDArray[np.uint64]

    def codes(self, column: NDArray[Any]) -> NDArray[Any]:
        """The row of `table` less one, for each value of the column."""
        if self.kind == "coded":
            return column
        if self.kind == "has":
            return column - np.int8(1)
        if self.kind == "key":
            place = np.searchsorted(self.values, column)
            found = self.values[np.minimum(place, len(self.values) - 1)] == column if len(self.values) else column < 0
            codes = np.where(found, place + 1, 0)
            return np.where(column == EMPTY_KEY, -1, codes).astype(np.int32)
        empty = np.isnan(column) if column.dtype.kind == "f" else column == EMPTY_NUMBER
        regions = np.searchsorted(self.values, column, "left") + np.searchsorted(self.values, column, "right")
        return np.where(empty, -1, regions).astype(np.int32)


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of every column that any pattern names; `always` is what absent columns leave."""

    words: int
    always: NDArray[np.uint64]
    columns: tuple[ColumnTable, ...]


def tables_of(bits: Bits, snapshot: Snapshot) -> Tables:
    """The look-up tables of all alternatives, for the vocabulary of one snapshot."""
    asked: dict[str, list[tuple[int, Condition]]] = defaultdict(list)
    for alternative, bit in bits.place.items():
        for condition in alternative:
            asked[condition.field].append((bit, condition))
    always = bits.mask(range(len(bits.place)))
    columns = []
    for name, conditions in asked.items():
        if name in snapshot.columns or name.startswith(PROPERTY):
            columns.append(_table(name, conditions, bits, snapshot))
        else:
            always &= _rows_of_table(bits, conditions, [None])[0]
    return Tables(bits.words, always, tuple(columns))


def row_bits(tables: Tables, bucket: Bucket) -> NDArray[np.uint64]:
    """(rows, words) uint64: the alternatives each interaction matches, none outside the people's rows."""
    rows = len(bucket.column("occurred_at"))
    bits = np.zeros((rows, tables.words), dtype=np.uint64)
    _begin(bits, tables.always, bucket.start, bucket.length)
    for column in tables.columns:
        codes = np.asarray(column.codes(np.asarray(bucket.column(column.name))))
        _narrow(bits, codes, column.table, bucket.start, bucket.length)
    return bits


def rows_matching(pattern: Pattern, snapshot: Snapshot, bucket: Bucket) -> NDArray[np.uint8]:
    """(rows,) uint8: 1 where an interaction matches the pattern, `internal` and `peer` skipped as promised."""
    bits = Bits()
    bits.of(outward_alternatives(pattern))
    found: NDArray[np.uint8] = (row_bits(tables_of(bits, snapshot), bucket) != 0).any(axis=1).astype(np.uint8)
    return found


@kernel
def _begin(
    bits: NDArray[np.uint64], always: NDArray[np.uint64], start: NDArray[np.int64], length: NDArray[np.int64]
) -> None:
    for p in range(len(start)):
        for row in range(start[p], start[p] + length[p]):
            for word in range(len(always)):
                bits[row, word] = always[word]


@kernel
def _narrow(
    bits: NDArray[np.uint64],
    codes: NDArray[Any],
    table: NDArray[np.uint64],
    start: NDArray[np.int64],
    length: NDArray[np.int64],
) -> None:
    for p in range(len(start)):
        for row in range(start[p], start[p] + length[p]):
            code = codes[row] + 1
            for word in range(table.shape[1]):
                bits[row, word] &= table[code, word]


def _table(name: str, conditions: list[tuple[int, Condition]], bits: Bits, snapshot: Snapshot) -> ColumnTable:
    kind = kind_of(name, snapshot)
    none = np.zeros(0, dtype=np.int64)
    wanted = [value for _, condition in conditions for value in condition.values()]
    if kind == "has":
        return ColumnTable(name, kind, none, _rows_of_table(bits, conditions, [None, "any text"]))
    if kind == "key":
        texts = {text_hash(value): value for value in wanted if isinstance(value, str)}
        hashes = sorted(texts)
        domain: list[Scalar | None] = [None, "\x00", *(texts[each] for each in hashes)]
        return ColumnTable(name, kind, np.array(hashes, dtype=np.int64), _rows_of_table(bits, conditions, domain))
    if kind == "number":
        bounds = sorted({float(value) for value in wanted if not isinstance(value, str | bool)})
        domain = [None, *_regions(bounds)]
        return ColumnTable(name, kind, np.array(bounds, dtype=np.float64), _rows_of_table(bits, conditions, domain))
    words = [False, True] if name in BY_NAME and BY_NAME[name].type == "flag" else snapshot.words(name)
    domain = [None, *words] if len(words) else [None, None]
    return ColumnTable(name, "coded", none, _rows_of_table(bits, conditions, domain))


def kind_of(name: str, snapshot: Snapshot) -> str:
    """How a column is asked: by code, by whether it is filled in, by its key, or as a number."""
    if name == "text":
        return "has"
    if name in BY_NAME and BY_NAME[name].key:
        return "key"
    column = snapshot.nobody.column(name)
    numeric = column.dtype.kind == "f" or (column.dtype == np.int64)
    return "number" if numeric else "coded"


def _regions(bounds: Sequence[float]) -> list[float]:
    """One value below the first bound, then each bound and one value between it and the next."""
    if not bounds:
        return [0.0]
    regions = [bounds[0] - 1.0]
    for here, after in zip(bounds, (*bounds[1:], bounds[-1] + 2.0), strict=True):
        regions += [here, (here + after) / 2]
    return regions


def _rows_of_table(
    bits: Bits, conditions: list[tuple[int, Condition]], domain: Sequence[Scalar | None]
) -> NDArray[np.uint64]:
    """(domain, words) uint64: all bits, less those of the conditions that a value of the domain fails."""
    table = np.tile(bits.mask(range(len(bits.place))), (len(domain), 1))
    answers: dict[Condition, NDArray[np.bool_]] = {}
    for bit, condition in conditions:
        if condition not in answers:
            answers[condition] = np.fromiter((not condition.holds(value) for value in domain), bool, len(domain))
        table[answers[condition], bit // WORD_BITS] &= ~(np.uint64(1) << np.uint64(bit % WORD_BITS))
    return table
