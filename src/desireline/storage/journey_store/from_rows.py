"""A snapshot made from a handful of rows in memory: for tests, notebooks and examples, no files."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from desireline.storage.identity import interaction_id, text_hash
from desireline.storage.journey_store.columns import PROPERTY, Column, Kind, column, known
from desireline.storage.journey_store.hashing import bucket_of
from desireline.storage.journey_store.snapshot import NOBODY, Bucket, Snapshot
from desireline.vocabulary.errors import DesirelineError, Mistake, nearest
from desireline.vocabulary.interaction import BY_NAME

Row = Mapping[str, Any]


def snapshot_from_rows(
    rows: Iterable[Row], person_of: Callable[[int], int] | None = None, *, bucket_count: int = 1
) -> Snapshot:
    """A snapshot of a few interactions, each a dictionary by field name, in any order.

    `occurred_at` (UTC milliseconds) must be given; `person` is an integer (or a text, which is
    hashed), else `person_of(handle)`, else the handle itself; without both it is nobody.
    `id` and `position` count the rows when they are not given. `properties` is a dictionary or JSON.

    >>> day = 86_400_000
    >>> snapshot = snapshot_from_rows([{"person": 1, "occurred_at": 2 * day, "channel": "phone"},
    ...                                {"person": 1, "occurred_at": day, "channel": "web"}])
    >>> [snapshot.words("channel")[code] for code in snapshot.buckets[0].column("channel")]
    ['web', 'phone']
    """
    given = [_complete(row, number, person_of) for number, row in enumerate(rows)]
    names = sorted({name for row in given for name in row if name != "person" and row[name] is not None})
    columns = {name: _column_of(name, given) for name in names}
    vocabulary = {
        name: tuple(sorted({str(row[name]) for row in given if row.get(name) is not None}))
        for name, each in columns.items()
        if each.coded
    }
    codes = {name: {word: code for code, word in enumerate(words)} for name, words in vocabulary.items()}
    spread: dict[int, list[Row]] = defaultdict(list)
    for row in given:
        spread[bucket_of(row["person"], bucket_count) if row["person"] != NOBODY else -1].append(row)
    build = _Builder(columns, codes)
    return Snapshot(
        buckets=tuple(build.bucket(number, spread[number]) for number in range(bucket_count)),
        nobody=build.bucket(-1, spread[-1]),
        as_of=max((row["occurred_at"] for row in given), default=0),
        columns=frozenset(columns),
        vocabulary=vocabulary,
    )


def _complete(row: Row, number: int, person_of: Callable[[int], int] | None) -> dict[str, Any]:
    full = {"source": "rows", "position": number, "handle": None, **row}
    properties = full.pop("properties", None) or {}
    for key, value in (json.loads(properties) if isinstance(properties, str) else properties).items():
        full[PROPERTY + key] = value
    _refuse_unknown(full)
    full.setdefault("id", interaction_id(str(full["source"]), str(full.get("source_key", number))))
    person = full.get("person")
    if person is None:
        handle = full["handle"]
        person = NOBODY if handle is None else person_of(handle) if person_of else handle
    full["person"] = text_hash(person) if isinstance(person, str) else int(person)
    if full["handle"] is None:
        full["handle"] = full["person"]
    return full


def _refuse_unknown(row: Row) -> None:
    unknown = [name for name in row if name not in BY_NAME and name != "person" and not name.startswith(PROPERTY)]
    if unknown or "occurred_at" not in row:
        mistakes = [Mistake(f"unknown field '{name}'.", "row", do=nearest(name, list(BY_NAME))) for name in unknown]
        if "occurred_at" not in row:
            mistakes.append(Mistake("a row without 'occurred_at'.", "row", do="Give it in UTC milliseconds."))
        raise DesirelineError(mistakes)


def _column_of(name: str, rows: Sequence[Row]) -> Column:
    if not name.startswith(PROPERTY):
        return column(name) if known(name) else column(name, "code32")
    values = [row[name] for row in rows if row.get(name) is not None]
    numeric = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    kind: Kind = "score" if numeric else "code32"
    return column(name, kind)


class _Builder:
    """Turns rows into buckets, with the columns and codes of the whole snapshot."""

    def __init__(self, columns: Mapping[str, Column], codes: Mapping[str, Mapping[str, int]]) -> None:
        self.columns = columns
        self.codes = codes

    def bucket(self, number: int, rows: Sequence[Row]) -> Bucket:
        ordered = sorted(rows, key=lambda row: (row["person"], *_order(row)))
        people = np.array([row["person"] for row in ordered], dtype=np.int64)
        person, start, length = np.unique(people, return_index=True, return_counts=True)
        if number < 0 and not len(person):
            person, start, length = (np.array([value], dtype=np.int64) for value in (NOBODY, 0, 0))
        arrays = {name: self._array(each, ordered) for name, each in self.columns.items()}
        return Bucket(
            number,
            frozen(person.astype(np.int64)),
            frozen(start.astype(np.int64)),
            frozen(length.astype(np.int64)),
            read=column_reader(arrays, len(ordered)),
        )

    def _array(self, each: Column, rows: Sequence[Row]) -> NDArray[Any]:
        return frozen(np.array([self._value(each, row.get(each.name)) for row in rows], dtype=each.dtype))

    def _value(self, each: Column, value: Any) -> Any:
        if value is None:
            return each.empty
        if each.coded:
            return self.codes[each.name][str(value)]
        if each.kind == "key":
            return text_hash(str(value))
        return int(bool(value)) if each.kind in ("flag", "has") else value


def _order(row: Row) -> tuple[int, str, int, int]:
    return (row["occurred_at"], str(row["source"]), row["position"], row["id"])


def frozen(values: NDArray[Any]) -> NDArray[Any]:
    """The same array, read-only, as every array of a snapshot is."""
    values.flags.writeable = False
    return values


def column_reader(arrays: Mapping[str, NDArray[Any]], rows: int) -> Callable[[str], NDArray[Any]]:
    """Reads a column of a bucket by name; a field nobody gave reads as empty in every row."""
    made: dict[str, NDArray[Any]] = dict(arrays)

    def read(name: str) -> NDArray[Any]:
        if name not in made:
            if not known(name):
                raise DesirelineError(
                    Mistake(f"the journey store has no column '{name}'.", do=nearest(name, list(BY_NAME)))
                )
            made[name] = column(name).empties(rows)
        return made[name]

    return read
