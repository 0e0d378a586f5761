"""What strangers wrote, so that it can be read as it is: marks that turn the direction of writing are written out."""

from __future__ import annotations

import json
import re

_TURNING = re.compile("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")
"""Marks that change the direction of the text after them, and are not seen themselves (Unicode Annex 9)."""


def written_out(text: str) -> str:
    r"""JSON with its turning marks as `\u202e`, which means the same; any other text as it is.

    >>> written_out('{"a": "x\u202ey"}')
    '{"a": "x\\u202ey"}'
    >>> written_out("x\u202ey") == "x\u202ey"
    True
    """
    if not _TURNING.search(text):
        return text
    try:
        json.loads(text)
    except ValueError:
        return text
    return _TURNING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
