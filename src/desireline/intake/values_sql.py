"""Values out of cells, as SQL: words mapped, numbers, money, yes and no, conditions; and why one cannot be read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from desireline.intake.recipes import Taken, Test, When
from desireline.intake.text_sql import text_sql
from desireline.vocabulary.interaction import DIRECTIONS

Cell = Callable[[str], str]

YES = ("true", "yes", "y", "1", "x", "t", "ja", "j", "oui", "si", "sí", "sì")
NO = ("false", "no", "n", "0", "f", "nein", "non")

MINOR_DIGITS = {"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0,
                "UGX": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0, "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3,
                "LYD": 3, "OMR": 3, "TND": 3}  # fmt: skip
"""Currencies whose minor unit is not a hundredth (ISO 4217)."""


@dataclass(frozen=True, slots=True)
class ValueSql:
    """The SQL of a field's value; for one that can fail also the text it is read from and what that should be."""

    value: str
    text: str = ""
    should_be: str = ""


def taken_sql(taken: Taken, cell: Cell) -> str:
    """The text of a field: a constant, a column, or the first choice that holds; mapped and spelled."""
    if taken.constant is not None:
        return text_sql(taken.constant)
    if taken.choose:
        cases = " ".join(f"WHEN {when_sql(when, cell)} THEN {taken_sql(chosen, cell)}" for when, chosen in taken.choose)
        text = f"CASE {cases} ELSE {text_sql(taken.otherwise) if taken.otherwise is not None else 'NULL'} END"
    else:
        filled = [cell(column) for column in taken.from_columns]
        text = filled[0] if len(filled) == 1 else f"coalesce({', '.join(filled)})"
        text = _mapped(text, taken)
    if taken.slug:
        text = f"nullif(trim(regexp_replace(lower({text}), '[^\\p{{L}}\\p{{N}}.]+', '_', 'g'), '_'), '')"
    if taken.prefix:
        text = f"({text_sql(taken.prefix)} || {text})"
    return text if taken.empty is None else f"coalesce({text}, {text_sql(taken.empty)})"


def _mapped(text: str, taken: Taken) -> str:
    if not taken.map and taken.otherwise is None:
        return text
    cases = " ".join(f"WHEN {text} = {text_sql(said)} THEN {text_sql(word)}" for said, word in taken.map)
    if taken.otherwise is None:
        return f"CASE {cases} ELSE {text} END"
    return f"CASE {cases} WHEN {text} IS NOT NULL THEN {text_sql(taken.otherwise)} END"


def number_sql(text: str, *, decimal: str) -> str:
    """A decimal number written by people, with thousands, signs, currency marks; NULL when it is none."""
    point, comma = (",", ".") if decimal == "," else (".", ",")
    bare = rf"regexp_replace({text}, '^[A-Z]{{3}}\s*|\s*[A-Z]{{3}}$|[€$£¥%\s''’ ]', '', 'g')"
    turned = rf"regexp_replace(regexp_replace({bare}, '^\((.*)\)$', '-\1'), '^([0-9.,]+)-$', '-\1')"
    shape = rf"'[+-]?([0-9]+|[0-9]{{1,3}}(\{comma}[0-9]{{3}})+)?(\{point}[0-9]+)?'"
    plain = f"replace(replace({turned}, '{comma}', ''), '{point}', '.')"
    slow = f"CASE WHEN regexp_full_match({turned}, {shape}) THEN try_cast({plain} AS DECIMAL(28, 6)) END"
    if decimal == ",":
        return (
            rf"CASE WHEN regexp_full_match({text}, '-?[0-9]+') THEN try_cast({text} AS DECIMAL(28, 6)) ELSE {slow} END"
        )
    simple = rf"regexp_full_match({text}, '-?[0-9]+(\.[0-9]+)?')"
    return f"CASE WHEN {simple} THEN try_cast({text} AS DECIMAL(28, 6)) ELSE {slow} END"


def field_sql(field: str, taken: Taken, cell: Cell, *, decimal: str, digits: str) -> ValueSql:
    """The SQL of one field of an interaction; `digits` is the SQL of how many minor digits the currency has."""
    text = taken_sql(taken, cell)
    if field in ("asks", "answers"):
        words = {"true": YES, "false": NO}
        yes, no = (", ".join(text_sql(word) for word in words[key]) for key in ("true", "false"))
        value = f"CASE WHEN lower({text}) IN ({yes}) THEN true WHEN lower({text}) IN ({no}) THEN false END"
        return ValueSql(value, text, "yes or no")
    if field == "direction":
        if taken.constant is not None:
            return ValueSql(text)
        words_sql = ", ".join(text_sql(word) for word in DIRECTIONS)
        value = f"CASE WHEN lower({text}) IN ({words_sql}) THEN lower({text}) END"
        return ValueSql(value, text, "inbound, outbound, internal or peer")
    if field in ("value", "cost_seconds", "reach", "score"):
        return _number_field(field, taken, text, decimal=decimal, digits=digits)
    return ValueSql(text)


def _number_field(field: str, taken: Taken, text: str, *, decimal: str, digits: str) -> ValueSql:
    number = number_sql(text, decimal=decimal)
    if field == "value":
        scaled = number if taken.minor else f"({number}) * {digits}"
        value = f"try_cast(({scaled}){' * -1' if taken.negate else ''} AS BIGINT)"
        return ValueSql(value, text, "an amount")
    if field == "score":
        return ValueSql(f"({number})::DOUBLE", text, "a number")
    if field == "cost_seconds":
        clock = f"CASE WHEN contains({text}, ':') THEN epoch(try_cast({text} AS INTERVAL)) ELSE ({number})::DOUBLE END"
        value = f"try_cast(round({clock}) AS BIGINT)"
        return ValueSql(value, text, "seconds, or hours:minutes:seconds")
    return ValueSql(f"try_cast(round({number}) AS BIGINT)", text, "a number")


def digits_sql(currency: str) -> str:
    """What an amount is multiplied with to get minor units; `currency` is SQL."""
    by_digits = {
        factor: ", ".join(text_sql(code) for code, count in MINOR_DIGITS.items() if 10**count == factor)
        for factor in (1, 1000)
    }
    none, three = by_digits[1], by_digits[1000]
    return f"(CASE WHEN {currency} IN ({none}) THEN 1 WHEN {currency} IN ({three}) THEN 1000 ELSE 100 END)"


def when_sql(when: When, cell: Cell) -> str:
    """A condition; an empty cell fails every test but `exists: false`."""
    parts = [_test_sql(test, cell(test.column)) for test in when.tests]
    if when.any_of:
        parts.append("(" + " OR ".join(when_sql(alternative, cell) for alternative in when.any_of) + ")")
    return "(" + " AND ".join(parts) + ")" if parts else "true"


def _test_sql(test: Test, text: str) -> str:
    words = ", ".join(text_sql(value) for value in test.values)
    if test.kind == "is":
        return f"coalesce({text} IN ({words}), false)"
    if test.kind == "not":
        return f"coalesce({text} NOT IN ({words}), false)"
    if test.kind == "exists":
        return f"({text} IS {'NOT ' if test.values[0] == 'true' else ''}NULL)"
    if test.kind in ("starts_with", "contains"):
        function = "starts_with" if test.kind == "starts_with" else "contains"
        return "(" + " OR ".join(f"coalesce({function}({text}, {text_sql(word)}), false)" for word in test.values) + ")"
    sign = {"at_least": ">=", "above": ">", "below": "<", "at_most": "<="}[test.kind]
    return f"coalesce(try_cast({text} AS DOUBLE) {sign} {float(test.values[0])!r}, false)"
