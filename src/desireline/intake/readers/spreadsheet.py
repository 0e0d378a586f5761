"""Spreadsheets: the values of one sheet as texts; formulas without a value and error cells are refused."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from desireline.intake.readers.careful import RefusedRow
from desireline.vocabulary.errors import DesirelineError, Mistake, nearest

_CELL = re.compile(rb'<c r="([A-Z]+)(\d+)"([^>]*)>(.*?)</c>', re.DOTALL)
_SHEET = re.compile(rb'<sheet [^>]*?name="([^"]*)"[^>]*?r:id="([^"]*)"')
_RELATION = re.compile(rb"<Relationship [^>]*>")


def sheet_rows(path: Path, *, sheet: str | None) -> tuple[str, list[tuple[int, list[str]]]]:
    """The name of the sheet and its numbered rows as texts (numbered as the spreadsheet does)."""
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    try:
        book = CalamineWorkbook.from_path(str(path))
        names = book.sheet_names
        chosen = _chosen(path, book, names, sheet)
        table = book.get_sheet_by_name(chosen)
        first = (table.start or (0, 0))[0]
        rows = [[_text(cell) for cell in row] for row in table.to_python(skip_empty_area=True)]
    except PasswordError:
        raise DesirelineError(
            Mistake("is protected by a password.", path.name, do="Save it without the password.")
        ) from None
    except CalamineError as error:
        raise DesirelineError(
            Mistake(f"is not a spreadsheet this can read ({error}).", path.name, do="Save it as XLSX or CSV.")
        ) from None
    return chosen, [(first + place + 1, row) for place, row in enumerate(rows) if any(row)]


def _chosen(path: Path, book: Any, names: list[str], sheet: str | None) -> str:
    if sheet is not None:
        if sheet not in names:
            raise DesirelineError(
                Mistake(f"has no sheet '{sheet}'.", path.name, do=nearest(sheet, names) or _among(names))
            )
        return sheet
    filled = [name for name in names if book.get_sheet_by_name(name).total_height > 0]
    if not filled:
        raise DesirelineError(Mistake("is empty: there is nothing to import.", path.name, do="Export it again."))
    return filled[0]


def _among(names: list[str]) -> str:
    return f"It has: {', '.join(names)}."


def _text(cell: Any) -> str:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, (datetime, date, time)):
        return cell.isoformat(sep=" ") if isinstance(cell, datetime) else cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell)
    return str(cell)


def unusable_cells(path: Path, sheet: str) -> dict[int, str]:
    """Rows that hold a formula without a value or an error, with the reason."""
    try:
        with zipfile.ZipFile(path) as book:
            content = book.read(_sheet_file(book, sheet))
    except (zipfile.BadZipFile, KeyError):
        return {}
    found: dict[int, str] = {}
    for column, row, attributes, inside in _CELL.findall(content):
        value = re.search(rb"<v>(.*?)</v>", inside, re.DOTALL)
        if b't="e"' in attributes:
            shown = value[1].decode() if value else "an error"
            found.setdefault(int(row), f"cell {column.decode()}{row.decode()} holds the error {shown}")
        elif b"<f" in inside and not (value and value[1]) and b't="str"' not in attributes:
            reason = (
                f"cell {column.decode()}{row.decode()} holds a formula without a value; open and save the file once"
            )
            found.setdefault(int(row), reason)
    return found


def _sheet_file(book: zipfile.ZipFile, sheet: str) -> str:
    from html import unescape

    sheets = {unescape(name.decode()): mark for name, mark in _SHEET.findall(book.read("xl/workbook.xml"))}
    for relation in _RELATION.findall(book.read("xl/_rels/workbook.xml.rels")):
        mark = re.search(rb'Id="([^"]*)"', relation)
        target = re.search(rb'Target="([^"]*)"', relation)
        if mark and target and mark[1] == sheets.get(sheet):
            name = target[1].decode()
            return name.removeprefix("/") if name.startswith("/") else f"xl/{name}"
    raise KeyError(sheet)


def parted(
    rows: list[tuple[int, list[str]]], unusable: dict[int, str], width: int
) -> tuple[Iterator[tuple[int, list[str]]], list[RefusedRow]]:
    """Good rows padded to the table's width, and the refused ones."""
    import json

    refused = [
        RefusedRow(number, json.dumps(cells, ensure_ascii=False), unusable[number])
        for number, cells in rows
        if number in unusable
    ]
    good = ((number, (cells + [""] * width)[:width]) for number, cells in rows if number not in unusable)
    return good, refused
