"""Parquet: every column as text, as a careful person would write it."""

from __future__ import annotations

from pathlib import Path

import duckdb

from desireline.intake.text_sql import text_sql
from desireline.vocabulary.errors import DesirelineError, Mistake


def load_parquet(
    connection: duckdb.DuckDBPyConnection, path: Path, table: str, *, most_rows: int | None = None
) -> tuple[str, ...]:
    """Load a Parquet file into a table of texts `c1`, `c2`, ... and return the names of its columns."""
    source = f"read_parquet({text_sql(str(path))})"
    cut = f" LIMIT {most_rows}" if most_rows is not None else ""
    try:
        described = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
        texts = [f"{_as_text(name, kind)} AS c{place}" for place, (name, kind, *_) in enumerate(described, start=1)]
        connection.execute(f"CREATE OR REPLACE TABLE {table} AS SELECT {', '.join(texts)} FROM {source}{cut}")
    except duckdb.Error as error:
        first = str(error).splitlines()[0]
        raise DesirelineError(
            Mistake(f"is a Parquet file that cannot be read ({first}).", path.name, do="Export it again.")
        ) from None
    return tuple(row[0] for row in described)


def _as_text(name: str, kind: str) -> str:
    column = '"' + name.replace('"', '""') + '"'
    if kind in ("DOUBLE", "FLOAT"):
        whole = f"{column} = floor({column}) AND abs({column}) < 1e15"
        return f"CASE WHEN {whole} THEN {column}::BIGINT::VARCHAR ELSE {column}::VARCHAR END"
    if kind.startswith(("STRUCT", "MAP")) or kind.endswith("]"):
        return f"to_json({column})::VARCHAR"
    if kind == "BLOB":
        return f"coalesce(try(decode({column})), hex({column}))"
    return f"{column}::VARCHAR"
