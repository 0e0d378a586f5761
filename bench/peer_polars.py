"""The questions as Polars expressions, lazily from Parquet."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
from bench import definitions as d
from bench.harness import digest, finish, timed
from bench.peer_duckdb import check_journeys

c = pl.col


def work(folder: Path, log: Path, runs: int) -> None:
    """Ask every question."""
    out = folder / "journeys-polars.parquet"
    timed(
        "journeys", lambda: journeys(log).write_parquet(out, compression="snappy"), lambda _: check_journeys(out), runs
    )
    timed("transitions", lambda: transitions(log), lambda found: digest(found.rows()), runs)
    timed("variants", lambda: variants(log), digest, runs)
    timed("funnel", lambda: funnel(log), lambda found: digest(found.rows()), runs)
    timed("retention", lambda: retention(log), lambda found: digest(found.rows()), runs)
    timed(
        "census", lambda: census(log), lambda found: d.check_census(found["person"], found["month"], found["len"]), runs
    )
    timed("flow", lambda: flow(log), lambda found: digest(found.rows()), runs)
    finish()


def ordered(log: Path, *columns: str) -> pl.LazyFrame:
    """The log in order of persons and time, with the beginnings and numbers of journeys."""
    frame = pl.scan_parquet(log).filter(c("handle").is_not_null())
    frame = frame.select(c("handle").alias("person"), c("occurred_at").alias("at"), "position", "touchpoint", *columns)
    frame = frame.sort("person", "at", "position")
    other = (c("person") != c("person").shift()).fill_null(True)
    late = c("at") - c("at").shift() > d.GAP_MS
    frame = frame.with_columns(begins=other | late | (c("touchpoint").shift() == d.PURCHASE))
    return frame.with_columns(number=c("begins").cum_sum())


def journeys(log: Path) -> pl.DataFrame:
    """One row per journey."""
    same = c("at") - c("at").shift().over("number", "touchpoint", "direction") <= d.REPEAT_MS
    hop = ~c("begins") & (c("channel") != c("channel").shift())
    frame = ordered(log, "id", "channel", "direction").with_columns(
        hop=hop.fill_null(False), repeats=((c("direction") == "inbound") & same).fill_null(False)
    )
    return (
        frame.group_by("number")
        .agg(
            journey=c("id").first(),
            person=c("person").first(),
            started_at=c("at").first(),
            ended_at=c("at").last(),
            steps=pl.len(),
            channel_hops=c("hop").sum(),
            repeat_contacts=c("repeats").sum(),
            converted=(c("touchpoint") == d.PURCHASE).any(),
            first_channel=c("channel").first(),
        )
        .drop("number")
        .collect()
    )


def transitions(log: Path) -> pl.DataFrame:
    """Counts and medians of neighbours."""
    frame = ordered(log).with_columns(before=c("touchpoint").shift(), gap=c("at") - c("at").shift())
    found = frame.filter(~c("begins")).group_by("before", "touchpoint").agg(pl.len(), c("gap").median() / 1000)
    return found.collect()


def variants(log: Path) -> list[tuple[str, str, int]]:
    """Transitions within the most frequent variants."""
    frame = ordered(log).group_by("number").agg(c("touchpoint"))
    counted = frame.select(c("touchpoint").list.join(" > ").alias("variant")).group_by("variant").agg(pl.len())
    top = counted.sort(["len", "variant"], descending=[True, False]).head(d.VARIANTS).collect()
    steps: dict[tuple[str, str], int] = {}
    for variant, count in top.rows():
        names = variant.split(" > ")
        for pair in pairwise(names):
            steps[pair] = steps.get(pair, 0) + count
    return [*((*pair, count) for pair, count in steps.items()), ("(all)", "(all)", int(top["len"].sum()))]


def funnel(log: Path) -> pl.DataFrame:
    """How many people reached each step, by the channel of their first opening."""
    frame = pl.scan_parquet(log).filter(c("handle").is_not_null() & c("touchpoint").is_in(d.FUNNEL))
    frame = frame.select(c("handle").alias("person"), c("occurred_at").alias("at"), "position", "touchpoint", "channel")
    frame = frame.sort("person", "at", "position")
    opened: Any = pl.when(c("touchpoint") == d.FUNNEL[0]).then(c("at"))
    frame = frame.with_columns(opened_1=opened.forward_fill().over("person"))
    for step in (2, 3, 4):
        before = c(f"opened_{step - 1}")
        opened = pl.when((c("touchpoint") == d.FUNNEL[step - 1]) & (c("at") - before <= d.WITHIN_MS)).then(before)
        frame = frame.with_columns(opened.forward_fill().over("person").alias(f"opened_{step}"))
    depth = sum((c(f"opened_{step}").is_not_null().any().cast(pl.Int8) for step in (1, 2, 3, 4)), pl.lit(0))
    people = frame.group_by("person").agg(
        channel=c("channel").filter(c("touchpoint") == d.FUNNEL[0]).first(), depth=depth
    )
    reached = [(c("depth") >= step).sum().cast(pl.Int64).alias(f"step_{step}") for step in (1, 2, 3, 4)]
    return people.filter(c("depth") >= 1).group_by("channel").agg(reached).collect()


def month() -> Any:
    """Months since the year 0."""
    moment = pl.from_epoch("occurred_at", time_unit="ms")
    return (moment.dt.year().cast(pl.Int32) * 12 + moment.dt.month() - 1).alias("month")


def retention(log: Path) -> pl.DataFrame:
    """People by cohort and months later."""
    frame = pl.scan_parquet(log).filter(c("handle").is_not_null()).select(c("handle").alias("person"), month())
    seen = frame.unique().with_columns(cohort=c("month").min().over("person"))
    return seen.group_by("cohort", (c("month") - c("cohort")).alias("later")).agg(pl.len()).collect()


def census(log: Path) -> pl.DataFrame:
    """Interactions per person, month and channel."""
    frame = (
        pl.scan_parquet(log).filter(c("handle").is_not_null()).select(c("handle").alias("person"), month(), "channel")
    )
    return frame.group_by("person", "month", "channel").agg(pl.len()).collect()


def flow(log: Path) -> pl.DataFrame:
    """Links between the columns of the flow."""
    number = c("number").shift(-1) == c("number")
    frame = ordered(log).with_columns(
        place=pl.int_range(pl.len()),
        after=pl.when(number).then(c("touchpoint").shift(-1)),
        gap=pl.when(number).then(c("at").shift(-1) - c("at")),
    )
    first = pl.when(c("touchpoint") == d.START).then(c("place")).min().over("number")
    frame = frame.with_columns(step=c("place") - first).filter(c("step").is_between(0, d.STEPS - 1))
    walked = frame.select("step", "touchpoint", "after", "gap").collect()
    counted = (
        walked.group_by("step", "touchpoint")
        .agg(pl.len())
        .sort(["step", "len", "touchpoint"], descending=[False, True, False])
    )
    named = counted.group_by("step", maintain_order=True).head(d.TOP).select("step", "touchpoint", named=True)
    source = walked.join(named, on=["step", "touchpoint"], how="left")
    nexts = named.select(c("step") - 1, c("touchpoint").alias("after"), c("named").alias("after_named"))
    both = source.join(nexts, on=["step", "after"], how="left").filter((c("step") < d.STEPS - 1) | c("after").is_null())
    target = (
        pl.when(c("after").is_null()).then(pl.lit("(end)")).when(c("after_named").is_null()).then(pl.lit("(other)"))
    )
    return (
        both.with_columns(
            source=pl.when(c("named").is_null()).then(pl.lit("(other)")).otherwise(c("touchpoint")),
            target=target.otherwise(c("after")),
        )
        .group_by("step", "source", "target")
        .agg(pl.len(), c("gap").median() / 1000)
    )
