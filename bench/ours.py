"""The questions asked of the journey store, with its build and a day's upkeep timed beside them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import definitions as d
from bench.harness import digest, finish, note, timed
from bench.log import write_day
from bench.peer_duckdb import check_journeys

from desireline.journeys import Flow, GapRule, flow, funnel, retention, stitch, transitions, variants, warm
from desireline.journeys.run import PART_OF_GAPS, write_part
from desireline.measures import PersonMonths, census_by_person
from desireline.storage.journey_store import JourneyStore, Snapshot, snapshot_from_rows
from desireline.storage.journey_store.warm import warm as warm_store
from desireline.storage.lake import Lake

RULE = GapRule(30, (d.PURCHASE,))


def work(folder: Path, log: Path, runs: int) -> None:
    """Open the store that was built before and ask every question."""
    lake = Lake(folder / "lake")
    store = JourneyStore(folder / "store", lake)
    begin = time.perf_counter()
    warm()
    census_by_person(snapshot_from_rows([{"person": 1, "occurred_at": 0, "channel": "web"}]))
    note("compiling, or reading the cache", time.perf_counter() - begin)
    begin = time.perf_counter()
    snapshot = store.snapshot()
    note("opening the store", time.perf_counter() - begin)
    for name, ask, fingerprint in questions(snapshot, lake):
        timed(name, ask, fingerprint, runs)
    finish()


def build(folder: Path, log: Path, runs: int) -> None:
    """Build the store from Parquet, then add a day of 1 % (a tenth of it late), and take it away again."""
    lake = Lake(folder / "lake")
    size = lake.rows("interactions", log.stem)
    warm_store()
    store = JourneyStore(folder / "store", lake)
    begin = time.perf_counter()
    store.build()
    note("build", time.perf_counter() - begin)
    write_day(lake.path("interactions", "day"), size, size // 100)
    begin = time.perf_counter()
    store.add_parts(["day"])
    note("upkeep", time.perf_counter() - begin)
    lake.remove_part("interactions", "day")
    store.build()
    finish()


def questions(snapshot: Snapshot, lake: Lake) -> list[tuple[str, Callable[[], Any], Callable[[Any], str]]]:
    """Each question and how its answer is compared."""
    out = lake.path("journeys", PART_OF_GAPS)
    return [
        (
            "journeys",
            lambda: write_part(lake, PART_OF_GAPS, snapshot, stitch(snapshot, rule=RULE, converts=d.PURCHASE)),
            lambda _: check_journeys(out),
        ),
        (
            "transitions",
            lambda: transitions(snapshot, journeys=RULE),
            lambda found: digest(_columns(found, "from", "to", "count", "median_seconds")),
        ),
        ("variants", lambda: variants(snapshot, top=d.VARIANTS, journeys=RULE), variant_rows),
        ("funnel", lambda: funnel(snapshot, list(d.FUNNEL), within_days=14), funnel_rows),
        ("retention", lambda: retention(snapshot), retention_rows),
        ("census", lambda: census_by_person(snapshot), census_rows),
        ("flow", lambda: flow(snapshot, start=d.START, steps=d.STEPS, top=d.TOP, journeys=RULE), flow_rows),
    ]


def _columns(table: Any, *names: str) -> list[tuple[Any, ...]]:
    return list(zip(*(table[name] for name in names), strict=True))


def variant_rows(found: Any) -> str:
    """Transitions of the variants, and how many journeys they cover."""
    rows = _columns(found.transitions, "from", "to", "count")
    return digest([*rows, ("(all)", "(all)", sum(found.table["journeys"]))])


def funnel_rows(table: Any) -> str:
    """One row per channel with the people of each step."""
    reached: dict[str, list[int]] = {}
    for row in table.rows():
        reached.setdefault(row["first_channel"], []).append(row["people"])
    return digest([(channel, *people) for channel, people in reached.items() if channel != "all"])


def retention_rows(table: Any) -> str:
    """Cohort, months later and people, without the months in which nobody came."""
    months = [int(text[:4]) * 12 + int(text[5:]) - 1 for text in table["cohort"]]
    rows = zip(months, table["month"], table["people"], strict=True)
    return digest(row for row in rows if row[2])


def census_rows(found: PersonMonths) -> str:
    """The fingerprint of the counts."""
    import numpy as np

    months = np.array([month // 100 * 12 + month % 100 - 1 for month in found.months])
    return d.check_census(found.person, months[found.month], found.interactions)


def flow_rows(drawn: Flow) -> str:
    """Every link."""
    return digest((link.column, link.source, link.target, link.journeys, link.median_seconds) for link in drawn.links)
