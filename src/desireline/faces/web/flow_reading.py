"""The lived flow of a map, read from the journey store: which channel people came from is kept on every passage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from desireline.faces.web.what_is_shown import (
    ARRIVED,
    LEFT,
    START,
    UNDER_WAY,
    LivedFlow,
    Passage,
    PromiseShown,
    StepShown,
)
from desireline.journeys import Lane, lived_flow, lived_people
from desireline.promises import Map, Pattern, Step, rows_matching
from desireline.storage.journey_store import Bucket, Snapshot
from desireline.vocabulary.errors import DesirelineError
from desireline.vocabulary.which import Which

UNKNOWN = "unknown"
"""The channel of touches that do not say theirs."""
_ENDINGS = {"ends": ARRIVED, "quiet": LEFT, "open": UNDER_WAY}
MaskOf = Callable[[Bucket], NDArray[np.uint8]]


class MapReading:
    """The patterns of one map on one snapshot; which rows match is found once and kept."""

    def __init__(self, snapshot: Snapshot, design: Map) -> None:
        self.snapshot = snapshot
        self.design = design
        self.channels = [*snapshot.words("channel"), UNKNOWN]
        self._found: dict[tuple[int, int], NDArray[np.uint8]] = {}
        self._patterns: list[Pattern] = []

    def flow(self, which: Which, promises: Sequence[PromiseShown]) -> LivedFlow | None:
        """The flow over the designed steps; nothing when the map designs no step."""
        steps = [step for step in self.design.steps if step.pattern is not None]
        if not steps:
            return None
        lanes = [self._lane(step, number, channel) for number, step in enumerate(steps) for channel in self.channels]
        lived = lived_flow(self.snapshot, lanes=lanes, which=which, **self._rule())
        return _shown(lived, steps, self.channels, promises)

    def people(
        self, which: Which, *, step: str | None = None, to: str | None = None, left: str | None = None, channel: str | None = None
    ) -> NDArray[np.int64]:
        """The ids of the people behind a mark of the flow, by the same definition."""
        steps = [each for each in self.design.steps if each.pattern is not None]
        lanes = [Lane(each.name, mask_of=self._mask(each.pattern)) for each in steps if each.pattern is not None]
        lived = lived_flow(self.snapshot, lanes=lanes, which=which, **self._rule())
        return lived_people(self.snapshot, lived, step=step, to=to, left=left, channel=channel)

    def _rule(self) -> dict[str, Any]:
        design = self.design
        touches = self._mask(touch_pattern(design))
        return {
            "begins": self._mask(design.begins) if design.begins else touches,
            "ends": self._mask(design.ends) if design.ends else None,
            "touches": touches,
            "quiet_ms": design.quiet_after,
            "map": design.name,
        }

    def _lane(self, step: Step, number: int, channel: str) -> Lane:
        name = f"{number}/{self.channels.index(channel)}"
        assert step.pattern is not None
        plain = _plain(step.pattern)
        if plain is not None:
            touchpoints, channels = plain
            here = (channel,) if channel != UNKNOWN else ()
            if channels and channel not in channels:
                return Lane(name, mask_of=_nothing)
            return Lane(name, touchpoints, here)
        return Lane(name, mask_of=self._on_channel(self._mask(step.pattern), channel))

    def _on_channel(self, mask: MaskOf, channel: str) -> MaskOf:
        code = self.snapshot.code("channel", channel)

        def on_channel(bucket: Bucket) -> NDArray[np.uint8]:
            here: NDArray[np.uint8] = mask(bucket) & (bucket.column("channel") == code).astype(np.uint8)
            return here

        return on_channel

    def _mask(self, pattern: Pattern) -> MaskOf:
        number = len(self._patterns)
        if pattern in self._patterns:
            number = self._patterns.index(pattern)
        else:
            self._patterns.append(pattern)

        def matching(bucket: Bucket) -> NDArray[np.uint8]:
            place = (number, bucket.number)
            if place not in self._found:
                self._found[place] = rows_matching(pattern, self.snapshot, bucket)
            return self._found[place]

        return matching


def touch_pattern(design: Map) -> Pattern:
    """Everything a map names: what it names keeps a journey from falling quiet."""
    named: list[Pattern | None] = [design.begins, design.ends, *(step.pattern for step in design.steps)]
    for promise in design.promises:
        named += [promise.when, promise.then, promise.never, promise.unless]
        named += [promise.at_most.of if promise.at_most else None, promise.if_broken.then if promise.if_broken else None]
    patterns = tuple(dict.fromkeys(pattern for pattern in named if pattern is not None))
    if not patterns:
        raise DesirelineError(f"The map '{design.name}' names no interaction. Give it a step with a touchpoint.")
    return Pattern(any=patterns)


def _plain(pattern: Pattern) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Touchpoints and channels of a pattern that asks for nothing else."""
    found: dict[str, tuple[str, ...]] = {}
    if pattern.any:
        return None
    for condition in pattern.conditions:
        if condition.field not in ("touchpoint", "channel") or len(condition.tests) != 1 or condition.tests[0].word != "is":
            return None
        found[condition.field] = tuple(str(value) for value in condition.tests[0].values)
    return (found["touchpoint"], found.get("channel", ())) if "touchpoint" in found else None


def _nothing(bucket: Bucket) -> NDArray[np.uint8]:
    return np.zeros(len(bucket.column("occurred_at")), np.uint8)


def _shown(lived: Any, steps: Sequence[Step], channels: Sequence[str], promises: Sequence[PromiseShown]) -> LivedFlow:
    """The flow over pairs of step and channel, put together again by step."""

    def place(name: str) -> tuple[str, str]:
        number, channel = name.split("/")
        return steps[int(number)].name, channels[int(channel)]

    counts: dict[tuple[str, str, str], int] = {}

    def add(origin: str, target: str, channel: str, count: int) -> None:
        if count:
            counts[origin, target, channel] = counts.get((origin, target, channel), 0) + count

    others: dict[str, dict[str, int]] = {START: {channel or UNKNOWN: count for channel, count in lived.other_before.items()}}
    for link in lived.links:
        target, channel = place(link.target)
        if link.source == START:
            add(START, target, channel, link.journeys)
        else:
            origin, channel = place(link.source)
            add(origin, target, channel, link.journeys)
    for each in lived.steps:
        origin, channel = place(each.step)
        for how, ending in _ENDINGS.items():
            add(origin, ending, channel, each.leaving[how])
        beside = others.setdefault(origin, {})
        for name, count in each.other_after.items():
            beside[name or UNKNOWN] = beside.get(name or UNKNOWN, 0) + count
    for how, ending in _ENDINGS.items():
        add(START, ending, UNKNOWN, lived.elsewhere[how])
    passages = tuple(Passage(*where, count) for where, count in counts.items())
    used = {passage.channel for passage in passages} | {name for group in others.values() for name in group}
    return LivedFlow(
        steps=tuple(
            StepShown(step.name, step.name, step.phase, tuple(p for p in promises if p.step == step.name)) for step in steps
        ),
        passages=passages,
        channels=tuple(channel for channel in channels if channel in used),
        journeys=lived.journeys,
        people=lived.people,
        others={name: group for name, group in others.items() if group},
    )
