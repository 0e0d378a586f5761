"""The first rows of a file, as texts, for guessing what its columns are."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from desireline.intake.readers.json_lines import is_one_text, keys_of
from desireline.intake.readers.parquet import load_parquet
from desireline.intake.readers.rows import csv_header
from desireline.intake.readers.spreadsheet import sheet_rows
from desireline.intake.sniff import HEAD_BYTES, Sniffed, column_names

MOST_ROWS = 2_000


@dataclass(frozen=True, slots=True)
class Sample:
    """The columns of a file and the filled-in values of each, from its first rows."""

    columns: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    rows: int


def sample(path: Path, sniffed: Sniffed) -> Sample:
    """The first rows of a file."""
    kind = sniffed.reading.format
    if kind == "parquet":
        return _of_table(path)
    if kind == "xlsx":
        _, rows = sheet_rows(path, sheet=sniffed.reading.sheet)
        rows = rows[sniffed.reading.skip_lines or 0 :]
        header_rows = 1 if sniffed.reading.header_rows is None else sniffed.reading.header_rows
        width = max((len(cells) for _, cells in rows), default=0)
        names, _ = column_names(rows[0][1] if header_rows and rows else [], width=width)
        return _of(names, [cells for _, cells in rows[header_rows : MOST_ROWS + header_rows]])
    if kind == "jsonl":
        return _of_objects(sniffed)
    names, _, _ = csv_header(path, sniffed)
    return _of(names, _csv_rows(sniffed))


def _of(names: tuple[str, ...], rows: list[list[Any]]) -> Sample:
    values = tuple(
        tuple(text for row in rows if place < len(row) and (text := str(row[place] or "").strip()))
        for place in range(len(names))
    )
    return Sample(names, values, len(rows))


def _csv_rows(sniffed: Sniffed) -> list[list[str]]:
    reading = sniffed.reading
    lines = sniffed.head.replace("\x00", "").splitlines(keepends=True)
    if len(sniffed.head) > HEAD_BYTES // 4:
        lines = lines[:-1]
    csv.field_size_limit(1 << 30)
    body = io.StringIO("".join(lines[reading.skip_lines or 0 :]), newline="")
    rows: list[list[str]] = []
    reader = csv.reader(body, delimiter=reading.separator or ",", quotechar=reading.quote or '"')
    try:
        for row in reader:
            if row:
                rows.append(row)
            if len(rows) > MOST_ROWS:
                break
    except csv.Error:
        pass
    return rows[1 if reading.header_rows is None else reading.header_rows :]


def _of_objects(sniffed: Sniffed) -> Sample:
    if is_one_text(sniffed.head):
        try:
            body = json.loads(sniffed.head)
        except (json.JSONDecodeError, RecursionError):
            body = []
        lines = [json.dumps(item) for item in (body if isinstance(body, list) else [body])[:MOST_ROWS]]
    else:
        lines = sniffed.head.splitlines()[:MOST_ROWS]
    keys = keys_of(lines)
    rows: list[list[Any]] = []
    for line in lines:
        try:
            item = json.loads(line)
        except (json.JSONDecodeError, RecursionError, ValueError):
            continue
        if isinstance(item, dict):
            rows.append([_text(_at(item, key)) for key in keys])
    return _of(tuple(keys), rows)


def _at(item: dict[str, Any], key: str) -> Any:
    if key in item:
        return item[key]
    value: Any = item
    for part in key.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value)


def _of_table(path: Path) -> Sample:
    import duckdb

    with duckdb.connect(config={"autoinstall_known_extensions": False, "TimeZone": "UTC"}) as connection:
        names = load_parquet(connection, path, "sampled", most_rows=MOST_ROWS)
        rows = [list(row) for row in connection.execute("SELECT * FROM sampled").fetchall()]
    return _of(names, rows)
