"""The picture of what came in over the last minutes: bars by verdict, drawn by the server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from desireline.faces.web.drawing import counted, element, text, title
from desireline.faces.web.live_counts import VERDICTS
from desireline.vocabulary.units import moment_text

WIDTH, HEIGHT = 1220, 132
_LEFT, _TOP, _BOTTOM = 44, 10, 20


def counts_picture(
    series: Sequence[tuple[int, Counter[str]]], *, step: int, narrow: bool = False, began_at: int = 0
) -> str:
    """Bars of messages a second by verdict; each can be pointed at.

    step: seconds that one bar holds. narrow: for a phone. began_at: when counting began, UTC milliseconds; before it
    nothing is known, which is drawn as such and not as nothing.
    """
    width = 340 if narrow else WIDTH
    most = max((sum(counts.values()) for _, counts in series), default=0) / step
    top = _round_up(most)
    each = (width - _LEFT) / max(1, len(series))
    floor = HEIGHT - _BOTTOM
    shares = (0.0, 0.5, 1.0) if most else (0.0,)
    marks = [_unknown(series, began_at, step=step, each=each, narrow=narrow)]
    marks += [_line_at(top * share, top=top, width=width, floor=floor, words=_tidy(top * share)) for share in shares]
    for place, (second, counts) in enumerate(series):
        x = _LEFT + place * each
        marks.append(_bar(second, counts, step=step, x=x, width=each, top=top, floor=floor))
        if second % 60 == 0:
            marks.append(text(_clock(second)[:5], x=x, y=HEIGHT - 4.0, class_="small", anchor="middle"))
    return element(
        "svg",
        *marks,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width} {HEIGHT}",
        class_="counts-picture narrow" if narrow else "counts-picture wide",
        role="img",
        aria_label="Messages a second by verdict; the table beneath holds the numbers.",
    )


def _unknown(series: Sequence[tuple[int, Counter[str]]], began_at: int, *, step: int, each: float, narrow: bool) -> str:
    """The time before counting began."""
    if not series or began_at <= series[0][0] * 1000:
        return ""
    bars = min(len(series), (began_at / 1000 - series[0][0]) / step)
    words = f"this server began at {_clock(began_at // 1000)} UTC"
    ground = element(
        "rect", x=float(_LEFT), y=float(_TOP), width=bars * each, height=HEIGHT - _BOTTOM - _TOP + 0.0, class_="unknown"
    )
    return element("g", title(f"Not known: {words}"), ground, _written(words, width=bars * each, narrow=narrow))


def _written(words: str, *, width: float, narrow: bool) -> str:
    shown = words if width > 220 else "began" if width > 60 and narrow else ""
    return text(shown, x=_LEFT + 10.0, y=_TOP + 18.0, class_="small") if shown else ""


def _bar(second: int, counts: Counter[str], *, step: int, x: float, width: float, top: float, floor: float) -> str:
    pieces, y = [], floor
    said = ", ".join(f"{counted(counts[verdict])} {verdict}" for verdict in VERDICTS if counts[verdict])
    for verdict in VERDICTS:
        if not counts[verdict]:
            continue
        height = max(1.0, counts[verdict] / step / top * (floor - _TOP))
        y -= height
        bar = max(0.6, width - (1.0 if width > 3 else 0.2))
        pieces.append(element("rect", x=x, y=y, width=bar, height=height, class_=f"came {verdict}"))
    room = element("rect", x=x, y=float(_TOP), width=width, height=floor - _TOP, class_="room")
    return element("g", title(f"{_clock(second)} UTC, {step} s: {said or 'nothing'}"), *pieces, room)


def _line_at(value: float, *, top: float, width: float, floor: float, words: str) -> str:
    y = floor - value / top * (floor - _TOP)
    line = element("line", x1=float(_LEFT), x2=float(width), y1=y, y2=y, class_="axis")
    return line + text(words, x=_LEFT - 6.0, y=y + 4.0, class_="small", anchor="end")


def _round_up(value: float) -> float:
    """The next round number, so that the scale says something.

    >>> _round_up(47), _round_up(0.5), _round_up(0)
    (50.0, 0.5, 1.0)
    """
    if value <= 0:
        return 1.0
    size = 1.0
    while size > value:
        size /= 10
    while size * 10 <= value:
        size *= 10
    return next(size * part for part in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if size * part >= value)


def _tidy(value: float) -> str:
    return f"{value:.3g}"


def _clock(second: int) -> str:
    return moment_text(second * 1000)[11:19]
