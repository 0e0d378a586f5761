"""The values of one row: words mapped, numbers, yes and no, conditions. The twin of `values_sql`, in Python.

A test holds the two together on random rows and recipes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from math import inf, isnan

from desireline.intake.asked import double_of, seconds_of_clock
from desireline.intake.recipes import Taken, Test, When
from desireline.intake.values_sql import MINOR_DIGITS, NO, YES
from desireline.vocabulary.interaction import DIRECTIONS

Cell = Callable[[str], "str | None"]

LARGEST = 2**63 - 1
_SMALLEST_PART = Decimal("0.000001")
_TOO_LARGE = Decimal(10) ** 22
_BARE = re.compile(r"\A[A-Z]{3}[\t\n\f\r ]*|[\t\n\f\r ]*[A-Z]{3}\Z|[€$£¥%\t\n\f\r ''’ ]")
_IN_BRACKETS = re.compile(r"\A\((.*)\)\Z")
_SIGN_BEHIND = re.compile(r"\A([0-9.,]+)-\Z")
_WHOLE = re.compile(r"-?[0-9]+")
_PLAIN = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_WITH_POINT = re.compile(r"[+-]?([0-9]+|[0-9]{1,3}(,[0-9]{3})+)?(\.[0-9]+)?")
_WITH_COMMA = re.compile(r"[+-]?([0-9]+|[0-9]{1,3}(\.[0-9]{3})+)?(,[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Value:
    """A field's value; for one that could not be read the text it stood in and what that should be."""

    value: str | int | float | bool | None
    text: str | None = None
    should_be: str = ""

    @property
    def failed(self) -> bool:
        """Whether there was a text and it could not be read."""
        return self.value is None and self.text is not None and bool(self.should_be)


def small(text: str) -> str:
    """A text in small letters, letter by letter, as databases do it."""
    return text.lower() if text.isascii() else "".join(letter.lower()[0] for letter in text)


def taken_value(taken: Taken, cell: Cell) -> str | None:
    """The text of a field: a constant, a column, or the first choice that holds; mapped and spelled."""
    if taken.constant is not None:
        return taken.constant
    if taken.choose:
        chosen = next((each for when, each in taken.choose if holds(when, cell)), None)
        text = taken.otherwise if chosen is None else taken_value(chosen, cell)
    else:
        text = _mapped(first_filled(taken.from_columns, cell), taken)
    if taken.slug and text is not None:
        text = _slug(text)
    if taken.prefix and text is not None:
        text = taken.prefix + text
    return taken.empty if text is None else text


def first_filled(columns: tuple[str, ...], cell: Cell) -> str | None:
    """The first of the columns that is filled in."""
    return next((text for column in columns if (text := cell(column)) is not None), None)


def _mapped(text: str | None, taken: Taken) -> str | None:
    if text is None:
        return None
    for said, word in taken.map:
        if text == said:
            return word
    return text if taken.otherwise is None else taken.otherwise


def _slug(text: str) -> str | None:
    """Small letters, digits and dots; a run of anything else becomes one `_`."""
    out: list[str] = []
    for letter in small(text):
        if letter == "." or unicodedata.category(letter)[0] in "LN":
            out.append(letter)
        elif not out or out[-1] != "_":
            out.append("_")
    return "".join(out).strip("_") or None


def number_of(text: str, *, decimal: str) -> Decimal | None:
    """A decimal number written by people, with thousands, signs, currency marks; None when it is none.

    >>> number_of("1.234,56 €", decimal=",")
    Decimal('1234.560000')
    """
    simple = _WHOLE if decimal == "," else _PLAIN
    if simple.fullmatch(text):
        return _decimal(text)
    turned = _SIGN_BEHIND.sub(r"-\1", _IN_BRACKETS.sub(r"-\1", _BARE.sub("", text)))
    point, comma, shape = (",", ".", _WITH_COMMA) if decimal == "," else (".", ",", _WITH_POINT)
    if not shape.fullmatch(turned):
        return None
    return _decimal(turned.replace(comma, "").replace(point, "."))


def _decimal(text: str) -> Decimal | None:
    if len(text) > 60:
        return None
    try:
        number = Decimal(text)
        if abs(number) >= _TOO_LARGE:
            return None
        number = number.quantize(_SMALLEST_PART, rounding=ROUND_HALF_UP)
    except InvalidOperation:
        return None
    return None if abs(number) >= _TOO_LARGE else number


def _whole(number: Decimal | None) -> int | None:
    """Rounded to the nearest whole number, halves away from zero."""
    if number is None:
        return None
    whole = int(number.quantize(Decimal(1), rounding=ROUND_HALF_UP))
    return whole if -LARGEST - 1 <= whole <= LARGEST else None


def digits_of(currency: str) -> int:
    """What an amount is multiplied with to get minor units.

    >>> digits_of("EUR"), digits_of("JPY"), digits_of("KWD")
    (100, 1, 1000)
    """
    return int(10 ** MINOR_DIGITS.get(currency, 2))


def field_value(field: str, taken: Taken, cell: Cell, *, decimal: str, currency: str) -> Value:
    """The value of one field of an interaction."""
    text = taken_value(taken, cell)
    if field in ("asks", "answers"):
        return Value(_yes_or_no(text), text, "yes or no")
    if field == "direction" and taken.constant is None:
        word = None if text is None else small(text)
        return Value(word if word in DIRECTIONS else None, text, "inbound, outbound, internal or peer")
    if field == "value":
        return Value(_amount(text, taken, decimal=decimal, currency=currency), text, "an amount")
    if field == "score":
        number = None if text is None else number_of(text, decimal=decimal)
        return Value(None if number is None else float(number), text, "a number")
    if field == "cost_seconds":
        return Value(_seconds(text, decimal=decimal), text, "seconds, or hours:minutes:seconds")
    if field == "reach":
        return Value(None if text is None else _whole(number_of(text, decimal=decimal)), text, "a number")
    return Value(text)


def _yes_or_no(text: str | None) -> bool | None:
    word = None if text is None else small(text)
    return True if word in YES else False if word in NO else None


def _amount(text: str | None, taken: Taken, *, decimal: str, currency: str) -> int | None:
    number = None if text is None else number_of(text, decimal=decimal)
    if number is None:
        return None
    scaled = number if taken.minor else number * digits_of(currency)
    return _whole(-scaled if taken.negate else scaled)


def _seconds(text: str | None, *, decimal: str) -> int | None:
    if text is None:
        return None
    if ":" in text:
        return seconds_of_clock(text)
    return _whole(number_of(text, decimal=decimal))


def holds(when: When, cell: Cell) -> bool:
    """Whether a condition holds; an empty cell fails every test but `exists: false`."""
    if not all(_test_holds(test, cell(test.column)) for test in when.tests):
        return False
    return not when.any_of or any(holds(alternative, cell) for alternative in when.any_of)


def _test_holds(test: Test, text: str | None) -> bool:
    if test.kind == "exists":
        return (text is not None) == (test.values[0] == "true")
    if text is None:
        return False
    if test.kind == "is":
        return text in test.values
    if test.kind == "not":
        return text not in test.values
    if test.kind == "starts_with":
        return text.startswith(test.values)
    if test.kind == "contains":
        return any(word in text for word in test.values)
    number = double_of(text)
    if number is None:
        return False
    number = inf if isnan(number) else number
    limit = float(test.values[0])
    return {
        "at_least": number >= limit,
        "above": number > limit,
        "below": number < limit,
        "at_most": number <= limit,
    }[test.kind]
