"""What the questions of the bench mean, once for every engine."""

from __future__ import annotations

DAY_MS = 86_400_000
GAP_MS = 30 * DAY_MS
REPEAT_MS = 7 * DAY_MS
WITHIN_MS = 14 * DAY_MS
PURCHASE = "cart.done"
FUNNEL = ("product.seen", "cart.seen", "cart.opened", "cart.done")
START = "support.asked"
STEPS = 6
TOP = 8
VARIANTS = 1_000

REACH = {
    "journeys": 12.0,
    "transitions": 6.0,
    "variants": 5.0,
    "funnel": 30.0,
    "retention": 20.0,
    "census": 15.0,
    "flow": 10.0,
}
"""How many times faster than the best peer each question must be (10 M interactions, on the store)."""
SAYS = {
    "journeys": "journeys with duration, steps, hops, repeats, conversion (table written)",
    "transitions": "transitions with count and exact median time",
    "variants": "top 1,000 variants and their transitions",
    "funnel": "ordered four-step funnel within 14 days, by first channel",
    "retention": "retention by monthly cohort",
    "census": "interactions per person, month and channel",
    "flow": "exact flow from a step, 6 columns, (other) and (end) kept",
}

CHECK_JOURNEYS = """
SELECT count(*), sum(person % 1000003), sum(started_at % 1000003), sum(ended_at % 1000003), sum(steps),
       sum(channel_hops), sum(repeat_contacts), sum(converted::INT), sum(journey % 1000003), sum(length(first_channel))
FROM read_parquet('{path}')
"""
"""Everything about the journeys but their order."""


def check_census(people: object, months: object, counts: object) -> str:
    """A fingerprint of counts per person, month and channel; arrays of equal length."""
    import numpy as np

    person, month, count = (np.asarray(values, dtype=np.int64) for values in (people, months, counts))
    weighted = (person % 1_000_003) * (month % 1_000) * count
    return f"{len(person)} rows {int(count.sum())} {int((count * count).sum())} {int(weighted.sum() % 2**53)}"
