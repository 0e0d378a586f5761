"""The reserved property `desireline`: an event that says its fields itself, in the interaction's own words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from desireline.intake.dialects.fields import TAKES, key_text
from desireline.intake.dialects.received import Refused
from desireline.vocabulary.errors import nearest
from desireline.vocabulary.handles import BY_KIND
from desireline.vocabulary.interaction import DIRECTIONS

RESERVED = "desireline"
"""The property whose words are fields."""
FIELD_WORDS: tuple[str, ...] = tuple(TAKES)
ALL_WORDS: tuple[str, ...] = (*FIELD_WORDS, "handles", "others")
MOST_HANDLES = 20


def said_fields(words: Any) -> tuple[dict[str, Any], list[tuple[str, str]], list[str]]:
    """The fields, handles and other parties that `desireline: {...}` says; a word it does not know is refused."""
    if words is None:
        return {}, [], []
    if not isinstance(words, Mapping):
        raise Refused("desireline.not_an_object: the property 'desireline' is an object of fields")
    fields: dict[str, Any] = {}
    for word, value in words.items():
        if word not in ALL_WORDS:
            hint = nearest(word, ALL_WORDS) or f"Known: {', '.join(ALL_WORDS)}."
            raise Refused(f"desireline.unknown_word: '{word[:40]}' is no field. {hint}")
        if value is None or word in ("handles", "others"):
            continue
        taken = TAKES[word](value)
        if taken is None:
            raise Refused(f"desireline.unfit_value: {word} cannot be {str(value)[:40]!r}. {_expected(word)}")
        fields[word] = taken
    return fields, _handles(words.get("handles")), _others(words.get("others"))


def _expected(word: str) -> str:
    if word == "direction":
        return f"Give one of {', '.join(DIRECTIONS)}."
    if word in ("asks", "answers"):
        return "Give true or false."
    if word in ("value", "score", "reach", "cost_seconds"):
        return "Give a number."
    if word == "currency":
        return "Give a code of ISO 4217, such as EUR."
    return "Give a short text."


def _handles(given: Any) -> list[tuple[str, str]]:
    if given is None:
        return []
    if not isinstance(given, Mapping):
        raise Refused("desireline.unfit_value: handles are written {kind: value}, such as {email: anna@example.org}")
    found: list[tuple[str, str]] = []
    for kind, values in given.items():
        if kind not in BY_KIND:
            hint = nearest(kind, tuple(BY_KIND)) or f"Known: {', '.join(BY_KIND)}."
            raise Refused(f"desireline.unknown_handle: '{kind[:40]}' is no kind of handle. {hint}")
        texts = [key_text(value) for value in (values if isinstance(values, list) else [values])]
        found.extend((kind, text) for text in texts if text is not None)
    return found[:MOST_HANDLES]


def _others(given: Any) -> list[str]:
    listed = given if isinstance(given, list) else [] if given is None else [given]
    texts = [key_text(other) for other in listed[:MOST_HANDLES]]
    if any(text is None or text.count(":") < 2 for text in texts):
        raise Refused(
            "desireline.unfit_value: others are written 'role:kind:value', such as 'partner:email:b@example.org'"
        )
    return [text for text in texts if text]
