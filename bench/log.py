"""The log every bench runs on: a seeded, made-up company of any size, in the lake's own columns.

N interactions of N/20 people with a heavy tail, 12 channels, 40 touchpoints, bursts (visits of a few
steps) over two years, in order of arrival. Drawn with integer arithmetic from DuckDB's `hash`, so the
same seed gives the same rows with the same DuckDB. Peers read `handle` as the person.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from desireline.storage.durable import replacing
from desireline.storage.identity import HANDLE_ID_SQL
from desireline.vocabulary.tables import INTERACTIONS

START_MS = 1_672_531_200_000
"""1 January 2023, UTC."""
DAY_MS = 86_400_000
SPAN_MS = 730 * DAY_MS
PEOPLE_SHARE = 20
CHANNELS = ["web", "app", "email", "phone", "chat", "sms", "branch", "social", "letter", "partner", "kiosk", "fax"]
TOUCHPOINTS = tuple(
    f"{area}.{step}"
    for area in ("home", "product", "cart", "account", "support", "invoice", "delivery", "offer")
    for step in ("seen", "opened", "asked", "answered", "done")
)
PURCHASE = "cart.done"

_ROWS = """
WITH numbered AS (
    SELECT number, number // 4 AS visit, number % 4 AS step,
           hash(number, {seed}) AS row_luck, hash(number // 4, {seed} + 1) AS luck, hash(number // 4, {seed} + 2) AS who
    FROM range({first}, {last}) numbers(number)
), drawn AS (
    SELECT number, visit, row_luck,
           ((who % 1048576) * (who % 1048576) * {people}) // 1099511627776 AS person,
           (CASE WHEN row_luck % 4 = 0 THEN row_luck // 4 ELSE luck END) % 144 AS channel_luck,
           (row_luck // 1024) % 1600 AS touchpoint_luck,
           {begin} + ((number - {first}) // 4) * {span} // {visits} + (luck % {jitter})::BIGINT
               + step * (60000 + (luck // 7) % 1800000)::BIGINT
               - CASE WHEN (luck // 3) % 1000 < {late_per_mille} THEN (luck // 11) % {late_ms} ELSE 0 END::BIGINT
               AS occurred_at
    FROM numbered
), named AS (
    SELECT *, {channels}[12 - floor(sqrt(channel_luck))::INT] AS channel,
           {touchpoints}[40 - floor(sqrt(touchpoint_luck))::INT] AS touchpoint
    FROM drawn
)
SELECT (hash(number, {seed} + 3) >> 1)::BIGINT AS id, 'bench' AS source, number AS position, '{part}' AS import_id,
       occurred_at::BIGINT AS occurred_at, {handle} AS handle, channel, touchpoint,
       CASE WHEN touchpoint LIKE '%.answered' THEN 'outbound' ELSE 'inbound' END AS direction,
       touchpoint LIKE '%.asked' AS asks, touchpoint LIKE '%.answered' AS answers,
       CASE WHEN touchpoint LIKE 'support.%' THEN 'case-' || visit END AS about_case,
       CASE WHEN touchpoint = '{purchase}' THEN (row_luck % 100000)::BIGINT END AS value_minor
FROM named
"""


def write_log(path: Path | str, interactions: int, seed: int = 1) -> None:
    """Write a log of so many interactions as one Parquet file; the same every time."""
    _write(Path(path), 0, interactions, interactions // PEOPLE_SHARE, START_MS, SPAN_MS, seed, late_per_mille=20)


def write_day(path: Path | str, before: int, interactions: int, seed: int = 1) -> None:
    """Write the day after a log of `before` interactions; a tenth of it is late by up to 30 days."""
    people = before // PEOPLE_SHARE
    begin = START_MS + SPAN_MS + DAY_MS
    _write(Path(path), before, before + interactions, people, begin, DAY_MS, seed, late_per_mille=100)


def _write(
    path: Path, first: int, last: int, people: int, begin: int, span: int, seed: int, *, late_per_mille: int
) -> None:
    query = _ROWS.format(
        first=first,
        last=last,
        seed=seed,
        people=max(1, people),
        begin=begin,
        span=span,
        visits=max(1, (last - first) // 4),
        jitter=DAY_MS // 4,
        late_per_mille=late_per_mille,
        late_ms=30 * DAY_MS,
        channels=list(CHANNELS),
        touchpoints=list(TOUCHPOINTS),
        handle=HANDLE_ID_SQL.format(kind="'customer'", value="person"),
        part=path.stem,
        purchase=PURCHASE,
    )
    with duckdb.connect() as connection, replacing(path) as temporary:
        relation = connection.sql(query)
        names = {name: f'"{name}"' if name in relation.columns else "NULL" for name in INTERACTIONS.columns}
        columns = ", ".join(f'{names[name]}::{kind} AS "{name}"' for name, kind in INTERACTIONS.columns.items())
        relation.project(columns).write_parquet(str(temporary), compression="snappy")
