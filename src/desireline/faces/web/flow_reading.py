"""The lived flow of a map, read from the journey store: which channel people came from is kept on every passage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from desireline.faces.web.marks import NO_CHANNEL as UNKNOWN
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
from desireline.journeys import Lane, MapRule, lived_flow, lived_people
from desireline.project.rules import MapMasks
from desireline.promises import Map, Pattern, Step
from desireline.storage.journey_store import Bucket, Snapshot
from desireline.vocabulary.which import Which

_ENDINGS = {"ends": ARRIVED, "quiet": LEFT, "open": UNDER_WAY}
MaskOf = Callable[[Bucket], NDArray[np.uint8]]


class MapReading:
    """One map on one snapshot; which rows match its patterns is found once and kept."""

    def __init__(self, snapshot: Snapshot, design: Map) -> None:
        self.snapshot = snapshot
        self.design = design
        self.masks = MapMasks(design, snapshot)
        self.channels = [*snapshot.words("channel"), UNKNOWN]
        self.steps = [step for step in design.steps if step.pattern is not None]

    def flow(self, which: Which, promises: Sequence[PromiseShown]) -> LivedFlow | None:
        """The flow over the designed steps; nothing when the map designs no step."""
        rule = self.masks.rule()
        if not self.steps or rule is None:
            return None
        lanes = [
            self._lane(step, number, channel) for number, step in enumerate(self.steps) for channel in self.channels
        ]
        return _shown(self._lived(rule, lanes, which), self.steps, self.channels, promises)

    def people(
        self,
        which: Which,
        *,
        step: str | None = None,
        to: str | None = None,
        left: str | None = None,
        channel: str | None = None,
    ) -> NDArray[np.int64]:
        """The ids of the people behind a mark of the flow, by the same definition."""
        rule = self.masks.rule()
        if not self.steps or rule is None:
            return np.zeros(0, dtype=np.int64)
        lived = self._lived(rule, self.masks.lanes(), which)
        return lived_people(self.snapshot, lived, step=step, to=to, left=left, channel=channel)

    def _lived(self, rule: MapRule, lanes: list[Lane], which: Which) -> Any:
        return lived_flow(
            self.snapshot,
            begins=rule.begins,
            ends=rule.ends,
            touches=rule.touches,
            quiet_ms=rule.quiet_ms,
            key=rule.key,
            map_name=rule.map,
            lanes=lanes,
            which=which,
        )

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
        return Lane(name, mask_of=self._on_channel(self.masks.of((step.pattern,)), channel))

    def _on_channel(self, mask: MaskOf, channel: str) -> MaskOf:
        code = self.snapshot.code("channel", channel)

        def on_channel(bucket: Bucket) -> NDArray[np.uint8]:
            here: NDArray[np.uint8] = mask(bucket) & (bucket.column("channel") == code).astype(np.uint8)
            return here

        return on_channel


def _plain(pattern: Pattern) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Touchpoints and channels of a pattern that asks for nothing else."""
    found: dict[str, tuple[str, ...]] = {}
    if pattern.any:
        return None
    for condition in pattern.conditions:
        if (
            condition.field not in ("touchpoint", "channel")
            or len(condition.tests) != 1
            or condition.tests[0].word != "is"
        ):
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

    others: dict[str, dict[str, int]] = {
        START: {channel or UNKNOWN: count for channel, count in lived.other_before.items()}
    }
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
            StepShown(step.name, step.name, step.phase, tuple(p for p in promises if p.step == step.name))
            for step in steps
        ),
        passages=passages,
        channels=tuple(channel for channel in channels if channel in used),
        journeys=lived.journeys,
        people=lived.people,
        others={name: group for name, group in others.items() if group},
    )
