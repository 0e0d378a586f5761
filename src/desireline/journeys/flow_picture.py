"""The picture of a flow: columns of steps coloured by channel, bands between them, leavers drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from desireline.journeys.labels import BEGIN, END, OTHER
from desireline.journeys.svg import (
    END_FILL,
    INK,
    OTHER_FILL,
    QUIET_INK,
    channel_fill,
    legend,
    mark,
    picture,
    rectangle,
    ribbon,
    words,
)
from desireline.vocabulary.units import lateness_text

if TYPE_CHECKING:
    from desireline.journeys.flow_values import Flow, FlowLink, FlowNode

LinkTo = Callable[[int, str, str | None], str]
"""Where a mark leads: (column, label, next label or None) -> address, empty for none."""

BAR = 12.0
TOP = 44.0
SPACE = 26.0
HEIGHT = 300.0
COLUMN = 170.0


def flow_picture(flow: Flow, *, link_to: LinkTo | None = None) -> str:
    """The SVG of a flow; every mark says its number, and leads to its people when `link_to` is given."""
    address = link_to or (lambda column, label, to: "")
    width = 20 + COLUMN * len(flow.columns) + (COLUMN if _leavers(flow) else 0)
    places = _places(flow)
    scale = HEIGHT / max(1, flow.starts)
    bands = _bands(flow, places, scale, address)
    steps = "".join(_step(flow, node, places[node.column, node.label], scale, address) for node in _nodes(flow))
    ends = _ends(flow, places, scale)
    bottom = max([y + height for y, height in places.values()], default=TOP) + SPACE
    names = legend(10, bottom + 16, flow.channels, width=width - 20)
    heads = "".join(
        words(10 + COLUMN * at, 20, _head(flow, at), size=11, fill=QUIET_INK) for at in range(len(flow.columns))
    )
    return picture(width, bottom + 44, heads + bands + steps + ends + names, title="Flow of journeys", says=flow.says)


def _head(flow: Flow, column: int) -> str:
    if not flow.backwards:
        return f"step {column + 1}"
    back = len(flow.columns) - 1 - column
    return f"{back} before" if back else "the step"


def _nodes(flow: Flow) -> list[FlowNode]:
    return [node for column in flow.columns for node in column]


def _leavers(flow: Flow) -> bool:
    return any(node.ended for node in _nodes(flow))


def _places(flow: Flow) -> dict[tuple[int, str], tuple[float, float]]:
    """The top and height of every step."""
    scale = HEIGHT / max(1, flow.starts)
    places = {}
    for column in flow.columns:
        y = TOP
        for node in column:
            height = max(1.5, node.journeys * scale)
            places[node.column, node.label] = (y, height)
            y += height + SPACE
    return places


def _x(column: int) -> float:
    return 10 + COLUMN * column


def _bands(flow: Flow, places: dict[tuple[int, str], tuple[float, float]], scale: float, address: LinkTo) -> str:
    leaving = {key: top for key, (top, _) in places.items()}
    coming = dict(leaving)
    parts = []
    for link in flow.links:
        if END in (link.source, link.target) or BEGIN in (link.source, link.target):
            continue
        begin, end = (link.column, link.source), (link.column + 1, link.target)
        thickness = max(0.6, link.journeys * scale)
        shape = ribbon(_x(begin[0]) + BAR, leaving[begin], _x(end[0]), coming[end], thickness, _band_fill(link))
        leaving[begin] += link.journeys * scale
        coming[end] += link.journeys * scale
        parts.append(
            mark(shape, title=_link_words(link), href=address(link.column, link.source, link.target), kind="link")
        )
    return "".join(parts)


def _band_fill(link: FlowLink) -> str:
    return OTHER_FILL if OTHER in (link.source, link.target) else QUIET_INK


def _link_words(link: FlowLink) -> str:
    time = f", half within {lateness_text(int(link.median_seconds))}" if link.median_seconds is not None else ""
    repeated = " (the same again)" if link.source == link.target else ""
    return f"{link.source} to {link.target}{repeated}: {link.journeys:,} journeys{time}"


def _step(flow: Flow, node: FlowNode, place: tuple[float, float], scale: float, address: LinkTo) -> str:
    top, height = place
    x, y, bars = _x(node.column), top, []
    for channel, count in node.channels.items():
        part = height * count / node.journeys
        bars.append(rectangle(x, y, BAR, part, channel_fill(channel, flow.channels)))
        y += part
    again = f" ↻{node.again:,}" if node.again else ""
    text = words(x + BAR + 4, top + 11, node.label, size=12, fill=INK, width=COLUMN - BAR - 14)
    number = words(x + BAR + 4, top + 24, f"{node.journeys:,}{again}", size=11, fill=QUIET_INK)
    return mark(
        "".join(bars) + text + number,
        title=_node_words(flow, node),
        href=address(node.column, node.label, None),
        kind="step",
    )


def _node_words(flow: Flow, node: FlowNode) -> str:
    channels = ", ".join(f"{name} {count:,}" for name, count in node.channels.items())
    text = f"{node.label}, step {node.column + 1}: {node.journeys:,} journeys, {node.people:,} people; {channels}"
    if node.again:
        text += f"; {node.again:,} for another time"
    if node.ended:
        text += f"; {node.ended:,} {'began' if flow.backwards else 'ended'} here"
    return text


def _ends(flow: Flow, places: dict[tuple[int, str], tuple[float, float]], scale: float) -> str:
    """The leavers of each step: a hatched stub beside the step, with their number."""
    parts = []
    name = BEGIN if flow.backwards else END
    for node in _nodes(flow):
        if not node.ended:
            continue
        top, height = places[node.column, node.label]
        thickness = max(1.5, node.ended * scale)
        x = _x(node.column) - 8 if flow.backwards else _x(node.column) + BAR
        shape = rectangle(x, top + height - thickness, 8, thickness, END_FILL, extra=' fill-opacity="0.8"')
        label = words(_x(node.column) + BAR + 12, top + height + 10, f"{name} {node.ended:,}", size=10, fill=QUIET_INK)
        parts.append(mark(shape + label, title=f"{node.ended:,} journeys: {node.label}, then {name}", kind="leavers"))
    return "".join(parts)
