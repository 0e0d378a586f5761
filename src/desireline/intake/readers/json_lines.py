"""JSON lines: one object a line; lines that are no object are refused with the place of the fault."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

from desireline.intake.readers.careful import Findings, Lines, RefusedRow, write_cells
from desireline.intake.text_sql import text_sql
from desireline.vocabulary.errors import DesirelineError, Mistake

KEYS_OF_JSON_SQL = "len(json_keys(line))"
KEYS_SQL = f"CASE WHEN json_valid(line) THEN {KEYS_OF_JSON_SQL} END"
"""How many keys the object of a line has: NULL when the line is no JSON, 0 when it is no object or an empty one.

The first costs half, and fails where a line is no JSON.
"""

NO_OBJECT_SQL = "CASE WHEN keys > 0 THEN false WHEN keys = 0 THEN json_type(line) <> 'OBJECT' ELSE true END"


def refuse_no_objects(connection: duckdb.DuckDBPyConnection, table: str, row: str) -> list[RefusedRow]:
    """The lines of the table that are no JSON object; their place in the table is left empty.

    Empty lines are passed over.
    """
    found = connection.execute(
        f"SELECT rowid, {row}, line FROM {table} WHERE line IS NOT NULL AND {NO_OBJECT_SQL}"
    ).fetchall()
    if found:
        places = [place for place, _, _ in found]
        connection.execute(
            f"UPDATE {table} SET line = NULL, keys = NULL WHERE rowid IN (SELECT unnest($places))", {"places": places}
        )
    return [RefusedRow(number, line, fault(line)) for _, number, line in found if line.strip()]


def fault(line: str) -> str:
    """What is wrong with a line that is no JSON object, and where.

    >>> fault('[1]')
    'not a JSON object but a list'
    """
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        return f"not JSON: {error.msg.lower()} at character {error.pos + 1}"
    except (RecursionError, ValueError):
        return "not JSON: nested too deeply or a number too long"
    kinds = {list: "a list", str: "a text", bool: "a yes or no", type(None): "null"}
    if isinstance(value, dict):
        return "not JSON that can be kept: half of a surrogate pair"
    return f"not a JSON object but {kinds.get(type(value), 'a number')}"


def objects_of(path: Path, lines: Lines) -> Iterator[tuple[int, list[Any]]]:
    """The numbered objects of a file that is one JSON list (or one object over several lines)."""
    text = "\n".join(lines)
    try:
        body = json.loads(text.lstrip("\ufeff"))
    except (json.JSONDecodeError, RecursionError) as error:
        raise DesirelineError(
            Mistake(
                f"is one JSON text, and broken ({error}).", path.name, do="Export it as JSON lines, one object a line."
            )
        ) from None
    items = body if isinstance(body, list) else [body]
    for number, item in enumerate(items, start=1):
        yield number, [json.dumps(item, ensure_ascii=False)]


def is_one_text(head: str) -> bool:
    """Whether a JSON file is one list or one object over several lines, not one object a line."""
    start = head.lstrip("\ufeff \t\r\n")
    if start.startswith("["):
        return True
    first = start.split("\n", 1)[0].strip()
    if first != "{" and not first.endswith((",", "{", "[")):
        return False
    try:
        json.loads(first)
    except (json.JSONDecodeError, RecursionError):
        return True
    return False


def write_objects(path: Path, lines: Lines, target: Path, findings: Findings) -> None:
    """Write the objects of one JSON text with their numbers as clean CSV of two columns."""
    items = list(objects_of(path, lines))
    findings.rows = len(items)
    write_cells(items, target)


def keys_of(lines: list[str]) -> list[str]:
    """Every key of the objects, nested ones as dotted paths, in the order they are first met."""
    keys: dict[str, None] = {}
    for line in lines:
        try:
            body = json.loads(line)
        except (json.JSONDecodeError, RecursionError, ValueError):
            continue
        if isinstance(body, dict):
            keys.update(dict.fromkeys(_paths(body, depth=0)))
    return list(keys)


def _paths(body: dict[str, Any], *, depth: int) -> Iterator[str]:
    for key, value in body.items():
        if isinstance(value, dict) and value and depth < 3:
            yield from (f"{key}.{path}" for path in _paths(value, depth=depth + 1))
        else:
            yield key


def path_sql(key: str) -> str:
    """A key as a JSON path.

    >>> path_sql("a")
    '\\'$."a"\\''
    """
    return text_sql("$." + f'"{key}"')


def nested_sql(key: str) -> str:
    """A dotted key as a path through nested objects."""
    return text_sql("$." + ".".join(f'"{part}"' for part in key.split(".")))
