"""The careful way through a text file: line by line, when the quick way would trip over it.

It copes with any encoding, mixed line ends, quotes that never close, lines above the table and
headers over several lines, and writes clean UTF-8 that the quick way can load.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

MOST_LINES_OF_A_CELL = 2_000
MOST_CHARACTERS = 20_000_000
"""How far a quoted cell may reach before its quote counts as never closed."""

MOST_UNPACKED_BYTES = 200_000_000_000
MOST_RATIO = 500
FREE_BYTES = 1_000_000_000
"""A gzip file that swells more than 500 times beyond a gigabyte is a bomb, not an export."""


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that could not be read: its number in the file, its text and the reason."""

    row: int
    raw: str
    reason: str


@dataclass(slots=True)
class Findings:
    """What a careful reading met besides good rows."""

    refused: list[RefusedRow] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    rows: int = 0


class Lines:
    """The lines of a text file without their ends; each says whether its bytes fitted the encoding."""

    def __init__(self, path: Path, *, encoding: str, zipped: bool, findings: Findings) -> None:
        self._file = cast(BinaryIO, gzip.GzipFile(path) if zipped else io.FileIO(path))
        self._packed_bytes = path.stat().st_size if zipped else 0
        self._encoding = encoding
        self._findings = findings
        wide = encoding.lower().replace("_", "-").startswith(("utf-16", "utf-32"))
        text = io.TextIOWrapper(
            io.BufferedReader(cast(io.RawIOBase, self._file), 1 << 20),
            encoding=encoding,
            errors="replace" if wide else "surrogateescape",
            newline=None,
        )
        self._text = text
        self._again: deque[str] = deque()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._again:
            return self._again.popleft()
        try:
            line = self._text.readline(MOST_CHARACTERS * 2)
        except (EOFError, zlib.error, OSError) as error:
            self._findings.notes.append(f"the gzip file ends early or is damaged ({error}); what came before was read")
            raise StopIteration from None
        if not line:
            raise StopIteration
        self._guard()
        return line.removesuffix("\n")

    def put_back(self, lines: Iterable[str]) -> None:
        """Give lines back, to be read again."""
        self._again.extendleft(reversed(list(lines)))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _guard(self) -> None:
        if self._packed_bytes:
            unpacked = self._file.tell()
            if unpacked > MOST_UNPACKED_BYTES or (unpacked > FREE_BYTES and unpacked > MOST_RATIO * self._packed_bytes):
                raise EOFError


def misfit(line: str) -> tuple[str, str] | None:
    """The text and the reason of a line whose bytes do not fit the encoding, else nothing."""
    if line.isascii():
        return None
    wrong = next((letter for letter in line if "\udc80" <= letter <= "\udcff"), None)
    if wrong is not None:
        text = line.encode("utf-8", "surrogateescape").decode("windows-1252", "replace")
        return text, f"byte 0x{ord(wrong) - 0xDC00:02X} does not fit the encoding; shown here as windows-1252"
    return None


def clean_csv(lines: Lines, target: Path, *, separator: str, quote: str, width: int, findings: Findings) -> None:
    """Write the rows with their numbers as clean CSV; what does not fit goes to the findings."""
    with target.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
        for line in lines:
            if not line.strip():
                continue
            findings.rows += 1
            bad = misfit(line)
            if bad:
                findings.refused.append(RefusedRow(findings.rows, *bad))
                continue
            cells, reason = _record(line, lines, separator=separator, quote=quote, width=width)
            if reason:
                findings.refused.append(RefusedRow(findings.rows, line, reason))
            else:
                writer.writerow([findings.rows, *cells])


def _record(line: str, lines: Lines, *, separator: str, quote: str, width: int) -> tuple[list[str], str]:
    if quote not in line:
        return _fitted(line.split(separator), width)
    taken = [line]
    characters = len(line)
    while True:
        cells, fault = parse_line("\n".join(taken), separator=separator, quote=quote)
        if fault != "open":
            break
        more = next(lines, None)
        if more is None or len(taken) > MOST_LINES_OF_A_CELL or characters > MOST_CHARACTERS:
            lines.put_back(taken[1:] + ([more] if more is not None else []))
            return [], "a quote is opened and never closed"
        taken.append(more)
        characters += len(more)
    cells, reason = ([], fault) if fault else _fitted(cells, width)
    if reason and len(taken) > 1:
        lines.put_back(taken[1:])
        return [], "a quote is opened and never closed"
    return cells, reason


def parse_line(line: str, *, separator: str, quote: str) -> tuple[list[str], str]:
    """The cells of one line, and what is wrong with it: "open" when a quoted cell goes on."""
    csv.field_size_limit(1 << 30)
    try:
        return next(csv.reader(io.StringIO(line, newline=""), delimiter=separator, quotechar=quote, strict=True)), ""
    except csv.Error as error:
        if "unexpected end" in str(error):
            return [], "open"
        return [], "text stands after a closing quote"
    except StopIteration:
        return [], "the line is empty"


def _fitted(cells: list[str], width: int) -> tuple[list[str], str]:
    while len(cells) > width and not cells[-1].strip():
        cells.pop()
    return cells, "" if len(cells) == width else ragged(len(cells), width)


def ragged(found: int, width: int) -> str:
    """Why a row of the wrong width is refused."""
    return f"{found} cell{'s' if found != 1 else ''} where the header has {width}"


def clean_lines(lines: Lines, target: Path, findings: Findings) -> None:
    """Write the lines with their numbers as clean CSV of two columns."""
    with target.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
        for number, line in enumerate(lines, start=1):
            findings.rows = number
            bad = misfit(line)
            if bad:
                findings.refused.append(RefusedRow(number, *bad))
            elif line.strip():
                writer.writerow([number, line])


def write_cells(rows: Iterable[tuple[int, list[Any]]], target: Path) -> None:
    """Write numbered rows of cells as clean CSV."""
    with target.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerows([number, *cells] for number, cells in rows)
