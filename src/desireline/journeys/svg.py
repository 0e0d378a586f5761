"""Small pieces every picture is made of: text that fits, colours that work in light and dark, marks with words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

INK = "var(--ink, #1c2330)"
QUIET_INK = "var(--ink-quiet, #5a6475)"
PAPER = "var(--paper, #ffffff)"
LINE = "var(--line, #c9cfd8)"
OTHER_FILL = "var(--other, #aab2bf)"
END_FILL = "var(--end, #7b8494)"
ALARM = "var(--alarm, #b3261e)"

CHANNEL_COLOURS = {
    "web": "#2f6fb0",
    "app": "#2a8f7e",
    "email": "#a8682a",
    "sms": "#7a5cb5",
    "phone": "#c0504d",
    "chat": "#4f8a3a",
    "branch": "#8a5a78",
    "social": "#b0843a",
}
"""Colours of the best known channels; contrast with white and with near-black paper is above 3 : 1."""
SPARE_COLOURS = ("#5677a6", "#6b8e4e", "#9c6b98", "#a97142", "#4d8f9c", "#996666", "#6f7d3c", "#7d6fae")

_VARIABLE = re.compile(r"var\(--[a-z0-9-]+, (#[0-9a-fA-F]{3,8})\)")
_WORD = re.compile(r"[^a-z0-9]+")


def channel_fill(channel: str, channels: Sequence[str] = ()) -> str:
    """The colour of a channel, as a CSS variable with a fallback.

    >>> channel_fill("phone")
    'var(--channel-phone, #c0504d)'
    """
    name = _WORD.sub("-", channel.lower()).strip("-") or "other"
    if channel in CHANNEL_COLOURS:
        return f"var(--channel-{name}, {CHANNEL_COLOURS[channel]})"
    unnamed = [each for each in channels if each not in CHANNEL_COLOURS]
    place = unnamed.index(channel) if channel in unnamed else sum(map(ord, channel))
    return f"var(--channel-{name}, {SPARE_COLOURS[place % len(SPARE_COLOURS)]})"


def fitted(text: str, width: float, *, size: float = 12) -> str:
    """A text cut to a width in pixels, the cut shown by an ellipsis, escaped.

    >>> fitted("card.reported_lost", 60)
    'card.re…'
    """
    most = max(1, int(width / (size * 0.56)))
    return escape(text if len(text) <= most else text[: max(1, most - 1)] + "…")


def words(
    x: float,
    y: float,
    text: str,
    *,
    size: float = 12,
    fill: str = INK,
    anchor: str = "start",
    width: float = 0,
    weight: str = "",
) -> str:
    """A line of text; cut to `width` when one is given."""
    shown = fitted(text, width, size=size) if width else escape(text)
    bold = f' font-weight="{weight}"' if weight else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" fill="{fill}" text-anchor="{anchor}"{bold}>{shown}</text>'
    )


def mark(shapes: str, *, title: str, href: str = "", kind: str = "mark") -> str:
    """A group of shapes with its words; a link that the keyboard reaches when `href` is given."""
    inner = f'<g class="{kind}"><title>{escape(title)}</title>{shapes}</g>'
    return f'<a href="{escape(href)}" aria-label="{escape(title)}">{inner}</a>' if href else inner


def rectangle(x: float, y: float, width: float, height: float, fill: str, *, extra: str = "") -> str:
    """A filled rectangle."""
    box = f'x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{max(height, 0):.1f}"'
    return f'<rect {box} fill="{fill}"{extra}/>'


def ribbon(
    x0: float, top0: float, x1: float, top1: float, thickness: float, fill: str, *, opacity: float = 0.35
) -> str:
    """A band from one step to the next, as wide as what flows through it."""
    middle = (x0 + x1) / 2
    down0, down1 = top0 + thickness, top1 + thickness
    return (
        f'<path d="M{x0:.1f} {top0:.1f}C{middle:.1f} {top0:.1f} {middle:.1f} {top1:.1f} {x1:.1f} {top1:.1f}'
        f'L{x1:.1f} {down1:.1f}C{middle:.1f} {down1:.1f} {middle:.1f} {down0:.1f} {x0:.1f} {down0:.1f}Z" '
        f'fill="{fill}" fill-opacity="{opacity:g}"/>'
    )


def legend(x: float, y: float, channels: Sequence[str], *, width: float) -> str:
    """The channels by colour and name, in as many lines as they need."""
    parts, left = [], x
    for channel in channels:
        needs = 26 + 6.8 * len(channel)
        if left > x and left + needs > x + width:
            left, y = x, y + 18
        parts.append(rectangle(left, y - 9, 10, 10, channel_fill(channel, channels)))
        parts.append(words(left + 14, y, channel, size=11, fill=QUIET_INK))
        left += needs
    return "".join(parts)


def picture(width: float, height: float, body: str, *, title: str, says: str = "") -> str:
    """A whole SVG picture with its title and sentence, for a page, a notebook or a file."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}" role="group" aria-label="{escape(title)}" font-family="system-ui, sans-serif">'
        f"<title>{escape(title)}</title><desc>{escape(says)}</desc>"
        f"{rectangle(0, 0, width, height, PAPER)}{body}</svg>"
    )


def standalone(svg: str) -> str:
    """The picture with plain colours in place of CSS variables, for programs that know none.

    >>> standalone('<rect fill="var(--ink, #1c2330)"/>')
    '<rect fill="#1c2330"/>'
    """
    return _VARIABLE.sub(r"\1", svg)
