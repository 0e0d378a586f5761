"""Patterns for the plain judge: conditions on the fields of one interaction, tried one after another."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

Interaction = dict[str, Any]
Pattern = dict[str, Any]
Condition = tuple[str, Any]


def value_of(interaction: Interaction, name: str) -> Any:
    """The value of a field; None where the source left it empty."""
    if not name.startswith("properties."):
        return interaction.get(name)
    properties = interaction.get("properties") or {}
    if isinstance(properties, str):
        properties = json.loads(properties)
    return properties.get(name.removeprefix("properties."))


def alternatives(pattern: Pattern) -> list[list[Condition]]:
    """ "`any: [pattern, pattern]` for alternatives": each way to match, as conditions "all of which must hold"."""
    own = [(name, wanted) for name, wanted in pattern.items() if name != "any"]
    if "any" not in pattern:
        return [own]
    return [own + way for one in pattern["any"] for way in alternatives(one)]


def matches(pattern: Pattern, interaction: Interaction) -> bool:
    """Whether an interaction matches in one of the pattern's ways."""
    return any(
        not is_skipped(conditions, interaction) and all(holds(condition, interaction) for condition in conditions)
        for conditions in alternatives(pattern)
    )


def is_meant(pattern: Pattern | str, interaction: Interaction) -> bool:
    """Whether `for` means this opening: everyone, or a pattern, which narrows `when` and skips nothing itself."""
    return pattern == "everyone" or any(
        all(holds(condition, interaction) for condition in conditions) for conditions in alternatives(dict(pattern))
    )


def is_skipped(conditions: list[Condition], interaction: Interaction) -> bool:
    """ "Patterns that name neither touchpoint nor direction skip `internal` and `peer`"."""
    names = {name for name, _ in conditions}
    return not names & {"touchpoint", "direction"} and interaction.get("direction") in ("internal", "peer")


def holds(condition: Condition, interaction: Interaction) -> bool:
    """Whether one condition on one field holds. "Empty fields match nothing" (only `exists: false` asks for one)."""
    name, wanted = condition
    value = value_of(interaction, name)
    if not isinstance(wanted, dict):
        return is_one_of(name, value, wanted)
    tests = {
        "exists": lambda limit: (value is not None) == limit,
        "not": lambda limit: value is not None and not is_one_of(name, value, limit),
        "at_least": lambda limit: value is not None and value >= limit,
        "above": lambda limit: value is not None and value > limit,
        "at_most": lambda limit: value is not None and value <= limit,
        "below": lambda limit: value is not None and value < limit,
    }
    return all(tests[word](limit) for word, limit in wanted.items())


def is_one_of(name: str, value: Any, wanted: Any) -> bool:
    """ "`field: value`; `field: [any, of, these]`"; "touchpoints with a tail wildcard (`card.*`)"."""
    if value is None:
        return False
    if isinstance(wanted, list):
        return any(is_one_of(name, value, one) for one in wanted)
    if name == "touchpoint" and wanted.endswith(".*"):
        return bool(value.startswith(wanted[:-1]))
    return bool(value == wanted)


def nearly(pattern: Pattern, interaction: Interaction, names: Iterable[str]) -> bool:
    """ "Something failed only there, with the field filled in": only conditions on these fields fail."""
    if matches(pattern, interaction):
        return False
    for conditions in alternatives(pattern):
        failed = {condition[0] for condition in conditions if not holds(condition, interaction)}
        filled = all(interaction.get(name) is not None for name in failed)
        if failed and failed <= set(names) and filled and not is_skipped(conditions, interaction):
            return True
    return False
