"""The quick half of an import: rows nothing is doubtful about go from the file straight into a part of the lake.

Doubtful are rows that cannot be understood, that stand in the file twice or that the lake knows already.
There are few of them, so they alone are laid out in the table `made`, where repeats are told from conflicts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from desireline.intake.cells_sql import cells_sql
from desireline.intake.making import interactions_sql
from desireline.intake.readers.careful import RefusedRow
from desireline.intake.readers.rows import Rows
from desireline.intake.recipes import Recipe
from desireline.intake.rows_to_interactions import Setting, applies_sql, few_words, filled_columns
from desireline.intake.text_sql import text_sql
from desireline.storage.identity import TEXT_HASH_SQL
from desireline.vocabulary.interaction import BY_COLUMN, sql_type

_HANDLE = TEXT_HASH_SQL.format(text="handles[1]")


@dataclass(frozen=True, slots=True)
class Drafted:
    """What became of the rows: how many were left out by conditions, and the ones that cannot be understood."""

    left_out: int
    refused: tuple[RefusedRow, ...]


@contextmanager
def each_expression_once(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Keep DuckDB from working a value out twice, once to test the row and once to write it."""
    connection.execute("SET disabled_optimizers = 'filter_pushdown'")
    try:
        yield
    finally:
        connection.execute("RESET disabled_optimizers")


def make_words(connection: duckdb.DuckDBPyConnection, recipe: Recipe, setting: Setting) -> None:
    """Name the words of columns that hold few of them: so they are written at an eighth of the cost."""
    for column, words in few_words(recipe, setting).items():
        listed = ", ".join(text_sql(word) for word in words)
        connection.execute(f"CREATE TYPE {_word_type(column)} AS ENUM ({listed})")


def lake_columns_sql(recipe: Recipe, setting: Setting) -> str:
    """The columns of interactions as the lake keeps them."""
    few, filled = few_words(recipe, setting), filled_columns(recipe, setting)
    listed = []
    for column, field in BY_COLUMN.items():
        if column not in filled:
            listed.append(f"CAST(NULL AS {sql_type(field)}) AS {column}")
        elif column == "handle":
            listed.append(f"{_HANDLE} AS handle")
        else:
            listed.append(f"CAST({column} AS {_word_type(column)}) AS {column}" if column in few else column)
    return ", ".join(listed)


def _word_type(column: str) -> str:
    return f"word_of_{column}"


def straight_sql(rows: Rows, recipe: Recipe, setting: Setting, *, beside_doubtful: bool) -> str:
    """The interactions of every row that can be understood, those in the table `doubtful` left out on demand."""
    cells = cells_sql(rows, recipe)
    if beside_doubtful:
        cells = f"SELECT * FROM ({cells}) WHERE row NOT IN (SELECT row FROM doubtful)"
    columns = lake_columns_sql(recipe, setting)
    shapes = (
        f"SELECT {columns} FROM ({shape}) WHERE reason IS NULL" for shape in interactions_sql(recipe, cells, setting)
    )
    return " UNION ALL ".join(shapes)


def mended_sql(file: Path, recipe: Recipe, setting: Setting) -> str:
    """The interactions of a draft without those of the doubtful rows, and in their place what `made` holds."""
    several = len(recipe.shapes)
    columns = lake_columns_sql(recipe, setting)
    as_they_are = columns.replace(f"{_HANDLE} AS handle", "handle")
    return f"""SELECT {as_they_are} FROM {_draft(file)}
        WHERE (position - 1) // {several} + 1 NOT IN (SELECT row FROM doubtful)
        UNION ALL SELECT {columns} FROM made"""


def _draft(file: Path) -> str:
    return f"read_parquet({text_sql(str(file))})"


@dataclass(frozen=True, slots=True)
class Span:
    """How many interactions a draft holds, from when to when."""

    count: int
    first_at: int | None
    last_at: int | None


def span(connection: duckdb.DuckDBPyConnection, file: Path) -> Span:
    """How many interactions a draft holds, from when to when."""
    sql = f"SELECT count(*), min(occurred_at), max(occurred_at) FROM {_draft(file)}"
    return Span(*connection.execute(sql).fetchall()[0])


def later_than(connection: duckdb.DuckDBPyConnection, file: Path, moment: int) -> int:
    """How many interactions of a draft happened after a moment."""
    sql = f"SELECT count(*) FROM {_draft(file)} WHERE occurred_at > $moment"
    return int(connection.execute(sql, {"moment": moment}).fetchall()[0][0])


def repeated_rows(connection: duckdb.DuckDBPyConnection, file: Path, recipe: Recipe) -> list[int]:
    """Rows of a draft whose interactions stand in it twice or in the lake already."""
    draft, source = _draft(file), text_sql(recipe.source)
    found = connection.execute(
        f"""WITH twice AS (SELECT id FROM {draft} GROUP BY id HAVING count(*) > 1),
            known AS (SELECT id FROM interactions WHERE source = {source})
            SELECT DISTINCT (position - 1) // {len(recipe.shapes)} + 1 FROM {draft}
            WHERE id IN (SELECT id FROM twice) OR id IN (SELECT id FROM known)"""
    )
    return [row for (row,) in found.fetchall()]


def known_in(connection: duckdb.DuckDBPyConnection, file: Path, source_sql: str, recipe: Recipe) -> bool:
    """Whether any interaction of a draft is among some interactions of the lake, told by their SQL source."""
    known = f"SELECT id FROM {source_sql} WHERE source = {text_sql(recipe.source)}"
    found = connection.execute(f"SELECT 1 FROM {_draft(file)} WHERE id IN ({known}) LIMIT 1").fetchall()
    return bool(found)


def set_doubtful(connection: duckdb.DuckDBPyConnection, rows: Iterable[int]) -> None:
    """Write down which rows are doubtful."""
    connection.execute("CREATE OR REPLACE TEMP TABLE doubtful AS SELECT unnest($rows) AS row", {"rows": list(rows)})


def reasons_of(
    connection: duckdb.DuckDBPyConnection, rows: Rows, recipe: Recipe, setting: Setting
) -> Mapping[int, str]:
    """The rows that cannot be understood, each with its reason."""
    shapes = interactions_sql(recipe, cells_sql(rows, recipe), setting)
    several = " UNION ALL ".join(f"SELECT row, reason FROM ({shape}) WHERE reason IS NOT NULL" for shape in shapes)
    with each_expression_once(connection):
        found = connection.execute(
            f"SELECT row, string_agg(DISTINCT reason, '; ') FROM ({several}) GROUP BY row"
        ).fetchall()
    return dict(found)


@dataclass(frozen=True, slots=True)
class Without:
    """Rows that make no interaction: how many no condition lets through, and which have no time at all."""

    left_out: int = 0
    no_time: tuple[int, ...] = ()


def rows_without(connection: duckdb.DuckDBPyConnection, rows: Rows, recipe: Recipe, setting: Setting) -> Without:
    """The rows that make no interaction."""
    applies = [applies_sql(recipe, shape, setting) for shape in recipe.shapes]
    makes = " OR ".join(f"({when} AND {text} IS NOT NULL)" for when, text in applies)
    with each_expression_once(connection):
        found = connection.execute(
            f"""SELECT row, {" OR ".join(when for when, _ in applies)} FROM ({cells_sql(rows, recipe)})
                WHERE NOT ({makes}) ORDER BY row"""
        ).fetchall()
    return Without(sum(not held for _, held in found), tuple(row for row, held in found if held))
