"""Judging a snapshot: which promises were kept and which were broken, for whom, as of a moment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from desireline.promises.calendars import Calendar
from desireline.promises.chosen_people import some_people
from desireline.promises.deadlines import SPANS
from desireline.promises.journeys_of_map import journeys_of
from desireline.promises.judged import COLUMNS, Judged, Part
from desireline.promises.judging import judge_people
from desireline.promises.kept_terms import KEPT, ReadyTerms
from desireline.promises.maps import Map
from desireline.promises.masks import row_bits
from desireline.promises.openings import O_OPENING, O_PERSON, O_PROMISE
from desireline.promises.row_classes import classes_of, meaning_of
from desireline.promises.terms import OPEN, T_FROM, T_TO, Terms
from desireline.promises.versions import MapVersion, versions_of
from desireline.promises.wakes import ends_of
from desireline.storage.engines import run
from desireline.storage.journey_store import Bucket, Snapshot, snapshot_from_rows


def judge(
    snapshot: Snapshot,
    maps: Iterable[Map | MapVersion],
    as_of: int | None = None,
    *,
    calendars: Mapping[str, Calendar] | None = None,
    people: Iterable[int] | None = None,
) -> Judged:
    """Every instance of every promise with its verdict, breaches and evidence.

    A pure function of the interactions at or before `as_of` (UTC milliseconds; the snapshot's own
    when `None`): the order they arrived in, and when they were judged before, make no difference.
    people: only these persons are judged, at the cost of these persons.
    """
    as_of = snapshot.as_of if as_of is None else as_of
    buckets = snapshot.buckets if people is None else some_people(snapshot, people)
    first = partial(_earliest, snapshot.buckets)
    since = first() if people is None else _earliest(buckets)
    ready = KEPT.terms(versions_of(maps), snapshot, calendars or {}, earliest=first, since=since, latest=as_of)
    work = _judging(ready, as_of)
    found = run(work, buckets) if people is None else [work(bucket) for bucket in buckets]
    unknown = partial(_openings_of_nobody, ready.terms, snapshot.nobody, as_of)
    return Judged(ready.terms.promises, tuple(found), unknown, snapshot.words("channel"), as_of)


def warm() -> None:
    """Compile the judging kernels, or load them from the cache, on one interaction."""
    from desireline.promises.map_file import load_map

    snapshot = snapshot_from_rows([{"person": 1, "occurred_at": 0, "touchpoint": "a", "channel": "web", "asks": True}])
    pattern = "{touchpoint: a, channel: web, asks: true}"
    text = f"map: warm\npromises:\n- {{promise: p, when: {pattern}, then: {pattern}, within: 1 day}}\n"
    judge(snapshot, [load_map(text, "warm.yaml")]).columns(*COLUMNS)


def _earliest(buckets: Iterable[Bucket]) -> int:
    """The first moment anything happened to these people; the end of all time when nothing did."""
    moments = [int(np.iinfo(np.int64).max)]
    for bucket in buckets:
        first = bucket.start[bucket.length > 0]
        moments += [int(np.asarray(bucket.column("occurred_at"))[first].min())] if len(first) else []
    return min(moments)


def _judging(ready: ReadyTerms, as_of: int) -> Callable[[Bucket], Part]:
    terms, machine, known = ready.terms, ready.machine, ready.meaning
    laid = terms.deadlines
    bounds, begin, end, before, midnight, open_day, close = (fixed(getattr(laid, name), np.int64) for name in SPANS)
    spans = (bounds, begin, end, before, midnight, open_day, close)
    table, within, durations = (fixed(each, np.int64) for each in (terms.table, terms.within, laid.durations))

    def work(bucket: Bucket) -> Part:
        start, length, time, identity = (
            fixed(each, np.int64)
            for each in (bucket.start, bucket.length, bucket.column("occurred_at"), bucket.column("id"))
        )
        of_row, words = classes_of(terms.tables, machine, bucket)
        meaning = known or meaning_of(terms, words)
        keys, of_row = fixed(_keys(bucket, terms.keys), np.int64), fixed(of_row, np.int32)
        touch = fixed(meaning.touch, np.uint8)
        lines, dues = judge_people(
            start,
            length,
            time,
            identity,
            fixed(bucket.column("channel"), np.int16),
            keys,
            of_row,
            fixed(meaning.flags, np.int16),
            fixed(meaning.opens, np.uint64),
            fixed(meaning.matters, np.uint8),
            touch,
            fixed(meaning.openings, np.int64),
            table,
            within,
            durations,
            spans,
            as_of,
        )
        who = (lines[O_PROMISE], lines[O_PERSON], lines[O_OPENING])
        journeys = partial(journeys_of, *who, start, length, time, keys, of_row, touch, table)
        return Part(bucket, lines, dues, journeys, partial(ends_of, lines, dues, time, table, durations, spans, as_of))

    return work


def fixed(values: NDArray[Any], dtype: Any) -> NDArray[Any]:
    """The same values as one read-only run of memory of one type, so that the kernel is compiled once."""
    view = np.ascontiguousarray(np.asarray(values), dtype=dtype).view()
    view.flags.writeable = False
    return view


def _keys(bucket: Bucket, names: tuple[str, ...]) -> NDArray[np.int64]:
    """(keys, rows) int64; a single key is not copied."""
    if not names:
        return np.zeros((1, 0), dtype=np.int64)
    columns = [np.asarray(bucket.column(name)) for name in names]
    return columns[0][np.newaxis, :] if len(columns) == 1 else np.stack(columns)


def _openings_of_nobody(terms: Terms, nobody: Bucket, as_of: int) -> tuple[int, ...]:
    """How many interactions without any handle match each promise's opening."""
    count = int(nobody.length.sum())
    if not count:
        return (0,) * len(terms.promises)
    first = int(nobody.start[0])
    time = np.asarray(nobody.column("occurred_at"))[first : first + count]
    bits = row_bits(terms.tables, nobody)[first : first + count]
    found = []
    for row, masks in zip(terms.table, terms.parts, strict=True):
        opens = (bits & masks[OPEN]).any(axis=1) & (time >= row[T_FROM]) & (time < row[T_TO]) & (time <= as_of)
        found.append(int(opens.sum()))
    return tuple(found)
