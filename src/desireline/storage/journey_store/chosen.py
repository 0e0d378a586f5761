"""The interactions and people a question is about, bucket by bucket, as arrays that kernels read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from desireline.storage.engines import kernel
from desireline.storage.identity import text_hash
from desireline.storage.journey_store.snapshot import Bucket, Snapshot
from desireline.vocabulary.errors import DesirelineError, Mistake, nearest
from desireline.vocabulary.interaction import BY_NAME
from desireline.vocabulary.which import Which

Flags = NDArray[np.uint8]

EVERYTHING: Flags = np.zeros(0, np.uint8)
EVERYTHING.flags.writeable = False
"""An empty array of flags: nothing is left out."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """One bucket and what of it a question is about.

    length: rows per person, 0 for people who are left out. keep: one flag per row, or empty when
    every row counts. has: one flag per row that meets `where` (only for `where_in="journeys"`, else empty).
    """

    bucket: Bucket
    start: NDArray[np.int64]
    length: NDArray[np.int64]
    keep: Flags
    has: Flags


def chosen(snapshot: Snapshot, which: Which) -> tuple[Chosen, ...]:
    """Each bucket with the rows and people that `which` names; the period is left to the question.

    >>> from desireline.storage.journey_store.from_rows import snapshot_from_rows
    >>> rows = [{"person": 1, "occurred_at": 1, "channel": "web"}, {"person": 2, "occurred_at": 2, "channel": "phone"}]
    >>> [each.keep.tolist() for each in chosen(snapshot_from_rows(rows), Which(channels=("phone",)))]
    [[0, 1]]
    """
    check(snapshot, which)
    ids = None if which.people is None else np.unique(np.asarray(which.people, dtype=np.int64))
    return tuple(_chosen(snapshot, bucket, which, ids) for bucket in snapshot.buckets)


def matching(words: Sequence[str], patterns: Iterable[str]) -> Flags:
    """Which codes of a coded column match any of the patterns: one flag per `code + 1`.

    A pattern is a word, or a beginning with the tail `.*`; an empty code matches nothing.

    >>> matching(["card.lost", "card.lost.web", "cardinal"], ["card.*"]).tolist()
    [0, 1, 1, 0]
    """
    exact = set(patterns)
    tails = tuple(pattern[:-1] for pattern in exact if pattern.endswith(".*"))
    flags = [0, *(word in exact or word.startswith(tails) for word in words)]
    return read_only(np.array(flags, dtype=np.uint8))


def read_only(values: NDArray[Any]) -> NDArray[Any]:
    """The same array, never to be written again: kernels then see one type of input only."""
    values.flags.writeable = False
    return values


def check(snapshot: Snapshot, which: Which) -> None:
    """Refuse unknown columns and words that no interaction has, all mistakes at once."""
    mistakes = [
        Mistake(f"unknown column '{name}'.", "where", do=nearest(name, list(BY_NAME)))
        for name in which.where
        if name not in BY_NAME and not name.startswith("properties.")
    ]
    if which.where_in not in ("people", "journeys", "interactions"):
        mistakes.append(Mistake(f"'{which.where_in}' is not known.", "where_in", do="people, journeys or interactions"))
    for word in which.channels:
        if word not in snapshot.words("channel"):
            mistakes.append(
                Mistake(f"no interaction has the channel '{word}'.", do=nearest(word, list(snapshot.words("channel"))))
            )
    for pattern in which.touchpoints:
        if not matching(snapshot.words("touchpoint"), [pattern]).any():
            known = list(snapshot.words("touchpoint"))
            mistakes.append(Mistake(f"no interaction has the touchpoint '{pattern}'.", do=nearest(pattern, known)))
    if mistakes:
        raise DesirelineError(mistakes)


def rows_where(snapshot: Snapshot, bucket: Bucket, name: str, value: Any) -> NDArray[np.bool_]:
    """The rows of a bucket whose column has this value, or one of these; one flag per physical row."""
    values = bucket.column(name)
    wanted = value if isinstance(value, Sequence | set | frozenset) and not isinstance(value, str) else (value,)
    if name in snapshot.vocabulary:
        codes = np.array([word in {str(each) for each in wanted} for word in ("", *snapshot.words(name))])
        codes[0] = False
        return np.asarray(codes[values.astype(np.int64) + 1])
    field = BY_NAME.get(name)
    if field is not None and field.key:
        wanted = [text_hash(str(each)) for each in wanted]
    elif field is not None and field.type == "flag":
        wanted = [_yes(each) for each in wanted]
    else:
        wanted = [_number(name, each) for each in wanted]
    return np.isin(values, np.asarray(wanted))


def _chosen(snapshot: Snapshot, bucket: Bucket, which: Which, ids: NDArray[np.int64] | None) -> Chosen:
    rows = len(bucket.column("occurred_at"))
    keep = np.ones(rows, dtype=np.bool_) if which.channels or which.touchpoints else None
    for name, patterns in (("channel", which.channels), ("touchpoint", which.touchpoints)):
        if patterns and keep is not None:
            keep &= matching(snapshot.words(name), patterns)[bucket.column(name).astype(np.int64) + 1] == 1
    length, has = bucket.length, EVERYTHING
    if which.where:
        conditions = [rows_where(snapshot, bucket, name, value) for name, value in which.where.items()]
        both = read_only(np.logical_and.reduce(conditions).astype(np.uint8))
        if which.where_in == "interactions":
            keep = both == 1 if keep is None else keep & (both == 1)
        elif which.where_in == "journeys":
            has = both
        else:
            length = np.where(people_having(bucket.start, bucket.length, both), length, 0)
    if ids is not None:
        length = np.where(np.isin(bucket.person, ids, assume_unique=True), length, 0)
    if length is not bucket.length:
        length = read_only(np.ascontiguousarray(length))
    flags = EVERYTHING if keep is None else read_only(keep.astype(np.uint8))
    return Chosen(bucket, bucket.start, length, flags, has)


@kernel
def people_having(start: NDArray[np.int64], length: NDArray[np.int64], flags: Flags) -> NDArray[np.bool_]:
    """Which people have at least one flagged row."""
    having = np.zeros(len(start), dtype=np.bool_)
    for person in range(len(start)):
        for row in range(start[person], start[person] + length[person]):
            if flags[row] == 1:
                having[person] = True
                break
    return having


def _yes(value: Any) -> int:
    words = {"yes": 1, "true": 1, "1": 1, "no": 0, "false": 0, "0": 0}
    found = words.get(str(value).lower())
    if found is None:
        raise DesirelineError(Mistake(f"'{value}' is neither yes nor no.", "where"))
    return found


def _number(name: str, value: Any) -> float | int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        try:
            return float(value)
        except (TypeError, ValueError):
            raise DesirelineError(Mistake(f"'{value}' is not a number, but '{name}' holds numbers.", "where")) from None
    return value
