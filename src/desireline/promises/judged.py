"""What judging found: one row per instance, as arrays and as plain rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from desireline.promises import verdicts as v
from desireline.promises.deadlines import NONE
from desireline.promises.maps import Promise
from desireline.promises.versions import MapVersion
from desireline.vocabulary.promise import BREACHES, VERDICTS

_MOMENTS = (v.O_FORBIDDEN, v.O_REPEATED, v.O_NO_CONSENT)


@dataclass(frozen=True)
class Judged:
    """Every instance of every promise, judged as of one moment.

    promises: what O_PROMISE of a row stands for. parts: one (instances, O_WIDTH) int64 array per
    bucket, person by person, in no order that means anything. unknown: for each promise, the
    openings without any handle, which open nothing and are counted beside the rate. channels: the
    texts of O_CHANNEL.
    """

    promises: tuple[tuple[MapVersion, Promise], ...]
    parts: tuple[NDArray[np.int64], ...]
    unknown: tuple[int, ...]
    channels: Sequence[str]
    as_of: int

    def __len__(self) -> int:
        return sum(len(part) for part in self.parts)

    @cached_property
    def found(self) -> NDArray[np.int64]:
        """(instances, O_WIDTH) int64: the parts one after another."""
        return np.concatenate([np.empty((0, v.O_WIDTH), dtype=np.int64), *self.parts])

    @cached_property
    def lateness_seconds(self) -> NDArray[np.int64]:
        """(instances,) whole seconds from due to settlement of the late ones, `NONE` for the others."""
        due, settled = self.found[:, v.O_DUE], self.found[:, v.O_SETTLED]
        late = (settled != NONE) & (due != NONE) & (settled > due)
        return np.where(late, (settled - due) // 1000, NONE)

    def column(self, place: int) -> NDArray[np.int64]:
        """One column of `found`, such as `verdicts.O_VERDICT`."""
        return self.found[:, place]

    def counts(self) -> dict[tuple[str, str], dict[str, int]]:
        """How many instances of each (map, promise) have each verdict."""
        counts: dict[tuple[str, str], dict[str, int]] = {}
        for number, (version, promise) in enumerate(self.promises):
            of = counts.setdefault((version.map.name, promise.name), dict.fromkeys(VERDICTS, 0))
            verdict = self.found[self.found[:, v.O_PROMISE] == number, v.O_VERDICT]
            for code, word in enumerate(VERDICTS):
                of[word] += int((verdict == code).sum())
        return counts

    def rows(self) -> Iterator[dict[str, Any]]:
        """Each instance as a dictionary of plain values, `None` where there is nothing."""
        for line, lateness in zip(self.found.tolist(), self.lateness_seconds.tolist(), strict=True):
            yield self._row(line, lateness)

    def _row(self, line: Sequence[int], lateness: int) -> dict[str, Any]:
        version, promise = self.promises[line[v.O_PROMISE]]
        channel = line[v.O_CHANNEL]
        return {
            "map": version.map.name,
            "map_version": version.number,
            "promise": promise.name,
            "person": line[v.O_PERSON],
            "journey": line[v.O_JOURNEY],
            "key": line[v.O_KEY],
            "channel": self.channels[channel] if channel >= 0 else None,
            "opening_id": line[v.O_OPENING],
            "opened_at": line[v.O_OPENED],
            "due_at": given(line[v.O_DUE]),
            "settled_at": given(line[v.O_SETTLED]),
            "verdict": VERDICTS[line[v.O_VERDICT]],
            "breach": BREACHES[line[v.O_BREACH]] if line[v.O_BREACH] >= 0 else None,
            "breaches": breaches_of(line),
            "lateness_seconds": given(lateness),
            "settling_id": given(line[v.O_SETTLING]),
            "breaking_id": given(line[v.O_BREAKING]),
            "made_good_at": given(line[v.O_MENDED]),
            "made_good_id": given(line[v.O_MENDING]),
        }


def given(value: int) -> int | None:
    """The value, `None` when it stands for nothing."""
    return None if value == NONE else value


def breaches_of(line: Sequence[int] | Mapping[int, int]) -> list[tuple[str, int]]:
    """Every kind of breach of an instance with its first moment, the one that names it first."""
    found = [(line[place], code) for code, place in enumerate(_MOMENTS) if line[place] != NONE]
    if line[v.O_DEADLINE] != NONE:
        found.append((line[v.O_DEADLINE], line[v.O_DEADLINE_KIND]))
    return [(BREACHES[code], moment) for moment, code in sorted(found)]
