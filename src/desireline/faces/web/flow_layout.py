"""Where each step, passage and loop of the lived flow lies, before anything is drawn.

Places are told in two directions that know nothing of paper: `along` runs with the journey,
`across` runs over its width. The wide picture draws along to the right, the narrow one downwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from desireline.faces.web.what_is_shown import ARRIVED, LEFT, START, UNDER_WAY, LivedFlow

Kind = Literal["start", "next", "skip", "arrived", "left", "under way"]
THINNEST = 0.8
"""No passage is drawn thinner than this, so that none is cut in silence."""


@dataclass(frozen=True, slots=True)
class Part:
    """The share of one channel in the bar of a step."""

    channel: str
    count: int
    across: float
    size: float


@dataclass(frozen=True, slots=True)
class Bar:
    """One step: its touches stacked by channel."""

    name: str
    along: float
    across: float
    size: float
    count: int
    parts: tuple[Part, ...]

    @property
    def end(self) -> float:
        """Where the bar stops across."""
        return self.across + self.size


@dataclass(frozen=True, slots=True)
class Ribbon:
    """One passage: leaves at (along, across), arrives at (to_along, to_across), `size` wide."""

    kind: Kind
    origin: str
    target: str
    channel: str
    count: int
    along: float
    across: float
    to_along: float
    to_across: float
    size: float
    dip: float = 0.0


@dataclass(frozen=True, slots=True)
class Loop:
    """People who came back to an earlier step, or did the same step again."""

    origin: str
    target: str
    count: int
    along: float
    to_along: float
    size: float


@dataclass(frozen=True, slots=True)
class Detour:
    """Touches outside the design after a step, stacked by channel in the "(other)" lane."""

    after: str
    along: float
    length: float
    count: int
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """The whole flow laid out. `scale` is pixels per touch of a step; the "(other)" lane has its own."""

    bars: tuple[Bar, ...]
    ribbons: tuple[Ribbon, ...]
    loops: tuple[Loop, ...]
    detours: tuple[Detour, ...]
    scale: float


@dataclass(frozen=True, slots=True)
class Paper:
    """The room there is: where the first bar stands, the gap to the next, how wide bars may grow."""

    first_along: float
    gap: float
    across: float
    room: float
    lane: float
    thickness: float = 12.0
    reach: float = 46.0
    lane_room: float = 30.0
    last_detour: float = 100.0
    widest_ending: float = 40.0


def lay_out(flow: LivedFlow, paper: Paper) -> Layout:
    """Place every step, passage and loop of a flow on the paper."""
    names = [step.name for step in flow.steps]
    largest = max((flow.into(name) for name in names), default=0) or 1
    scale = paper.room / largest
    bars = {name: _bar(flow, name, place, scale, paper) for place, name in enumerate(names)}
    ribbons: list[Ribbon] = []
    arriving = {name: bar.across for name, bar in bars.items()}
    leaving = {name: bar.across for name, bar in bars.items()}
    loops = _loops(flow, names, bars, scale)
    for loop in loops:
        arriving[loop.target] += loop.size
        leaving[loop.origin] += loop.size
    for kind, origin, target in _order(names):
        channels: tuple[str, ...] = flow.channels if kind in ("start", "next", "skip", "arrived") else ("",)
        for channel in channels:
            count = flow.between(origin, target, channel)
            if not count:
                continue
            size = max(THINNEST, count * scale)
            ribbons.append(_ribbon(kind, origin, target, channel, count, size, bars, arriving, leaving, paper))
            if origin in leaving:
                leaving[origin] += count * scale
            if target in arriving:
                arriving[target] += count * scale
    return Layout(tuple(bars.values()), tuple(ribbons), tuple(loops), tuple(_detours(flow, bars, paper)), scale)


def _detours(flow: LivedFlow, bars: dict[str, Bar], paper: Paper) -> list[Detour]:
    most = max((flow.other_touches(name) for name in (START, *bars)), default=0) or 1
    scale = paper.lane_room / most
    found = []
    for name in (START, *bars):
        count = flow.other_touches(name)
        if not count:
            continue
        along = bars[name].along if name in bars else paper.first_along - paper.reach
        length = (
            (min(paper.gap, paper.last_detour) if name == list(bars)[-1] else paper.gap)
            if name in bars
            else paper.reach
        )
        across, parts = paper.lane, []
        for channel, part in flow.others[name].items():
            size = max(THINNEST, part * scale)
            parts.append(Part(channel, part, across, size))
            across += size
        found.append(Detour(name, along, length - 4, count, tuple(parts)))
    return found


def _bar(flow: LivedFlow, name: str, place: int, scale: float, paper: Paper) -> Bar:
    parts = []
    across = paper.across
    for channel, count in flow.by_channel(name).items():
        parts.append(Part(channel, count, across, count * scale))
        across += count * scale
    count = flow.into(name)
    return Bar(name, paper.first_along + place * paper.gap, paper.across, max(2.0, count * scale), count, tuple(parts))


def _loops(flow: LivedFlow, names: list[str], bars: dict[str, Bar], scale: float) -> list[Loop]:
    found = []
    for place, origin in enumerate(names):
        for target in names[: place + 1]:
            count = flow.between(origin, target)
            if count:
                size = max(THINNEST, count * scale)
                found.append(Loop(origin, target, count, bars[origin].along, bars[target].along, size))
    return found


def _order(names: list[str]) -> list[tuple[Kind, str, str]]:
    """The order in which passages take their place on a bar: straight on first, leavers at the outer end."""
    order: list[tuple[Kind, str, str]] = [("start", START, name) for name in names]
    order += [("next", names[place], names[place + 1]) for place in range(len(names) - 1)]
    order += [("arrived", name, ARRIVED) for name in names]
    order += [("skip", origin, target) for place, origin in enumerate(names) for target in reversed(names[place + 2 :])]
    order += [("under way", name, UNDER_WAY) for name in names]
    order += [("left", name, LEFT) for name in names]
    return order


def _ribbon(
    kind: Kind,
    origin: str,
    target: str,
    channel: str,
    count: int,
    size: float,
    bars: dict[str, Bar],
    arriving: dict[str, float],
    leaving: dict[str, float],
    paper: Paper,
) -> Ribbon:
    if origin in bars:
        along, across = bars[origin].along + paper.thickness, leaving[origin]
    else:
        along, across = bars[target].along - paper.reach, arriving[target]
    if target in bars:
        to_along, to_across = bars[target].along, arriving[target]
    elif kind == "arrived":
        to_along, to_across = along + paper.reach * 1.4, across
    else:
        to_along, to_across = (
            along + (8.0 if kind == "left" else 12.0 + paper.widest_ending),
            bars[origin].end + paper.reach,
        )
    dip = 0.0
    if kind == "skip":
        names = list(bars)
        between = names[names.index(origin) + 1 : names.index(target)]
        deepest = max(bars[name].end for name in between) + 10
        dip = max(deepest, across, to_across)
    return Ribbon(kind, origin, target, channel, count, along, across, to_along, to_across, size, dip)
