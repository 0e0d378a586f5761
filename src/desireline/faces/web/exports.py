"""What is shown, taken along: SVG, PNG, CSV and JSON of exactly the numbers on the page."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response

from desireline.faces.web.designed_over_lived_picture import draw_wide
from desireline.faces.web.rendering import paper_colour, picture_style
from desireline.faces.web.what_is_shown import ENDINGS, OTHER, START, DesignedOverLived, LivedFlow, Passage
from desireline.vocabulary.errors import DesirelineError
from desireline.vocabulary.table import Table

_SAMPLE_OF_TEXT = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><text x="2" y="15">Ab</text></svg>'
_SAMPLE_WITHOUT = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><text x="2" y="15"></text></svg>'


def screen_export(shown: DesignedOverLived, ending: str, theme: str) -> Response:
    """The one screen in one of its forms."""
    if ending in ("svg", "png"):
        return picture_export(draw_wide(shown.flow), name=shown.map, ending=ending, theme=theme)
    if ending == "csv":
        return table_export(flow_table(shown), name=shown.map, ending="csv")
    body = {
        "map": shown.map,
        "chosen": {
            "from": shown.state.first_month, "to": shown.state.last_month, "segment": shown.state.segment,
            "only_broken": shown.state.only_broken,
        },
        "as_of": shown.as_of,
        "counted": shown.counted,
        "promises": [
            {
                "promise": p.promise, "says": p.says, "step": p.step, "state": p.state, "limit": p.limit,
                "kept": p.kept, "broken": p.broken, "waiting": p.waiting, "withdrawn": p.withdrawn,
                "made_good": p.made_good, "breaches": dict(p.breaches), "keep_rate": p.rate.as_dict(),
            }
            for p in shown.promises
        ],
        "flow": list(flow_table(shown).rows()),
        "journeys": shown.flow.journeys,
        "people": shown.flow.people,
    }  # fmt: skip
    return _download(json.dumps(body, ensure_ascii=False, default=str), "application/json", f"{shown.map}.json")


def flow_table(shown: DesignedOverLived) -> Table:
    """The lived flow as rows: from, to, channel, count."""
    flow: LivedFlow = shown.flow
    order = [START, *(step.name for step in flow.steps), OTHER, *ENDINGS]
    others = [
        Passage(after, OTHER, name, count) for after, group in flow.others.items() for name, count in group.items()
    ]
    passages = sorted(
        (*flow.passages, *others), key=lambda p: (order.index(p.origin), order.index(p.target), p.channel)
    )
    return Table(
        says=f"The lived flow of {shown.map}",
        columns={
            "from": [p.origin for p in passages],
            "to": [p.target for p in passages],
            "channel": [p.channel for p in passages],
            "count": [p.count for p in passages],
        },
        counted=shown.counted,
        as_of=shown.as_of,
    )


def table_export(table: Table, *, name: str, ending: str) -> Response:
    """A table as CSV (formulas defused) or JSON."""
    if ending == "csv":
        return _download(table.to_csv(), "text/csv; charset=utf-8", f"{name}.csv")
    if ending == "json":
        return _download(table.to_json(), "application/json", f"{name}.json")
    raise HTTPException(404, f"There is no .{ending} of this page; take .csv or .json.")


def rows_table(rows: Sequence[Mapping[str, Any]], *, says: str, counted: str = "", as_of: int | None = None) -> Table:
    """Rows as a table for export."""
    names = list(rows[0]) if rows else []
    return Table(says, {name: [row[name] for row in rows] for name in names}, counted=counted, as_of=as_of)


def picture_export(picture: str, *, name: str, ending: str, theme: str) -> Response:
    """A picture as SVG that stands alone, or as PNG."""
    if theme not in ("light", "dark"):
        raise DesirelineError("'theme' is light or dark.")
    style = picture_style(theme)
    alone = standing_alone(picture, theme)
    if ending == "svg":
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        headers = {
            "content-security-policy": f"default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'"
        }
        return _download(alone, "image/svg+xml", f"{name}.svg", headers)
    return _download(png(alone), "image/png", f"{name}.png")


def standing_alone(picture: str, theme: str) -> str:
    """A picture of the page with its own style and ground, so that it looks the same anywhere."""
    begin, _, rest = picture.partition(">")
    ground = f'<rect width="100%" height="100%" fill="{paper_colour(theme)}"/>'
    return f"{begin}><style>{picture_style(theme)}</style>{ground}{rest}"


def png(picture: str) -> bytes:
    """A picture as PNG at twice its size; refused plainly where this machine has no font to write with."""
    import resvg_py

    if bytes(resvg_py.svg_to_bytes(svg_string=_SAMPLE_OF_TEXT)) == bytes(
        resvg_py.svg_to_bytes(svg_string=_SAMPLE_WITHOUT)
    ):
        raise HTTPException(
            503, "This machine has no font to draw a PNG with. Take the SVG, or install one (fonts-dejavu)."
        )
    return bytes(resvg_py.svg_to_bytes(svg_string=picture, zoom=2))


def _download(body: str | bytes, media_type: str, name: str, headers: Mapping[str, str] | None = None) -> Response:
    safe = (
        "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in name if letter.isascii())
        or "export"
    )
    around = {"content-disposition": f'attachment; filename="{safe}"', **(headers or {})}
    return Response(body, media_type=media_type, headers=around)
