"""The questions in ClickHouse's SQL (chdb, in process), from Parquet.

`lagInFrame` gives '' or 0 where there is nothing before, so the first row is told by `row_number() = 1`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench import definitions as d
from bench.harness import THREADS, digest, finish, timed
from bench.peer_duckdb import check_journeys

WHOLE = "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING"
ORDERED = f"""
ordered AS (
    SELECT assumeNotNull(handle) AS person, assumeNotNull(occurred_at) AS at, assumeNotNull(position) AS position,
           assumeNotNull(id) AS id, assumeNotNull(channel) AS channel, assumeNotNull(touchpoint) AS touchpoint,
           assumeNotNull(direction) AS direction, row_number() OVER line AS nth,
           lagInFrame(assumeNotNull(occurred_at)) OVER line AS before_at,
           lagInFrame(assumeNotNull(touchpoint)) OVER line AS before_touchpoint,
           lagInFrame(assumeNotNull(channel)) OVER line AS before_channel
    FROM log WHERE handle IS NOT NULL
    WINDOW line AS (PARTITION BY handle ORDER BY occurred_at, position {WHOLE})
), begun AS (
    SELECT *, nth = 1 OR at - before_at > {d.GAP_MS} OR before_touchpoint = '{d.PURCHASE}' AS begins FROM ordered
)"""
NUMBERED = f"""{ORDERED}, numbered AS (
    SELECT *, sum(begins) OVER (PARTITION BY person ORDER BY at, position
                                ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS number
    FROM begun
)"""
JOURNEYS = f"""
WITH {NUMBERED}, repeated AS (
    SELECT *, direction = 'inbound' AND row_number() OVER kind > 1
              AND at - lagInFrame(at) OVER kind <= {d.REPEAT_MS} AS repeats
    FROM numbered WINDOW kind AS (PARTITION BY person, number, touchpoint, direction ORDER BY at, position {WHOLE})
)
SELECT maxIf(id, begins) AS journey, person, min(at) AS started_at, max(at) AS ended_at, count() AS steps,
       countIf(NOT begins AND channel <> before_channel) AS channel_hops, countIf(repeats) AS repeat_contacts,
       max(touchpoint = '{d.PURCHASE}') AS converted, anyIf(channel, begins) AS first_channel
FROM repeated GROUP BY person, number"""
TRANSITIONS = f"""
WITH {ORDERED}
SELECT before_touchpoint, touchpoint, count(), quantileExactInclusive(0.5)(at - before_at) / 1000
FROM begun WHERE NOT begins GROUP BY before_touchpoint, touchpoint"""
VARIANTS = f"""
WITH {NUMBERED}, journeys AS (
    SELECT arrayMap(x -> x.3, arraySort(groupArray((at, position, touchpoint)))) AS steps
    FROM numbered GROUP BY person, number
), variants AS (
    SELECT steps, count() AS journeys FROM journeys GROUP BY steps ORDER BY journeys DESC, steps LIMIT {d.VARIANTS}
)
SELECT pair.1, pair.2, sum(journeys) FROM (
    SELECT journeys, arrayJoin(arrayConcat(
        arrayZip(arraySlice(steps, 1, length(steps) - 1), arraySlice(steps, 2)), [('(all)', '(all)')])) AS pair
    FROM variants
) GROUP BY pair.1, pair.2"""
STEPS = ", ".join(f"touchpoint = '{name}'" for name in d.FUNNEL)
FUNNEL = f"""
SELECT channel, countIf(depth >= 1), countIf(depth >= 2), countIf(depth >= 3), countIf(depth >= 4) FROM (
    SELECT argMinIf(channel, (occurred_at, position), touchpoint = '{d.FUNNEL[0]}') AS channel,
           windowFunnel({d.WITHIN_MS})(toUInt64(assumeNotNull(occurred_at)), {STEPS}) AS depth
    FROM log WHERE handle IS NOT NULL AND touchpoint IN {d.FUNNEL} GROUP BY handle
) WHERE depth >= 1 GROUP BY channel"""
MOMENT = "fromUnixTimestamp64Milli(assumeNotNull(occurred_at), 'UTC')"
MONTH = f"(toYear({MOMENT}) * 12 + toMonth({MOMENT}) - 1)"
RETENTION = f"""
SELECT cohort, month - cohort AS later, count() FROM (
    SELECT person, months, arrayMin(months) AS cohort, arrayJoin(months) AS month FROM (
        SELECT assumeNotNull(handle) AS person, groupUniqArray({MONTH}) AS months
        FROM log WHERE handle IS NOT NULL GROUP BY person)
) GROUP BY cohort, later"""
CENSUS = f"""
SELECT assumeNotNull(handle) AS person, {MONTH} AS month, channel, count() AS interactions
FROM log WHERE handle IS NOT NULL GROUP BY person, month, channel"""
FLOW = f"""
WITH {NUMBERED}, placed AS (
    SELECT *, row_number() OVER journey AS place, leadInFrame(touchpoint) OVER journey AS after,
           leadInFrame(at) OVER journey AS after_at, count() OVER journey AS size
    FROM numbered WINDOW journey AS (PARTITION BY person, number ORDER BY at, position {WHOLE})
), anchored AS (
    SELECT *,
           toInt64(place) - toInt64(minIf(place, touchpoint = '{d.START}') OVER (PARTITION BY person, number)) AS step,
           countIf(touchpoint = '{d.START}') OVER (PARTITION BY person, number) AS starts
    FROM placed
), walked AS (
    SELECT step, touchpoint, place = size AS ends, after, toInt64(after_at) - toInt64(at) AS gap
    FROM anchored WHERE starts > 0 AND step BETWEEN 0 AND {d.STEPS - 1}
), named AS (
    SELECT step, touchpoint FROM (SELECT step, touchpoint, count() AS journeys FROM walked GROUP BY step, touchpoint)
    ORDER BY step, journeys DESC, touchpoint LIMIT {d.TOP} BY step
), links AS (
    SELECT step, if((step, touchpoint) IN named, touchpoint, '(other)') AS source,
           if(ends, '(end)', if((step + 1, after) IN named, after, '(other)')) AS target, if(ends, NULL, gap) AS time
    FROM walked WHERE step < {d.STEPS - 1} OR ends
)
SELECT step, source, target, count(), quantileExactInclusive(0.5)(time) / 1000
FROM links GROUP BY step, source, target"""


class Session:
    """ClickHouse in this process, with `log` standing for the Parquet file."""

    def __init__(self, log: Path) -> None:
        from chdb.session import Session as Chdb

        self.session = Chdb()
        self.session.query("CREATE DATABASE IF NOT EXISTS bench ENGINE = Atomic")
        self.session.query("USE bench")
        self.session.query(f"CREATE VIEW log AS SELECT * FROM file('{log}', Parquet)")
        self.session.query(f"SET max_threads = {THREADS}")

    def rows(self, text: str) -> list[tuple[Any, ...]]:
        """The answer as rows of Python values."""
        import json

        answer = str(self.session.query(text, "JSONCompactEachRow"))
        return [tuple(json.loads(line)) for line in answer.splitlines()]

    def run(self, text: str) -> None:
        """Run a statement without an answer."""
        self.session.query(text)


def work(folder: Path, log: Path, runs: int) -> None:
    """Ask every question."""
    session, out = Session(log), folder / "journeys-chdb.parquet"

    def journeys() -> None:
        out.unlink(missing_ok=True)
        session.run(f"INSERT INTO FUNCTION file('{out}', Parquet) {JOURNEYS}")

    def census() -> None:
        session.run("DROP TABLE IF EXISTS census")
        session.run(f"CREATE TABLE census ENGINE = Memory AS {CENSUS}")

    def census_check(_: None) -> str:
        rows = session.rows("SELECT toInt64(person), toInt64(month), toInt64(interactions) FROM census")
        columns = list(zip(*((int(a), int(b), int(n)) for a, b, n in rows), strict=True))
        return d.check_census(*columns)

    timed("journeys", journeys, lambda _: check_journeys(out), runs)
    for name, text in (
        ("transitions", TRANSITIONS),
        ("variants", VARIANTS),
        ("funnel", FUNNEL),
        ("retention", RETENTION),
    ):
        timed(name, lambda text=text: session.rows(text), numbers, runs)
    timed("census", census, census_check, runs)
    timed("flow", lambda: session.rows(FLOW), numbers, runs)
    finish()


def numbers(rows: list[tuple[Any, ...]]) -> str:
    """The fingerprint of rows in which wide integers may come as text."""
    return digest([int(v) if isinstance(v, str) and v.lstrip("-").isdigit() else v for v in row] for row in rows)
