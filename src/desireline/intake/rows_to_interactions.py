"""Rows to interactions: one SQL statement per interaction a row holds, whole columns at a time.

Every statement gives the lake's columns and four more: `row`, `own_key` (the source gave the key),
`name` (which of several interactions of the row) and `reason` (why the row is refused, else NULL).
`handle` is filled in when the interactions are written (`straight.lake_columns_sql`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from desireline.intake.cells_sql import object_sql
from desireline.intake.handles_sql import handle_sql, named_somebody_sql
from desireline.intake.moments_sql import ZONE_SAID_SQL, instants_sql, quality_sql, time_reason, with_days_sql
from desireline.intake.recipes import HandleTaken, Recipe, Shape, TimeTaken
from desireline.intake.text_sql import text_sql, trimmed_sql
from desireline.intake.times_sql import TimeSql, time_sql
from desireline.intake.values_sql import ValueSql, digits_sql, field_sql, taken_sql, when_sql
from desireline.storage.identity import INTERACTION_ID_SQL
from desireline.vocabulary.handles import rank
from desireline.vocabulary.interaction import BY_COLUMN, BY_NAME, DIRECTIONS, FIELDS, TIME_QUALITIES, sql_type


@dataclass(frozen=True, slots=True)
class Setting:
    """What an import knows besides the recipe: who, when, and the project's habits."""

    import_id: str
    file: str
    received_at: int
    zone: str
    currency: str
    decimal: str


def shape_sql(recipe: Recipe, shape: Shape, cells: str, setting: Setting) -> str:
    """The statement that makes one interaction of every row it applies to."""
    used = {name: f"u{place}" for place, name in enumerate(recipe.columns(), start=1)}
    statement = _Statement(recipe, shape, used, setting)
    return statement.sql(cells)


def applies_sql(recipe: Recipe, shape: Shape, setting: Setting) -> tuple[str, str]:
    """Over a row's cells: whether the row makes this interaction, and the text of its moment."""
    used = {name: f"u{place}" for place, name in enumerate(recipe.columns(), start=1)}
    statement = _Statement(recipe, shape, used, setting)
    return when_sql(shape.when, statement.cell), statement.times["t1"].text


def filled_columns(recipe: Recipe, setting: Setting) -> tuple[str, ...]:
    """The columns of the lake that a recipe fills, in the lake's order."""
    used = {name: f"u{place}" for place, name in enumerate(recipe.columns(), start=1)}
    filled = {"handle"} if any(shape.handles for shape in recipe.shapes) else set()
    for shape in recipe.shapes:
        columns = _Statement(recipe, shape, used, setting).columns()
        filled |= {column for column, value in columns.items() if value != "NULL"}
    return tuple(column for column in BY_COLUMN if column in filled)


def few_words(recipe: Recipe, setting: Setting) -> dict[str, tuple[str, ...]]:
    """Columns that can hold only a few words, whatever the file says, with these words."""
    words: dict[str, tuple[str, ...]] = {
        "source": (recipe.source,),
        "import_id": (setting.import_id,),
        "time_quality": TIME_QUALITIES,
    }
    named = {name for shape in recipe.shapes for name in shape.fields}
    if "value" in named and "currency" not in named:
        words["currency"] = (recipe.currency or setting.currency,)
    for name in sorted(named - {"asks", "answers"}):
        field, taken = BY_NAME[name], [shape.fields[name] for shape in recipe.shapes if name in shape.fields]
        constants = [each.constant for each in taken if each.constant is not None]
        if name == "direction":
            words["direction"] = DIRECTIONS
        elif field.type == "text" and len(constants) == len(taken):
            words[field.column] = tuple(dict.fromkeys(constants))
    return words


class _Statement:
    """One interaction's statement in the making."""

    def __init__(self, recipe: Recipe, shape: Shape, used: Mapping[str, str], setting: Setting) -> None:
        self.recipe, self.shape, self.used, self.setting = recipe, shape, used, setting
        self.zone = recipe.zone or setting.zone
        self.times = {"t1": self._time(shape.occurred_at, "t1")}
        if shape.sent_at:
            self.times["t2"] = self._time(shape.sent_at, "t2")

    def cell(self, column: str) -> str:
        return self.used[column]

    def _time(self, taken: TimeTaken, name: str) -> TimeSql:
        return time_sql(taken, name=f"{name}_text", cell=self.cell, zone=self.zone)

    def sql(self, cells: str) -> str:
        """Cells, then texts of the moments, then moments read, then zones, then the interaction."""
        columns = [f", {time.text} AS {name}_text, {time.zone} AS {name}_zone" for name, time in self.times.items()]
        source = f"SELECT *{''.join(columns)} FROM ({cells}) WHERE {when_sql(self.shape.when, self.cell)}"
        reads = "".join(f", {time.read} AS {name}_read" for name, time in self.times.items())
        source = f"SELECT *{reads} FROM ({source}) WHERE t1_text IS NOT NULL"
        columns = [
            f", CASE WHEN {name}_read IS NOT NULL THEN {name}_read ELSE {time.mended} END AS {name}_local"
            f", {time.bears} AS {name}_bears"
            for name, time in self.times.items()
        ]
        source = f"SELECT *{''.join(columns)} FROM ({source})"
        zoned = [name for name in self.times if self._needs_zone(name)]
        fields = self._fields()
        values = "".join(f", {field.value} AS f_{name}" for name, field in fields.items())
        inner = (
            f"SELECT *{values}{instants_sql(self.times, zoned)}{self._handles()} FROM ({with_days_sql(source, zoned)})"
        )
        taken = self.columns()
        listed = ", ".join(
            f"CAST({taken.get(field.column, 'NULL')} AS {sql_type(field)}) AS {field.column}" for field in FIELDS
        )
        more = f"row, own_key, {text_sql(self.shape.name)} AS name, {self._reason(fields)} AS reason"
        return f"SELECT {listed}, {more} FROM ({inner}) AS made"

    def columns(self) -> dict[str, str]:
        """The columns of the interaction that are made, with their SQL."""
        return {**self._given(), **{BY_NAME[name].column: f"f_{name}" for name in self.shape.fields}}

    def _fields(self) -> dict[str, ValueSql]:
        return {name: self._field(name) for name in self.shape.fields}

    def _needs_zone(self, name: str) -> bool:
        taken = self.shape.occurred_at if name == "t1" else self.shape.sent_at
        return taken is not None and (taken.zone_column is not None or (taken.zone or self.zone) != "UTC")

    def _field(self, name: str) -> ValueSql:
        return field_sql(
            name, self.shape.fields[name], self.cell, decimal=self.setting.decimal, digits=digits_sql(self._currency())
        )

    def _currency(self) -> str:
        default = text_sql(self.recipe.currency or self.setting.currency)
        if "currency" not in self.shape.fields:
            return default
        return f"coalesce(upper({taken_sql(self.shape.fields['currency'], self.cell)}), {default})"

    def _given(self) -> dict[str, str]:
        several = len(self.recipe.shapes)
        place = self.recipe.shapes.index(self.shape) + 1
        name = f" || {text_sql(':' + self.shape.name)}" if several > 1 else ""
        source = text_sql(self.recipe.source)
        filled = list(self.recipe_handles())
        columns = {
            "id": INTERACTION_ID_SQL.format(source=source, source_key=f"(row_key{name})"),
            "source": source,
            "source_key": f"row_key{name}",
            "position": f"(row - 1) * {several} + {place}",
            "import_id": text_sql(self.setting.import_id),
            "occurred_at": "t1_ms",
            "original_at": "t1_text",
            "zone": ZONE_SAID_SQL,
            "sent_at": "t2_ms" if "t2" in self.times else "NULL",
            "received_at": str(self.setting.received_at),
            "time_quality": quality_sql(self.times["t1"], zone_is_given=self._zone_is_given()),
            "handles": self._list(filled),
            "others": self._list([f"o{place}" for place, _ in enumerate(self.shape.others, start=1)]),
            "properties": self._properties(),
            "raw": f"{text_sql(self.setting.file + ':')} || row",
        }
        if "value" in self.shape.fields:
            columns["currency"] = f"CASE WHEN f_value IS NOT NULL THEN {self._currency()} END"
        return columns

    def _zone_is_given(self) -> bool:
        taken = self.shape.occurred_at
        return bool(taken.zone or taken.zone_column or self.recipe.zone)

    def recipe_handles(self) -> list[str]:
        """Columns of the person's handles, strongest kind first."""
        order = sorted(range(len(self.shape.handles)), key=lambda place: rank(self.shape.handles[place].kind))
        return [
            f"list_extract(h{place + 1}, 1)" if self.shape.handles[place].split else f"h{place + 1}" for place in order
        ]

    def _handles(self) -> str:
        out = ""
        for place, handle in enumerate(self.shape.handles, start=1):
            out += f", {self._spelled(handle)} AS h{place}"
        for place, other in enumerate(self.shape.others, start=1):
            spelled = self._spelled(HandleTaken(other.kind, other.column, other.network))
            out += f", {text_sql((other.role or 'other') + ':')} || {spelled} AS o{place}"
        return out

    def _spelled(self, handle: HandleTaken) -> str:
        cell = self.cell(handle.column)
        if not handle.split:
            return handle_sql(handle.kind, cell, country_code=self.recipe.country_code, network=handle.network)
        one = handle_sql(handle.kind, "one", country_code=self.recipe.country_code, network=handle.network)
        parts = f"list_transform(string_split({cell}, {text_sql(handle.split)}), lambda part: {trimmed_sql('part')})"
        return f"list_filter(list_transform({parts}, lambda one: {one}), lambda kept: kept IS NOT NULL)"

    def _list(self, filled: list[str]) -> str:
        if not filled:
            return "NULL"
        if len(filled) == 1 and not filled[0].startswith("list_extract"):
            return f"CASE WHEN {filled[0]} IS NOT NULL THEN [{filled[0]}] END"
        parts = [
            name.removeprefix("list_extract(").removesuffix(", 1)") if "(" in name else f"[{name}]" for name in filled
        ]
        together = f"list_filter(list_concat({', '.join(parts)}), lambda kept: kept IS NOT NULL)"
        return f"nullif(list_filter({together}, lambda kept, place: list_position({together}, kept) = place), [])"

    def _properties(self) -> str:
        if self.shape.properties is None:
            base = "rest"
        else:
            base = object_sql({name: self.cell(column) for name, column in self.shape.properties})
        checked = [
            (handle.kind, self.cell(handle.column), f"h{place}")
            for place, handle in enumerate(self.shape.handles, start=1)
            if handle.kind in ("email", "phone", "card", "social") and not handle.split
        ]
        if not checked:
            return base
        unusable = (
            " || ".join(
                f"CASE WHEN {cell} IS NOT NULL AND {spelled} IS NULL AND {named_somebody_sql(cell)}"
                f" THEN ',' || to_json({text_sql(kind + ':')} || {cell}) ELSE '' END"
                for kind, cell, spelled in checked
                if kind != "card"
            )
            or "''"
        )
        listed = f"'{{\"unusable_handles\":[' || ({unusable})[2:] || ']}}'"
        added = f"json_merge_patch(coalesce({base}, '{{}}'), {listed})::VARCHAR"
        return f"CASE WHEN ({unusable}) <> '' THEN {added} ELSE {base} END"

    def _reason(self, fields: Mapping[str, ValueSql]) -> str:
        words: dict[str, str] = {}
        for name, taken in (("t1", self.shape.occurred_at), ("t2", self.shape.sent_at)):
            if taken is not None:
                words.update(time_reason(name, taken))
        for name, field in fields.items():
            if field.text:
                begin, end = text_sql(f"{name}: '"), text_sql(f"' is not {field.should_be}")
                failed = f"(f_{name} IS NULL AND {field.text} IS NOT NULL)"
                words[failed] = f"{begin} || left({field.text}, 40) || {end}"
        if "touchpoint" in fields and self.shape.fields["touchpoint"].constant is None:
            words["f_touchpoint IS NULL"] = "'touchpoint: the cell is empty'"
        cases = ", ".join(f"CASE WHEN {failed} THEN {reason} END" for failed, reason in words.items())
        return f"CASE WHEN {' OR '.join(words)} THEN concat_ws('; ', {cases}) END"


BODY_COLUMNS = tuple(
    column
    for column in BY_COLUMN
    if column not in ("handle", "id", "source_key", "position", "import_id", "received_at", "raw")
)
"""What two interactions of one key must agree on; if they do not, the later one is a conflict."""
