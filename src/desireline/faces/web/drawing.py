"""Small words for drawing SVG: every text and every attribute is escaped here and nowhere else."""

from __future__ import annotations

from html import escape


def number(value: float) -> str:
    """A coordinate with at most one decimal.

    >>> number(3.0), number(2.345)
    ('3', '2.3')
    """
    return f"{value:.1f}".removesuffix(".0")


def element(name: str, *children: str, **attributes: object) -> str:
    """One SVG element. Children are SVG already; attributes are escaped, `_` becomes `-`, None is left out.

    >>> element("rect", x=1.0, class_="bar")
    '<rect x="1" class="bar"/>'
    """
    parts = []
    for key, value in attributes.items():
        if value is None:
            continue
        text = number(value) if isinstance(value, float) else str(value)
        parts.append(f' {key.rstrip("_").replace("_", "-")}="{escape(text)}"')
    inner = "".join(children)
    return f"<{name}{''.join(parts)}>{inner}</{name}>" if inner else f"<{name}{''.join(parts)}/>"


def text(words: object, *, x: float, y: float, class_: str = "", anchor: str | None = None) -> str:
    """A line of text at a place."""
    return element("text", escape(str(words)), x=x, y=y, class_=class_ or None, text_anchor=anchor)


def title(words: object) -> str:
    """The words shown when pointing at a mark, and read aloud."""
    return element("title", escape(str(words)))


def shortened(words: str, *, letters: int) -> str:
    """A text cut to some letters, the cut shown.

    >>> shortened("replacement ordered", letters=12)
    'replacement…'
    """
    return words if len(words) <= letters else words[: letters - 1].rstrip() + "…"


def counted(value: int) -> str:
    """A count as people read it.

    >>> counted(1234567)
    '1,234,567'
    """
    return f"{value:,}"
