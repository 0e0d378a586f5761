"""What judging found: one row per instance, as arrays and as plain rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from desireline.promises import openings as o
from desireline.promises.deadlines import NONE
from desireline.promises.maps import Promise
from desireline.promises.verdicts import NO_CONSENT, WITHDRAWN
from desireline.promises.versions import MapVersion
from desireline.storage.engines import kernel, run
from desireline.storage.journey_store import Bucket
from desireline.vocabulary.promise import BREACHES, VERDICTS

_CODES = {"promise": o.O_PROMISE, "verdict": o.O_VERDICT, "breach": o.O_BREACH, "deadline_kind": o.O_DEADLINE}
_IDS = {
    "opening_id": o.O_OPENING,
    "settling_id": o.O_SETTLING,
    "breaking_id": o.O_BREAKING,
    "made_good_id": o.O_MENDING,
}
_MOMENTS = {
    "opened_at": o.O_OPENING,
    "settled_at": o.O_SETTLING,
    "made_good_at": o.O_MENDING,
    "forbidden_at": o.O_FORBIDDEN,
    "repeated_at": o.O_REPEATED,
    "without_consent_at": o.O_NO_CONSENT,
}
_BREACHES = ("forbidden_at", "repeated_at", "without_consent_at")
COLUMNS = (
    *("promise", "person", "journey", "key_hash", "channel", "opening_id", "opened_at", "due_at", "settled_at"),
    *("verdict", "breach", "breached_at", "lateness_seconds", "settling_id", "breaking_id", "made_good_at"),
    *("made_good_id", "forbidden_at", "repeated_at", "without_consent_at", "deadline_at", "deadline_kind"),
)
"""The columns of a judgement, all int64; `NONE` where there is nothing, -1 for a code of nothing, 0 for no key."""


@dataclass(frozen=True, slots=True)
class Part:
    """The instances of one bucket: which rows are their evidence; moments and ids are looked up when asked for.

    lines: (O_WIDTH, instances) int32, see the O_ columns. dues: (instances,) int64, those of withdrawn ones too.
    journeys: finds the row at which the journey of each opening began, -1 for none.
    ends: finds when time alone changes each instance and when its window ends, see `wakes.ends_of`.
    """

    bucket: Bucket
    lines: NDArray[np.int32]
    dues: NDArray[np.int64]
    journeys: Callable[[], NDArray[np.int32]]
    ends: Callable[[], NDArray[np.int64]]

    def read(self, name: str, into: NDArray[np.int64], same: Sequence[str]) -> None:
        """Put a column into an array. same: the key of each promise, '' for none."""
        if name in _CODES:
            into[:] = self.lines[_CODES[name]]
        elif name in _IDS:
            self._pick("id", _IDS[name], NONE, into)
        elif name in _MOMENTS:
            self._pick("occurred_at", _MOMENTS[name], NONE, into)
        elif name == "journey":
            pick(into, np.asarray(self.bucket.column("id")), self.journeys()[np.newaxis, :], 0, 0)
        elif name == "person":
            pick(into, self.bucket.person, self.lines, o.O_PERSON, NONE)
        elif name == "channel":
            into[:] = self.bucket.column("channel")[self.lines[o.O_OPENING]]
        elif name == "key_hash":
            self._keys(into, same)
        else:
            self._from_dues(name, into)

    def _pick(self, name: str, place: int, missing: int, into: NDArray[np.int64]) -> None:
        pick(into, np.asarray(self.bucket.column(name)), self.lines, place, missing)

    def _keys(self, into: NDArray[np.int64], same: Sequence[str]) -> None:
        into[:] = 0
        promise = self.lines[o.O_PROMISE]
        for name in {each for each in same if each}:
            asked = np.array([each == name for each in same])[promise]
            into[asked] = self.bucket.column(name)[self.lines[o.O_OPENING, asked]]

    def _from_dues(self, name: str, into: NDArray[np.int64]) -> None:
        into[:] = self.dues
        if name == "due_at":
            into[self.lines[o.O_VERDICT] == WITHDRAWN] = NONE
        elif name == "deadline_at":
            into[self.lines[o.O_DEADLINE] < 0] = NONE
        elif name == "breached_at":
            breach = self.lines[o.O_BREACH]
            into[breach < 0] = NONE
            moments = np.empty_like(into)
            for code, moment in enumerate(_BREACHES[: NO_CONSENT + 1]):
                if (breach == code).any():
                    self._pick("occurred_at", _MOMENTS[moment], NONE, moments)
                    into[breach == code] = moments[breach == code]
        elif name == "lateness_seconds":
            self._pick("occurred_at", o.O_SETTLING, NONE, into)
            late_by(into, self.dues)


@dataclass(frozen=True)
class Judged:
    """Every instance of every promise, judged as of one moment.

    promises: what a code of the column `promise` stands for. parts: the instances of each bucket,
    person by person, in no order that means anything. of_nobody: counts `unknown`. channels: the
    texts of the column `channel`.
    """

    promises: tuple[tuple[MapVersion, Promise], ...]
    parts: tuple[Part, ...]
    of_nobody: Callable[[], tuple[int, ...]]
    channels: Sequence[str]
    as_of: int
    _known: dict[str, NDArray[np.int64]] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def unknown(self) -> tuple[int, ...]:
        """For each promise, the openings without any handle, which open nothing and are counted beside the rate."""
        return self.of_nobody()

    def __len__(self) -> int:
        return sum(len(part.dues) for part in self.parts)

    def column(self, name: str) -> NDArray[np.int64]:
        """(instances,) int64: one of `COLUMNS`."""
        return self.columns(name)[name]

    def columns(self, *names: str) -> dict[str, NDArray[np.int64]]:
        """Several of `COLUMNS`, looked up bucket by bucket at once and kept."""
        asked = [name for name in names if name not in self._known]
        made = dict(zip(asked, np.empty((len(asked), len(self)), dtype=np.int64), strict=True))
        same = [promise.same for _, promise in self.promises]
        ends = np.cumsum([len(part.dues) for part in self.parts]).tolist()

        def look_up(numbered: tuple[Part, int]) -> None:
            part, end = numbered
            for name, into in made.items():
                part.read(name, into[end - len(part.dues) : end], same)

        run(look_up, zip(self.parts, ends, strict=True) if made else ())
        self._known.update(made)
        return {name: self._known[name] for name in names}

    def counts(self) -> dict[tuple[str, str], dict[str, int]]:
        """How many instances of each (map, promise) have each verdict."""
        counts: dict[tuple[str, str], dict[str, int]] = {}
        found = self.columns("promise", "verdict")
        table = np.bincount(
            found["promise"] * len(VERDICTS) + found["verdict"], minlength=len(self.promises) * len(VERDICTS)
        ).reshape(-1, len(VERDICTS))
        for (version, promise), row in zip(self.promises, table.tolist(), strict=True):
            of = counts.setdefault((version.map.name, promise.name), dict.fromkeys(VERDICTS, 0))
            for word, count in zip(VERDICTS, row, strict=True):
                of[word] += count
        return counts

    def rows(self) -> Iterator[dict[str, Any]]:
        """Each instance as a dictionary of plain values, `None` where there is nothing."""
        lists = [column.tolist() for column in self.columns(*COLUMNS).values()]
        for values in zip(*lists, strict=True):
            yield self._row(dict(zip(COLUMNS, values, strict=True)))

    def _row(self, line: Mapping[str, int]) -> dict[str, Any]:
        version, promise = self.promises[line["promise"]]
        given_values = {name: given(line[name]) for name in _GIVEN}
        return {
            "map": version.map.name,
            "map_version": version.number,
            "promise": promise.name,
            "person": line["person"],
            "journey": line["journey"],
            "key": line["key_hash"],
            "channel": self.channels[line["channel"]] if line["channel"] >= 0 else None,
            "opening_id": line["opening_id"],
            "opened_at": line["opened_at"],
            "verdict": VERDICTS[line["verdict"]],
            "breach": BREACHES[line["breach"]] if line["breach"] >= 0 else None,
            "breaches": breaches_of(line),
            **given_values,
        }


_GIVEN = ("due_at", "settled_at", "lateness_seconds", "settling_id", "breaking_id", "made_good_at", "made_good_id")


def given(value: int) -> int | None:
    """The value, `None` when it stands for nothing."""
    return None if value == NONE else value


def breaches_of(line: Mapping[str, int]) -> list[tuple[str, int]]:
    """Every kind of breach of an instance with its first moment, the one that names it first."""
    found = [(line[name], code) for code, name in enumerate(_BREACHES) if line[name] != NONE]
    if line["deadline_at"] != NONE:
        found.append((line["deadline_at"], line["deadline_kind"]))
    return [(BREACHES[code], moment) for moment, code in sorted(found)]


@kernel
def pick(
    into: NDArray[np.int64], values: NDArray[np.int64], lines: NDArray[np.int32], place: int, missing: int
) -> None:
    """The values at the rows that one column of the lines names, `missing` where it names none."""
    for i in range(len(into)):
        row = lines[place, i]
        into[i] = values[row] if row >= 0 else missing


@kernel
def late_by(settled: NDArray[np.int64], dues: NDArray[np.int64]) -> None:
    """Turn moments of settlement into whole seconds after the due, `NONE` where that was in time."""
    for i in range(len(dues)):
        late = settled[i] != NONE and dues[i] != NONE and settled[i] > dues[i]
        settled[i] = (settled[i] - dues[i]) // 1000 if late else NONE
