"""Shapes and colours that mean the same everywhere: channels by colour and name, states by shape and word."""

from __future__ import annotations

from collections.abc import Sequence

from desireline.faces.web.drawing import element, text

KNOWN_CHANNELS = ("app", "phone", "email", "sms", "web", "chat", "branch", "social")
NO_CHANNEL = "no channel"
"""Where touches that do not say their channel are counted."""
COLOURS = 10
"""How many channel colours there are; further channels share the last one and are told apart by name."""

STATE_CLASSES = {
    "burns": "burns",
    "at risk": "at-risk",
    "holds": "holds",
    "no limit": "no-limit",
    "not enough yet": "not-enough",
}


def channel_class(channel: str, channels: Sequence[str]) -> str:
    """The style class of a channel: well-known ones keep their colour on every screen.

    >>> channel_class("phone", ("phone", "fax")), channel_class("fax", ("phone", "fax"))
    ('channel-2', 'channel-9')
    """
    if channel in KNOWN_CHANNELS:
        return f"channel-{KNOWN_CHANNELS.index(channel) + 1}"
    if channel == NO_CHANNEL:
        return f"channel-{COLOURS}"
    others = [name for name in channels if name not in (*KNOWN_CHANNELS, NO_CHANNEL)]
    place = others.index(channel) if channel in others else COLOURS
    return f"channel-{min(COLOURS, len(KNOWN_CHANNELS) + 1 + place)}"


def state_mark(state: str, *, x: float, y: float, label: str = "") -> str:
    """The shape of a state with a number in it: triangle burns, diamond at risk, disc holds, ring without a limit."""
    class_ = f"state {STATE_CLASSES[state]}"
    if state == "burns":
        shape = element("path", d=_path(x, y, ((0, -10.5), (11, 8.5), (-11, 8.5))), class_=class_)
    elif state == "at risk":
        shape = element("path", d=_path(x, y, ((0, -11), (11, 0), (0, 11), (-11, 0))), class_=class_)
    else:
        shape = element("circle", cx=x, cy=y, r=9.5, class_=class_)
    words = text(
        label,
        x=x,
        y=y + (5.2 if state == "burns" else 4),
        class_=f"state-label {STATE_CLASSES[state]}",
        anchor="middle",
    )
    return shape + (words if label else "")


def _path(x: float, y: float, corners: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x + dx:.1f} {y + dy:.1f}" for dx, dy in corners) + "Z"
