"""What a map looks for in an interaction: typed conditions on its fields, all of which must hold."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Literal

from desireline.promises.reading import Reading
from desireline.storage.documents import Document
from desireline.vocabulary.errors import DesirelineError, nearest
from desireline.vocabulary.interaction import BY_NAME, DIRECTIONS, PATTERN_NAMES

Scalar = str | float | bool
TestWord = Literal["is", "not", "at_least", "above", "below", "at_most", "exists", "unless_is"]

COMPARISONS: tuple[TestWord, ...] = ("at_least", "above", "below", "at_most")
TEST_WORDS: tuple[TestWord, ...] = ("not", *COMPARISONS, "exists")
MOST_ALTERNATIVES = 64
PROPERTY = "properties."
SKIPPED_DIRECTIONS = ("internal", "peer")
WILDCARD = ".*"


@dataclass(frozen=True, slots=True)
class Test:
    """One question put to one field, such as "is it one of these" or "is it at least 5"."""

    word: TestWord
    values: tuple[Scalar, ...]

    def holds(self, value: Scalar | None) -> bool:
        """Whether a value passes; `None` is an empty field, which passes `exists: false` alone."""
        if self.word == "exists":
            return (value is not None) == self.values[0]
        if value is None:
            return self.word == "unless_is"
        if self.word == "is":
            return any(_same(value, wanted) for wanted in self.values)
        if self.word in ("not", "unless_is"):
            return not any(_same(value, wanted) for wanted in self.values)
        return _compares(self.word, value, self.values[0])


@dataclass(frozen=True, slots=True)
class Condition:
    """Everything asked of one field."""

    field: str
    tests: tuple[Test, ...]

    def holds(self, value: Scalar | None) -> bool:
        """Whether a value of the field passes every test.

        >>> Condition("touchpoint", (Test("is", ("card.*",)),)).holds("card.blocked")
        True
        """
        return all(test.holds(value) for test in self.tests)

    def values(self) -> tuple[Scalar, ...]:
        """Every value the condition names."""
        return tuple(value for test in self.tests for value in test.values)


@dataclass(frozen=True, slots=True)
class Pattern:
    """Conditions that must all hold and, when there is `any`, at least one of its patterns too."""

    conditions: tuple[Condition, ...] = ()
    any: tuple[Pattern, ...] = field(default=())


Alternative = tuple[Condition, ...]
"""Conditions that must all hold; a pattern is one or several alternatives."""

_OUTSIDE_ONLY = Condition("direction", (Test("unless_is", SKIPPED_DIRECTIONS),))


def alternatives(pattern: Pattern) -> tuple[Alternative, ...]:
    """The pattern as a plain list of alternatives, nothing nested."""
    if not pattern.any:
        return (pattern.conditions,)
    return tuple(pattern.conditions + inner for each in pattern.any for inner in alternatives(each))


def outward_alternatives(pattern: Pattern) -> tuple[Alternative, ...]:
    """The alternatives; one that names neither touchpoint nor direction skips `internal` and `peer`."""
    return tuple(
        each if any(condition.field in ("touchpoint", "direction") for condition in each) else (*each, _OUTSIDE_ONLY)
        for each in alternatives(pattern)
    )


def both(first: Sequence[Alternative], second: Sequence[Alternative]) -> tuple[Alternative, ...]:
    """The alternatives that hold when one of each side holds."""
    return tuple(one + other for one, other in product(first, second))


def pattern_of(body: Mapping[str, Any]) -> Pattern:
    """A pattern from plain words; raises `DesirelineError` with every mistake.

    >>> pattern_of({"touchpoint": "card.*"}).conditions[0].field
    'touchpoint'
    """
    reading = Reading(Document(text=json.dumps(body), name="pattern"))
    pattern = read_pattern(reading, (), reading.document.body)
    if pattern is None or reading.mistakes:
        raise DesirelineError(reading.mistakes)
    return pattern


def read_pattern(reading: Reading, path: tuple[str | int, ...], node: Any) -> Pattern | None:
    """Read one pattern of a document; mistakes go to `reading`, and a pattern with mistakes is `None`."""
    before = len(reading.mistakes)
    pattern = _pattern(reading, path, node)
    if len(reading.mistakes) > before or pattern is None:
        return None
    if len(alternatives(pattern)) > MOST_ALTERNATIVES:
        reading.refuse(path, f"more than {MOST_ALTERNATIVES} alternatives.", "Split the pattern.")
        return None
    return pattern


def _pattern(reading: Reading, path: tuple[str | int, ...], node: Any) -> Pattern | None:
    if not isinstance(node, Mapping):
        reading.refuse(path, "a pattern must be 'field: value' pairs.", "Write {touchpoint: card.blocked}.")
        return None
    if not node:
        reading.refuse(path, "an empty pattern matches everything.", "Name at least one field.")
        return None
    conditions = []
    for name, value in node.items():
        if name != "any":
            condition = _condition(reading, (*path, name), str(name), value)
            if condition:
                conditions.append(condition)
    inner: list[Pattern] = []
    if "any" in node:
        if isinstance(node["any"], list) and node["any"]:
            found = [_pattern(reading, (*path, "any", i), each) for i, each in enumerate(node["any"])]
            inner = [each for each in found if each is not None]
        else:
            reading.refuse((*path, "any"), "'any' needs a list of patterns.", "Write any: [{...}, {...}].")
    return Pattern(tuple(conditions), tuple(inner))


def _condition(reading: Reading, path: tuple[str | int, ...], name: str, node: Any) -> Condition | None:
    known = name in PATTERN_NAMES or (name.startswith(PROPERTY) and len(name) > len(PROPERTY))
    if not known:
        hint = nearest(name, (*PATTERN_NAMES, "any")) or "Write properties.NAME for a field of your own."
        reading.refuse(path, f"unknown field '{name}'.", hint)
        return None
    tests: list[Test | None] = []
    if isinstance(node, Mapping):
        if not node:
            reading.refuse(path, f"'{name}' has no condition.", f"Known here: {', '.join(TEST_WORDS)}.")
            return None
        tests = [_test(reading, (*path, word), name, str(word), value) for word, value in node.items()]
    else:
        tests = [_among(reading, path, name, "is", node)]
    found = tuple(test for test in tests if test is not None)
    return Condition(name, found) if len(found) == len(tests) else None


def _test(reading: Reading, path: tuple[str | int, ...], name: str, word: str, node: Any) -> Test | None:
    if word not in TEST_WORDS:
        hint = nearest(word, TEST_WORDS) or f"Known here: {', '.join(TEST_WORDS)}."
        reading.refuse(path, f"unknown condition '{word}'.", hint)
        return None
    if word == "exists":
        if isinstance(node, bool):
            return Test("exists", (node,))
        reading.refuse(path, f"'exists' needs true or false, not {shown(node)}.")
        return None
    if word == "not":
        return _among(reading, path, name, "not", node)
    if _kind(name) not in ("number", "any"):
        reading.refuse(path, f"'{word}' compares numbers, and '{name}' holds {_KIND_SAYS[_kind(name)]}.")
        return None
    if isinstance(node, bool) or not isinstance(node, int | float):
        reading.refuse(path, f"'{word}' needs a number, not {shown(node)}.")
        return None
    return Test(word, (float(node),))


def _among(reading: Reading, path: tuple[str | int, ...], name: str, word: TestWord, node: Any) -> Test | None:
    listed = node if isinstance(node, list) else [node]
    if not listed:
        reading.refuse(path, f"'{name}' has an empty list.", "Name at least one value.")
        return None
    values = []
    for place, value in enumerate(listed):
        at = (*path, place) if isinstance(node, list) else path
        checked = _value(reading, at, name, value)
        if checked is not None:
            values.append(checked)
    return Test(word, tuple(values)) if len(values) == len(listed) else None


def _value(reading: Reading, path: tuple[str | int, ...], name: str, value: Any) -> Scalar | None:
    kind = _kind(name)
    if value is None or isinstance(value, Mapping | list):
        reading.refuse(path, f"'{name}' needs a value, not {shown(value)}.")
        return None
    if name == "text":
        reading.refuse(path, "'text' can only be asked whether it exists.", "Write text: {exists: true}.")
        return None
    if kind == "number" and (isinstance(value, bool) or not isinstance(value, int | float)):
        reading.refuse(path, f"'{name}' holds a number and is compared with {shown(value)}.")
        return None
    if kind == "flag" and not isinstance(value, bool):
        reading.refuse(path, f"'{name}' is true or false and is compared with {shown(value)}.")
        return None
    if kind == "text" and not isinstance(value, str):
        hint = f'Write "{str(value).lower() if isinstance(value, bool) else value}" in quotes if you mean the text.'
        reading.refuse(path, f"'{name}' holds a text and is compared with {shown(value)}.", hint)
        return None
    if isinstance(value, str):
        return _text(reading, path, name, value)
    return bool(value) if isinstance(value, bool) else float(value)


def _text(reading: Reading, path: tuple[str | int, ...], name: str, value: str) -> str | None:
    if name == "direction" and value not in DIRECTIONS:
        hint = nearest(value, DIRECTIONS) or f"Known here: {', '.join(DIRECTIONS)}."
        reading.refuse(path, f"unknown direction '{value}'.", hint)
        return None
    stars = value.removesuffix(WILDCARD) if name == "touchpoint" else value
    if "*" in stars and (name == "touchpoint" or value.endswith(WILDCARD)):
        reading.refuse(path, f"'{value}': a wildcard stands only at the end of a touchpoint.", "Write card.*")
        return None
    return str(value)


_KIND_SAYS = {"text": "a text", "flag": "true or false", "number": "a number", "any": "anything"}


def _kind(name: str) -> Literal["text", "number", "flag", "any"]:
    if name.startswith(PROPERTY):
        return "any"
    kind = BY_NAME[name].type
    return "flag" if kind == "flag" else "number" if kind == "number" else "text"


def shown(value: Any) -> str:
    """A value as a message names it."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"the text '{value}'"
    if isinstance(value, Mapping):
        return "a mapping"
    return "a list" if isinstance(value, list) else f"the number {value}"


def _same(value: Scalar, wanted: Scalar) -> bool:
    if isinstance(wanted, bool):
        return value is wanted or (isinstance(value, str) and value.lower() == str(wanted).lower())
    if isinstance(value, str) and isinstance(wanted, str):
        return value.startswith(wanted[:-1]) if wanted.endswith(WILDCARD) else value == wanted
    if isinstance(value, bool | str) or isinstance(wanted, str):
        return False
    return value == wanted


def _compares(word: TestWord, value: Scalar, bound: Scalar) -> bool:
    if isinstance(value, str | bool) or isinstance(bound, str | bool):
        return False
    if word == "at_least":
        return value >= bound
    if word == "above":
        return value > bound
    return value < bound if word == "below" else value <= bound
