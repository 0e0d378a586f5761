"""The picture of one person's years: a line per channel, a mark per interaction, bands for journeys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from desireline.journeys.svg import INK, LINE, QUIET_INK, channel_fill, mark, picture, rectangle, words
from desireline.vocabulary.units import moment_text

if TYPE_CHECKING:
    from desireline.journeys.relationship import Relationship

WIDTH = 960.0
LEFT = 110.0
RIGHT = 20.0
LINE_HEIGHT = 26.0
MOST_MARKS = 3_000
"""Beyond so many interactions those of one channel and pixel are drawn as one mark that says how many."""


def relationship_picture(person: Relationship, *, link_to: Callable[[int], str] | None = None) -> str:
    """The SVG of a person's line of years; `link_to` gives the address of an interaction's id."""
    first = person.interactions[0]["occurred_at"]
    span = max(1, person.interactions[-1]["occurred_at"] - first)
    across = WIDTH - LEFT - RIGHT

    def x_of(moment: int) -> float:
        return float(LEFT + across * (moment - first) / span)

    lines = {channel: 52 + LINE_HEIGHT * place for place, channel in enumerate(person.channels)}
    height = 52 + LINE_HEIGHT * len(lines)
    years = "".join(_year(year, x_of, height) for year in _years(first, first + span))
    bands = "".join(_band(person, number, x_of) for number in range(len(person.journeys)))
    rails = "".join(
        words(10, y + 4, channel or "(not given)", size=12, fill=INK, width=LEFT - 20)
        + f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="{LINE}"/>'
        for channel, y in lines.items()
    )
    marks = _marks(person, lines, x_of, link_to)
    return picture(WIDTH, height + 10, years + bands + rails + marks, title="Line of years", says=person.says)


def _years(first: int, last: int) -> range:
    return range(datetime.fromtimestamp(first / 1000, UTC).year + 1, datetime.fromtimestamp(last / 1000, UTC).year + 1)


def _year(year: int, x_of: Callable[[int], float], height: float) -> str:
    x = x_of(int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) * 1000)
    line = f'<line x1="{x:.1f}" y1="22" x2="{x:.1f}" y2="{height - 10:.1f}" stroke="{LINE}" stroke-dasharray="2 3"/>'
    return line + words(x + 3, 16, str(year), size=11, fill=QUIET_INK)


def _band(person: Relationship, number: int, x_of: Callable[[int], float]) -> str:
    journey = person.journeys[number]
    x0, x1 = x_of(journey.started_at), x_of(journey.ended_at)
    shape = rectangle(x0 - 3, 26 + 5 * (number % 2), max(6.0, x1 - x0 + 6), 5, QUIET_INK, extra=' fill-opacity="0.55"')
    name = journey.map or "journey"
    title = (
        f"{name} from {moment_text(journey.started_at)[:10]} to {moment_text(journey.ended_at)[:10]}: "
        f"{journey.interactions:,} interactions, {journey.ended}"
    )
    return mark(shape, title=title, kind="journey")


def _marks(
    person: Relationship, lines: dict[str, float], x_of: Callable[[int], float], link_to: Callable[[int], str] | None
) -> str:
    parts = []
    together: dict[tuple[float, str], list[Mapping[str, Any]]] = {}
    crowded = len(person.interactions) > MOST_MARKS
    for each in person.interactions:
        x, channel = x_of(each["occurred_at"]), each["channel"]
        if crowded:
            x = round(x)
        together.setdefault((x, channel), []).append(each)
    for (x, channel), group in together.items():
        y = lines[channel]
        fill = channel_fill(channel, person.channels)
        inbound = group[0]["direction"] == "inbound"
        shape = (
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{fill}"/>'
            if inbound
            else f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="none" stroke="{fill}" stroke-width="2"/>'
        )
        one = group[0]
        title = f"{moment_text(one['occurred_at'])}: {one['touchpoint'] or 'interaction'} on {channel or 'no channel'}"
        title += f", {one['direction']}" if one["direction"] else ""
        title += f", and {len(group) - 1:,} more" if len(group) > 1 else ""
        parts.append(mark(shape, title=title, href=link_to(one["id"]) if link_to else "", kind="interaction"))
    return "".join(parts)
