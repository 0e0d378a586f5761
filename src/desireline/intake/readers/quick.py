"""The quick way into a table: DuckDB's own reader, which keeps what it could not read and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np

from desireline.intake.readers.careful import RefusedRow, misfit, parse_line, ragged
from desireline.intake.text_sql import text_sql, types_sql

MOST_ROW_BYTES = 20_000_000
"""A row larger than this is refused; its head, length and digest are kept."""

_LINE_END = 10
_NEWLINES = {"\n": "\\n", "\r\n": "\\r\\n"}


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many rows the file has, those that were refused, and whether blanks are the only white space in cells."""

    rows: int
    refused: tuple[RefusedRow, ...]
    only_blanks: bool


def load_quickly(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    table: str,
    columns: Sequence[str],
    *,
    skip: int,
    separator: str,
    quote: str,
    newline: str,
    also: str = "",
) -> Loaded | None:
    """What was loaded; None when the file needs the careful way.

    The table gets the column `row` (the number in the file) when rows were refused; else it is rowid + 1.
    `also` is SQL of further columns, made while reading.
    """
    _forget(connection)
    try:
        connection.execute(
            f"""CREATE OR REPLACE TABLE {table} AS SELECT *{also} FROM read_csv({text_sql(str(path))},
                auto_detect = false, header = false, skip = {skip}, delim = {text_sql(separator)},
                quote = {text_sql(quote)}, escape = {text_sql(quote)},
                columns = {types_sql(dict.fromkeys(columns, "VARCHAR"))},
                new_line = '{_NEWLINES[newline]}', store_rejects = true, rejects_limit = 0,
                max_line_size = {MOST_ROW_BYTES})"""
        )
    except duckdb.Error:
        return None
    refused = _rejects(connection, path, above=skip, separator=separator, quote=quote, width=len(columns))
    _forget(connection)
    if refused is None:
        return None
    good = _good(connection, table)
    scanned = _scan(path, newline=newline, is_json=not quote)
    rows = good + len(refused)
    line_a_row = scanned.lines - skip == rows
    if not line_a_row and not _adds_up(connection, path, table, columns, rows=rows, lines=scanned.lines - skip):
        return None
    if refused:
        _number(connection, table, [item.row for item in refused], total=rows)
    return Loaded(rows, refused, only_blanks=line_a_row and scanned.only_blanks)


def load_clean(
    connection: duckdb.DuckDBPyConnection, clean: Path, table: str, columns: Sequence[str], *, also: str = ""
) -> None:
    """Load a file the careful way has written, then remove it."""
    types = {"row": "BIGINT", **dict.fromkeys(columns, "VARCHAR")}
    connection.execute(
        f"""CREATE OR REPLACE TABLE {table} AS SELECT *{also} FROM read_csv({text_sql(str(clean))},
            auto_detect = false, header = false, delim = ',', quote = '"', escape = '"',
            columns = {types_sql(types)}, new_line = '\\n', max_line_size = {MOST_ROW_BYTES * 3})"""
    )
    clean.unlink()


def _forget(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("DROP TABLE IF EXISTS reject_errors; DROP TABLE IF EXISTS reject_scans")


def _rejects(
    connection: duckdb.DuckDBPyConnection, path: Path, *, above: int, separator: str, quote: str, width: int
) -> tuple[RefusedRow, ...] | None:
    rejects = connection.execute(
        """SELECT line, any_value(line_byte_position), any_value(csv_line), list(error_type::VARCHAR)
           FROM reject_errors GROUP BY line ORDER BY line"""
    ).fetchall()
    if any("UNQUOTED VALUE" in kinds or "\n" in (raw or "") for _, _, raw, kinds in rejects):
        return None
    refused = []
    with path.open("rb") as file:
        for line, position, _, kinds in rejects:
            file.seek(max(0, (position or 1) - 1))
            raw = file.readline().rstrip(b"\r\n")
            refused.append(_refused(line - above, raw, kinds, separator=separator, quote=quote, width=width))
    return tuple(refused)


def _refused(row: int, raw: bytes, kinds: Sequence[str], *, separator: str, quote: str, width: int) -> RefusedRow:
    if "LINE SIZE OVER MAXIMUM" in kinds:
        return RefusedRow(row, raw.decode("utf-8", "replace"), f"the row is longer than {MOST_ROW_BYTES:,} bytes")
    wrong = misfit(raw.decode("utf-8", "surrogateescape"))
    if wrong:
        return RefusedRow(row, *wrong)
    text = raw.decode("utf-8", "replace")
    if not quote:
        return RefusedRow(row, text, "not JSON: it holds a control character")
    cells, reason = parse_line(text, separator=separator, quote=quote)
    return RefusedRow(row, text, reason or ragged(len(cells), width))


def _good(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0])


def _adds_up(
    connection: duckdb.DuckDBPyConnection, path: Path, table: str, columns: Sequence[str], *, rows: int, lines: int
) -> bool:
    """Whether every line of the file became part of a row: nothing is lost in silence."""
    breaks = " + ".join(f"coalesce(length({name}) - length(replace({name}, chr(10), '')), 0)" for name in columns)
    inside = int(connection.execute(f"SELECT coalesce(sum({breaks}), 0) FROM {table}").fetchall()[0][0])
    return rows <= lines - inside <= rows + _empty_lines(path)


@dataclass(frozen=True, slots=True)
class _Scanned:
    """How many lines a file has, and whether blanks and line ends are all the white space of ASCII in it."""

    lines: int
    only_blanks: bool


def _scan(path: Path, *, newline: str, is_json: bool) -> _Scanned:
    others = (b"\t", b"\f", b"\v", b"\\" if is_json else b"\t", b"\r" if newline == "\n" else b"\t")
    lines, returns, only_blanks, chunk = 0, 0, True, b"\n"
    with path.open("rb") as file:
        while more := file.read(1 << 24):
            chunk = more
            lines += int(np.count_nonzero(np.frombuffer(chunk, np.uint8) == _LINE_END))
            only_blanks = only_blanks and not any(sign in chunk for sign in others)
            if only_blanks and newline == "\r\n":
                returns += chunk.count(b"\r")
    only_blanks = only_blanks and returns in (0, lines)
    return _Scanned(lines + (chunk[-1:] != b"\n"), only_blanks)


def _empty_lines(path: Path) -> int:
    empty, last = 0, b"\n"
    with path.open("rb") as file:
        while chunk := file.read(1 << 24):
            seam = last[-2:] + chunk
            empty += seam.count(b"\n\n") + seam.count(b"\n\r\n")
            last = chunk
    return empty


def _number(connection: duckdb.DuckDBPyConnection, table: str, refused: Sequence[int], *, total: int) -> None:
    """Give the good rows the numbers that the refused ones left free."""
    numbers = {"row": np.delete(np.arange(1, total + 1), np.array(refused) - 1)}
    connection.register("row_numbers", numbers)
    connection.execute(
        f"""CREATE OR REPLACE TABLE {table}_numbered AS
            SELECT row_numbers.row, {table}.* FROM {table} POSITIONAL JOIN row_numbers;
            DROP TABLE {table}; ALTER TABLE {table}_numbered RENAME TO {table}"""
    )
    connection.unregister("row_numbers")
