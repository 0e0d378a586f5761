"""A person's years on one line: a row for each channel, and above them what became of every promise."""

from __future__ import annotations

from datetime import UTC, datetime

from desireline.faces.web.drawing import counted, element, text, title
from desireline.faces.web.marks import KNOWN_CHANNELS, NO_CHANNEL, channel_class
from desireline.faces.web.what_is_shown import PersonLine, PromiseMark
from desireline.vocabulary.units import DAY_MS, moment_text

_LEFT, _RIGHT, _WIDTH, _ROW = 96.0, 24.0, 1240.0, 30.0
_SLOTS = 900
"""Touches are drawn in so many slots of time; a slot with several is drawn taller."""


def draw_line_of_years(line: PersonLine) -> str:
    """The line of years as SVG."""
    used = {channel or NO_CHANNEL for _, channel in line.moments}
    channels = [name for name in KNOWN_CHANNELS if name in used] + sorted(used - set(KNOWN_CHANNELS))
    first = min((at for at, _ in line.moments), default=0)
    last = max([line.as_of, *(at for at, _ in line.moments)])
    span = max(last - first, DAY_MS)
    lanes = _lanes(line.promises, first, span)
    top = 34.0 + 15 * (max(lanes.values(), default=-1) + 1) + 14
    height = top + _ROW * len(channels) + 16

    def place(at: int) -> float:
        return _LEFT + (min(max(at, first), last) - first) / span * (_WIDTH - _LEFT - _RIGHT)

    marks = [*_years(first, last, place_of=place, height=height)]
    for number, mark in enumerate(line.promises):
        marks.append(
            _promise(mark, y=30.0 + 15 * lanes[number], start=place(mark.opened_at), end=place(_end(mark, line.as_of)))
        )
    for row, channel in enumerate(channels):
        y = top + _ROW * row + _ROW / 2
        marks.append(element("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=y, y2=y, class_="row-line"))
        marks.append(text(channel, x=0.0, y=y + 4, class_="quiet"))
        marks.append(_touches(line, channel, channels, y=y, first=first, span=span))
    return element(
        "svg",
        *marks,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {_WIDTH:.0f} {height:.0f}",
        class_="years",
        role="img",
        aria_label=f"Line of years: {counted(line.total)} interactions on {len(channels)} channels, "
        f"{len(line.promises)} promises. "
        "The tables below hold the same.",
    )


def _years(first: int, last: int, *, place_of: object, height: float) -> list[str]:
    assert callable(place_of)
    begin, end = (datetime.fromtimestamp(at / 1000, UTC) for at in (first, last))
    quarters = [(year, month) for year in range(begin.year, end.year + 1) for month in (1, 4, 7, 10)]
    months = quarters if (last - first) < 1_200 * DAY_MS else [pair for pair in quarters if pair[1] == 1]
    marks = []
    for year, month in months:
        at = int(datetime(year, month, 1, tzinfo=UTC).timestamp() * 1000)
        if not first <= at <= last:
            continue
        x = place_of(at)
        marks.append(element("line", x1=x, x2=x, y1=18.0, y2=height, class_="axis"))
        words = str(year) if month == 1 else f"{year}-{month:02d}"
        is_last = x > _WIDTH - _RIGHT - 40
        place = x - 3 if is_last else x + 3
        marks.append(text(words, x=place, y=12, class_="year small", anchor="end" if is_last else None))
    if not marks:
        marks.append(text(moment_text(first)[:10], x=_LEFT, y=12, class_="year small"))
    return marks


def _end(mark: PromiseMark, as_of: int) -> int:
    if mark.settled_at is not None:
        return mark.settled_at
    if mark.verdict == "waiting":
        return as_of
    return mark.due_at if mark.due_at is not None else mark.opened_at


def _lanes(promises: tuple[PromiseMark, ...], first: int, span: int) -> dict[int, int]:
    """Bars that would cover one another go on different lanes, at most eight."""
    free = [-(2**62)] * 8
    lanes = {}
    room = span // 100
    for number in sorted(range(len(promises)), key=lambda n: promises[n].opened_at):
        mark = promises[number]
        lane = next((lane for lane, until in enumerate(free) if until <= mark.opened_at), len(free) - 1)
        free[lane] = max(mark.opened_at, mark.settled_at or mark.due_at or mark.opened_at) + room
        lanes[number] = lane
    return lanes


def _promise(mark: PromiseMark, *, y: float, start: float, end: float) -> str:
    words = f"{mark.map}, {mark.promise}: {mark.verdict}, opened {moment_text(mark.opened_at)}"
    if mark.made_good_at is not None:
        words += f", made good {moment_text(mark.made_good_at)}"
    drawn = element("rect", x=start, y=y, width=max(4.0, end - start), height=6.0, rx=3, class_=f"span {mark.verdict}")
    x = max(start + 4, end) + 7
    if mark.verdict == "broken":
        drawn += element("path", d=f"M{x - 4:.1f} {y - 1:.1f}l8 8m0-8l-8 8", stroke="currentColor", class_="cross")
    if mark.made_good_at is not None:
        drawn += element("circle", cx=x + 14, cy=y + 3, r=4.5, class_="good")
    return element("g", title(words), drawn, class_=f"mark {mark.verdict}")


def _touches(line: PersonLine, channel: str, channels: list[str], *, y: float, first: int, span: int) -> str:
    counts: dict[int, int] = {}
    for at, name in line.moments:
        if (name or NO_CHANNEL) == channel:
            slot = (at - first) * (_SLOTS - 1) // span
            counts[slot] = counts.get(slot, 0) + 1
    width = (_WIDTH - _LEFT - _RIGHT) / _SLOTS
    marks = []
    for slot, count in sorted(counts.items()):
        tall = min(_ROW - 6, 7 + 3 * (count - 1))
        marks.append(
            element(
                "rect",
                x=_LEFT + slot * width - 1,
                y=y - tall / 2,
                width=3.0,
                height=tall,
                rx=1.5,
                class_=channel_class(channel, channels),
            )
        )
    return element("g", title(f"{channel}: {counted(sum(counts.values()))} interactions"), *marks)
