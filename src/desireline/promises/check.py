"""What fails in continuous checking: no evidence, or shown to be kept less often than promised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from desireline.promises.keep_rates import KeepRate
from desireline.promises.maps import Map, Promise
from desireline.vocabulary.estimate import FEWEST_SETTLED


@dataclass(frozen=True, slots=True)
class Finding:
    """One failure of `desireline check`: which promise, what is wrong, and where the promise stands."""

    map: str
    promise: str
    kind: str
    says: str
    file: str = ""
    line: int | None = None

    def __str__(self) -> str:
        place = f"{self.file} line {self.line}: " if self.line else ""
        return f"{place}{self.map} / {self.promise}: {self.says}"

    def as_dict(self) -> dict[str, Any]:
        """Everything it carries, for JSON."""
        return {name: getattr(self, name) for name in ("map", "promise", "kind", "says", "file", "line")}


def check(maps: Sequence[Map], rates: Sequence[KeepRate]) -> list[Finding]:
    """Every promise without evidence and every keep-rate shown to be below its `keep`, in the order of the maps.

    rates: `keep_rates(instances)` by map and promise. A rate is shown to be below when the upper
    Wilson bound is, with at least 30 settled instances.
    """
    by_promise = {(rate.group["map"], rate.group["promise"]): rate for rate in rates}
    found = []
    for each in maps:
        for promise in each.promises:
            finding = _finding(each, promise, by_promise.get((each.name, promise.name)))
            if finding:
                found.append(finding)
    return found


def _finding(of_map: Map, promise: Promise, rate: KeepRate | None) -> Finding | None:
    place = (of_map.file_name, of_map.places.get(promise.name, (None,))[0])
    if rate is None or rate.instances == 0:
        beside = f" ({rate.unknown:,} openings by nobody known)" if rate and rate.unknown else ""
        return Finding(
            of_map.name, promise.name, "no evidence", f"no evidence: nothing ever opened it{beside}.", *place
        )
    estimate = rate.estimate
    if promise.keep is None or estimate.high is None or estimate.count < FEWEST_SETTLED:
        return None
    if estimate.high >= promise.keep:
        return None
    says = (
        f"kept {estimate.value:.1%} of {estimate.count:,}, at most {estimate.high:.1%} (95 % Wilson); "
        f"the map says {100 * promise.keep:.6g} %."
    )
    return Finding(of_map.name, promise.name, "below keep", says, *place)
