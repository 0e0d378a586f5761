"""Retentioneering, asked the same of the same log, gives the same transitions and the same funnel."""

from __future__ import annotations

import numpy as np
import pytest

from desireline.journeys import funnel, transitions
from desireline.storage.journey_store import snapshot_from_rows

EVENTS = "abc"


@pytest.fixture(scope="module")
def log():
    luck = np.random.default_rng(5)
    return [
        {"person": int(luck.integers(1, 120)), "occurred_at": at * 60_000, "touchpoint": str(luck.choice(list(EVENTS)))}
        for at in range(500)
    ]


@pytest.fixture(scope="module")
def stream(log):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RETENTIONEERING_NO_TRACK", "1")
        retentioneering = pytest.importorskip("retentioneering")
        pandas = pytest.importorskip("pandas")
        frame = pandas.DataFrame(
            {
                "user_id": [row["person"] for row in log],
                "event": [row["touchpoint"] for row in log],
                "timestamp": pandas.to_datetime([row["occurred_at"] for row in log], unit="ms"),
            }
        )
        yield retentioneering.Eventstream(frame)


def test_transitions_are_those_of_retentioneering(log, stream):
    count = stream.transition_graph_data(edge_weight="count")
    median = stream.transition_graph_data(edge_weight="time_median")
    table = transitions(snapshot_from_rows(log), journey_gap_days=None)
    assert len(table) == 9
    for row in table.rows():
        assert row["count"] == count.loc[row["from"], row["to"]]
        time = median.loc[row["from"], row["to"]]
        assert row["median_seconds"] == pytest.approx(time.total_seconds() if hasattr(time, "total_seconds") else time)


def test_the_funnel_is_that_of_retentioneering(log, stream):
    table = funnel(snapshot_from_rows(log), list(EVENTS), within_days=None, by_channel=False)
    theirs = stream.funnel_data(steps=list(EVENTS))["steps"]
    assert list(table["people"]) == [step["unique_paths"] for step in theirs]
