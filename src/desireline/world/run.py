"""Make a world and write it: the exports a company would have, and the truth apart."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import duckdb
import numpy as np

from desireline.vocabulary.errors import DesirelineError, Mistake
from desireline.world.bank_files import calendars
from desireline.world.clock import clock_of
from desireline.world.generate import Happened, happen
from desireline.world.layouts import LAYOUTS, Layout
from desireline.world.lines import assembled
from desireline.world.people import people_of
from desireline.world.report import Progress, WorldFile, WorldReport
from desireline.world.sheets import Sheet, sheet_of, source_of
from desireline.world.truth import Places, write_truth

MOST_PEOPLE = 120_000
"""Beyond this the numbers of records and cases would no longer be unique."""
_CHUNK_LINES = 250_000


def write_world(*, people: int, seed: int, to: Path, progress: Progress) -> WorldReport:
    """Make the bank's world of so many people and write its exports and its truth below `to`.

    The same seed and number of people give the same bytes in every CSV and JSONL file everywhere.
    `progress` is told what is being done and which share of it is finished, 0 to 1.
    """
    _refuse_unusable(people=people, seed=seed)
    began = time.perf_counter()
    exports, truth = to / "exports", to / "truth"
    exports.mkdir(parents=True, exist_ok=True)
    truth.mkdir(parents=True, exist_ok=True)
    happened = happen(clock=clock_of(calendars()), seed=seed, people=people, progress=progress)
    bank_people = people_of(seed=seed, people=people)
    sources = source_of(happened.rows)
    places = Places(len(happened.rows))
    written = []
    for source, layout in enumerate(LAYOUTS):
        progress(f"writing {layout.file}", source / len(LAYOUTS))
        sheet = sheet_of(source, rows=happened.rows, sources=sources, people=bank_people, seed=seed)
        places.add(sheet)
        written.append(_write(sheet, layout, to=exports / layout.file))
    progress("writing the truth", 0.0)
    write_truth(to=truth, happened=happened, sources=sources, places=places, people=bank_people)
    progress("writing the truth", 1.0)
    return WorldReport(
        people=people,
        seed=seed,
        interactions=len(happened.rows),
        promises=len(happened.plants),
        files=tuple(written),
        broken_rows=sum(1 for _ in (truth / "broken_rows.csv").open(encoding="utf-8")) - 1,
        seconds=time.perf_counter() - began,
        interactions_per_second=len(happened.rows) / max(happened.kernel_seconds, 1e-9),
        digest=digest_of(happened),
    )


def digest_of(happened: Happened) -> str:
    """SHA-256 of the canonical content: rows in order of person and time, then the planted verdicts."""
    digest = hashlib.sha256()
    for table in (happened.rows, happened.plants):
        digest.update(np.ascontiguousarray(table, "<i8").tobytes())
    return digest.hexdigest()


def _refuse_unusable(*, people: int, seed: int) -> None:
    mistakes = []
    if not 1 <= people <= MOST_PEOPLE:
        mistakes.append(Mistake(f"a world has 1 to {MOST_PEOPLE:,} people, not {people:,}.", where="--people"))
    if not 0 <= seed < 2**63:
        mistakes.append(Mistake(f"a seed is a whole number from 0 to 2**63 - 1, not {seed}.", where="--seed"))
    if mistakes:
        raise DesirelineError(mistakes)


def _write(sheet: Sheet, layout: Layout, *, to: Path) -> WorldFile:
    lines = len(sheet.parts)
    text = to.with_suffix(".part") if to.suffix == ".parquet" else to
    digest, size = hashlib.sha256(), 0
    with text.open("wb") as out:
        for piece in (layout.head.encode(layout.encoding), *_chunks(sheet, layout)):
            out.write(piece)
            digest.update(piece)
            size += len(piece)
    if text is not to:
        _as_parquet(text, to)
        size = to.stat().st_size
    return WorldFile(path=to, rows=lines, bytes=size, sha256=digest.hexdigest())


def _chunks(sheet: Sheet, layout: Layout) -> list[bytes]:
    return [
        assembled(layout.pieces(part), rows=len(part.parts), encoding=layout.encoding)
        for part in (sheet.between(first, first + _CHUNK_LINES) for first in range(0, len(sheet.parts), _CHUNK_LINES))
    ]


def _as_parquet(text: Path, to: Path) -> None:
    source, target = (str(path).replace("'", "''") for path in (text, to))
    database = duckdb.connect()
    try:
        database.execute(
            f"COPY (SELECT * REPLACE (updated_ms::BIGINT AS updated_ms) FROM read_csv('{source}', all_varchar = true)) "
            f"TO '{target}' (FORMAT parquet)"
        )
    finally:
        database.close()
    text.unlink()
