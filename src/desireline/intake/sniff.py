"""What kind of file this is and how it is written: format, encoding, separator, quote, header rows."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from desireline.intake.mail.boxes import is_mailbox
from desireline.intake.recipes import FileFormat, Reading
from desireline.vocabulary.errors import DesirelineError, Mistake

HEAD_BYTES = 1 << 20
"""How much of a file is looked at to find out how it is written."""

SEPARATORS = (",", ";", "\t", "|", "\x1f", "^")
LINES_TRIED = 200
MOST_COLUMNS = 2_000

_BOMS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NOT_OURS: tuple[tuple[bytes, str, str], ...] = (
    (b"%pdf", "a PDF document", "Export the data as CSV or XLSX."),
    (b"<!doctype", "a web page", "Perhaps a login page was saved in place of the export."),
    (b"<html", "a web page", "Perhaps a login page was saved in place of the export."),
    (b"<?xml", "an XML document", "Export the data as CSV, XLSX, JSONL or Parquet."),
    (b"\x89png", "a picture", "Export the data as CSV or XLSX."),
    (b"\xff\xd8\xff", "a picture", "Export the data as CSV or XLSX."),
    (b"sqlite format 3", "an SQLite database", "Export its tables as CSV."),
    (b"rar!", "a RAR archive", "Unpack it first."),
    (b"7z\xbc\xaf", "a 7-Zip archive", "Unpack it first."),
    (b"bzh", "a bzip2 file", "Unpack it first."),
    (b"(\xb5/\xfd", "a Zstandard file", "Unpack it first."),
    (b"\xfd7zxz", "an xz file", "Unpack it first."),
)
_VALUE_LIKE = re.compile(r"[-+]?[\d.,]+|\d{1,4}[-./]\d{1,2}[-./]\d{1,4}.*|[^@\s]+@[^@\s]+\.[^@\s]+")


@dataclass(frozen=True, slots=True)
class Sniffed:
    """How a file is written, the first of its text, and what is not sure about it."""

    reading: Reading
    head: str
    zipped: bool
    newline: str
    doubts: tuple[str, ...] = ()


def sniff(path: Path, given: Reading) -> Sniffed:
    """Find out how a file is written; what `given` says is taken as it is.

    Raises `DesirelineError` for what cannot be an export: missing, empty, a folder, a PDF, a web page.
    """
    raw, zipped = _head(path)
    if not raw.strip(b"\x00 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise _unfit(path, "is empty: there is nothing to import.", "Export it again.")
    kind = given.format or _format(path, raw)
    if kind in ("parquet", "xlsx", "mbox"):
        return Sniffed(replace(given, format=kind), "", zipped, "\n")
    encoding, doubts = (given.encoding, ()) if given.encoding else _encoding(raw)
    head = _decode(raw, encoding)
    if kind is None:
        kind = "jsonl" if head.lstrip("\ufeff \t\r\n")[:1] in ("{", "[") else "csv"
    reading = replace(given, format=kind, encoding=encoding)
    if kind == "csv":
        reading, more = _csv(head, reading)
        doubts = (*doubts, *more)
    return Sniffed(reading, head, zipped, _newline(head), doubts)


def _newline(head: str) -> str:
    """The line end of a text, or "mixed" when there are several kinds."""
    both = head.count("\r\n")
    kinds = [("\r\n", both), ("\n", head.count("\n") - both), ("\r", head.count("\r") - both)]
    found = [end for end, count in kinds if count]
    return found[0] if len(found) == 1 else "mixed" if found else "\n"


def _unfit(path: Path, what: str, do: str) -> DesirelineError:
    return DesirelineError(Mistake(what, where=path.name, do=do))


def _head(path: Path) -> tuple[bytes, bool]:
    if not path.exists():
        raise _unfit(path, "there is no such file.", "Check the name and the folder.")
    if path.is_dir():
        raise _unfit(path, "is a folder.", "Name the files in it.")
    try:
        with path.open("rb") as file:
            raw = file.read(HEAD_BYTES)
    except PermissionError:
        raise _unfit(path, "may not be read.", "Give yourself the right to read it.") from None
    if raw[:2] != b"\x1f\x8b":
        return raw, False
    try:
        with gzip.open(path) as file:
            return file.read1(HEAD_BYTES), True
    except (OSError, EOFError, zlib.error) as error:
        raise _unfit(path, f"is a damaged gzip file ({error}).", "Fetch it again.") from None


def _format(path: Path, raw: bytes) -> FileFormat | None:
    if raw[:4] == b"PAR1":
        return "parquet"
    if raw[:4] == b"PK\x03\x04":
        if b"xl/" in raw or b"[Content_Types].xml" in raw:
            return "xlsx"
        raise _unfit(path, "is a ZIP archive.", "Unpack it and name the files in it.")
    if raw[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        return "xlsx"
    if is_mailbox(path.name, raw):
        return "mbox"
    start = raw.lstrip(b"\xef\xbb\xbf \t\r\n")[:16].lower()
    for mark, what, do in _NOT_OURS:
        if start.startswith(mark):
            raise _unfit(path, f"is {what}, not an export this can read.", do)
    if path.name.lower().removesuffix(".gz").endswith(".parquet"):
        raise _unfit(path, "is named Parquet but is none.", "Export it again.")
    return None


def _encoding(raw: bytes) -> tuple[str, tuple[str, ...]]:
    for mark, name in _BOMS:
        if raw.startswith(mark):
            return name, ()
    sample = raw[:4096]
    zeros = sample.count(0)
    if zeros > len(sample) // 5:
        even = sample[0::2].count(0)
        return ("utf-16-be" if even > zeros // 2 else "utf-16-le"), ("it looks like UTF-16 without a mark",)
    lines = raw.splitlines(keepends=True)
    whole = lines[:-1] if len(raw) >= HEAD_BYTES and len(lines) > 1 else lines
    bad = sum(not _is_utf8(line) for line in whole)
    if not bad or sum(_is_utf8(line) and not line.isascii() for line in whole) >= bad:
        return "utf-8", ()
    if raw.lstrip()[:1] == b"{":
        return "utf-8", ()
    name = _guess_encoding(raw)
    return name, (f"it is not UTF-8; read as {name}",)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _guess_encoding(raw: bytes) -> str:
    from charset_normalizer import from_bytes

    western = _western_letters(raw)
    if western:
        return "windows-1252"
    best = from_bytes(raw[:65536]).best()
    name = best.encoding if best else "windows-1252"
    return "windows-1252" if name in ("ascii", "utf_8", "latin_1", "cp1252") else name.replace("_", "-")


def _western_letters(raw: bytes) -> bool:
    """Whether every letter beyond ASCII is one that western European texts use, standing in words."""
    text = raw.decode("windows-1252", errors="replace")
    beyond = Counter(letter for letter in text if ord(letter) > 127)
    usual = sum(beyond[letter] for letter in "äöüÄÖÜßéèêëàâçôûùîïñáíóúìòœæøåÅØÉÈÀÇÑ€–’„“”·°§£¿¡")
    words = len(re.findall(r"[A-Za-z][äöüßéèêëàâçôûùîïñáíóúìòœæøå]{1,2}[a-z]|[A-Za-z]{2}[äöüßéèàçñáíóúåøì]", text))
    return usual >= 0.98 * sum(beyond.values()) and words * 4 >= sum(beyond.values())


def _decode(raw: bytes, encoding: str) -> str:
    return codecs.getincrementaldecoder(encoding)("replace").decode(raw).lstrip("\ufeff")


def _csv(head: str, given: Reading) -> tuple[Reading, tuple[str, ...]]:
    doubts: list[str] = []
    lines = head.splitlines()
    whole = lines[:-1] if len(head) >= HEAD_BYTES // 4 and len(lines) > 1 else lines
    skip = given.skip_lines or 0
    separator = given.separator
    if whole and (told := re.fullmatch(r"sep=(.)", whole[0].strip("\"' "))) and given.skip_lines is None:
        separator, skip = separator or told[1], 1
    quote = given.quote or _quote(head)
    body = whole[skip : skip + LINES_TRIED]
    if separator is None:
        separator, sure = _separator(body, quote)
        if not sure:
            doubts.append("no separator stands out; every line is taken as one column")
    rows = _rows(body, separator, quote)
    if given.skip_lines is None:
        above = _lines_above(rows)
        rows = rows[above:]
        if above:
            skip += _lines_until(body, filled=above)
            doubts.append(f"{above} line{'s' if above > 1 else ''} above the header left out")
    header_rows = given.header_rows
    if header_rows is None:
        header_rows, more = _header_rows(rows)
        doubts.extend(more)
    told_reading = replace(given, separator=separator, quote=quote, header_rows=header_rows, skip_lines=skip)
    return told_reading, tuple(doubts)


def _quote(head: str) -> str:
    single = len(re.findall(r"(?:^|[,;\t|])'[^'\n]*'(?=[,;\t|\r\n]|$)", head, re.MULTILINE))
    double = len(re.findall(r'(?:^|[,;\t|])"', head, re.MULTILINE))
    return "'" if single > 4 and single > double else '"'


def _rows(lines: Sequence[str], separator: str, quote: str) -> list[list[str]]:
    csv.field_size_limit(1 << 30)
    text = io.StringIO("\n".join(lines).replace("\x00", ""), newline="")
    reader = csv.reader(text, delimiter=separator, quotechar=quote)
    try:
        return [row for row in reader if row]
    except csv.Error:
        return [line.split(separator) for line in lines if line]


def _separator(lines: Sequence[str], quote: str) -> tuple[str, bool]:
    best, found = 0.0, ""
    for separator in SEPARATORS:
        widths = Counter(len(row) for row in _rows(lines, separator, quote))
        width, count = max(widths.items(), key=lambda pair: (pair[1] if pair[0] > 1 else 0, pair[0]), default=(1, 0))
        agreement = count / max(1, sum(widths.values()))
        merit = agreement * agreement * min(width, 60) if width > 1 else 0.0
        if merit > best:
            best, found = merit, separator
    return (found, True) if found else (",", False)


def _lines_above(rows: Sequence[Sequence[str]]) -> int:
    """How many rows stand above the table: much narrower than the rest, at the very top."""
    if len(rows) < 3:
        return 0
    widths = Counter(len(row) for row in rows)
    width = max(widths, key=lambda size: (widths[size], size))
    above = 0
    while above < min(20, len(rows) - 2) and len(rows[above]) == 1 and width > 1:
        above += 1
    return above if width > 1 and len(rows[above]) == width else 0


def _lines_until(lines: Sequence[str], *, filled: int) -> int:
    """How many lines stand above the line after so many filled ones, empty ones counted."""
    places = [place for place, line in enumerate(lines) if line.strip()]
    return places[filled]


def _header_rows(rows: Sequence[Sequence[str]]) -> tuple[int, tuple[str, ...]]:
    if len(rows) >= 3 and any(cell.startswith('{"ImportId"') for cell in rows[2]):
        return 3, ()
    first = [cell.strip() for cell in rows[0]] if rows else []
    values = [cell for cell in first if _VALUE_LIKE.fullmatch(cell)]
    if len(values) >= 2 or (values and len(values) * 3 >= len(first)):
        return 0, ("the first row looks like data, not like names; columns are called column_1, column_2 and so on",)
    return 1, ()


def column_names(header: Sequence[str], *, width: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Every column's own name, and notes on the ones that had none or one already taken.

    >>> column_names(["a", "a", ""], width=3)[0]
    ('a', 'a_2', 'column_3')
    """
    names: list[str] = []
    notes: list[str] = []
    for place in range(width):
        given = " ".join(header[place].split()) if place < len(header) else ""
        name = given or f"column_{place + 1}"
        count = 2
        while name in names:
            name, count = f"{given or 'column'}_{count}", count + 1
        if given and name != given:
            notes.append(f"the column '{given}' stands there twice; the second is called '{name}'")
        names.append(name)
    return tuple(names), tuple(notes)
