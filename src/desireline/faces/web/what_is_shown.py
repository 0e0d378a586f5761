"""The values a page draws: counted once, asserted once, and the same for screen, picture and table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from desireline.faces.web.url_state import ScreenState
from desireline.vocabulary.estimate import Estimate

START, OTHER, ARRIVED, LEFT, UNDER_WAY = "(start)", "(other)", "(arrived)", "(left)", "(under way)"
"""Where people come from or go to when it is no designed step."""
ENDINGS = (ARRIVED, LEFT, UNDER_WAY)

State = Literal["burns", "at risk", "holds", "no limit", "not enough yet"]


@dataclass(frozen=True, slots=True)
class PromiseShown:
    """One promise of a map with what became of it in the chosen time.

    The counts are instances; `rate` rests on instances that waited together counted once.
    `limit` is the keep-rate the map asks for, between 0 and 1. `of_nobody`: openings of all time by
    nobody known.
    """

    number: int
    promise: str
    says: str
    step: str
    rate: Estimate
    limit: float | None
    kept: int
    broken: int
    waiting: int
    overdue: int = 0
    withdrawn: int = 0
    made_good: int = 0
    breaches: Mapping[str, int] = field(default_factory=dict)
    rule: str = ""
    critical: bool = False
    public: bool = False
    of_nobody: int = 0

    @property
    def state(self) -> State:
        """How it stands against its limit: it burns when even the upper bound lies below the limit."""
        if self.rate.value is None or self.rate.high is None:
            return "not enough yet"
        if self.limit is None:
            return "no limit"
        if self.rate.high < self.limit:
            return "burns"
        return "at risk" if self.rate.value < self.limit else "holds"


@dataclass(frozen=True, slots=True)
class StepShown:
    """One designed step: its phase, its name, and the promises (by number) made at it."""

    name: str
    label: str
    phase: str
    promises: tuple[PromiseShown, ...] = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """How many went from one step (or `START`) to the next designed one, or ended there.

    The channel is that of the touch they came from; of `START`, the channel they came in on.
    """

    origin: str
    target: str
    channel: str
    count: int


@dataclass(frozen=True)
class LivedFlow:
    """The flow people lived over the designed steps. What goes into a step comes out of it: asserted.

    others: touches that are no designed step, by the step they followed (`START`: before the first) and
    channel. They lie beside the passages: a passage leads to the next designed step, whatever lay between.
    """

    steps: tuple[StepShown, ...]
    passages: tuple[Passage, ...]
    channels: tuple[str, ...]
    journeys: int
    people: int
    others: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in (step.name for step in self.steps):
            if self.into(name) != self.out_of(name):
                raise AssertionError(f"the flow loses people at {name}: {self.into(name)} in, {self.out_of(name)} out")
        if self.out_of(START) != sum(self.into(ending) for ending in ENDINGS):
            raise AssertionError("journeys that began and journeys that ended, left or go on differ")

    @cached_property
    def pairs(self) -> dict[tuple[str, str], dict[str, int]]:
        """The passages by origin and target, each divided by channel."""
        found: dict[tuple[str, str], dict[str, int]] = {}
        for passage in self.passages:
            channels = found.setdefault((passage.origin, passage.target), {})
            channels[passage.channel] = channels.get(passage.channel, 0) + passage.count
        return found

    def into(self, name: str) -> int:
        """How many touches lead to a step."""
        return sum(passage.count for passage in self.passages if passage.target == name)

    def out_of(self, name: str) -> int:
        """How many touches lead on from a step."""
        return sum(passage.count for passage in self.passages if passage.origin == name)

    def other_touches(self, after: str | None = None) -> int:
        """How many touches lay outside the design, after one step or in all."""
        groups = self.others.values() if after is None else [self.others.get(after, {})]
        return sum(sum(group.values()) for group in groups)

    def by_channel(self, name: str) -> dict[str, int]:
        """The touches of a step by channel, in the order of the channels."""
        counts = dict.fromkeys(self.channels, 0)
        for (origin, _), channels in self.pairs.items():
            if origin == name:
                for channel, count in channels.items():
                    counts[channel] += count
        return {channel: count for channel, count in counts.items() if count}

    def between(self, origin: str, target: str, channel: str = "") -> int:
        """How many went from one place to another, on one channel or on all."""
        channels = self.pairs.get((origin, target), {})
        return channels.get(channel, 0) if channel else sum(channels.values())


@dataclass(frozen=True, slots=True)
class Choices:
    """What the person can choose from: months with their interactions, columns with few values, maps.

    burning: how many promises burn on each map, over all the time there is.
    """

    months: tuple[str, ...]
    interactions: tuple[int, ...]
    segments: Mapping[str, tuple[str, ...]]
    maps: tuple[str, ...]
    burning: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DesignedOverLived:
    """Everything the one screen shows for one map and one choice."""

    map: str
    says: str
    state: ScreenState
    choices: Choices
    promises: tuple[PromiseShown, ...]
    flow: LivedFlow
    as_of: int
    counted: str = ""
    finding: str = ""
    to_do: str = ""


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One person in a list of people, with the promise that was broken or is waiting."""

    person: int
    name: str
    opened_at: int
    due_at: int | None
    settled_at: int | None
    verdict: str
    breach: str
    lateness_seconds: int | None
    made_good_at: int | None
    channel: str
    key: str
    opening_id: int = 0
    settling_id: int | None = None
    breaking_id: int | None = None
    still_waits: bool = False


@dataclass(frozen=True, slots=True)
class PeopleList:
    """People let down by a promise, waiting for it, or served by it. `total` may exceed the rows shown."""

    heading: str
    says: str
    rows: tuple[PersonRow, ...]
    total: int
    page: int
    pages: int
    counted: str
    as_of: int


@dataclass(frozen=True, slots=True)
class Touch:
    """One interaction on a person's line of years."""

    id: int
    occurred_at: int
    channel: str
    touchpoint: str
    direction: str
    case: str
    text: str
    source: str
    raw: str


@dataclass(frozen=True, slots=True)
class PromiseMark:
    """What became of one promise to a person, on the line of years."""

    map: str
    promise: str
    says: str
    verdict: str
    breach: str
    opened_at: int
    due_at: int | None
    settled_at: int | None
    lateness_seconds: int | None
    made_good_at: int | None


@dataclass(frozen=True, slots=True)
class HandleShown:
    """One handle of a person and the reason why it is theirs."""

    kind: str
    value: str
    reason: str
    shared: bool = False


@dataclass(frozen=True, slots=True)
class PersonLine:
    """A person's years on one line. `total` may exceed the touches listed; the picture holds all."""

    person: int
    name: str
    handles: tuple[HandleShown, ...]
    touches: tuple[Touch, ...]
    total: int
    promises: tuple[PromiseMark, ...]
    moments: tuple[tuple[int, str], ...]
    as_of: int


@dataclass(frozen=True, slots=True)
class PersonFound:
    """One person in the list of people found."""

    person: int
    name: str
    handles: str
    interactions: int
    first_at: int
    last_at: int


@dataclass(frozen=True, slots=True)
class PeopleFound:
    """The people a search found, a page of them."""

    rows: tuple[PersonFound, ...]
    total: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True)
class MapShown:
    """One map in the list of maps."""

    map: str
    says: str
    owner: str
    steps: int
    promises: int
    kept: int
    broken: int
    waiting: int
    states: tuple[str, ...]
    file: str = ""
