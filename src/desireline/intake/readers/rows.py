"""One front for all kinds of files: a DuckDB table of texts, and the rows that were refused."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import duckdb

from desireline.intake.readers.careful import Findings, Lines, RefusedRow, clean_csv, clean_lines, write_cells
from desireline.intake.readers.json_lines import (
    KEYS_OF_JSON_SQL,
    KEYS_SQL,
    is_one_text,
    refuse_no_objects,
    write_objects,
)
from desireline.intake.readers.mailbox import write_letters
from desireline.intake.readers.parquet import load_parquet
from desireline.intake.readers.quick import load_clean, load_quickly
from desireline.intake.readers.spreadsheet import parted, sheet_rows, unusable_cells
from desireline.intake.sniff import Sniffed, column_names
from desireline.vocabulary.errors import DesirelineError, Mistake


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a file, in a table of the connection.

    `row` is the SQL expression of a row's number in the file. The table has `c1`, `c2`, ... for the
    `columns` in their order, or, when `json` is true, the object itself in `line`. Every cell is
    text as it stands in the file. `only_blanks` says that cells hold no other white space of ASCII than blanks.
    """

    table: str
    row: str
    columns: tuple[str, ...]
    json: bool
    count: int
    refused: tuple[RefusedRow, ...] = ()
    notes: tuple[str, ...] = ()
    only_blanks: bool = False


def read_rows(
    connection: duckdb.DuckDBPyConnection, path: Path, sniffed: Sniffed, *, folder: Path, table: str = "source_rows"
) -> Rows:
    """Load a file into a table; `folder` takes temporary files. Raises `DesirelineError` for what is no table."""
    kind = sniffed.reading.format
    if kind == "parquet":
        columns = load_parquet(connection, path, table)
        return Rows(table, "rowid + 1", columns, False, _count(connection, table))
    if kind == "xlsx":
        return _spreadsheet(connection, path, sniffed, folder, table)
    if kind == "mbox":
        return _mailbox(connection, path, sniffed, folder, table)
    if kind == "jsonl":
        return _json_lines(connection, path, sniffed, folder, table)
    return _csv(connection, path, sniffed, folder, table)


def _count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0])


def _is_plain(sniffed: Sniffed) -> bool:
    return not sniffed.zipped and sniffed.reading.encoding in ("utf-8", "ascii") and sniffed.newline in ("\n", "\r\n")


def _csv(connection: duckdb.DuckDBPyConnection, path: Path, sniffed: Sniffed, folder: Path, table: str) -> Rows:
    names, notes, above = csv_header(path, sniffed)
    cells = [f"c{place}" for place in range(1, len(names) + 1)]
    reading = sniffed.reading
    separator, quote = reading.separator or ",", reading.quote or '"'
    if _is_plain(sniffed) and above is not None:
        quick = load_quickly(
            connection, path, table, cells, skip=above, separator=separator, quote=quote, newline=sniffed.newline
        )
        if quick is not None:
            row = "row" if quick.refused else "rowid + 1"
            return Rows(table, row, names, False, quick.rows, quick.refused, notes, quick.only_blanks)
    findings = Findings()
    lines = _lines(path, sniffed, findings)
    _skip_header(lines, sniffed, quote)
    target = folder / f"{table}.csv"
    clean_csv(lines, target, separator=separator, quote=quote, width=len(names), findings=findings)
    lines.close()
    load_clean(connection, target, table, cells)
    return Rows(table, "row", names, False, findings.rows, tuple(findings.refused), (*notes, *findings.notes))


def _lines(path: Path, sniffed: Sniffed, findings: Findings) -> Lines:
    return Lines(path, encoding=sniffed.reading.encoding or "utf-8", zipped=sniffed.zipped, findings=findings)


def csv_header(path: Path, sniffed: Sniffed) -> tuple[tuple[str, ...], tuple[str, ...], int | None]:
    """Column names, notes, and how many lines stand above the data (None when a header cell spans lines)."""
    reading = sniffed.reading
    skip = reading.skip_lines or 0
    header_rows = 1 if reading.header_rows is None else reading.header_rows
    csv.field_size_limit(1 << 30)
    lines = io.StringIO(sniffed.head.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", ""))
    for _ in range(skip):
        lines.readline()
    reader = csv.reader(lines, delimiter=reading.separator or ",", quotechar=reading.quote or '"')
    try:
        rows = list(islice(reader, max(1, header_rows))) or [[]]
    except csv.Error as error:
        raise DesirelineError(Mistake(f"has a header that cannot be read ({error}).", path.name)) from None
    header = rows[0]
    if header_rows == 0:
        return tuple(f"column_{place}" for place in range(1, len(header) + 1)), (), skip
    while len(header) > 1 and not header[-1].strip():
        header = header[:-1]
    if not any(cell.strip() for cell in header):
        raise DesirelineError(Mistake("has an empty header.", path.name, do="Say header_rows: 0, or skip_lines: 1."))
    names, notes = column_names(header, width=len(header))
    spans_lines = reader.line_num != header_rows or not all(rows)
    return names, notes, None if spans_lines else skip + header_rows


def _skip_header(lines: Lines, sniffed: Sniffed, quote: str) -> None:
    reading = sniffed.reading
    for _ in range(reading.skip_lines or 0):
        next(lines, None)
    for _ in range(1 if reading.header_rows is None else reading.header_rows):
        line = next(lines, "")
        while not line.strip() or line.count(quote) % 2:
            more = next(lines, None)
            if more is None:
                return
            line += more


def _json_lines(connection: duckdb.DuckDBPyConnection, path: Path, sniffed: Sniffed, folder: Path, table: str) -> Rows:
    one_text = is_one_text(sniffed.head)
    if _is_plain(sniffed) and not one_text:
        for keys in (KEYS_OF_JSON_SQL, KEYS_SQL):
            quick = load_quickly(
                connection,
                path,
                table,
                ["line"],
                skip=0,
                separator="\x01",
                quote="",
                newline=sniffed.newline,
                also=f", {keys} AS keys",
            )
            if quick is not None:
                row = "row" if quick.refused else "rowid + 1"
                refused = (*quick.refused, *refuse_no_objects(connection, table, row))
                return Rows(table, row, (), True, quick.rows, refused, (), quick.only_blanks)
    findings = Findings()
    lines = _lines(path, sniffed, findings)
    target = folder / f"{table}.csv"
    if one_text:
        write_objects(path, lines, target, findings)
    else:
        clean_lines(lines, target, findings)
    lines.close()
    load_clean(connection, target, table, ["line"], also=f", {KEYS_SQL} AS keys")
    refused = (*findings.refused, *refuse_no_objects(connection, table, "row"))
    return Rows(table, "row", (), True, findings.rows, refused, tuple(findings.notes))


def _mailbox(connection: duckdb.DuckDBPyConnection, path: Path, sniffed: Sniffed, folder: Path, table: str) -> Rows:
    findings = Findings()
    target = folder / f"{table}.csv"
    write_letters(path, target, findings, zipped=sniffed.zipped, own_addresses=sniffed.reading.own_addresses)
    load_clean(connection, target, table, ["line"], also=f", {KEYS_SQL} AS keys")
    return Rows(table, "row", (), True, findings.rows, tuple(findings.refused), tuple(findings.notes))


def _spreadsheet(connection: duckdb.DuckDBPyConnection, path: Path, sniffed: Sniffed, folder: Path, table: str) -> Rows:
    reading = sniffed.reading
    sheet, rows = sheet_rows(path, sheet=reading.sheet)
    rows = rows[reading.skip_lines or 0 :]
    header_rows = 1 if reading.header_rows is None else reading.header_rows
    if not rows:
        raise DesirelineError(Mistake("is empty: there is nothing to import.", path.name, do="Export it again."))
    width = max(len(cells) for _, cells in rows)
    names, notes = column_names(rows[0][1] if header_rows else [], width=width)
    body = rows[header_rows:]
    good, refused = parted(body, unusable_cells(path, sheet), width)
    target = folder / f"{table}.csv"
    write_cells(good, target)
    load_clean(connection, target, table, [f"c{place}" for place in range(1, width + 1)])
    return Rows(table, "row", names, False, len(body), tuple(refused), notes)
