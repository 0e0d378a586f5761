"""Refused rows tried again: their texts, edited or not, become a table of rows as if they stood in a file."""

from __future__ import annotations

import json
from collections.abc import Sequence

import duckdb

from desireline.intake.readers.careful import RefusedRow, misfit, parse_line, ragged
from desireline.intake.readers.json_lines import KEYS_SQL, fault
from desireline.intake.readers.rows import Rows
from desireline.intake.recipes import Reading
from desireline.intake.refusals import Refusal

Cells = dict[str, str]


def rows_again(
    connection: duckdb.DuckDBPyConnection, refusals: Sequence[Refusal], columns: Sequence[str], reading: Reading
) -> Rows:
    """A table of the refused rows; `row` is the number of the refusal, so that each can be told from the others."""
    if reading.format in ("jsonl", "mbox"):
        return _objects(connection, refusals)
    good: list[tuple[int, list[str | None]]] = []
    refused = []
    for refusal in refusals:
        cells, reason = _cells(refusal.raw, columns, reading)
        if reason:
            refused.append(RefusedRow(refusal.number, refusal.raw, reason))
        else:
            good.append((refusal.number, [cells.get(name) for name in columns]))
    names = ", ".join(f"c{place} VARCHAR" for place in range(1, len(columns) + 1))
    connection.execute(f"CREATE OR REPLACE TABLE source_rows (row BIGINT, {names})")
    if good:
        marks = ", ".join("?" for _ in range(len(columns) + 1))
        connection.executemany(f"INSERT INTO source_rows VALUES ({marks})", [[number, *row] for number, row in good])
    return Rows("source_rows", "row", tuple(columns), False, len(refusals), tuple(refused))


def _objects(connection: duckdb.DuckDBPyConnection, refusals: Sequence[Refusal]) -> Rows:
    connection.execute("CREATE OR REPLACE TABLE source_rows (row BIGINT, line VARCHAR, keys BIGINT)")
    refused = []
    for refusal in refusals:
        found = connection.execute(
            "SELECT CASE WHEN json_valid($line) THEN json_type($line) = 'OBJECT' ELSE false END", {"line": refusal.raw}
        ).fetchall()
        if found[0][0]:
            connection.execute(
                f"INSERT INTO source_rows SELECT row, line, {KEYS_SQL} FROM (SELECT $row AS row, $line AS line)",
                {"row": refusal.number, "line": refusal.raw},
            ).fetchall()
        else:
            refused.append(RefusedRow(refusal.number, refusal.raw, fault(refusal.raw)))
    return Rows("source_rows", "row", (), True, len(refusals), tuple(refused))


def _cells(raw: str, columns: Sequence[str], reading: Reading) -> tuple[Cells, str]:
    """The cells of a refused row by column: an object of cells, a list of cells, or a line of the file."""
    try:
        body = json.loads(raw)
    except (json.JSONDecodeError, RecursionError):
        body = None
    if isinstance(body, dict):
        unknown = [name for name in body if name not in columns]
        if unknown:
            return {}, f"unknown column '{unknown[0]}'"
        return {name: "" if value is None else str(value) for name, value in body.items()}, ""
    if isinstance(body, list):
        return dict(zip(columns, map(str, body), strict=False)), ""
    wrong = misfit(raw)
    if wrong:
        return {}, wrong[1]
    cells, reason = parse_line(raw, separator=reading.separator or ",", quote=reading.quote or '"')
    while len(cells) > len(columns) and not cells[-1].strip():
        cells.pop()
    if reason:
        return {}, "a quote is opened and never closed" if reason == "open" else reason
    if len(cells) != len(columns):
        return {}, ragged(len(cells), len(columns))
    return dict(zip(columns, cells, strict=True)), ""
