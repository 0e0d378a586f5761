"""A first recipe from the guessed columns: one interaction a row, or one for each event hidden in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from desireline.intake.column_words import CHANNEL_WORDS, DIRECTION_WORDS, EVENT_OF, plain
from desireline.intake.guess import Column, is_event
from desireline.intake.recipes import HandleTaken, Reading, Recipe, Shape, Taken, TimeTaken
from desireline.intake.samples import Sample
from desireline.intake.time_formats import clock_tail
from desireline.vocabulary.interaction import BY_NAME

_DROPPED = re.compile(r"\.(csv|tsv|txt|jsonl|ndjson|json|parquet|xlsx|xls|gz)$", re.I)


def source_name(file: str) -> str:
    """The name of a source from a file's name, without dates and numbers.

    >>> source_name("Zendesk-Tickets_2026-03-01.csv.gz")
    'zendesk_tickets'
    """
    stem = file
    while (shorter := _DROPPED.sub("", stem)) != stem:
        stem = shorter
    words = [word for word in re.split(r"[^a-z]+", plain(stem)) if word]
    return "_".join(words) or "file"


def draft(file: str, columns: Sequence[Column], sample: Sample, reading: Reading) -> Recipe | None:
    """A recipe to start from; None when no column says when something happened."""
    times = [column for column in columns if column.role == "time" and column.times]
    if not times:
        return None
    source = source_name(file)
    by_role = {column.role: column.name for column in reversed(columns)}
    fields = _fields(columns, sample, by_role)
    events = _events(times) if "touchpoint" not in fields else {}
    handles = tuple(
        HandleTaken(column.role.removeprefix("handle:"), column.name)
        for column in columns
        if column.role.startswith("handle:")
    )
    key = by_role.get("key") or _unique_case(columns)
    if len(events) < 2:
        time = next((column for column in times if is_event(column)), times[0])
        fields.setdefault("touchpoint", Taken(constant=source))
        shapes: tuple[Shape, ...] = (Shape(occurred_at=_time(time, columns, by_role), fields=fields, handles=handles),)
    else:
        shapes = tuple(
            _event_shape(name, event, column, columns, by_role, fields, handles, source)
            for name, (event, column) in events.items()
        )
    return Recipe(name=source, source=source, shapes=shapes, files=(file,), reading=reading, key=(key,) if key else ())


def _unique_case(columns: Sequence[Column]) -> str | None:
    return next((column.name for column in columns if column.why.endswith("so it is the key too")), None)


def _events(times: Sequence[Column]) -> dict[str, tuple[str, Column]]:
    """The events hidden in a row: name to (direction, column of its time), the first column of each name."""
    found: dict[str, tuple[str, Column]] = {}
    for column in times:
        if is_event(column) and (event := EVENT_OF.get(plain(column.name))):
            found.setdefault(event[0], (event[1], column))
    return found


def _event_shape(
    name: str,
    direction: str,
    time: Column,
    columns: Sequence[Column],
    by_role: dict[str, str],
    fields: dict[str, Taken],
    handles: tuple[HandleTaken, ...],
    source: str,
) -> Shape:
    singular = source.rsplit("_", 1)[-1].removesuffix("s")
    own = {**fields, "touchpoint": Taken(constant=f"{singular}.{name}"), "direction": Taken(constant=direction)}
    if name == "opened":
        own["asks"] = Taken(constant="true")
    if name in ("answered", "solved"):
        own["answers"] = Taken(constant="true")
    for word in ("score", "score_kind", "score_scale"):
        if name != "rated":
            own.pop(word, None)
    if name != "opened":
        for word in ("text", "value", "currency"):
            own.pop(word, None)
    return Shape(occurred_at=_time(time, columns, by_role), name=name, fields=own, handles=handles)


def _time(column: Column, columns: Sequence[Column], by_role: dict[str, str]) -> TimeTaken:
    assert column.times is not None
    taken = TimeTaken((column.name,), formats=column.times.formats, zone_column=by_role.get("zone"))
    if column.times.day_only and "clock" in by_role:
        clock = next(other for other in columns if other.name == by_role["clock"])
        tail = clock_tail(clock.samples)
        formats = tuple(word + tail if "%" in word else word for word in column.times.formats)
        return replace(taken, clock_column=clock.name, formats=formats)
    return taken


def _fields(columns: Sequence[Column], sample: Sample, by_role: dict[str, str]) -> dict[str, Taken]:
    fields: dict[str, Taken] = {}
    for column, values in zip(columns, sample.values, strict=True):
        if column.role not in BY_NAME or column.role in ("handles", "properties", "raw", "others"):
            continue
        fields[column.role] = Taken(
            from_columns=(column.name,), map=_map(column.role, values), slug=column.role == "channel"
        )
    return fields


def _map(role: str, values: Sequence[str]) -> tuple[tuple[str, str], ...]:
    known = {"channel": CHANNEL_WORDS, "direction": DIRECTION_WORDS}.get(role)
    if known is None:
        return ()
    distinct = dict.fromkeys(values)
    return tuple(
        (value, known[plain(value)]) for value in distinct if plain(value) in known and known[plain(value)] != value
    )
