"""Pages from templates, and the one style sheet, script and icon they use."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

HERE = Path(__file__).parent
_STYLES = ("tokens.css", "app.css", "live.css", "picture.css")
_LIGHT_DARK = re.compile(r"light-dark\((#[0-9a-f]{3,8}),\s*(#[0-9a-f]{3,8})\)")
_TOKEN = re.compile(r"(--[a-z0-9-]+):\s*([^;]+);")


@cache
def style_sheet() -> str:
    """The one style sheet of all pages."""
    return "\n".join((HERE / "static" / name).read_text("utf-8") for name in _STYLES)


@cache
def picture_style(theme: str) -> str:
    """The style of an exported picture: colours written out, since it travels without the page."""
    colours = {}
    for name, value in _TOKEN.findall((HERE / "static" / "tokens.css").read_text("utf-8")):
        found = _LIGHT_DARK.match(value)
        if found:
            colours[name] = found[1] if theme == "light" else found[2]
    css = (HERE / "static" / "picture.css").read_text("utf-8")
    return re.sub(r"var\((--[a-z0-9-]+)\)", lambda found: colours[found[1]], css)


@cache
def paper_colour(theme: str) -> str:
    """The ground an exported picture is drawn on."""
    found = re.search(r"--surface: " + _LIGHT_DARK.pattern, style_sheet())
    assert found is not None
    return found[1] if theme == "light" else found[2]


@cache
def stamp() -> str:
    """Changes when any static file changes, so that browsers may keep them."""
    digest = hashlib.sha256()
    for path in sorted((HERE / "static").iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        auto_reload=False,
    )


def page(template: str, context: dict[str, Any], *, status: int = 200) -> HTMLResponse:
    """A page from its template. Only pictures made by `drawing`, where every text was escaped, are `safe` there."""
    return HTMLResponse(_environment().get_template(template).render(stamp=stamp(), **context), status_code=status)
