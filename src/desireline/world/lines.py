"""Lines of text assembled from columns: the same bytes on every platform, and no Python loop over rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from desireline.storage.engines import kernel
from desireline.world.clock import DAY_MS, Numbers, berlin_offset_ms, summer_times

Bytes = npt.NDArray[np.uint8]


class Choice(NamedTuple):
    """One of some texts in each row; a negative code writes nothing."""

    codes: Numbers
    texts: Sequence[str]


class Number(NamedTuple):
    """A whole number in each row, filled up with zeros to a width; a negative one writes nothing."""

    values: Numbers
    width: int = 1


Piece = str | Choice | Number
"""A piece of each line: the same text in all, one of some texts, or a number."""


def assembled(pieces: Sequence[Piece], *, rows: int, encoding: str = "utf-8") -> bytes:
    """All lines as bytes, each made of the pieces in their order. Pieces bring their own line ends."""
    parts = [_columns(piece, rows, encoding) for piece in pieces]
    ends = np.zeros(rows, np.int64)
    for codes, _, starts, width in parts:
        if width:
            _measure_number(codes, width, ends)
        else:
            ends += (starts[1:] - starts[:-1])[codes]
    ends = np.cumsum(ends)
    buffer = np.empty(int(ends[-1]) if rows else 0, np.uint8)
    cursor = np.concatenate((np.zeros(1, np.int64), ends[:-1])) if rows else ends
    for codes, table, starts, width in parts:
        if width:
            _put_number(buffer, cursor, codes, width)
        else:
            _put_choice(buffer, cursor, codes, table, starts)
    return buffer.tobytes()


def _columns(piece: Piece, rows: int, encoding: str) -> tuple[Numbers, Bytes, Numbers, int]:
    if isinstance(piece, Number):
        nothing = np.zeros(1, np.int64)
        return np.ascontiguousarray(piece.values, np.int64), np.zeros(0, np.uint8), nothing, piece.width
    texts = [piece] if isinstance(piece, str) else list(piece.texts)
    codes = np.zeros(rows, np.int64) if isinstance(piece, str) else np.asarray(piece.codes, np.int64)
    encoded = [text.encode(encoding) for text in [*texts, ""]]
    starts = np.concatenate(([0], np.cumsum([len(text) for text in encoded]))).astype(np.int64)
    table = np.frombuffer(b"".join(encoded), np.uint8).copy()
    return np.where(codes < 0, len(texts), codes), table, starts, 0


@kernel
def _measure_number(values: Numbers, width: int, lengths: Numbers) -> None:
    for row in range(values.shape[0]):
        value = values[row]
        if value >= 0:
            digits = 1
            while value >= 10:
                value //= 10
                digits += 1
            lengths[row] += max(digits, width)


@kernel
def _put_number(buffer: Bytes, cursor: Numbers, values: Numbers, width: int) -> None:
    for row in range(values.shape[0]):
        value = values[row]
        if value >= 0:
            rest, digits = value, 1
            while rest >= 10:
                rest //= 10
                digits += 1
            begin = cursor[row]
            end = begin + max(digits, width)
            for place in range(end - 1, begin - 1, -1):
                buffer[place] = 48 + value % 10
                value //= 10
            cursor[row] = end


@kernel
def _put_choice(buffer: Bytes, cursor: Numbers, codes: Numbers, table: Bytes, starts: Numbers) -> None:
    for row in range(codes.shape[0]):
        place = cursor[row]
        for letter in range(starts[codes[row]], starts[codes[row] + 1]):
            buffer[place] = table[letter]
            place += 1
        cursor[row] = place


def where(condition: npt.NDArray[np.bool_], text: str) -> Choice:
    """A text in the rows where a condition holds."""
    return Choice(np.where(condition, 0, -1), [text])


def moment_pieces(moments: Numbers, layout: str, *, zone: str = "UTC") -> list[Piece]:
    """Moments written as a layout of strftime says (%Y %m %d %H %M %S %f %z); -1 writes nothing.

    `zone` is UTC or Europe/Berlin; milliseconds are %f and the offset is %z.
    """
    there = moments >= 0
    offset = berlin_offset_ms(moments, summer_times()) if zone == "Europe/Berlin" else np.zeros(len(moments), np.int64)
    local = moments + offset
    year, month, day = civil_days(local // DAY_MS)
    second = local % DAY_MS // 1000
    fields: dict[str, tuple[Numbers, int]] = {
        "%Y": (year, 4),
        "%m": (month, 2),
        "%d": (day, 2),
        "%H": (second // 3600, 2),
        "%M": (second // 60 % 60, 2),
        "%S": (second % 60, 2),
        "%f": (local % 1000, 3),
    }
    pieces: list[Piece] = []
    place = 0
    while place < len(layout):
        if layout[place] != "%":
            pieces.append(where(there, layout[place]))
            place += 1
            continue
        word = layout[place : place + 2]
        if word == "%z":
            pieces.append(Choice(np.where(there, offset // 3_600_000, -1), ["+00:00", "+01:00", "+02:00"]))
        else:
            values, width = fields[word]
            pieces.append(Number(np.where(there, values, -1), width))
        place += 2
    return pieces


def civil_days(days: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Year, month and day of days since 1970 (H. Hinnant, "chrono-compatible low-level date algorithms")."""
    shifted = days + 719_468
    era = shifted // 146_097
    of_era = shifted - era * 146_097
    year_of_era = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    march_month = (5 * of_year + 2) // 153
    day = of_year - (153 * march_month + 2) // 5 + 1
    month = np.where(march_month < 10, march_month + 3, march_month - 9)
    return year_of_era + era * 400 + (month <= 2), month, day


def amount_pieces(minor: Numbers, *, decimal: str = ",") -> list[Piece]:
    """Money in whole and hundredths; -1 writes nothing."""
    there = minor >= 0
    return [
        Number(np.where(there, minor // 100, -1)),
        where(there, decimal),
        Number(np.where(there, minor % 100, -1), 2),
    ]
