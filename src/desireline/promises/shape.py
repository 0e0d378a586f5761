"""The shape of a map file: its words and their kinds, read from the published JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from desireline.promises.patterns import shown
from desireline.promises.reading import Reading
from desireline.vocabulary.errors import nearest

SCHEMA_FILE = "map.schema.json"
Path = tuple[str | int, ...]

_KIND_SAYS = {
    "string": "a text",
    "integer": "a whole number",
    "boolean": "true or false",
    "object": "'word: value' pairs",
    "array": "a list",
}


@cache
def schema() -> dict[str, Any]:
    """The JSON Schema of a map, the file that editors and other tools read."""
    text = files("desireline.promises").joinpath(SCHEMA_FILE).read_text(encoding="utf-8")
    return dict(json.loads(text))


def check_shape(reading: Reading, path: Path, node: Any, rule: Mapping[str, Any]) -> None:
    """Refuse unknown words, missing words and wrong kinds; patterns and durations are read elsewhere."""
    kind = rule.get("type")
    if kind is None:
        return
    if not _is(kind, node):
        reading.refuse(path, f"{_named(path)} must be {_KIND_SAYS[kind]}, not {shown(node)}.")
    elif kind == "object":
        _check_words(reading, path, node, rule)
    elif kind == "array":
        for place, each in enumerate(node):
            check_shape(reading, (*path, place), each, rule["items"])
    else:
        _check_scalar(reading, path, node, rule)


def _check_words(reading: Reading, path: Path, node: Mapping[str, Any], rule: Mapping[str, Any]) -> None:
    known: Mapping[str, Any] = rule["properties"]
    reading.mistakes += reading.document.unknown_words(path, node, list(known))
    for word in rule.get("required", ()):
        if word not in node:
            reading.refuse(path, f"{_named(path)} lacks '{word}'.", f"{known[word]['description']}")
    for word, value in node.items():
        if word in known:
            check_shape(reading, (*path, word), value, known[word])


def _check_scalar(reading: Reading, path: Path, node: Any, rule: Mapping[str, Any]) -> None:
    if "enum" in rule and node not in rule["enum"]:
        hint = nearest(str(node), rule["enum"]) or f"Known here: {', '.join(rule['enum'])}."
        reading.refuse(path, f"unknown {_last_word(path)} '{node}'.", hint)
    if isinstance(node, str) and not node.strip():
        reading.refuse(path, f"{_named(path)} is empty.")
    if "minimum" in rule and not rule["minimum"] <= node <= rule["maximum"]:
        what = f"{_named(path)} must lie between {rule['minimum']} and {rule['maximum']}, not {node}."
        reading.refuse(path, what)


def _is(kind: str, node: Any) -> bool:
    if kind == "integer":
        return isinstance(node, int) and not isinstance(node, bool)
    if kind == "array":
        return isinstance(node, Sequence) and not isinstance(node, str)
    return isinstance(node, {"string": str, "boolean": bool, "object": Mapping}[kind])


def _last_word(path: Path) -> str:
    return str(next((step for step in reversed(path) if isinstance(step, str)), "map"))


def _named(path: Path) -> str:
    word = _last_word(path)
    singular = {"phases": "phase", "steps": "step", "promises": "promise"}
    return f"a {singular[word]}" if path and isinstance(path[-1], int) and word in singular else f"'{word}'"
