"""A map: the journey as designed, with its phases, steps and promises. Frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from desireline.promises.patterns import Pattern
from desireline.vocabulary.errors import Mistake
from desireline.vocabulary.units import Duration


@dataclass(frozen=True, slots=True)
class Step:
    """One step people see, with the lanes of its blueprint."""

    name: str
    phase: str
    pattern: Pattern | None = None
    control: str = ""
    needs: str = ""
    feels: int | None = None
    front: str = ""
    back: str = ""
    system: str = ""
    owner: str = ""
    outcome: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of the journey; `sale` says whether it lies before, during or after the sale."""

    name: str
    sale: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Within:
    """How long a promise may take: one duration, or one for each channel of the opening."""

    everywhere: Duration | None = None
    by_channel: Mapping[str, Duration] = field(default_factory=dict)

    def durations(self) -> tuple[Duration, ...]:
        """Every duration it names."""
        return (self.everywhere,) if self.everywhere else tuple(self.by_channel.values())


@dataclass(frozen=True, slots=True)
class AtMost:
    """No more than `count` such interactions after the opening, within a time."""

    count: int
    of: Pattern
    within: Duration


@dataclass(frozen=True, slots=True)
class IfBroken:
    """What makes a breach good, and how soon after the breach."""

    then: Pattern
    within: Duration


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise: what opens it, what settles it, what must not happen, and by when."""

    name: str
    says: str
    when: Pattern
    at: str = ""
    who: Pattern | None = None
    then: Pattern | None = None
    never: Pattern | None = None
    at_most: AtMost | None = None
    within: Within | None = None
    same: str = ""
    unless: Pattern | None = None
    if_broken: IfBroken | None = None
    consent: str = ""
    calendar: str = ""
    keep: float | None = None
    public: bool = False
    critical: bool = False


@dataclass(frozen=True, slots=True)
class Map:
    """One journey as promised. `quiet_after` is milliseconds; `calendar` is already resolved.

    `valid_from` is UTC milliseconds, `None` when the file does not say; `warnings` are what the
    file may say but rarely means. `places` gives line and column of each promise.
    """

    name: str
    says: str
    file_name: str
    text: str
    promises: tuple[Promise, ...]
    phases: tuple[Phase, ...] = ()
    who: Pattern | None = None
    owner: str = ""
    calendar: str = ""
    valid_from: int | None = None
    begins: Pattern | None = None
    ends: Pattern | None = None
    quiet_after: int | None = None
    warnings: tuple[Mistake, ...] = ()
    places: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def promise(self, name: str) -> Promise:
        """The promise of that name; `KeyError` when there is none."""
        for promise in self.promises:
            if promise.name == name:
                return promise
        raise KeyError(name)

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every step in order."""
        return tuple(step for phase in self.phases for step in phase.steps)

    def as_dict(self) -> dict[str, Any]:
        """What lists of maps show."""
        return {
            "map": self.name,
            "says": self.says,
            "owner": self.owner,
            "file": self.file_name,
            "phases": len(self.phases),
            "steps": len(self.steps),
            "promises": [promise.name for promise in self.promises],
            "warnings": [str(warning) for warning in self.warnings],
        }
