"""Compile every kernel of the journeys ahead of time, so that nobody waits for a compiler."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from desireline.journeys.flow import flow, flow_people
from desireline.journeys.funnel import funnel
from desireline.journeys.lived import lived_flow, lived_people
from desireline.journeys.lived_values import Lane
from desireline.journeys.retention import retention
from desireline.journeys.spans import MapRule
from desireline.journeys.stitch import stitch
from desireline.journeys.transitions import transitions
from desireline.journeys.variants import variants
from desireline.storage.journey_store import Bucket, Snapshot, snapshot_from_rows
from desireline.vocabulary.units import DAY_MS
from desireline.vocabulary.which import Which


def warm() -> float:
    """Ask every question once of a few made-up rows; returns the seconds it took (near zero when cached)."""
    began = time.perf_counter()
    snapshot = _sample()
    everybody = MapRule("warm", _first, ends=_none, touches=_first, quiet_ms=DAY_MS, key="case")
    stitch(snapshot)
    stitch(snapshot, rule=everybody)
    drawn = flow(snapshot, start="a", which=Which(where={"channel": "web"}))
    flow_people(snapshot, drawn, column=0, label="a")
    flow(snapshot, which=Which(where={"channel": "web"}, where_in="journeys"))
    transitions(snapshot)
    transitions(snapshot, most_named=1)
    variants(snapshot)
    _ = variants(_many(), top=1)
    funnel(snapshot, ["a", "b"])
    retention(snapshot)
    lived = lived_flow(snapshot, begins=_first, lanes=[Lane("one", "a"), Lane("two", "b")], key="case")
    lived_people(snapshot, lived, step="one")
    return time.perf_counter() - began


def _sample() -> Snapshot:
    rows = [
        {
            "person": person,
            "occurred_at": at * DAY_MS,
            "touchpoint": name,
            "channel": "web",
            "direction": "inbound",
            "topic": "card",
            "case": "1",
        }
        for person in (1, 2)
        for at, name in enumerate("abc")
    ]
    return snapshot_from_rows(rows)


def _many() -> Snapshot:
    return snapshot_from_rows(
        {"person": number + 1, "occurred_at": 0, "touchpoint": f"t{number}", "channel": "web"} for number in range(80)
    )


def _first(bucket: Bucket) -> NDArray[np.uint8]:
    return np.asarray(bucket.column("touchpoint") == 0, np.uint8)


def _none(bucket: Bucket) -> NDArray[np.uint8]:
    return np.zeros(len(bucket.column("touchpoint")), np.uint8)
