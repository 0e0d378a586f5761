"""The picture of a lived flow: designed steps in a line, loops above, leavers and (other) below."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from desireline.journeys.svg import (
    ALARM,
    END_FILL,
    INK,
    OTHER_FILL,
    QUIET_INK,
    channel_fill,
    legend,
    mark,
    picture,
    rectangle,
    words,
)
from desireline.vocabulary.units import lateness_text

if TYPE_CHECKING:
    from desireline.journeys.lived_values import LivedFlow, LivedLink, LivedStep

LinkTo = Callable[[str, str, str], str]
"""Where a mark leads: (kind: step, link or left; step; next step or "") -> address, empty for none."""

COLUMN = 150.0
BAR = 26.0
BASE = 250.0
ENDS_SHOWN = (("quiet", "fell silent", ALARM), ("ends", "reached the end", END_FILL), ("open", "under way", QUIET_INK))
TALL = 150.0


def lived_picture(lived: LivedFlow, *, link_to: LinkTo | None = None) -> str:
    """The SVG of a lived flow; marks lead to their people when `link_to` is given."""
    address = link_to or (lambda kind, step, to: "")
    most = max([1, *(step.interactions for step in lived.steps)])
    places = {step.step: place for place, step in enumerate(lived.steps)}
    links = "".join(_link(lived, link, places, most, address) for link in lived.links if link.source in places)
    steps = "".join(_step(lived, step, places[step.step], most, address) for step in lived.steps)
    width = max(320.0, 30 + COLUMN * len(lived.steps))
    height = BASE + 96
    return picture(
        width,
        height + 40,
        links + steps + legend(20, height + 14, lived.channels, width=width - 30),
        title="Lived flow",
        says=lived.says,
    )


def _x(place: int) -> float:
    return 20 + COLUMN * place


def _step(lived: LivedFlow, step: LivedStep, place: int, most: int, address: LinkTo) -> str:
    x, y, shapes = _x(place), BASE, []
    for channel, count in step.channels.items():
        height = TALL * count / most
        y -= height
        shapes.append(rectangle(x, y, BAR, height, channel_fill(channel, lived.channels)))
    split = ", ".join(f"{channel} {count:,}" for channel, count in step.channels.items()) or "nobody"
    text = words(x, BASE + 16, step.step, size=12, fill=INK, width=COLUMN - 12, weight="600")
    number = words(x, BASE + 31, f"{step.journeys:,} journeys", size=11, fill=QUIET_INK)
    title = (
        f"{step.step}: {step.journeys:,} journeys, {step.people:,} people, {step.interactions:,} interactions; {split}"
    )
    if step.repeats:
        title += f"; {step.repeats:,} times again"
    body = mark("".join(shapes) + text + number, title=title, href=address("step", step.step, ""), kind="step")
    return body + _below(step, x, most, address)


def _below(step: LivedStep, x: float, most: int, address: LinkTo) -> str:
    parts, y = [], BASE + 46
    for how, name, fill in (
        ("quiet", "fell silent", ALARM),
        ("ends", "reached the end", END_FILL),
        ("open", "under way", QUIET_INK),
    ):
        count = step.leaving[how]
        if count:
            shape = rectangle(x, y - 8, max(1.5, 60 * count / most), 8, fill)
            text = words(x + 66, y, f"{count:,} {name}", size=10, fill=QUIET_INK, width=COLUMN - 70)
            title = f"{count:,} journeys {name} after {step.step}"
            parts.append(mark(shape + text, title=title, href=address("left", step.step, how), kind="leavers"))
            y += 14
    other = sum(step.other_after.values())
    if other:
        shape = rectangle(x, y - 8, max(1.5, 60 * min(other, most) / most), 8, OTHER_FILL)
        text = words(x + 66, y, f"(other) {other:,}", size=10, fill=QUIET_INK, width=COLUMN - 70)
        parts.append(mark(shape + text, title=f"{other:,} interactions that match no designed step, after {step.step}"))
    return "".join(parts)


def _curve(begin: int, end: int) -> str:
    """A small loop for the same step again, a low line forwards, a high arch backwards."""
    x0, x1 = _x(begin) + BAR, _x(end)
    if begin == end:
        return f"M{x0 - 6:.1f} {BASE - 30:.1f}c34 -34 34 34 0 24"
    if end > begin:
        y = BASE - 14
        top = y - 36.0 * (end - begin - 1)
        return f"M{x0:.1f} {y:.1f}C{x0 + 40:.1f} {top:.1f} {x1 - 40:.1f} {top:.1f} {x1:.1f} {y:.1f}"
    y = BASE - 40
    top = y - 34.0 - 20.0 * (begin - end)
    left, right = _x(end) + BAR, _x(begin)
    return f"M{right:.1f} {y:.1f}C{right - 20:.1f} {top:.1f} {left + 20:.1f} {top:.1f} {left:.1f} {y:.1f}"


def _link(lived: LivedFlow, link: LivedLink, places: dict[str, int], most: int, address: LinkTo) -> str:
    thick = max(1.0, 22.0 * link.journeys / most)
    path = _curve(places[link.source], places[link.target])
    fill = QUIET_INK if link.forward else ALARM
    dashes = "" if link.forward else ' stroke-dasharray="5 3"'
    shape = f'<path d="{path}" fill="none" stroke="{fill}" stroke-opacity="0.5" stroke-width="{thick:.1f}"{dashes}/>'
    time = f", half within {lateness_text(int(link.median_seconds or 0))}"
    kind = "again" if link.repeat else "forward" if link.forward else "back"
    title = f"{link.source} to {link.target} ({kind}): {link.journeys:,} times{time}"
    return mark(shape, title=title, href=address("link", link.source, link.target), kind="link")
