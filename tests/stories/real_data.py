"""The public data sets beside the repository, taken in by the examples' own maps and recipes."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

from desireline.project import Opened

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("DESIRELINE_DATA") or ROOT.parent / "shared" / "data")
"""The folder shared/data beside the repository; the environment variable DESIRELINE_DATA names another."""


def needs(file: str) -> list[pytest.MarkDecorator]:
    """The marks of a test module that reads this file."""
    absent = pytest.mark.skipif(not (DATA / file).exists(), reason=f"{file} is not beside the repository")
    return [pytest.mark.real_data, absent]


def taken_in(example: str, file: str, folder: Path) -> Opened:
    """A copy of an example's project with the file taken in and judged."""
    shutil.copytree(ROOT / "examples" / example, folder / example)
    opened = Opened(folder / example)
    (report,) = opened.take(DATA / file)
    assert report.rows_refused == 0
    assert report.conflicts == 0
    return opened


def asked(file: str, question: str) -> list[tuple[Any, ...]]:
    """The answer of plain SQL over the file itself, called `rows` with its row number `place`."""
    connection = duckdb.connect()
    try:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET VARIABLE file = ?", [str(DATA / file)])
        connection.execute(
            "CREATE TABLE rows AS SELECT *, row_number() OVER () AS place FROM read_parquet(getvariable('file'))"
        )
        return connection.execute(question).fetchall()
    finally:
        connection.close()


def verdicts(opened: Opened, promise: str) -> dict[str, int]:
    """How many instances of a promise were kept, late, missing, waiting or withdrawn."""
    found = opened.sql(
        "SELECT coalesce(breach, verdict) AS how, count(*) AS instances FROM ledger "
        f"WHERE promise = '{promise}' GROUP BY how"
    )
    return dict(zip(found["how"], found["instances"], strict=True))
