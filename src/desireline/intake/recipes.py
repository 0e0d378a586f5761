"""A recipe: how one kind of export file becomes interactions. Frozen values; `recipe_file` reads and writes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from desireline.vocabulary.units import MINUTE_MS

FileFormat = Literal["csv", "jsonl", "parquet", "xlsx", "mbox"]
TestKind = Literal["is", "not", "exists", "starts_with", "contains", "at_least", "above", "below", "at_most"]

FILE_FORMATS: tuple[str, ...] = ("csv", "jsonl", "parquet", "xlsx", "mbox")
TEST_KINDS: tuple[str, ...] = ("not", "exists", "starts_with", "contains", "at_least", "above", "below", "at_most")
EPOCHS: dict[str, int] = {"epoch_s": 1_000_000_000, "epoch_ms": 1_000_000, "epoch_us": 1_000, "epoch_ns": 1}
"""Counts since 1970 and the nanoseconds of one count."""

TEXT_FIELDS: tuple[str, ...] = (
    "touchpoint", "channel", "topic", "intent", "case", "order", "product", "campaign", "content", "device",
    "session", "hands", "role", "power", "outcome", "currency", "value_to", "score_kind", "score_scale", "text",
    "language", "consent",
)  # fmt: skip
NUMBER_FIELDS: tuple[str, ...] = ("value", "cost_seconds", "score", "reach")
FLAG_FIELDS: tuple[str, ...] = ("asks", "answers")
TAKEN_FIELDS: tuple[str, ...] = (*TEXT_FIELDS, "direction", *NUMBER_FIELDS, *FLAG_FIELDS)
"""The fields a recipe may fill in, besides times, handles, other parties and properties."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How the file itself is read; what is empty is found out from the file."""

    format: FileFormat | None = None
    encoding: str | None = None
    separator: str | None = None
    quote: str | None = None
    header_rows: int | None = None
    skip_lines: int | None = None
    decimal: str | None = None
    sheet: str | None = None
    own_addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Test:
    """One test of one column, such as Status is solved, or Amount at least 10."""

    column: str
    kind: TestKind
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class When:
    """A condition on a row: every test holds, and one of the alternatives if there are any."""

    tests: tuple[Test, ...] = ()
    any_of: tuple[When, ...] = ()

    def columns(self) -> Iterator[str]:
        """Every column the condition looks at."""
        for test in self.tests:
            yield test.column
        for alternative in self.any_of:
            yield from alternative.columns()


@dataclass(frozen=True, slots=True)
class Taken:
    """Where a field's value comes from: a constant, the first filled-in column, or the first choice that holds."""

    constant: str | None = None
    from_columns: tuple[str, ...] = ()
    map: tuple[tuple[str, str], ...] = ()
    otherwise: str | None = None
    empty: str | None = None
    prefix: str = ""
    slug: bool = False
    choose: tuple[tuple[When, Taken], ...] = ()
    minor: bool = False
    negate: bool = False

    def columns(self) -> Iterator[str]:
        """Every column it reads."""
        yield from self.from_columns
        for when, taken in self.choose:
            yield from when.columns()
            yield from taken.columns()


@dataclass(frozen=True, slots=True)
class TimeTaken:
    """Where a moment comes from: a column (or the first filled in), perhaps a second one with the time of day.

    day_only_at: the local time of day given to values that are a day and no more.
    """

    from_columns: tuple[str, ...]
    clock_column: str | None = None
    formats: tuple[str, ...] = ("iso",)
    zone: str | None = None
    zone_column: str | None = None
    day_only_at: str = "00:00"

    @property
    def day_only_ms(self) -> int:
        """Milliseconds after midnight, local time, of values that are a day and no more.

        >>> TimeTaken(("Day",), day_only_at="12:30").day_only_ms
        45000000
        """
        hours, minutes = self.day_only_at.split(":")
        return (int(hours) * 60 + int(minutes)) * MINUTE_MS

    def columns(self) -> Iterator[str]:
        """Every column it reads."""
        yield from self.from_columns
        yield from (column for column in (self.clock_column, self.zone_column) if column)


@dataclass(frozen=True, slots=True)
class HandleTaken:
    """A handle of the person (or, with a role, of another party) and the column it stands in."""

    kind: str
    column: str
    network: str | None = None
    split: str | None = None
    role: str | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """One interaction made from a row. `properties` is None for the rest, else (name, column) pairs."""

    occurred_at: TimeTaken
    name: str = ""
    when: When = field(default_factory=When)
    sent_at: TimeTaken | None = None
    fields: Mapping[str, Taken] = field(default_factory=dict)
    handles: tuple[HandleTaken, ...] = ()
    others: tuple[HandleTaken, ...] = ()
    properties: tuple[tuple[str, str], ...] | None = None

    def columns(self) -> Iterator[str]:
        """Every column it reads, with repeats."""
        yield from self.when.columns()
        yield from self.occurred_at.columns()
        if self.sent_at:
            yield from self.sent_at.columns()
        for taken in self.fields.values():
            yield from taken.columns()
        for handle in (*self.handles, *self.others):
            yield handle.column
        for _, column in self.properties or ():
            yield column


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the rows of one source's export become interactions."""

    name: str
    source: str
    shapes: tuple[Shape, ...]
    says: str = ""
    files: tuple[str, ...] = ()
    reading: Reading = field(default_factory=Reading)
    zone: str | None = None
    country_code: str = ""
    currency: str | None = None
    key: tuple[str, ...] = ()

    def columns(self) -> tuple[str, ...]:
        """Every column the recipe reads, each once, in the order of first use."""
        used = dict.fromkeys(self.key)
        for shape in self.shapes:
            used.update(dict.fromkeys(shape.columns()))
        return tuple(used)

    @property
    def takes_the_rest(self) -> bool:
        """Whether columns that no field uses are kept as properties."""
        return any(shape.properties is None for shape in self.shapes)
