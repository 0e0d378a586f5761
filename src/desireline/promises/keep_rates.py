"""Keep-rates: how often a promise was kept, with interval and count, by whatever people ask for.

Instances of one promise that waited together for one key count once, with the worst verdict, so
that asking again never makes the rate look better.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from desireline.promises.deadlines import NONE
from desireline.promises.judged import Judged
from desireline.promises.verdicts import BROKEN, KEPT, WAITING, WITHDRAWN
from desireline.storage.engines import kernel
from desireline.vocabulary.estimate import Estimate, keep_rate
from desireline.vocabulary.promise import VERDICTS

Longs = NDArray[np.int64]
FOR_EVER = int(np.iinfo(np.int64).max)
NOT_MEASURED = "not measured yet"
_PLACE = {"map": 0, "promise": 1}
_WORST_FIRST = (BROKEN, WAITING, KEPT, WITHDRAWN)


@dataclass(frozen=True)
class Instances:
    """Promise instances as arrays of equal length, with the texts their codes stand for.

    promise: code into `promises` (map, promise). key: 0 for none. verdict: code into VERDICTS.
    groups: further codes by name (channel, step, segment, ...) with their texts in `texts`; -1 is empty.
    """

    promises: Sequence[tuple[str, str]]
    promise: Longs
    person: Longs
    key: Longs
    opened_at: Longs
    due_at: Longs
    settled_at: Longs
    verdict: Longs
    groups: Mapping[str, Longs] = field(default_factory=dict)
    texts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    unknown: Mapping[tuple[str, str], int] = field(default_factory=dict)
    as_of: int | None = None

    def __len__(self) -> int:
        return len(self.promise)

    def where(self, chosen: NDArray[np.bool_]) -> Instances:
        """Only some of the instances."""
        columns = ("promise", "person", "key", "opened_at", "due_at", "settled_at", "verdict")
        cut = {name: getattr(self, name)[chosen] for name in columns}
        groups = {name: codes[chosen] for name, codes in self.groups.items()}
        return Instances(self.promises, **cut, groups=groups, texts=self.texts, unknown=self.unknown, as_of=self.as_of)


@dataclass(frozen=True, slots=True)
class KeepRate:
    """One keep-rate: of what, the estimate, and everything counted beside it."""

    group: Mapping[str, str]
    estimate: Estimate
    kept: int
    broken: int
    waiting: int
    withdrawn: int
    instances: int
    unknown: int = 0
    at_risk: str = NOT_MEASURED

    def as_dict(self) -> dict[str, Any]:
        """Group, counts and estimate as plain values."""
        counts = {name: getattr(self, name) for name in ("kept", "broken", "waiting", "withdrawn", "instances")}
        beside = {"without_handle": self.unknown, "at_risk": self.at_risk}
        return {**self.group, **counts, **beside, "keep_rate": self.estimate.as_dict()}


def instances_of(judged: Judged) -> Instances:
    """The instances of a judgement, with channel and step to group by."""
    names = sorted({(version.map.name, promise.name) for version, promise in judged.promises})
    steps = sorted({promise.at for _, promise in judged.promises if promise.at})
    code = np.array([names.index((each.map.name, p.name)) for each, p in judged.promises], dtype=np.int64)
    step = np.array([steps.index(p.at) if p.at else -1 for _, p in judged.promises], dtype=np.int64)
    row = judged.column("promise")
    unknown: dict[tuple[str, str], int] = {}
    for (version, promise), count in zip(judged.promises, judged.unknown, strict=True):
        name = (version.map.name, promise.name)
        unknown[name] = unknown.get(name, 0) + count
    return Instances(
        promises=names,
        promise=code[row] if len(code) else row,
        person=judged.column("person"),
        key=judged.column("key_hash"),
        opened_at=judged.column("opened_at"),
        due_at=judged.column("due_at"),
        settled_at=judged.column("settled_at"),
        verdict=judged.column("verdict"),
        groups={"channel": judged.column("channel"), "step": step[row] if len(step) else row},
        texts={"channel": judged.channels, "step": steps},
        unknown=unknown,
        as_of=judged.as_of,
    )


def keep_rates(instances: Instances, by: Sequence[str] = ("map", "promise")) -> list[KeepRate]:
    """The keep-rate of every group, in the order of the groups' words.

    by: any of map, promise, month (of the opening, UTC) and the names in `instances.groups`. Fewer
    than 30 settled instances say "not enough yet".
    """
    once = counted_once(instances)
    columns = [_words(once, name) for name in by]
    found: dict[tuple[str, ...], list[int]] = {}
    if not columns:
        found[()] = np.bincount(once.verdict, minlength=len(VERDICTS)).tolist()
    else:
        codes = np.stack([codes for codes, _ in columns], axis=1)
        groups, place = np.unique(codes, axis=0, return_inverse=True)
        table = np.zeros((len(groups), len(VERDICTS)), dtype=np.int64)
        np.add.at(table, (place.reshape(-1), once.verdict), 1)
        for group, counts in zip(groups.tolist(), table.tolist(), strict=True):
            found[tuple(words[code] if code >= 0 else "" for code, (_, words) in zip(group, columns, strict=True))] = (
                counts
            )
    if by and set(by) <= set(_PLACE):
        for names in instances.promises:
            found.setdefault(tuple(names[_PLACE[name]] for name in by), [0] * len(VERDICTS))
    return [_rate(instances, by, words, found[words]) for words in sorted(found)]


def _rate(instances: Instances, by: Sequence[str], words: tuple[str, ...], counts: Sequence[int]) -> KeepRate:
    waiting, kept, broken, withdrawn = counts
    group = dict(zip(by, words, strict=True))
    unknown = sum(
        count
        for (map_name, promise), count in instances.unknown.items()
        if group.get("map", map_name) == map_name and group.get("promise", promise) == promise
    )
    what = "keep-rate" + (f" of {' / '.join(word or '(none)' for word in words)}" if words else "")
    estimate = keep_rate(kept=kept, broken=broken, what=what, as_of=instances.as_of)
    return KeepRate(group, estimate, kept, broken, waiting, withdrawn, sum(counts), unknown)


def counted_once(instances: Instances) -> Instances:
    """Instances that waited together for one key as one, the first of them, with the worst verdict."""
    order = np.lexsort((instances.opened_at, instances.key, instances.person, instances.promise))
    worst = np.array([_WORST_FIRST.index(code) for code in range(len(VERDICTS))], dtype=np.int64)
    badness = worst[instances.verdict[order]] if len(order) else np.zeros(0, dtype=np.int64)
    promise, person, key = (each[order] for each in (instances.promise, instances.person, instances.key))
    ends = _waited_until(instances)[order]
    first = first_of_each(promise, person, key, instances.opened_at[order], ends, badness)
    chosen = np.zeros(len(order), dtype=bool)
    chosen[order[first]] = True
    verdict = instances.verdict.copy()
    verdict[order] = np.array(_WORST_FIRST, dtype=np.int64)[badness]
    columns_kept = instances.where(chosen)
    return Instances(**{**vars(columns_kept), "verdict": verdict[chosen]})


def _waited_until(instances: Instances) -> Longs:
    """Until when each instance waited: its settlement, else for ever, or its due when nothing is left to come."""
    over = np.isin(instances.verdict, (KEPT, WITHDRAWN))
    unsettled = np.where(over, np.where(instances.due_at == NONE, instances.opened_at, instances.due_at), FOR_EVER)
    return np.where(instances.settled_at != NONE, instances.settled_at, unsettled)


@kernel
def first_of_each(promise: Longs, person: Longs, key: Longs, opened: Longs, ends: Longs, badness: Longs) -> Longs:
    """The places of the first of each group that waited together; `badness` of it becomes the worst (lowest)."""
    first = np.empty(len(opened), dtype=np.int64)
    groups, last = 0, 0
    for i in range(len(opened)):
        joins = groups > 0 and key[i] != 0
        if joins:
            head = first[groups - 1]
            joins = promise[i] == promise[head] and person[i] == person[head] and key[i] == key[head]
            joins = joins and opened[i] <= last
        if joins:
            badness[head] = min(badness[head], badness[i])
            last = max(last, ends[i])
        else:
            first[groups] = i
            groups += 1
            last = ends[i]
    return first[:groups]


def _words(instances: Instances, name: str) -> tuple[Longs, Sequence[str]]:
    """The codes of a grouping and the texts they stand for."""
    if name in _PLACE:
        place = _PLACE[name]
        words = sorted({names[place] for names in instances.promises})
        codes = np.array([words.index(names[place]) for names in instances.promises], dtype=np.int64)
        return (codes[instances.promise] if len(codes) else instances.promise), words
    if name == "month":
        month = instances.opened_at.astype("datetime64[ms]").astype("datetime64[M]")
        distinct, place_of = np.unique(month, return_inverse=True)
        return place_of.astype(np.int64), [str(each) for each in distinct]
    return instances.groups[name], instances.texts[name]
