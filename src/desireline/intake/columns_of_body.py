"""A nested body as columns a recipe can name: `ticket.requester.email`, `answers.nps`, `custom_fields.360001`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

MOST_COLUMNS = 2_000
MOST_DEPTH = 32
_NAMED_BY = (("field", "ref"), ("field", "id"), ("ref",), ("id",), ("key",), ("name",), ("question",), ("qid",))
"""What names an item of a list: the question it answers, its own id, its key."""
_SAID_IN = ("value", "answer", "answers", "text", "number", "label", "labels", "content", "score")
"""Where an item of a list says its value, when its `type` names no place."""


def columns_of_body(body: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a body, each under the dotted path to it; items of lists under their number and their name.

    >>> columns_of_body({"a": {"b": 1}, "tags": ["x", "y"]})
    {'a.b': 1, 'tags': ['x', 'y']}
    >>> columns_of_body({"answers": [{"field": {"ref": "nps"}, "type": "number", "number": 9}]})["answers.nps"]
    9
    """
    columns: dict[str, Any] = {}
    for path, value in _columns(body, "", 0):
        if len(columns) >= MOST_COLUMNS:
            break
        columns.setdefault(path, value)
    return columns


def _columns(value: Any, path: str, depth: int) -> Iterator[tuple[str, Any]]:
    if depth > MOST_DEPTH:
        return
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _columns(inner, f"{path}.{name}" if path else str(name), depth + 1)
    elif isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        yield from _items(value, path, depth)
    elif value is not None:
        yield path, value


def _items(items: list[Any], path: str, depth: int) -> Iterator[tuple[str, Any]]:
    """Names first: a list that is too long to be spelled out whole still answers its questions."""
    for item in items:
        if isinstance(item, Mapping):
            said = _said(item)
            if said is not None:
                for name in _names(item):
                    yield f"{path}.{name}", said
    for number, item in enumerate(items):
        yield from _columns(item, f"{path}.{number}", depth + 1)


def _names(item: Mapping[str, Any]) -> Iterator[str]:
    for words in _NAMED_BY:
        value: Any = item
        for word in words:
            value = value.get(word) if isinstance(value, Mapping) else None
        if isinstance(value, (str, int)) and not isinstance(value, bool) and str(value):
            yield str(value)


def _said(item: Mapping[str, Any]) -> Any:
    """What an item says: under the word its `type` names, else under a usual one; of a choice its label."""
    kind = item.get("type")
    places = ((kind,) if isinstance(kind, str) else ()) + _SAID_IN
    value = next((item[place] for place in places if item.get(place) is not None), None)
    if isinstance(value, Mapping):
        value = next((value[word] for word in ("label", "labels", "value", "url") if value.get(word) is not None), None)
    return ", ".join(map(str, value)) if isinstance(value, list) and value else value
