"""Rows to interactions: one SQL statement per interaction a row holds, whole columns at a time.

Every statement gives the lake's columns and four more: `row`, `own_key` (the source gave the key),
`name` (which of several interactions of the row) and `reason` (why the row is refused, else NULL).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from desireline.intake.handles_sql import handle_sql, named_somebody_sql
from desireline.intake.readers.json_lines import nested_sql, path_sql
from desireline.intake.readers.rows import Rows
from desireline.intake.recipes import HandleTaken, Recipe, Shape, TimeTaken
from desireline.intake.text_sql import text_sql, trimmed_sql
from desireline.intake.times_sql import TimeSql, time_sql
from desireline.intake.values_sql import ValueSql, digits_sql, field_sql, when_sql
from desireline.intake.zones import FIRST_YEAR, LAST_YEAR
from desireline.storage.identity import HANDLE_ID_SQL, INTERACTION_ID_SQL, TEXT_HASH_SQL
from desireline.vocabulary.handles import rank
from desireline.vocabulary.interaction import BY_COLUMN, BY_NAME, FIELDS, sql_type

ONLY_HERE = ("row", "own_key", "name", "reason")
"""Columns of the statements that the lake does not have."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What an import knows besides the recipe: who, when, and the project's habits."""

    import_id: str
    file: str
    received_at: int
    zone: str
    currency: str
    decimal: str


def cells_sql(rows: Rows, recipe: Recipe) -> str:
    """The rows with the recipe's columns as `u1`, `u2`, ..., the rest as `rest`, and the key as `row_key`."""
    used = recipe.columns()
    rest = _rest_sql(rows, used) if recipe.takes_the_rest else "NULL"
    if rows.json:
        inner, cell = _json_cells(rows, used)
        content = f"coalesce({cell['']}, '')"
    else:
        inner, cell = rows.table, {name: f"c{rows.columns.index(name) + 1}" for name in used}
        content = _content_sql(rows)
    trimmed = "".join(f", {trimmed_sql(cell[name])} AS u{place}" for place, name in enumerate(used, start=1))
    row = "row" if rows.json else rows.row
    content_key = f"md5({content}) || '#1'"
    key = " || ':' || ".join(trimmed_sql(cell[name]) for name in recipe.key)
    keys = (
        f"coalesce({key}, {content_key}) AS row_key, ({key}) IS NOT NULL AS own_key"
        if recipe.key
        else f"{content_key} AS row_key, false AS own_key"
    )
    return f"SELECT {row} AS row, {keys}, {rest} AS rest{trimmed} FROM {inner}"


def _json_cells(rows: Rows, used: tuple[str, ...]) -> tuple[str, dict[str, str]]:
    paths: list[str] = []
    cell: dict[str, str] = {"": "line"}
    for name in used:
        paths.append(path_sql(name))
        cell[name] = f"x[{len(paths)}]"
        if "." in name:
            paths.append(nested_sql(name))
            cell[name] = f"coalesce({cell[name]}, x[{len(paths)}])"
    taken = f"json_extract_string(line, [{', '.join(paths)}])" if paths else "NULL"
    return f"(SELECT {rows.row} AS row, line, {taken} AS x FROM {rows.table} WHERE line IS NOT NULL)", cell


def _content_sql(rows: Rows) -> str:
    named = sorted((name, f"c{place}") for place, name in enumerate(rows.columns, start=1))
    parts = (f"{text_sql(name + '=')} || nullif({column}, '')" for name, column in named)
    return f"concat_ws(chr(31), {', '.join(parts)})"


def _rest_sql(rows: Rows, used: tuple[str, ...]) -> str:
    if rows.json:
        gone = ", ".join(f"{json_key(name)}: null" for name in used)
        return f"nullif(json_merge_patch(line, {text_sql('{' + gone + '}')})::VARCHAR, '{{}}')" if used else "line"
    return object_sql(
        {name: trimmed_sql(f"c{place}") for place, name in enumerate(rows.columns, start=1) if name not in used}
    )


def json_key(name: str) -> str:
    """A name as JSON text."""
    import json

    return json.dumps(name, ensure_ascii=False)


def object_sql(cells: Mapping[str, str]) -> str:
    """A JSON object of the cells that are filled in; NULL when none is."""
    if not cells:
        return "NULL"
    parts = (f"{text_sql(json_key(name) + ':')} || to_json({cell})" for name, cell in cells.items())
    return f"nullif('{{' || concat_ws(',', {', '.join(parts)}) || '}}', '{{}}')"


def row_as_object_sql(rows: Rows) -> str:
    """The whole row as it lies in quarantine: the line itself, or an object of its cells."""
    if rows.json:
        return "line"
    cells = {name: f"nullif(c{place}, '')" for place, name in enumerate(rows.columns, start=1)}
    return f"coalesce({object_sql(cells)}, '{{}}')"


def shape_sql(recipe: Recipe, shape: Shape, cells: str, setting: Setting) -> str:
    """The statement that makes one interaction of every row it applies to."""
    used = {name: f"u{place}" for place, name in enumerate(recipe.columns(), start=1)}
    statement = _Statement(recipe, shape, used, setting)
    return statement.sql(cells)


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
        texts = "".join(
            f", {time.text} AS {name}_text, {time.zone} AS {name}_zone" for name, time in self.times.items()
        )
        source = f"SELECT *{texts} FROM ({cells}) WHERE {when_sql(self.shape.when, self.cell)}"
        reads = "".join(f", {time.read} AS {name}_read" for name, time in self.times.items())
        source = f"SELECT *{reads} FROM ({source}) WHERE t1_text IS NOT NULL"
        locals_ = "".join(
            f", coalesce({name}_read, {time.mended}) AS {name}_local, {time.bears} AS {name}_bears"
            for name, time in self.times.items()
        )
        source = f"SELECT *{locals_} FROM ({source})"
        joined, moments = self._zoned(source)
        fields = {name: self._field(name) for name in self.shape.fields}
        columns = {**self._given(fields), **{BY_NAME[name].column: field.value for name, field in fields.items()}}
        listed = ", ".join(
            f"CAST({columns.get(field.column, 'NULL')} AS {sql_type(field)}) AS {field.column}" for field in FIELDS
        )
        reason = self._reason(fields)
        inner = f"SELECT *{moments}{self._handles()} FROM ({joined})"
        return f"SELECT {listed}, row, own_key, {text_sql(self.shape.name)} AS name, {reason} AS reason FROM ({inner}) AS made"

    def _zoned(self, source: str) -> tuple[str, str]:
        """Join the days of the zones where local times need them, and give the instants."""
        moments, joins, day_columns = "", "", ""
        for name, time in self.times.items():
            if not self._needs_zone(name):
                moments += f", {name}_local AS {name}_ms, 0 AS {name}_odd, true AS {name}_known"
                continue
            day = f"{name}_day"
            joins += (
                f" LEFT JOIN zone_days AS {day} ON NOT {name}_bears AND {day}.zone = {name}_zone"
                f" AND {day}.day = {name}_local // 86400000 - CASE WHEN {name}_local < 0 AND {name}_local % 86400000 <> 0 THEN 1 ELSE 0 END"
            )
            day_columns += (
                f", {day}.day * 86400000 AS {name}_midnight, {day}.before AS {name}_before, {day}.odd_from AS {name}_odd_from"
                f", {day}.odd_to AS {name}_odd_to, {day}.after AS {name}_after, {day}.odd AS {name}_kind"
            )
            clock = f"{name}_local - {name}_midnight"
            moments += (
                f", CASE WHEN {name}_bears THEN {name}_local"
                f" WHEN {clock} < {name}_odd_to THEN {name}_local - {name}_before ELSE {name}_local - {name}_after END AS {name}_ms"
                f", CASE WHEN {clock} >= {name}_odd_from AND {clock} < {name}_odd_to THEN {name}_kind ELSE 0 END AS {name}_odd"
                f", {name}_bears OR {name}_midnight IS NOT NULL AS {name}_known"
            )
        return f"SELECT cells.*{day_columns} FROM ({source}) AS cells{joins}", moments

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
        from desireline.intake.values_sql import taken_sql

        return f"coalesce(upper({taken_sql(self.shape.fields['currency'], self.cell)}), {default})"

    def _given(self, fields: Mapping[str, ValueSql]) -> dict[str, str]:
        several = len(self.recipe.shapes)
        place = self.recipe.shapes.index(self.shape) + 1
        name = f" || {text_sql(':' + self.shape.name)}" if several > 1 else ""
        source = text_sql(self.recipe.source)
        filled = list(self.recipe_handles())
        first = f"coalesce({', '.join(filled)})" if filled else ""
        columns = {
            "id": INTERACTION_ID_SQL.format(source=source, source_key=f"(row_key{name})"),
            "source": source,
            "source_key": f"row_key{name}",
            "position": f"(row - 1) * {several} + {place}",
            "import_id": text_sql(self.setting.import_id),
            "occurred_at": "t1_ms",
            "original_at": "t1_text",
            "zone": self._zone_said(),
            "sent_at": "t2_ms" if "t2" in self.times else "NULL",
            "received_at": str(self.setting.received_at),
            "time_quality": self._quality(),
            "handles": self._list(filled),
            "handle": TEXT_HASH_SQL.format(text=first) if first else "NULL",
            "others": self._list([f"o{place}" for place, _ in enumerate(self.shape.others, start=1)]),
            "properties": self._properties(),
            "raw": f"{text_sql(self.setting.file + ':')} || row",
        }
        if "value" in fields:
            columns["currency"] = f"CASE WHEN {fields['value'].cell} IS NOT NULL THEN {self._currency()} END"
        return columns

    def _zone_said(self) -> str:
        said = r"CASE WHEN t1_text LIKE '%Z' THEN 'UTC' ELSE nullif(regexp_extract(t1_text, '([+-][0-9:]{2,6}|[A-Za-z_/]{2,})$', 1), '') END"
        return f"CASE WHEN t1_bears THEN {said} ELSE t1_zone END"

    def _quality(self) -> str:
        time = self.times["t1"]
        taken = self.shape.occurred_at
        said = taken.zone or taken.zone_column or self.recipe.zone
        plain = "'exact'" if said else "CASE WHEN t1_bears THEN 'exact' ELSE 'assumed_zone' END"
        return (
            f"CASE WHEN t1_read IS NULL OR {time.turned} THEN 'corrected' WHEN {time.day_only} THEN 'date_only'"
            f" WHEN t1_odd = 1 THEN 'first_of_two' WHEN t1_odd = 2 THEN 'did_not_exist' ELSE {plain} END"
        )

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
        added = f"json_merge_patch(coalesce({base}, '{{}}'), '{{\"unusable_handles\":[' || ({unusable})[2:] || ']}}')::VARCHAR"
        return f"CASE WHEN ({unusable}) <> '' THEN {added} ELSE {base} END"

    def _reason(self, fields: Mapping[str, ValueSql]) -> str:
        words = []
        for name, taken in (("t1", self.shape.occurred_at), ("t2", self.shape.sent_at)):
            if taken is not None:
                words.extend(_time_reasons(name, taken))
        for name, field in fields.items():
            if field.bad:
                head = f"left({field.cell}, 40)"
                words.append(
                    f"CASE WHEN {field.bad} THEN {text_sql(name)} || ': ''' || {head} || {text_sql(chr(39) + ' is not ' + field.should_be)} END"
                )
        if "touchpoint" in fields and self.shape.fields["touchpoint"].constant is None:
            words.append(f"CASE WHEN {fields['touchpoint'].value} IS NULL THEN 'touchpoint: the cell is empty' END")
        return f"nullif(concat_ws('; ', {', '.join(words)}), '')"


def _time_reasons(name: str, taken: TimeTaken) -> list[str]:
    field = "occurred_at" if name == "t1" else "sent_at"
    said = f"{text_sql(field + ': ' + chr(39))} || left({name}_text, 40) || "
    expected = "" if taken.formats == ("iso",) else f" written as {' or '.join(taken.formats)}"
    low, high = f"epoch_ms(TIMESTAMP '{FIRST_YEAR}-01-01')", f"epoch_ms(TIMESTAMP '{LAST_YEAR + 1}-01-01')"
    return [
        f"CASE WHEN {name}_text IS NOT NULL AND {name}_local IS NULL THEN {said}{text_sql(chr(39) + ' is not a moment' + expected)} END",
        f"CASE WHEN {name}_local < {low} OR {name}_local >= {high} THEN {said}"
        f"{text_sql(f'{chr(39)} lies outside the years {FIRST_YEAR} to {LAST_YEAR}')}"
        f" WHEN NOT {name}_known AND {name}_local IS NOT NULL THEN {text_sql(field + ': unknown time zone ' + chr(39))} || {name}_zone || '''' END",
    ]


BODY_COLUMNS = tuple(
    column for column in BY_COLUMN if column not in ("id", "source_key", "position", "import_id", "received_at", "raw")
)
"""What two interactions of one key must agree on; if they do not, the later one is a conflict."""

__all__ = ["BODY_COLUMNS", "HANDLE_ID_SQL", "ONLY_HERE", "Setting", "cells_sql", "row_as_object_sql", "shape_sql"]
