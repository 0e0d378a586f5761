"""One row to its interactions, in Python: what `rows_to_interactions` does for files, for a message at a time.

The row is a JSON object (texts, numbers, nested objects), as it would stand in a line of a JSONL file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from desireline.intake.making import NO_TIME
from desireline.intake.one_row_times import Moment, moment, moment_text
from desireline.intake.one_row_values import Value, field_value, holds, small, taken_value
from desireline.intake.recipes import HandleTaken, Recipe, Shape
from desireline.vocabulary.handles import NO_VALUES, WHITE, normalise, strongest_first
from desireline.vocabulary.interaction import BY_NAME

Row = Mapping[str, Any]
_CHECKED = ("email", "phone", "social")
"""Kinds of handles that can be written wrongly; an unusable card is not kept, for its number is nobody's business."""


@dataclass(frozen=True, slots=True)
class Made:
    """What became of a row: its interactions; or why it is refused; or that no condition let it through."""

    interactions: tuple[dict[str, Any], ...] = ()
    refused: str = ""
    left_out: bool = False


def interactions_of_row(
    row: Row, recipe: Recipe, *, row_key: str, zone: str, currency: str, decimal: str = "."
) -> Made:
    """The interactions a recipe makes of one row, with the columns of the lake that a row can say.

    `row_key` is the key of a row whose recipe names none, or whose own is empty; `zone` and
    `currency` are the project's, for a recipe that says none.

    Of several interactions those without a time did not happen. The row is refused whole when one
    cannot be read, with every reason there is.
    """
    reading = _RowReading(row, recipe, row_key=row_key, zone=zone, currency=currency, decimal=decimal)
    applying = [place for place, shape in enumerate(recipe.shapes) if holds(shape.when, reading.cell)]
    if not applying:
        return Made(left_out=True)
    made = [each for place in applying if (each := reading.interaction(place)) is not None]
    if not made:
        return Made(refused=NO_TIME)
    reasons = dict.fromkeys(reason for _, reason in made if reason)
    if reasons:
        return Made(refused="; ".join(reasons))
    return Made(tuple(interaction for interaction, _ in made))


def cell_text(value: Any) -> str | None:
    """A value of a JSON object as the text of a cell; nothing when it is empty.

    >>> cell_text(" a "), cell_text(True), cell_text(1.5), cell_text({"a": [1]}), cell_text("")
    ('a', 'true', '1.5', '{"a":[1]}', None)
    """
    if isinstance(value, str):
        return value.strip(WHITE) or None
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _float_text(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _float_text(number: float) -> str:
    """A number as the database writes it: 1e-7 and 1e22, and nothing shorter than that with an exponent."""
    text = repr(number)
    if "e" not in text:
        return text
    if 1e-6 <= abs(number) < 1e21:
        plain = f"{Decimal(text):f}"
        return plain if "." in plain else f"{plain}.0"
    return text.replace("e+", "e").replace("e-0", "e-")


class _RowReading:
    """One row being read: its cells, its key, and each of its interactions."""

    def __init__(self, row: Row, recipe: Recipe, *, row_key: str, zone: str, currency: str, decimal: str) -> None:
        self.row, self.recipe = row, recipe
        self.zone, self.currency, self.decimal = recipe.zone or zone, recipe.currency or currency, decimal
        self._cells: dict[str, str | None] = {}
        self.key = self._own_key() or row_key

    def cell(self, column: str) -> str | None:
        """The text of a column; a key that itself holds dots is tried before a path through nested objects."""
        if column not in self._cells:
            value = self.row.get(column)
            if value is None and "." in column:
                value = _nested(self.row, column)
            self._cells[column] = cell_text(value)
        return self._cells[column]

    def _own_key(self) -> str | None:
        parts = [self.cell(column) for column in self.recipe.key]
        return ":".join(part or "" for part in parts) if parts and None not in parts else None

    def interaction(self, place: int) -> tuple[dict[str, Any], str] | None:
        """The interaction at a place of the recipe and why it cannot be taken; None when it did not happen."""
        shape = self.recipe.shapes[place]
        text = moment_text(shape.occurred_at, self.cell)
        if text is None:
            return None
        given = bool(shape.occurred_at.zone or shape.occurred_at.zone_column or self.recipe.zone)
        occurred = moment(text, shape.occurred_at, self.cell, field="occurred_at", zone=self.zone, zone_is_given=given)
        sent = self._sent_at(shape)
        values = self._values(shape)
        several = f":{shape.name}" if len(self.recipe.shapes) > 1 else ""
        interaction = {
            "source": self.recipe.source,
            "source_key": self.key + several,
            "position": place + 1,
            "occurred_at": occurred.at,
            "original_at": occurred.text,
            "zone": occurred.zone,
            "time_quality": occurred.quality,
            "sent_at": sent.at if sent else None,
            **self._parties(shape),
            **{BY_NAME[name].column: value.value for name, value in values.items()},
        }
        if "value" in shape.fields and "currency" not in shape.fields:
            interaction["currency"] = self._currency(shape) if values["value"].value is not None else None
        return interaction, self._reason(shape, occurred, sent, values)

    def _sent_at(self, shape: Shape) -> Moment | None:
        text = moment_text(shape.sent_at, self.cell) if shape.sent_at else None
        if text is None or shape.sent_at is None:
            return None
        return moment(text, shape.sent_at, self.cell, field="sent_at", zone=self.zone, zone_is_given=True)

    def _currency(self, shape: Shape) -> str:
        taken = shape.fields.get("currency")
        said = taken_value(taken, self.cell) if taken else None
        return said.upper() if said else self.currency

    def _values(self, shape: Shape) -> dict[str, Value]:
        currency = self._currency(shape)
        return {
            name: field_value(name, taken, self.cell, decimal=self.decimal, currency=currency)
            for name, taken in shape.fields.items()
        }

    @staticmethod
    def _reason(shape: Shape, occurred: Moment, sent: Moment | None, values: Mapping[str, Value]) -> str:
        reasons = [each.reason for each in (occurred, sent) if each and each.reason]
        for name, value in values.items():
            if value.failed:
                reasons.append(f"{name}: '{(value.text or '')[:40]}' is not {value.should_be}")
        if "touchpoint" in values and values["touchpoint"].value is None:
            reasons.append("touchpoint: the cell is empty")
        return "; ".join(reasons)

    def _parties(self, shape: Shape) -> dict[str, Any]:
        """The person's handles, the other parties, and everything else there is to keep."""
        handles: list[str] = []
        unusable: list[str] = []
        for taken in shape.handles:
            spelled = self._spelled(taken)
            handles.extend(spelled)
            cell = self.cell(taken.column)
            checked = taken.kind in _CHECKED and not taken.split
            if checked and cell is not None and not spelled and small(cell) not in NO_VALUES:
                unusable.append(f"{taken.kind}:{cell}")
        others = [
            f"{taken.role or 'other'}:{handle}"
            for taken in shape.others
            for handle in self._spelled(HandleTaken(taken.kind, taken.column, taken.network))
        ]
        properties = self._properties(shape)
        if unusable:
            properties = {**(properties or {}), "unusable_handles": unusable}
        return {
            "handles": strongest_first(handles) or None,
            "others": list(dict.fromkeys(others)) or None,
            "properties": json.dumps(properties, ensure_ascii=False, separators=(",", ":")) if properties else None,
        }

    def _spelled(self, taken: HandleTaken) -> list[str]:
        cell = self.cell(taken.column)
        if cell is None:
            return []
        parts = [part.strip(WHITE) for part in cell.split(taken.split)] if taken.split else [cell]
        network = f"{taken.network}/" if taken.network else ""
        spelled = (
            normalise(taken.kind, network + part, country_code=self.recipe.country_code) for part in parts if part
        )
        return [handle for handle in spelled if handle]

    def _properties(self, shape: Shape) -> dict[str, Any]:
        if shape.properties is None:
            used = set(self.recipe.columns())
            return {name: value for name, value in self.row.items() if name not in used}
        cells = {name: self.cell(column) for name, column in shape.properties}
        return {name: text for name, text in cells.items() if text is not None}


def _nested(row: Row, column: str) -> Any:
    value: Any = row
    for part in column.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value
