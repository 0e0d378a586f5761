"""Ad-hoc questions in SQL: read-only, bounded in time, rows and memory, with errors that help."""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Sequence
from typing import Any

import duckdb

from desireline.vocabulary.errors import DesirelineError, Mistake, nearest
from desireline.vocabulary.table import Table

_MISSING_COLUMN = re.compile(r'Referenced column "([^"]+)"|does not have a column named "([^"]+)"')
_MISSING_TABLE = re.compile(r"Table with name (\S+) does not exist")
_PLACE = re.compile(r"^LINE (\d+): ?(.*)$", re.MULTILINE)


def answer(
    connection: duckdb.DuckDBPyConnection, text: str, *, paths: Sequence[str], limit: int, seconds: float
) -> Table:
    """Run one SELECT on a connection that is shut off from everything but the files in `paths`."""
    _only_a_question(connection, text)
    known = _known_names(connection)
    _shut_off(connection, paths)
    stop = threading.Timer(seconds, connection.interrupt)
    stop.daemon = True
    stop.start()
    try:
        result = connection.execute(_zoned_as_text(connection, text))
        names = _distinct_names([str(column[0]) for column in result.description or ()])
        rows = result.fetchmany(limit + 1)
    except duckdb.InterruptException as error:
        raise DesirelineError(
            Mistake(
                f"the question took longer than {seconds:g} seconds.", "sql", do="Ask for less, or raise the limit."
            )
        ) from error
    except duckdb.Error as error:
        raise DesirelineError(_mistake(error, known)) from error
    finally:
        stop.cancel()
    cut = len(rows) > limit
    values = list(zip(*rows[:limit], strict=True)) or [()] * len(names)
    counted = f"only the first {limit:,} rows are shown" if cut else ""
    return Table("", dict(zip(names, values, strict=True)), counted=counted, notes={"cut": cut})


def _zoned_as_text(connection: duckdb.DuckDBPyConnection, text: str) -> str:
    """The question with its moments that carry a zone as texts in UTC; fetching those needs a library we do without."""
    if connection.extract_statements(text)[0].type != duckdb.StatementType.SELECT:
        return text
    described = connection.execute(f"DESCRIBE {text}").fetchall()
    zoned = [str(row[0]) for row in described if str(row[1]) == "TIMESTAMP WITH TIME ZONE"]
    quoted = ['"' + name.replace('"', '""') + '"' for name in zoned]
    texts = ", ".join(f"CAST({name} AS VARCHAR) AS {name}" for name in quoted)
    return f"SELECT * REPLACE ({texts}) FROM ({text.rstrip().rstrip(';')}\n)" if texts else text


def _only_a_question(connection: duckdb.DuckDBPyConnection, text: str) -> None:
    try:
        statements = connection.extract_statements(text)
    except duckdb.Error as error:
        raise DesirelineError(_mistake(error, {})) from error
    kinds = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)
    if len(statements) != 1 or statements[0].type not in kinds:
        raise DesirelineError(
            Mistake(
                "only one SELECT can be asked here.", "sql", do="Data is changed by import, judge and undo, not by SQL."
            )
        )


def _shut_off(connection: duckdb.DuckDBPyConnection, paths: Sequence[str]) -> None:
    allowed = ", ".join("'" + path.replace("'", "''") + "'" for path in paths)
    connection.execute(f"SET allowed_paths = [{allowed}]")
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET python_enable_replacements = false")
    connection.execute("SET temp_directory = ''")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _known_names(connection: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    rows = connection.execute("SELECT table_name, column_name FROM information_schema.columns").fetchall()
    return {"table": sorted({row[0] for row in rows}), "column": sorted({row[1] for row in rows})}


def _mistake(error: duckdb.Error, known: dict[str, list[str]]) -> Mistake:
    message = str(error)
    what = re.sub(r"^\w+( \w+)? Error: ", "", message.splitlines()[0])
    hint = ""
    for kind, pattern in (("column", _MISSING_COLUMN), ("table", _MISSING_TABLE)):
        found = pattern.search(message)
        if found:
            name = next(group for group in found.groups() if group)
            what = f"there is no {kind} '{name}'."
            hint = nearest(name, known.get(kind, []))
    place = _PLACE.search(message)
    line, column = (int(place.group(1)), _caret(message)) if place else (None, None)
    return Mistake(what, "sql", line, column, hint)


def _caret(message: str) -> int | None:
    lines = message.splitlines()
    for above, below in itertools.pairwise(lines):
        prefix = re.match(r"LINE \d+: ", above)
        if prefix and "^" in below and "..." not in above[:14]:
            return below.index("^") - len(prefix.group()) + 1
    return None


def _distinct_names(names: Sequence[str]) -> list[str]:
    seen: dict[str, int] = {}
    distinct: list[Any] = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        distinct.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return distinct
