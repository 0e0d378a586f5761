"""The picture of the one screen: the designed steps in order, and the flow people lived over them."""

from __future__ import annotations

from collections.abc import Callable

from desireline.faces.web.drawing import counted, element, shortened, text, title
from desireline.faces.web.drawing import number as n
from desireline.faces.web.flow_layout import Bar, Detour, Layout, Loop, Paper, Ribbon, lay_out
from desireline.faces.web.marks import channel_class, state_mark
from desireline.faces.web.what_is_shown import ARRIVED, LEFT, START, UNDER_WAY, LivedFlow, StepShown

Link = Callable[[str, str], str]
"""Gives the address of the people behind a mark: of a "promise", a "step", or who "left", "arrived" there."""

_WIDE, _NARROW = 1240.0, 358.0


def draw_wide(flow: LivedFlow, *, link: Link | None = None, width: float = _WIDE) -> str:
    """The flow from left to right, for pages and exports."""
    steps = len(flow.steps)
    gap = max(132.0, (width - 64 - 132) / max(1, steps - 1)) if steps > 1 else width / 2
    width = max(width, 64 + gap * (steps - 1) + 132)
    paper = Paper(first_along=64, gap=gap, across=134, room=214, lane=448)
    return _draw(flow, lay_out(flow, paper), paper, link, wide=True, width=width, height=500)


def draw_narrow(flow: LivedFlow, *, link: Link | None = None) -> str:
    """The flow from top to bottom, for a phone."""
    paper = Paper(
        first_along=44, gap=124, across=54, room=136, lane=330, reach=34, lane_room=24, last_detour=70, widest_ending=22
    )
    height = 44 + 124 * (len(flow.steps) - 1) + 128
    return _draw(flow, lay_out(flow, paper), paper, link, wide=False, width=_NARROW, height=height)


def _draw(
    flow: LivedFlow, layout: Layout, paper: Paper, link: Link | None, *, wide: bool, width: float, height: float
) -> str:
    pen = Pen(flow, layout, paper, link or (lambda _kind, _name: ""), wide)
    marks = [
        pen.fades(),
        element("g", pen.lane_name(), *(pen.detour(each) for each in layout.detours), class_="detours"),
        element("g", *(pen.ribbon(r) for r in layout.ribbons if r.kind in ("left", "under way")), class_="leavers"),
        element("g", *(pen.ribbon(r) for r in layout.ribbons if r.kind == "skip"), class_="skips"),
        element(
            "g", *(pen.ribbon(r) for r in layout.ribbons if r.kind in ("start", "next", "arrived")), class_="ribbons"
        ),
        element("g", *(pen.loop(loop) for loop in layout.loops), class_="loops"),
        *(pen.phases(width) if wide else ()),
        *(pen.step(step, bar) for step, bar in zip(flow.steps, layout.bars, strict=True)),
        pen.arrivals(),
    ]
    return element(
        "svg",
        *marks,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {n(width)} {n(height)}",
        class_=f"flow {'wide' if wide else 'narrow'}",
        role="group",
        aria_label=f"Lived flow of {counted(flow.journeys)} journeys over {len(flow.steps)} designed steps. "
        "The table below holds the same numbers.",
    )


class Pen:
    """Draws the marks of one layout, to the right (wide) or downwards (narrow)."""

    def __init__(self, flow: LivedFlow, layout: Layout, paper: Paper, link: Link, wide: bool) -> None:
        self.flow, self.layout, self.paper, self.link, self.wide = flow, layout, paper, link, wide
        self.prefix = "w" if wide else "n"

    def at(self, along: float, across: float) -> str:
        """A place on the paper as SVG coordinates."""
        return f"{n(along)} {n(across)}" if self.wide else f"{n(across)} {n(along)}"

    def box(self, along: float, across: float, *, length: float, size: float, **attributes: object) -> str:
        """A rectangle told in the two directions."""
        x, y, width, height = (along, across, length, size) if self.wide else (across, along, size, length)
        return element("rect", x=x, y=y, width=width, height=height, **attributes)

    def fades(self) -> str:
        """The gradients by which leavers fall out, newcomers come in and arrivals go on."""
        ways = {
            "left": (0, 0, 0, 1) if self.wide else (0, 0, 1, 0),
            "arrived": (0, 0, 1, 0) if self.wide else (0, 0, 0, 1),
            "start": (1, 0, 0, 0) if self.wide else (0, 1, 0, 0),
        }
        made = []
        for name, (x1, y1, x2, y2) in ways.items():
            for class_ in (
                ("left", "under-way")
                if name == "left"
                else [channel_class(c, self.flow.channels) for c in self.flow.channels]
            ):
                stops = element("stop", offset="0", class_=f"stop {class_}") + element(
                    "stop", offset="1", class_=f"stop faded {class_}"
                )
                made.append(
                    element("linearGradient", stops, id=f"{self.prefix}-{name}-{class_}", x1=x1, y1=y1, x2=x2, y2=y2)
                )
        return element("defs", *made)

    def ribbon(self, ribbon: Ribbon) -> str:
        """One passage as a band; its words say from where, to where, how many."""
        words = self._words(ribbon)
        fill = None
        class_ = "ribbon " + (channel_class(ribbon.channel, self.flow.channels) if ribbon.channel else "neutral")
        if ribbon.kind in ("start", "arrived"):
            fill = f"url(#{self.prefix}-{ribbon.kind}-{channel_class(ribbon.channel, self.flow.channels)})"
        elif ribbon.kind in ("left", "under way"):
            fill = f"url(#{self.prefix}-left-{ribbon.kind.replace(' ', '-')})"
        if fill:
            class_ = "ribbon fading"
        return element("path", title(words), d=self._shape(ribbon), class_=class_, fill=fill)

    def _words(self, ribbon: Ribbon) -> str:
        channel = f" by {ribbon.channel}" if ribbon.channel else ""
        ways = {
            "start": f"{counted(ribbon.count)} began at {ribbon.target}{channel}",
            "arrived": f"{counted(ribbon.count)} arrived after {ribbon.origin}{channel}",
            "left": f"{counted(ribbon.count)} left after {ribbon.origin}",
            "under way": f"{counted(ribbon.count)} are under way after {ribbon.origin}",
        }
        return ways.get(ribbon.kind, f"{counted(ribbon.count)} from {ribbon.origin} to {ribbon.target}{channel}")

    def _shape(self, r: Ribbon) -> str:
        begin, end = (r.along, r.across), (r.to_along, r.to_across)
        far_begin, far_end = (r.along, r.across + r.size), (r.to_along, r.to_across + r.size)
        if r.kind in ("left", "under way"):
            return self._bend_out(r)
        if r.kind == "skip":
            first, second = r.along + (r.to_along - r.along) * 0.3, r.to_along - (r.to_along - r.along) * 0.3
            deep = r.dip + (r.dip - min(r.across, r.to_across)) * 0.33
            there = self._curve(begin, (first, deep), (second, deep), end)
            back = self._curve(far_end, (second, deep + r.size), (first, deep + r.size), far_begin)
            return f"M{there}L{back}Z"
        middle = (r.along + r.to_along) / 2
        there = self._curve(begin, (middle, r.across), (middle, r.to_across), end)
        back = self._curve(far_end, (middle, far_end[1]), (middle, far_begin[1]), far_begin)
        return f"M{there}L{back}Z"

    def _bend_out(self, r: Ribbon) -> str:
        """Turns away from the journey and ends across it."""
        outer, far = r.to_along + min(r.size, self.paper.widest_ending), r.across + r.size
        there = self._curve((r.along, r.across), (outer, r.across), (outer, far), (outer, r.to_across))
        back = self._curve((r.to_along, r.to_across), (r.to_along, far), (r.to_along, far), (r.along, far))
        return f"M{there}L{back}Z"

    def _curve(self, *points: tuple[float, float]) -> str:
        """A curve between two places, by two that draw it towards them."""
        begin, *rest = (self.at(along, across) for along, across in points)
        return f"{begin}C{' '.join(rest)}"

    def loop(self, loop: Loop) -> str:
        """People who come back: an arc over the bars, as wide as they are many."""
        top = self.paper.across
        same = loop.origin == loop.target
        half = self.paper.thickness / 2
        wide = 8 if same else 0
        start, end = loop.along + half + wide, loop.to_along + half - wide
        height = top - (26 if same else min(46, 34 + abs(loop.along - loop.to_along) / 30))
        turn = 14 if same else 0
        d = f"M{self.at(start, top)}C{self.at(start + turn, height)} {self.at(end - turn, height)} {self.at(end, top)}"
        words = (
            f"{counted(loop.count)} did {loop.origin} again"
            if same
            else f"{counted(loop.count)} went back from {loop.origin} to {loop.target}"
        )
        label = ""
        if loop.size >= 1.2:
            place = (start + end) / 2
            peak = top - (top - height) * 0.75
            label = (
                text(
                    counted(loop.count),
                    x=place,
                    y=peak + (-loop.size / 2 - 4 if same else 4),
                    class_="loop-count",
                    anchor="middle",
                )
                if self.wide
                else text(
                    counted(loop.count), x=peak - loop.size / 2 - 3, y=place + 4, class_="loop-count", anchor="end"
                )
            )
        return element("g", title(words), element("path", d=d, class_="loop", stroke_width=loop.size), label)

    def lane_name(self) -> str:
        """What the "(other)" lane is."""
        if not self.layout.detours:
            return ""
        words = f"(other): {counted(self.flow.other_touches())} touches outside the design"
        if self.wide:
            return text(
                words + ", after the step above, to a scale of their own",
                x=self.paper.first_along,
                y=self.paper.lane - 9,
                class_="quiet",
            )
        return text(words, x=_NARROW - 4, y=self.layout.bars[-1].along + 122, class_="quiet", anchor="end")

    def detour(self, detour: Detour) -> str:
        """Touches outside the design after one step, by channel."""
        where = "before the first step" if detour.after == START else f"after {detour.after}"
        channels = ", ".join(f"{part.channel} {counted(part.count)}" for part in detour.parts)
        marks = [title(f"(other) {where}: {counted(detour.count)} touches ({channels})")]
        for part in detour.parts:
            class_ = f"other {channel_class(part.channel, self.flow.channels)}"
            marks.append(self.box(detour.along, part.across, length=detour.length, size=part.size, class_=class_))
        if self.wide:
            below = max(part.across + part.size for part in detour.parts)
            marks.append(text(counted(detour.count), x=detour.along, y=below + 15, class_="quiet"))
        return element("g", *marks)

    def phases(self, width: float) -> list[str]:
        """The phases of the design over their steps."""
        marks = []
        bars, steps = self.layout.bars, self.flow.steps
        for place, (step, bar) in enumerate(zip(steps, bars, strict=True)):
            if place and steps[place - 1].phase == step.phase:
                continue
            following = [b.along for s, b in zip(steps[place:], bars[place:], strict=True) if s.phase != step.phase]
            end = following[0] - 20 if following else width - 8
            marks.append(element("line", x1=bar.along, x2=end, y1=22.0, y2=22.0, class_="phase-line"))
            marks.append(text(step.phase, x=bar.along, y=14, class_="phase"))
        return marks

    def step(self, step: StepShown, bar: Bar) -> str:
        """One step: its name, how many touches, its promises, its channels, its leavers."""
        marks = [
            self._heading(step, bar),
            self._promises(step, bar),
            *(self._part(bar, place) for place in range(len(bar.parts))),
        ]
        marks += self._endings(bar)
        return element("g", *marks, class_="step", role="group", aria_label=self._step_words(step, bar))

    def _step_words(self, step: StepShown, bar: Bar) -> str:
        channels = ", ".join(f"{part.channel} {counted(part.count)}" for part in bar.parts)
        left = self.flow.between(step.name, LEFT)
        return f"{step.label}: {counted(bar.count)} touches. {channels}. {counted(left)} left here."

    def _heading(self, step: StepShown, bar: Bar) -> str:
        letters = max(8, int((self.paper.gap - 16) / 7.2)) if self.wide else 16
        x, y = (bar.along, 46.0) if self.wide else (self.paper.across + self.paper.room + 12, bar.along + 4)
        words = element("tspan", shortened_text(step.label, letters))
        heading = element("text", words, x=x, y=y, class_="step-name")
        touches = text(
            f"{counted(bar.count)} {'touch' if bar.count == 1 else 'touches'}", x=x, y=y + 17, class_="quiet"
        )
        room = (x - 4, y - 16, min(self.paper.gap - 12, 150.0), 38.0)
        return self._linked("step", step.name, heading + touches, room=room) if bar.count else heading + touches

    def _promises(self, step: StepShown, bar: Bar) -> str:
        marks = []
        for place, promise in enumerate(step.promises[:6]):
            endings = sum(self.flow.between(bar.name, ending) > 0 for ending in (LEFT, UNDER_WAY))
            narrow = (self.paper.across + self.paper.room + 23 + place * 28, bar.along + 42 + 15 * endings)
            x, y = (bar.along + 9 + place * 30, 82.0) if self.wide else narrow
            words = f"Promise {promise.number}, {promise.promise}: {promise.state}"
            drawn = element("g", title(words), state_mark(promise.state, x=x, y=y, label=str(promise.number)))
            marks.append(self._linked("promise", promise.promise, drawn))
        return "".join(marks)

    def _linked(
        self, kind: str, name: str, drawn: str, *, room: tuple[float, float, float, float] | None = None
    ) -> str:
        """A mark that opens its people; `room` (x, y, width, height) is where a finger or pointer may fall."""
        address = self.link(kind, name)
        if not address:
            return drawn
        x, y, width, height = room or (0, 0, 0, 0)
        place = element("rect", x=x, y=y, width=width, height=height, class_="room") if room else ""
        return element("a", place, drawn, href=address)

    def _part(self, bar: Bar, place: int) -> str:
        part = bar.parts[place]
        words = f"{bar.name}, {part.channel}: {counted(part.count)} of {counted(bar.count)} touches"
        drawn = self.box(
            bar.along,
            part.across,
            length=self.paper.thickness,
            size=max(part.size, 0.5),
            class_=f"part {channel_class(part.channel, self.flow.channels)}",
        )
        label = ""
        if self.wide and part.size >= 15:
            label = text(
                part.channel,
                x=bar.along + self.paper.thickness + 6,
                y=part.across + part.size / 2 + 4,
                class_="part-name",
            )
        return element("g", title(words), drawn, label)

    def _endings(self, bar: Bar) -> list[str]:
        marks: list[str] = []
        for ending, word in ((LEFT, "left"), (UNDER_WAY, "under way")):
            count = self.flow.between(bar.name, ending)
            if not count:
                continue
            place = len(marks)
            if self.wide:
                x, y = bar.along + 2, bar.end + self.paper.reach + 16 + place * 15
            else:
                x, y = self.paper.across + self.paper.room + 12, bar.along + 37 + place * 15
            drawn = text(f"{counted(count)} {word}", x=x, y=y, class_=f"ending {word.replace(' ', '-')}")
            marks.append(self._linked(word, bar.name, drawn, room=(x - 4, y - 12, 104.0, 15.0)))
        return marks

    def arrivals(self) -> str:
        """How many arrived, said beside the end of the journey."""
        marks = []
        for bar in self.layout.bars:
            count = self.flow.between(bar.name, ARRIVED)
            if not count:
                continue
            size = count * self.layout.scale
            across = bar.across + size / 2
            if self.wide:
                x, y, anchor = bar.along + self.paper.thickness + self.paper.reach * 1.4 + 2, across, None
            else:
                x, y, anchor = (
                    max(across, 70.0),
                    bar.along + self.paper.thickness + self.paper.reach * 1.4 + 10,
                    "middle",
                )
            drawn = text(counted(count), x=x, y=y, class_="arrived", anchor=anchor)
            marks.append(self._linked("arrived", bar.name, drawn))
            marks.append(text("arrived", x=x, y=y + 15, class_="quiet", anchor=anchor))
        return element("g", *marks) if marks else ""


def shortened_text(words: str, letters: int) -> str:
    """A heading cut to the room there is, escaped."""
    from html import escape

    return escape(shortened(words, letters=letters))
