"""Guessing what each column of an export is: sure or unsure, and why. Nothing unsure is taken in silence."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from desireline.intake.column_words import CHANNEL_WORDS, DIRECTION_WORDS, NO_EVENTS, ROLE_OF, plain
from desireline.intake.recipes import Reading, Recipe
from desireline.intake.samples import Sample
from desireline.intake.time_formats import TimeFormat, is_clock, time_format
from desireline.intake.zones import known_zone
from desireline.vocabulary.interaction import BY_NAME

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+|.*<[^@\s]+@[^@\s]+>")
_PHONE = re.compile(r"\+[\d\s()./-]{7,20}|0[\d\s()./-]{7,20}")
_NUMBER = re.compile(r"[-+(]?[€$£]?\s?[\d.,' ]*\d\)?-?\s?(€|\$|£|[A-Z]{3})?")
_COMMA_NUMBER = re.compile(r"[-+]?\d{1,3}(\.\d{3})*,\d+|[-+]?\d+,\d+")
_POINT_NUMBER = re.compile(r"[-+]?\d{1,3}(,\d{3})*\.\d+|[-+]?\d+\.\d+")
SAME = 0.9
"""This share of the values must look alike."""

ONCE_ONLY = ("clock", "zone", "key", "channel", "direction", "touchpoint", "language", "currency", "score", "value")
KEPT_AS_PROPERTY = "property"
LEFT_OUT = "nothing"


@dataclass(frozen=True, slots=True)
class Column:
    """One column and what it is taken for.

    `role` is a field's word, handle:<kind>, time, clock, zone, key or property.
    """

    name: str
    role: str
    sure: bool
    why: str
    samples: tuple[str, ...] = ()
    times: TimeFormat | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """Something only a person can say: `about` is a column or "file"; the first choice is what --yes takes."""

    about: str
    asks: str
    choices: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Guess:
    """What a file seems to hold: its columns, a recipe to start from, and what to ask."""

    file: str
    reading: Reading
    columns: tuple[Column, ...]
    recipe: Recipe | None
    questions: tuple[Question, ...]
    doubts: tuple[str, ...] = ()

    @property
    def sure(self) -> bool:
        """Whether nothing has to be asked."""
        return self.recipe is not None and not self.questions


def guess_columns(sample: Sample) -> tuple[Column, ...]:
    """The role of every column, from its name and its values; each role that can stand only once stands once."""
    columns = [
        _column(name, values, rows=sample.rows) for name, values in zip(sample.columns, sample.values, strict=True)
    ]
    return _each_once(_key_found(columns, sample))


def decimal_of(sample: Sample) -> str:
    """The decimal sign of the file's numbers: a comma when numbers use it and none uses a point."""
    comma = point = 0
    for values in sample.values:
        head = values[:200]
        comma += sum(bool(_COMMA_NUMBER.fullmatch(value)) and not _POINT_NUMBER.fullmatch(value) for value in head)
        point += sum(bool(_POINT_NUMBER.fullmatch(value)) and not _COMMA_NUMBER.fullmatch(value) for value in head)
    return "," if comma > point else "."


def _column(name: str, values: Sequence[str], *, rows: int) -> Column:
    role = _role_by_name(name)
    samples = tuple(value[:80] for value in dict.fromkeys(values[:50]))[:5]
    if not values:
        return Column(name, KEPT_AS_PROPERTY, True, "the column is empty in the first rows")
    times = time_format(values, named_time=role == "time" or _sounds_like_time(name))
    found = _by_values(role, values, times)
    if found:
        return replace(found, name=name, samples=samples)
    if role and role not in ("time", "clock", "zone"):
        sure, why = _fits(role, values)
        return Column(name, role, sure, why or f"the name '{name}'", samples)
    if role == "time":
        return Column(
            name, "time", False, "the name says time, but the values are no moments that can be read", samples
        )
    if _is_text(values):
        return Column(name, "text", False, "long texts", samples)
    return Column(name, KEPT_AS_PROPERTY, True, "kept as a property", samples)


def _role_by_name(name: str) -> str:
    said = plain(name)
    if said in ROLE_OF:
        return ROLE_OF[said]
    last = plain(re.split(r"[.:]", name)[-1])
    return ROLE_OF.get(last, "")


def _sounds_like_time(name: str) -> bool:
    words = plain(name).split()
    return bool(
        set(words)
        & {"date", "time", "at", "on", "am", "datum", "zeit", "timestamp", "ts", "fecha", "le", "il", "el", "heure"}
    )


def _by_values(role: str, values: Sequence[str], times: TimeFormat | None) -> Column | None:
    """What the values alone say, stronger than any name."""
    if times and (role in ("time", "") or times.formats == ("iso",)):
        why = times.why_unsure or f"moments written as {' or '.join(times.formats)}"
        return Column("", "time", not times.why_unsure, why, times=times)
    if is_clock(values) and role not in ("cost_seconds",):
        return Column("", "clock", True, "times of day")
    if _share(values, _EMAIL) >= SAME:
        return Column("", "handle:email", True, "e-mail addresses")
    if role in ("", "handle:phone") and _share(values, _PHONE) >= SAME:
        return Column("", "handle:phone", role != "", "numbers that look like phone numbers")
    if all("/" in value and known_zone(value) for value in set(values[:200])):
        return Column("", "zone", True, "time zones")
    if role == "" and len(set(values)) > 1 and all(plain(value) in DIRECTION_WORDS for value in set(values)):
        return Column("", "direction", True, "words for who speaks to whom")
    if role == "" and len(set(values)) > 1 and all(plain(value) in CHANNEL_WORDS for value in set(values)):
        return Column("", "channel", True, "words for channels")
    return None


def _fits(role: str, values: Sequence[str]) -> tuple[bool, str]:
    """Whether the values of a column fit the role its name says."""
    numbers = _share(values, _NUMBER) >= SAME
    if role in ("value", "score", "cost_seconds") and not numbers:
        return False, f"the name says {role}, but the values are not numbers"
    if role == "score":
        return False, "which score is it, and on which scale?"
    if role == "direction":
        known = all(plain(value) in DIRECTION_WORDS for value in set(values))
        return known, "" if known else "words for direction that have to be mapped"
    if role == "handle:email":
        return False, "the name says e-mail, but many values are no addresses"
    if role == "touchpoint" and len(set(values)) > max(50, len(values) // 2):
        return False, "the name says what happened, but nearly every value is different"
    return True, ""


def _share(values: Sequence[str], pattern: re.Pattern[str]) -> float:
    return sum(bool(pattern.fullmatch(value)) for value in values) / len(values)


def _is_text(values: Sequence[str]) -> bool:
    return sum(len(value) for value in values) / len(values) > 60 and len(set(values)) * 2 > len(values)


def _key_found(columns: Sequence[Column], sample: Sample) -> list[Column]:
    """A column called id with a different value in every row is the key, when no column is one already."""
    out = list(columns)
    if any(column.role == "key" for column in out):
        return out
    for place, (column, values) in enumerate(zip(out, sample.values, strict=True)):
        named = plain(column.name) == "id" or column.role in ("case", "order") or plain(column.name).endswith(" id")
        every_row = len(values) == sample.rows > 0 and len(set(values)) == sample.rows
        nearly = plain(column.name) == "id" and len(set(values)) * 2 > sample.rows
        if nearly and not every_row:
            why = "some rows share one: as the key, only the first of them counts"
            out[place] = replace(column, role="key", sure=False, why=why)
            break
        if named and every_row and not column.role.startswith("handle:"):
            role = column.role if column.role in ("case", "order") else "key"
            why = (
                f"{column.why}; every row has its own, so it is the key too"
                if role != "key"
                else "every row has its own"
            )
            out[place] = replace(column, role=role, why=why)
            break
    return out


def _each_once(columns: Sequence[Column]) -> tuple[Column, ...]:
    taken: dict[str, int] = {}
    out = list(columns)
    for place, column in enumerate(columns):
        role = column.role
        if role not in ONCE_ONLY and role not in BY_NAME:
            continue
        if role in taken:
            out[place] = replace(
                column, role=KEPT_AS_PROPERTY, sure=True, why=f"'{columns[taken[role]].name}' is {role} already"
            )
        else:
            taken[role] = place
    return tuple(out)


def is_event(column: Column) -> bool:
    """Whether a column of times is an event of its own, not a date of birth or of the last change."""
    return column.role == "time" and plain(column.name) not in NO_EVENTS


def with_answers(columns: Sequence[Column], answers: Mapping[str, str]) -> tuple[Column, ...]:
    """The columns as a person says they are; `answers` maps a column's name to its role."""
    out = []
    for column in columns:
        said = answers.get(column.name)
        if said is None:
            out.append(column)
        elif said.startswith("format:") and column.times:
            formats = tuple(said.removeprefix("format:").split(" | "))
            out.append(
                replace(column, role="time", sure=True, why="as you said", times=replace(column.times, formats=formats))
            )
        else:
            out.append(replace(column, role=said, sure=True, why="as you said"))
    return tuple(out)
