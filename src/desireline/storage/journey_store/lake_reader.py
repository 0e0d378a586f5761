"""Reading interactions from the lake as plain arrays of numbers: of many rows no text ever becomes a Python object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from desireline.storage.identity import TEXT_HASH_SQL
from desireline.storage.journey_store.columns import ORIGIN, PROPERTY, Column, Kind, column, stored_fields
from desireline.storage.journey_store.dictionary import Dictionary
from desireline.storage.journey_store.identities import Identities
from desireline.storage.journey_store.snapshot import EMPTY_CODE, NOBODY
from desireline.storage.lake import Lake, reading_sql
from desireline.vocabulary.interaction import BY_NAME
from desireline.vocabulary.tables import INTERACTIONS

Arrays = dict[str, NDArray[Any]]

CHUNK_ROWS = 1 << 21
PART_BITS = 32
_FEW_WORDS = 2_000
"""So many words are listed when they are named; more are asked for again, which then is quicker."""
_FEW_ROWS = 5_000
"""Texts of so few rows are coded one by one: naming them to the database first would take longer."""
_PLAIN: Mapping[Kind, str] = {
    "key": f"coalesce({TEXT_HASH_SQL}, 0)",
    "flag": "(CASE WHEN {text} THEN 1 WHEN NOT {text} THEN 0 ELSE -1 END)::TINYINT",
    "score": "coalesce({text}, 'nan'::DOUBLE)",
    "has": "coalesce({text} <> '', false)::TINYINT",
}


_IDENTITIES = f"""
    SELECT handle, CASE WHEN shared THEN {NOBODY} ELSE person END AS person
    FROM handles WHERE handle <> person OR shared
"""
"""Who a handle belongs to where that is not the handle itself; one that strangers share belongs to nobody."""


class LakeReader:
    """Reads some parts of the lake's interactions, with the dictionaries of the store."""

    def __init__(self, lake: Lake, parts: Sequence[str], dictionaries: dict[str, Dictionary]) -> None:
        self._lake, self._connection = lake, lake.bare_connection()
        self._paths = [str(lake.path(INTERACTIONS.name, part)) for part in parts]
        self.part_rows = self._counts()
        self._never_empty: set[str] = set()
        self._dictionaries = dictionaries
        self._codes: dict[str, NDArray[Any]] = {}
        self._few = self.rows <= _FEW_ROWS

    @property
    def rows(self) -> int:
        """How many interactions the parts hold."""
        return sum(self.part_rows)

    def close(self) -> None:
        """Give the connection free."""
        self._connection.close()

    def present(self) -> list[str]:
        """The fields that hold anything in these parts, of those the store keeps, told by the files' footers."""
        if not self._paths:
            return []
        found = self._connection.execute(
            "SELECT path_in_schema, bool_or(stats_null_count IS NULL OR stats_null_count < num_values), "
            "bool_and(stats_null_count = 0) AND count(DISTINCT file_name) = $parts "
            "FROM parquet_metadata($paths) GROUP BY 1",
            {"paths": self._paths, "parts": len(self._paths)},
        ).fetchall()
        filled = {name for name, any_value, _ in found if any_value}
        self._never_empty = {name for name, _, every_value in found if every_value}
        return [field.name for field in stored_fields() if field.column in filled]

    def learn(self, columns: Sequence[Column]) -> None:
        """Give every text of the coded columns its code, before rows are read."""
        for number, each in enumerate(columns):
            if not each.coded or not self._paths:
                continue
            if self._few:
                self._dictionaries.setdefault(each.name, Dictionary(each))
                continue
            words = (
                f"SELECT DISTINCT word FROM (SELECT {_source(each)} AS word FROM {self._all()}) WHERE word IS NOT NULL"
            )
            found = self._connection.execute(f"{words} ORDER BY 1").fetchnumpy()["word"]
            texts = [str(word) for word in found]
            codes = self._dictionaries.setdefault(each.name, Dictionary(each)).codes_of(texts)
            self._codes[each.name] = np.array([-1, *codes], dtype=each.dtype)
            if texts and not self._constant(each):
                listed = ", ".join("'" + text.replace("'", "''") + "'" for text in texts[: _FEW_WORDS + 1])
                few = len(texts) <= _FEW_WORDS and "\x00" not in listed
                named = listed if few else f"{words} ORDER BY 1"
                self._connection.execute(f"CREATE TEMPORARY TYPE word_{number} AS ENUM ({named})")

    def chunks(self, columns: Sequence[Column], origins: Sequence[int]) -> Iterator[Arrays]:
        """The rows of every part in order, a few million at a time, one array per column.

        `origins` are those of each part's first row, kept in the hidden column `origin`.
        """
        expressions = [self._expression(number, each) for number, each in enumerate(columns) if each.name != ORIGIN]
        for path, rows, origin in zip(self._paths, self.part_rows, origins, strict=True):
            source = reading_sql(INTERACTIONS, [path], also=", file_row_number = true")
            for begin in range(0, rows, CHUNK_ROWS):
                end = min(begin + CHUNK_ROWS, rows)
                chunk = self._connection.execute(
                    f"SELECT {', '.join(expressions)} FROM {source} "
                    "WHERE file_row_number >= $begin AND file_row_number < $end",
                    {"begin": begin, "end": end},
                ).fetchnumpy()
                yield self._arrays(columns, chunk, origin + begin)

    def numeric(self, name: str) -> bool:
        """Whether every value of a property is a number."""
        source = _source(column(name))
        found = self._connection.execute(
            f"SELECT count({source}) = count(TRY_CAST({source} AS DOUBLE)) FROM {self._all()}"
        ).fetchone()
        return bool(found and found[0])

    def identities(self) -> Identities:
        """The lake's own table of handles that belong to somebody else's name."""
        with self._lake.connection() as connection:
            found = connection.execute(_IDENTITIES).fetchnumpy()
        return Identities.of(found["handle"], found["person"])

    def _counts(self) -> list[int]:
        query = "SELECT num_rows FROM parquet_file_metadata($path)"
        found = [self._connection.execute(query, {"path": path}).fetchall() for path in self._paths]
        return [int(rows[0][0]) for rows in found]

    def _constant(self, each: Column) -> bool:
        """Whether every row of these parts says the same, as most parts do about their source."""
        field = BY_NAME.get(each.name)
        return len(self._codes.get(each.name, ())) == 2 and field is not None and field.column in self._never_empty

    def _all(self) -> str:
        return reading_sql(INTERACTIONS, self._paths)

    def _expression(self, number: int, each: Column) -> str:
        source, name = _source(each), each.name.replace('"', '""')
        if each.coded and self._few:
            return f'{source} AS "{name}"'
        if each.coded:
            known = len(self._codes.get(each.name, ())) > 1
            if self._constant(each):
                return f'0::INTEGER AS "{name}"'
            code = f"coalesce(enum_code({source}::word_{number})::INTEGER, -1)" if known else "-1"
            return f'{code}::INTEGER AS "{name}"'
        if each.kind == "number":
            return f'coalesce({source}, {int(each.empty)}) AS "{name}"'
        if name.startswith(PROPERTY):
            source = f"TRY_CAST({source} AS DOUBLE)"
        return f'{_PLAIN[each.kind].format(text=source)} AS "{name}"'

    def _arrays(self, columns: Sequence[Column], chunk: Mapping[str, Any], origin: int) -> Arrays:
        arrays: Arrays = {}
        for each in columns:
            if each.name == ORIGIN:
                continue
            values = np.asarray(chunk[each.name])
            if each.coded and self._few:
                values = _coded(self._dictionaries[each.name], chunk[each.name])
            elif each.coded:
                values = self._codes[each.name][values + 1]
            arrays[each.name] = values.astype(each.dtype, copy=False)
        rows = len(arrays["id"]) if "id" in arrays else len(next(iter(arrays.values())))
        arrays[ORIGIN] = np.arange(origin, origin + rows, dtype=np.int64)
        return arrays


def _coded(dictionary: Dictionary, texts: Any) -> NDArray[Any]:
    """The code of each text of a column that may have gaps."""
    gaps = np.ma.getmaskarray(texts).tolist()
    words = [None if gap else word for word, gap in zip(np.ma.getdata(texts).tolist(), gaps, strict=True)]
    distinct = [word for word in dict.fromkeys(words) if word is not None]
    codes = dict(zip(distinct, dictionary.codes_of(distinct), strict=True))
    return np.array([codes.get(word, EMPTY_CODE) for word in words], dictionary.column.dtype)


def part_of(origin: NDArray[np.int64]) -> NDArray[np.int64]:
    """The number of the lake's part each row came from."""
    return origin >> PART_BITS


def row_of(origin: NDArray[np.int64]) -> NDArray[np.int64]:
    """The row within its part each row came from."""
    return origin & ((1 << PART_BITS) - 1)


def _source(each: Column) -> str:
    if each.name.startswith(PROPERTY):
        key = each.name.removeprefix(PROPERTY).replace("\\", "\\\\").replace('"', '\\"').replace("'", "''")
        return f"json_extract_string(properties, '$.\"{key}\"')"
    return f'"{BY_NAME[each.name].column}"'
