"""The cells a recipe reads, trimmed and named, with the row's key and the rest of the row as an object; as SQL."""

from __future__ import annotations

import json
from collections.abc import Mapping

from desireline.intake.readers.json_lines import nested_sql, path_sql
from desireline.intake.readers.rows import Rows
from desireline.intake.recipes import Recipe
from desireline.intake.text_sql import text_sql, trimmed_sql


def cells_sql(rows: Rows, recipe: Recipe) -> str:
    """The rows with the recipe's columns as `u1`, `u2`, ..., the rest as `rest`, and the key as `row_key`."""
    used = recipe.columns()
    rest = _rest_sql(rows, used) if recipe.takes_the_rest else "NULL"
    if rows.json:
        inner, cell = _json_cells(rows, used)
        content = f"coalesce({cell['']}, '')"
    else:
        inner, cell = rows.table, {name: f"c{rows.columns.index(name) + 1}" for name in used}
        content = _content_sql(rows)
    trimmed = "".join(
        f", {trimmed_sql(cell[name], only_blanks=rows.only_blanks)} AS u{place}"
        for place, name in enumerate(used, start=1)
    )
    row = "row" if rows.json else rows.row
    content_key = f"md5({content}) || '#1'"
    key = " || ':' || ".join(trimmed_sql(cell[name], only_blanks=rows.only_blanks) for name in recipe.key)
    keys = (
        f"coalesce({key}, {content_key}) AS row_key, ({key}) IS NOT NULL AS own_key"
        if recipe.key
        else f"{content_key} AS row_key, false AS own_key"
    )
    return f"SELECT {row} AS row, {keys}, {rest} AS rest{trimmed} FROM {inner}"


def _json_cells(rows: Rows, used: tuple[str, ...]) -> tuple[str, dict[str, str]]:
    paths: list[str] = []
    cell: dict[str, str] = {"": "line"}
    for name in used:
        paths.append(path_sql(name))
        cell[name] = f"x[{len(paths)}]"
        if "." in name:
            paths.append(nested_sql(name))
            cell[name] = f"coalesce({cell[name]}, x[{len(paths)}])"
    taken = f"json_extract_string(line, [{', '.join(paths)}])" if paths else "NULL"
    return f"(SELECT {rows.row} AS row, line, keys, {taken} AS x FROM {rows.table} WHERE line IS NOT NULL)", cell


def _content_sql(rows: Rows) -> str:
    named = sorted((name, f"c{place}") for place, name in enumerate(rows.columns, start=1))
    parts = (f"{text_sql(name + '=')} || nullif({column}, '')" for name, column in named)
    return f"concat_ws(chr(31), {', '.join(parts)})"


def _rest_sql(rows: Rows, used: tuple[str, ...]) -> str:
    if rows.json:
        gone = ", ".join(f"{json_key(name)}: null" for name in used)
        if not used:
            return "line"
        patched = f"nullif(json_merge_patch(line, {text_sql('{' + gone + '}')})::VARCHAR, '{{}}')"
        return (
            patched if any("." in name for name in used) else f"CASE WHEN keys > {_filled_sql(used)} THEN {patched} END"
        )
    return object_sql(
        {
            name: trimmed_sql(f"c{place}", only_blanks=rows.only_blanks)
            for place, name in enumerate(rows.columns, start=1)
            if name not in used
        }
    )


def _filled_sql(used: tuple[str, ...]) -> str:
    """How many of the columns are there; when a line has as many keys, nothing else is in it."""
    return "(" + " + ".join(f"(x[{place}] IS NOT NULL)::INT" for place in range(1, len(used) + 1)) + ")"


def json_key(name: str) -> str:
    """A name as JSON text."""
    return json.dumps(name, ensure_ascii=False)


def object_sql(cells: Mapping[str, str]) -> str:
    """A JSON object of the cells that are filled in; NULL when none is."""
    if not cells:
        return "NULL"
    parts = (f"{text_sql(json_key(name) + ':')} || to_json({cell})" for name, cell in cells.items())
    return f"nullif('{{' || concat_ws(',', {', '.join(parts)}) || '}}', '{{}}')"


def row_as_object_sql(rows: Rows) -> str:
    """The whole row as it lies in quarantine: the line itself, or an object of its cells."""
    if rows.json:
        return "line"
    cells = {name: f"nullif(c{place}, '')" for place, name in enumerate(rows.columns, start=1)}
    return f"coalesce({object_sql(cells)}, '{{}}')"
