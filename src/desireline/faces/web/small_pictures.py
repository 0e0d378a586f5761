"""Small pictures inside pages: the interval of a rate, the months behind the slider, the keys of the legend."""

from __future__ import annotations

from collections.abc import Sequence

from desireline.faces.web.drawing import element, title
from desireline.faces.web.marks import channel_class, state_mark
from desireline.vocabulary.estimate import Estimate


def interval_picture(rate: Estimate, *, limit: float | None) -> str:
    """The rate as a dot on a line, its interval as a thicker piece, the limit as a dashed mark."""
    if rate.value is None or rate.low is None or rate.high is None:
        return ""
    lowest = min(rate.low, limit if limit is not None else 1.0)
    floor = 0.9 if lowest >= 0.9 else (0.5 if lowest >= 0.5 else 0.0)

    def place(share: float) -> float:
        return 4 + (share - floor) / (1 - floor) * 192

    words = f"{rate.value:.1%}, interval {rate.low:.1%} to {rate.high:.1%}, drawn from {floor:.0%} to 100 %"
    marks = [
        title(words + (f", limit {limit:.1%}" if limit is not None else "")),
        element("line", x1=4.0, x2=196.0, y1=10.0, y2=10.0, class_="track"),
        element(
            "line", x1=place(rate.low), x2=max(place(rate.high), place(rate.low) + 1), y1=10.0, y2=10.0, class_="reach"
        ),
        element("circle", cx=place(rate.value), cy=10.0, r=5.5, class_="dot"),
    ]
    if limit is not None:
        marks.append(element("line", x1=place(limit), x2=place(limit), y1=1.0, y2=19.0, class_="limit"))
    return element("svg", *marks, viewBox="0 0 200 20", class_="interval", role="img", aria_label=words)


def months_picture(months: Sequence[str], counts: Sequence[int], *, first: str, last: str) -> str:
    """Interactions per month; the chosen months stand out."""
    most = max(counts, default=0) or 1
    bars = []
    for place, (month, count) in enumerate(zip(months, counts, strict=True)):
        height = count / most * 44
        inside = (not first or month >= first) and (not last or month <= last)
        bars.append(
            element(
                "rect",
                title(f"{month}: {count:,} interactions"),
                x=place * 10 + 1.0,
                y=46 - height,
                width=8.0,
                height=height,
                class_="in" if inside else "out",
            )
        )
    return element(
        "svg",
        *bars,
        viewBox=f"0 0 {len(months) * 10} 46",
        preserveAspectRatio="none",
        class_="months",
        aria_hidden="true",
    )


def state_picture(state: str, label: str) -> str:
    """The shape of a promise's state, with its number."""
    return element("svg", state_mark(state, x=12, y=12, label=label), viewBox="0 0 24 24", aria_hidden="true")


def channel_key(channel: str, channels: Sequence[str]) -> str:
    """The colour of a channel in the legend."""
    return element(
        "svg",
        element("rect", x=0.0, y=0.0, width=13.0, height=13.0, rx=3, class_=channel_class(channel, channels)),
        viewBox="0 0 13 13",
        aria_hidden="true",
    )


VERDICT_SHAPES = {
    "kept": '<path d="M1.5 6.5 5 10 10.5 2.5" fill="none" stroke="currentColor" stroke-width="2"/>',
    "broken": '<path d="M2 2 10 10M10 2 2 10" fill="none" stroke="currentColor" stroke-width="2"/>',
    "waiting": '<path d="M2.5 1.5h7M2.5 10.5h7M3.5 1.5c0 5 5 4 5 9M8.5 1.5c0 5-5 4-5 9" fill="none" '
    'stroke="currentColor" stroke-width="1.3"/>',
    "withdrawn": '<path d="M2 6h8" fill="none" stroke="currentColor" stroke-width="2"/>',
}


def verdict_picture(verdict: str) -> str:
    """The shape of a verdict: a tick, a cross, an hour-glass, a dash."""
    return element("svg", VERDICT_SHAPES.get(verdict, ""), viewBox="0 0 12 12", aria_hidden="true")
