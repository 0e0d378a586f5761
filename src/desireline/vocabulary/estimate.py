"""A number never travels alone: what it rests on goes with it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

FEWEST_SETTLED = 30
"""Fewer settled instances than this say "not enough yet" (promises.md)."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its interval, count, method, assumptions, diagnostics and evidence grade.

    `value`, `low` and `high` are `None` when there is nothing to say; `why_missing` then says
    why. `grade` is A (randomised) to E (correlation or rule); a plain count of what happened,
    with a sampling interval, has grade "" since it claims no cause.
    """

    what: str
    value: float | None
    low: float | None = None
    high: float | None = None
    level: float = 0.95
    count: int = 0
    method: str = ""
    unit: str = ""
    assumptions: tuple[str, ...] = ()
    diagnostics: Mapping[str, Any] = field(default_factory=dict)
    grade: str = ""
    why_missing: str = ""
    as_of: int | None = None

    @classmethod
    def missing(cls, what: str, because: str, *, count: int = 0, as_of: int | None = None) -> Estimate:
        """An estimate that says why there is no number.

        >>> Estimate.missing("keep-rate", "not enough yet", count=3).value is None
        True
        """
        return cls(what=what, value=None, count=count, why_missing=because, as_of=as_of)

    def as_dict(self) -> dict[str, Any]:
        """Everything it carries, for JSON."""
        return {
            "what": self.what,
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "level": self.level,
            "count": self.count,
            "method": self.method,
            "unit": self.unit,
            "assumptions": list(self.assumptions),
            "diagnostics": dict(self.diagnostics),
            "grade": self.grade,
            "why_missing": self.why_missing,
            "as_of": self.as_of,
        }


def wilson(*, kept: int, count: int, level: float = 0.95) -> tuple[float, float]:
    """The Wilson score interval of a share (Wilson 1927, JASA 22:209).

    Raises `ValueError` when `count` is 0: an empty group has no interval.

    >>> low, high = wilson(kept=90, count=100)
    >>> round(low, 4), round(high, 4)
    (0.8256, 0.9448)
    """
    if count <= 0:
        raise ValueError("an empty group has no interval")
    if not 0 <= kept <= count:
        raise ValueError("kept must lie between 0 and count")
    z = _normal_quantile(0.5 + level / 2)
    share = kept / count
    shrink = 1 + z * z / count
    centre = (share + z * z / (2 * count)) / shrink
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / shrink
    return max(0.0, centre - half), min(1.0, centre + half)


def keep_rate(*, kept: int, broken: int, what: str, fewest: int = FEWEST_SETTLED, as_of: int | None = None) -> Estimate:
    """The share of settled promises that were kept, with its Wilson interval and count.

    >>> keep_rate(kept=2, broken=1, what="answered").why_missing
    'not enough yet: 3 settled, 30 needed'
    """
    count = kept + broken
    if count < fewest:
        return Estimate.missing(what, f"not enough yet: {count} settled, {fewest} needed", count=count, as_of=as_of)
    low, high = wilson(kept=kept, count=count)
    return Estimate(
        what=what,
        value=kept / count,
        low=low,
        high=high,
        count=count,
        method="kept / (kept + broken), Wilson score interval",
        unit="share",
        as_of=as_of,
    )


def _normal_quantile(probability: float) -> float:
    from statistics import NormalDist

    return NormalDist().inv_cdf(probability)
