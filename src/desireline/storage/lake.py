"""The lake: every shared table as Parquet files that DuckDB, Polars, Spark or anything else can read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb

from desireline.storage.durable import replacing, sync_folder
from desireline.storage.engines.local import threads
from desireline.storage.part_names import shown, stretch_of
from desireline.storage.questions import answer
from desireline.vocabulary.errors import DesirelineError, Mistake, WorkFailed, nearest
from desireline.vocabulary.interaction import BY_COLUMN
from desireline.vocabulary.table import Table
from desireline.vocabulary.tables import INTERACTIONS, TABLES, SharedTable

_PART_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}")
_MEMORY = "60%"
PARQUET = "FORMAT parquet, COMPRESSION snappy, PARQUET_VERSION v2, DICTIONARY_SIZE_LIMIT 1000"
"""Short dictionaries and packed numbers: a fifth quicker to write and a quarter smaller than DuckDB's habit."""
_MOST_KNOWN = 10_000
HANDLES_IN_A_GROUP = 16_384
"""Few rows in a group of handles, which are in order: a few are found without reading all."""


class Lake:
    """The tables of one project, each a folder of Parquet parts: `<folder>/<table>/<part>.parquet`.

    A part is written whole or not at all and never changed afterwards; interactions have one part
    per import, named by the import's id, and one for each stretch of what came in live, merged into
    longer ones now and then (`merging`, `part_names`). A part may lack columns that hold nothing in it: whoever reads
    parts by themselves reads them with `reading_sql`, which fills them in.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self._engine: duckdb.DuckDBPyConnection | None = None
        self._rows: dict[tuple[Path, int, int], int] = {}

    def parts(self, table: str) -> tuple[str, ...]:
        """The names of a table's parts that count, in order of name; one that a longer stretch covers does not."""
        return tuple(shown(self._files(table)))

    def covered(self, table: str) -> tuple[str, ...]:
        """Parts that were merged into others and lie there still, for whoever reads them at this moment."""
        there = self._files(table)
        return tuple(sorted(set(there) - set(shown(there))))

    def path(self, table: str, part: str) -> Path:
        """The file of one part."""
        if not _PART_NAME.fullmatch(part):
            raise DesirelineError(Mistake(f"'{part}' cannot name a part of the lake.", do="Use letters, digits, . _ -"))
        return self.folder / _table(table).name / f"{part}.parquet"

    def connection(self) -> duckdb.DuckDBPyConnection:
        """A DuckDB connection with one view per table, and `ledger`, over the parts there are now."""
        connection = duckdb.connect(config=_settings(self.folder))
        connection.execute("SET enable_progress_bar = false")
        for table in TABLES.values():
            self._make_view(connection, table)
        connection.execute(f"CREATE VIEW ledger AS {files(__package__).joinpath('ledger.sql').read_text()}")
        return connection

    def look_again(self, connection: duckdb.DuckDBPyConnection, table: str) -> None:
        """Let a connection that was opened earlier see the parts of a table that there are now."""
        self._make_view(connection, _table(table))

    def sql(self, text: str, limit: int = 1_000, seconds: float = 30.0) -> Table:
        """The answer to one SELECT over the lake; it can neither change nor reach anything else.

        At most `limit` rows come back (`notes["cut"]` says whether there were more); a question that
        takes longer than `seconds` is stopped. Errors name the nearest column or table.
        """
        connection = self.connection()
        _describe(connection)
        try:
            paths = [str(self.path(table, part)) for table in TABLES for part in self.parts(table)]
            return answer(connection, text, paths=paths, limit=limit, seconds=seconds)
        finally:
            connection.close()

    def write_part(
        self,
        table: str,
        part: str,
        source: str | duckdb.DuckDBPyRelation,
        connection: duckdb.DuckDBPyConnection | None = None,
    ) -> int:
        """Write one part, whole or not at all, and return its number of rows.

        `source` is a SELECT or a relation of `connection`; its columns are matched by name and cast
        to the table's types, those it lacks stay empty, and those the table does not know are refused.
        """
        own = connection is None
        connection = connection or self.connection()
        try:
            relation = connection.sql(source) if isinstance(source, str) else source
            projection = _projection(_table(table), relation.columns)
            with replacing(self.path(table, part)) as temporary:
                group = HANDLES_IN_A_GROUP if _table(table).last_of else None
                relation.project(projection).write_parquet(str(temporary), compression="snappy", row_group_size=group)
                return _rows(temporary, connection.cursor())
        except duckdb.Error as error:
            raise WorkFailed(Mistake(_first_line(error), f"table '{table}', part '{part}'")) from error
        finally:
            if own:
                connection.close()

    def write_rows(self, table: str, part: str, rows: Sequence[Mapping[str, Any]]) -> int:
        """Write one part from rows in memory, whole or not at all, in their order, and return their number.

        Columns a row lacks stay empty, those the table does not know are refused. Texts are kept letter by
        letter; only half a character (a lone surrogate, which no file can hold) becomes the replacement character.
        """
        known = _table(table)
        _refuse_unknown(known, sorted({name for row in rows for name in row}))
        values = _column_lists(known, rows)
        select = ", ".join(_listed(name, kind, given=name in values) for name, kind in known.columns.items())
        with replacing(self.path(table, part)) as temporary, self.bare_connection() as connection:
            command = f"COPY (SELECT {select}) TO {quoted(str(temporary))} ({PARQUET})"
            try:
                try:
                    connection.execute(command, values)
                except (UnicodeEncodeError, duckdb.InvalidInputException):
                    connection.execute(command, {name: _sayable(each) for name, each in values.items()})
            except duckdb.Error as error:
                raise WorkFailed(Mistake(_first_line(error), f"table '{table}', part '{part}'")) from error
        return len(rows)

    def draft(self, table: str, source: str, connection: duckdb.DuckDBPyConnection, *, file: Path) -> None:
        """Write rows as a part to be, in a file of its own; `take_part` makes them a part.

        Columns that `source` lacks stay out of the file, those the table does not know are refused.
        """
        connection.execute(f"COPY ({source}) TO {quoted(str(file))} ({PARQUET})")
        _refuse_unknown(_table(table), connection.read_parquet(str(file)).columns)

    def take_part(self, table: str, part: str, file: Path) -> None:
        """Make a file that `draft` wrote one part of a table, at once for whoever reads it; the file is moved."""
        with replacing(self.path(table, part)) as temporary:
            file.replace(temporary)

    def reading_sql(self, table: str, parts: Sequence[str]) -> str:
        """The SQL source of some parts of a table, with every column of it; there must be one part at least."""
        return reading_sql(_table(table), [str(self.path(table, part)) for part in parts])

    def remove_part(self, table: str, part: str) -> bool:
        """Take a part away, with those that were merged into it; says whether there was one."""
        path, own = self.path(table, part), stretch_of(part)
        if not path.exists():
            return False
        if own is not None:
            for covered in self.covered(table):
                if covered != part and (within := stretch_of(covered)) is not None and own.holds(within):
                    self.path(table, covered).unlink()
        path.unlink()
        sync_folder(path.parent)
        return True

    def bare_connection(self) -> duckdb.DuckDBPyConnection:
        """A connection without views, quick to make: all of them share one engine. Make only temporary things in it."""
        if self._engine is not None:
            with suppress(duckdb.Error):  # after a fatal error an engine answers nothing any more, whoever caused it
                connection = self._engine.cursor()
                connection.execute("SELECT 1").fetchall()
                return connection
        self._engine = duckdb.connect(config=_settings(self.folder))
        return self._engine.cursor()

    def rows(self, table: str, part: str) -> int:
        """How many rows a part holds, read from its footer, once."""
        path = self.path(table, part)
        told = path.stat()
        known = (path, told.st_mtime_ns, told.st_ino)
        if known not in self._rows:
            if len(self._rows) >= _MOST_KNOWN:
                self._rows.clear()
            self._rows[known] = _rows(path, self.bare_connection())
        return self._rows[known]

    def table_sql(self, table: str) -> str:
        """The SELECT of a whole table, of the parts there are now; of `last_of` the last row of each value."""
        known, parts = _table(table), self.parts(table)
        if not parts:
            columns = ", ".join(f'CAST(NULL AS {kind}) AS "{name}"' for name, kind in known.columns.items())
            return f"SELECT {columns} WHERE false"
        if known.last_of and len(parts) > 1:
            return self._last_rows_sql(known, parts)
        return f"SELECT * FROM {self.reading_sql(table, parts)}"

    def _last_rows_sql(self, table: SharedTable, parts: Sequence[str]) -> str:
        """The first part, the long one, without the rows that later parts replace; and the last rows of those."""
        key = f'"{table.last_of}"'
        first = self.reading_sql(table.name, parts[:1])
        later = reading_sql(table, [str(self.path(table.name, part)) for part in parts[1:]], also=", filename = true")
        return (
            f"SELECT * FROM {first} AS first_part WHERE {key} NOT IN (SELECT {key} FROM {later}) UNION ALL "
            f"SELECT * EXCLUDE (filename) FROM {later} "
            f"QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY filename DESC) = 1"
        )

    def _files(self, table: str) -> list[str]:
        found = (self.folder / _table(table).name).glob("*.parquet")
        return [path.name.removesuffix(".parquet") for path in found]

    def _make_view(self, connection: duckdb.DuckDBPyConnection, table: SharedTable) -> None:
        connection.execute(f'CREATE OR REPLACE VIEW "{table.name}" AS {self.table_sql(table.name)}')


def reading_sql(table: SharedTable, paths: Sequence[str], *, also: str = "") -> str:
    """The SQL source of some files of a table, with every column of it; `also` are more words for DuckDB's reader."""
    files = ", ".join(quoted(path) for path in paths)
    columns = ", ".join(
        f"{quoted(name)}: {{name: {quoted(name)}, type: {quoted(kind)}, default_value: NULL}}"
        for name, kind in table.columns.items()
    )
    return f"read_parquet([{files}], schema = MAP {{{columns}}}{also})"


def _settings(folder: Path) -> dict[str, Any]:
    return {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "threads": threads(),
        "memory_limit": _MEMORY,
        "temp_directory": str(folder.parent / "temporary"),
        "preserve_insertion_order": True,
    }


def _describe(connection: duckdb.DuckDBPyConnection) -> None:
    """Say in DuckDB's own comments what each table and each field of an interaction holds."""
    comments = [f'COMMENT ON VIEW "{table.name}" IS {quoted(table.says)}' for table in TABLES.values()]
    comments.append("COMMENT ON VIEW ledger IS 'The judgement in force of every promise instance.'")
    comments += [
        f'COMMENT ON COLUMN "{INTERACTIONS.name}"."{name}" IS {quoted(BY_COLUMN[name].says)}'
        for name in INTERACTIONS.columns
    ]
    connection.execute(";".join(comments))


def _table(name: str) -> SharedTable:
    if name not in TABLES:
        raise DesirelineError(Mistake(f"the lake has no table '{name}'.", do=nearest(name, list(TABLES))))
    return TABLES[name]


def _refuse_unknown(table: SharedTable, given: Sequence[str]) -> None:
    unknown = [name for name in given if name not in table.columns]
    if unknown:
        known = list(table.columns)
        raise DesirelineError(
            [Mistake(f"unknown column '{name}'.", f"table '{table.name}'", do=nearest(name, known)) for name in unknown]
        )


def _projection(table: SharedTable, given: Sequence[str]) -> str:
    _refuse_unknown(table, given)
    sources = {name: f'"{name}"' if name in given else "NULL" for name in table.columns}
    return ", ".join(f'CAST({sources[name]} AS {kind}) AS "{name}"' for name, kind in table.columns.items())


def _column_lists(table: SharedTable, rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The rows as one list a column: the columns that hold anything, and the first, which says how many there are."""
    first = next(iter(table.columns))
    lists = {name: [row.get(name) for row in rows] for name in table.columns}
    return {name: each for name, each in lists.items() if name == first or any(one is not None for one in each)}


def _listed(name: str, kind: str, *, given: bool) -> str:
    source = f"unnest(CAST(${name} AS {kind}[]))" if given else f"CAST(NULL AS {kind})"
    return f'{source} AS "{name}"'


def _sayable(value: Any) -> Any:
    """The same value with each half of a character replaced, so that it can be written as UTF-8."""
    if isinstance(value, list):
        return [_sayable(each) for each in value]
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


def _rows(path: Path, connection: duckdb.DuckDBPyConnection) -> int:
    """The rows of a file by its footer; the connection is this question's own and closed after it."""
    with connection:
        found = connection.execute("SELECT num_rows FROM parquet_file_metadata($path)", {"path": str(path)}).fetchone()
    return int(found[0]) if found else 0


def quoted(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
