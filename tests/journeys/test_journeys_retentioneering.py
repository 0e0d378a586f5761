"""Retentioneering, asked the same of the same log, gives the same transitions."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from desireline.journeys import transitions
from desireline.storage.journey_store import snapshot_from_rows


def test_transitions_are_those_of_retentioneering():
    retentioneering = pytest.importorskip("retentioneering")
    pandas = pytest.importorskip("pandas")
    luck = np.random.default_rng(5)
    rows = [
        {
            "person": int(luck.integers(1, 30)),
            "occurred_at": at * 60_000,
            "touchpoint": str(luck.choice(["a", "b", "c"])),
        }
        for at in range(600)
    ]
    frame = pandas.DataFrame(
        {
            "user_id": [row["person"] for row in rows],
            "event": [row["touchpoint"] for row in rows],
            "timestamp": pandas.to_datetime([row["occurred_at"] for row in rows], unit="ms"),
        }
    )
    stream = retentioneering.Eventstream(frame, add_start_end_events=False)
    matrix = stream.transition_matrix(edge_weight="count")
    table = transitions(snapshot_from_rows(rows), journey_gap_days=None)
    ours = Counter({(row["from"], row["to"]): row["count"] for row in table.rows()})
    theirs = {(a, b): int(matrix.loc[a, b]) for a in "abc" for b in "abc"}
    assert ours == Counter(theirs)
