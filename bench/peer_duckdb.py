"""The questions in SQL as DuckDB answers them best, from Parquet or from a table sorted by person."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import duckdb
from bench import definitions as d
from bench.harness import THREADS, digest, finish, note, timed

ORDERED = f"""
ordered AS (
    SELECT handle AS person, occurred_at AS moment, position, id, channel, touchpoint, direction,
           lag(occurred_at) OVER person_line AS before_at, lag(touchpoint) OVER person_line AS before_touchpoint,
           lag(channel) OVER person_line AS before_channel
    FROM log WHERE handle IS NOT NULL
    WINDOW person_line AS (PARTITION BY handle ORDER BY occurred_at, position)
), begun AS (
    SELECT *, before_at IS NULL OR moment - before_at > {d.GAP_MS} OR before_touchpoint = '{d.PURCHASE}' AS begins
    FROM ordered
)"""
NUMBERED = f"""{ORDERED}, numbered AS (
    SELECT *, sum(begins::INT) OVER (PARTITION BY person ORDER BY moment, position ROWS UNBOUNDED PRECEDING) AS number
    FROM begun
)"""
JOURNEYS = f"""
WITH {NUMBERED}, repeated AS (
    SELECT *, direction = 'inbound' AND moment - lag(moment) OVER (
        PARTITION BY person, number, touchpoint, direction ORDER BY moment, position) <= {d.REPEAT_MS} AS repeats
    FROM numbered
)
SELECT max(CASE WHEN begins THEN id END) AS journey, person, min(moment) AS started_at, max(moment) AS ended_at,
       count(*) AS steps, count(*) FILTER (NOT begins AND channel <> before_channel) AS channel_hops,
       count(*) FILTER (repeats) AS repeat_contacts, bool_or(touchpoint = '{d.PURCHASE}') AS converted,
       max(CASE WHEN begins THEN channel END) AS first_channel
FROM repeated GROUP BY person, number"""
TRANSITIONS = f"""
WITH {ORDERED}
SELECT before_touchpoint, touchpoint, count(*), median(moment - before_at) / 1000
FROM begun WHERE NOT begins GROUP BY ALL"""
VARIANTS = f"""
WITH {NUMBERED}, journeys AS (
    SELECT list(touchpoint ORDER BY moment, position) AS steps FROM numbered GROUP BY person, number
), variants AS (
    SELECT steps, count(*) AS journeys FROM journeys GROUP BY steps ORDER BY journeys DESC, steps LIMIT {d.VARIANTS}
), places AS (SELECT steps, journeys, unnest(range(1, len(steps))) AS place FROM variants)
SELECT steps[place], steps[place + 1], sum(journeys)::BIGINT FROM places GROUP BY ALL
UNION ALL SELECT '(all)', '(all)', sum(journeys)::BIGINT FROM variants"""
LINE = "(PARTITION BY person ORDER BY moment, position ROWS UNBOUNDED PRECEDING)"
FUNNEL = f"""
WITH rows_of_steps AS (
    SELECT handle AS person, occurred_at AS moment, position, channel, touchpoint
    FROM log WHERE handle IS NOT NULL AND touchpoint IN {d.FUNNEL}
), one AS (SELECT *, max(CASE WHEN touchpoint = '{d.FUNNEL[0]}' THEN moment END) OVER line AS opened_1
    FROM rows_of_steps WINDOW line AS {LINE}
), two AS (SELECT *, max(CASE WHEN touchpoint = '{d.FUNNEL[1]}'
        AND moment - opened_1 <= {d.WITHIN_MS} THEN opened_1 END)
    OVER line AS opened_2 FROM one WINDOW line AS {LINE}
), three AS (SELECT *, max(CASE WHEN touchpoint = '{d.FUNNEL[2]}'
        AND moment - opened_2 <= {d.WITHIN_MS} THEN opened_2 END)
    OVER line AS opened_3 FROM two WINDOW line AS {LINE}
), depths AS (
    SELECT person, arg_min(channel, (moment, position)) FILTER (touchpoint = '{d.FUNNEL[0]}') AS channel,
           CASE WHEN bool_or(touchpoint = '{d.FUNNEL[3]}' AND moment - opened_3 <= {d.WITHIN_MS}) THEN 4
                WHEN max(opened_3) IS NOT NULL THEN 3 WHEN max(opened_2) IS NOT NULL THEN 2
                WHEN max(opened_1) IS NOT NULL THEN 1 ELSE 0 END AS depth
    FROM three GROUP BY person
)
SELECT channel, count(*) FILTER (depth >= 1), count(*) FILTER (depth >= 2), count(*) FILTER (depth >= 3),
       count(*) FILTER (depth >= 4)
FROM depths WHERE depth >= 1 GROUP BY channel"""
MONTH = "(year(epoch_ms(occurred_at)) * 12 + month(epoch_ms(occurred_at)) - 1)"
RETENTION = f"""
WITH seen AS (SELECT DISTINCT handle AS person, {MONTH} AS month FROM log WHERE handle IS NOT NULL),
cohorts AS (SELECT person, month, min(month) OVER (PARTITION BY person) AS cohort FROM seen)
SELECT cohort, month - cohort, count(*) FROM cohorts GROUP BY ALL"""
CENSUS = f"""
SELECT handle AS person, {MONTH} AS month, channel, count(*) AS interactions
FROM log WHERE handle IS NOT NULL GROUP BY ALL"""
FLOW = f"""
WITH {NUMBERED}, placed AS (
    SELECT *, row_number() OVER journey AS place, lead(touchpoint) OVER journey AS after,
           lead(moment) OVER journey AS after_at
    FROM numbered WINDOW journey AS (PARTITION BY person, number ORDER BY moment, position)
), anchored AS (
    SELECT *, place - min(CASE WHEN touchpoint = '{d.START}' THEN place END) OVER (PARTITION BY person, number) AS step
    FROM placed
), walked AS (SELECT * FROM anchored WHERE step BETWEEN 0 AND {d.STEPS - 1}),
named AS (
    SELECT step, touchpoint FROM (SELECT step, touchpoint, count(*) AS journeys FROM walked GROUP BY ALL)
    QUALIFY row_number() OVER (PARTITION BY step ORDER BY journeys DESC, touchpoint) <= {d.TOP}
), links AS (
    SELECT w.step, coalesce(a.touchpoint, '(other)') AS source,
           CASE WHEN w.after IS NULL THEN '(end)' ELSE coalesce(b.touchpoint, '(other)') END AS target,
           after_at - moment AS gap
    FROM walked w LEFT JOIN named a ON a.step = w.step AND a.touchpoint = w.touchpoint
    LEFT JOIN named b ON b.step = w.step + 1 AND b.touchpoint = w.after
    WHERE w.step < {d.STEPS - 1} OR w.after IS NULL
)
SELECT step, source, target, count(*), median(gap) / 1000 FROM links GROUP BY ALL"""


def connect(folder: Path, log: Path, *, as_table: bool) -> duckdb.DuckDBPyConnection:
    """A connection whose `log` is the Parquet file, or a table sorted by person and time."""
    connection = duckdb.connect(str(folder / "sorted.duckdb") if as_table else ":memory:")
    connection.execute(f"SET threads = {THREADS}")
    if not as_table:
        connection.execute(f"CREATE VIEW log AS SELECT * FROM read_parquet('{log}')")
        return connection
    begin = time.perf_counter()
    connection.execute(
        "CREATE OR REPLACE TABLE log AS SELECT handle, occurred_at, position, id, channel, touchpoint, direction "
        f"FROM read_parquet('{log}') ORDER BY handle, occurred_at, position"
    )
    note("sorting the table", time.perf_counter() - begin)
    return connection


def work(folder: Path, log: Path, runs: int, *, as_table: bool) -> None:
    """Ask every question."""
    connection = connect(folder, log, as_table=as_table)
    out = folder / f"journeys-duckdb-{'table' if as_table else 'parquet'}.parquet"

    def journeys() -> None:
        connection.execute(f"COPY ({JOURNEYS}) TO '{out}' (FORMAT parquet, COMPRESSION snappy)")

    timed("journeys", journeys, lambda _: check_journeys(out), runs)
    for name, text in (
        ("transitions", TRANSITIONS),
        ("variants", VARIANTS),
        ("funnel", FUNNEL),
        ("retention", RETENTION),
    ):
        timed(name, lambda text=text: connection.execute(text).fetchall(), digest, runs)
    timed("census", lambda: connection.execute(CENSUS).fetchnumpy(), census, runs)
    timed("flow", lambda: connection.execute(FLOW).fetchall(), digest, runs)
    finish()


def census(found: Any) -> str:
    """The fingerprint of the counts."""
    return d.check_census(found["person"], found["month"], found["interactions"])


def check_journeys(path: Path) -> str:
    """The fingerprint of a written table of journeys, whoever wrote it."""
    with duckdb.connect() as connection:
        return digest(connection.execute(d.CHECK_JOURNEYS.format(path=path)).fetchall())
