"""What this room does to the project's tables: judges the journey store and writes the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
from duckdb import DuckDBPyConnection
from numpy.typing import NDArray

from desireline.promises.calendars import Calendar
from desireline.promises.deadlines import NONE
from desireline.promises.judge import judge
from desireline.promises.judged import COLUMNS, Judged
from desireline.promises.keep_rates import Instances
from desireline.promises.ledger import choice, judged_texts, parts_to_merge, plain_rows, question
from desireline.promises.maps import Map
from desireline.promises.versions import MapVersion
from desireline.storage.identity import text_hash
from desireline.storage.journey_store import Snapshot
from desireline.storage.lake import Lake
from desireline.storage.merging import FAN_IN, GRACE_MS, LIVE, Merged, forget_covered
from desireline.storage.part_names import Stretch, stretches
from desireline.vocabulary.errors import DesirelineError, nearest
from desireline.vocabulary.interaction import BY_NAME, PATTERN_NAMES
from desireline.vocabulary.promise import VERDICTS
from desireline.vocabulary.step import Step
from desireline.vocabulary.table import Table
from desireline.vocabulary.tables import INTERACTIONS, LEDGER

MOST_LISTED = 1_000_000
_STREAM = "judged"
_NEWEST_PARTS = 4
_EVER = np.iinfo(np.int64)


@dataclass(frozen=True)
class LedgerChange:
    """What one judging wrote: the part's name ('' when nothing changed), its rows, and the judgement itself.

    read: reads `changes`.
    """

    part: str
    rows: int
    judged: Judged
    read: Callable[[], list[dict[str, Any]]]

    @cached_property
    def changes(self) -> list[dict[str, Any]]:
        """The rows written, as the ledger holds them: of each instance that changed its new judgement and the cause."""
        return self.read()


def judge_all(
    lake: Lake,
    snapshot: Snapshot,
    maps: Iterable[Map | MapVersion],
    calendars: Mapping[str, Calendar],
    *,
    as_of: int | None = None,
    cause: str | None = None,
) -> LedgerChange:
    """Judge everybody and add to the ledger what differs from the judgement in force.

    cause: why judgements made before may differ (`ledger.CAUSES`); found out where `None`.
    """
    judged = judge(snapshot, maps, as_of, calendars=calendars)
    return _write(lake, judged, people=None, cause=cause)


def judge_changed(
    lake: Lake,
    snapshot: Snapshot,
    maps: Iterable[Map | MapVersion],
    calendars: Mapping[str, Calendar],
    *,
    people: Iterable[int],
    as_of: int | None = None,
    cause: str | None = None,
    keys: Iterable[str] = (),
) -> LedgerChange:
    """Judge some people again, at the cost of these people: those with new facts, joined, parted, undone or woken.

    people: the persons as they are now and as they were, so that what moved is found again. keys: cases, orders and
    the like that just came in, so that they need not be looked up among the interactions.
    """
    chosen = sorted(set(people))
    judged = judge(snapshot, maps, as_of, calendars=calendars, people=chosen)
    return _write(lake, judged, people=chosen, cause=cause, keys=keys)


def merge_ledger_parts(lake: Lake, *, now: int, fan_in: int = FAN_IN) -> Merged | None:
    """Put many small parts of the ledger together into one, where enough have gathered: one merge at most, often none.

    Every row stays as it is, so history and what is in force stay the same. Readers see the small parts or the long
    one, never both; what was merged is deleted a minute later. The caller must be the one who writes the project.

    now: UTC milliseconds of the machine's own clock, which dates files.
    """
    forget_covered(lake, before=now - GRACE_MS)
    there = stretches(lake.parts(LEDGER.name), _STREAM)
    rows = [lake.rows(LEDGER.name, each.name) for each in there] if len(there) >= fan_in else []
    chosen = parts_to_merge(rows, fan_in=fan_in)
    if chosen is None:
        return None
    parts = there[chosen.start : chosen.stop]
    whole = Stretch(_STREAM, parts[0].first, parts[-1].last).name
    with lake.bare_connection() as connection:
        source = lake.reading_sql(LEDGER.name, [each.name for each in parts])
        return Merged(LEDGER.name, whole, len(parts), lake.write_part(LEDGER.name, whole, f"FROM {source}", connection))


def ledger_rows(
    lake: Lake,
    *,
    of_map: str | None = None,
    promise: str | None = None,
    verdict: str | None = None,
    breach: str | None = None,
    person: int | None = None,
    key: str | None = None,
    cause: str | None = None,
    top: int = MOST_LISTED,
) -> Table:
    """Promise instances in force with all their evidence, the latest breach first, at most `top` of them."""
    asked = choice(map=of_map, promise=promise, verdict=verdict, breach=breach, person=person, key=key, cause=cause)
    with lake.connection() as connection:
        found = connection.execute(question("ledger_list"), {**asked, "top": top})
        names = [each[0] for each in found.description or ()]
        rows = found.fetchall()
    return Table(
        says=f"{len(rows):,} promise instances of the ledger, the latest breach first.",
        columns=plain_rows(names, rows),
        counted="one row per instance, the judgement in force; ids name the interactions that are its evidence",
        notes={"cut": len(rows) == top},
    )


def instances_in_force(
    lake: Lake,
    maps: Sequence[Map] = (),
    *,
    of_map: str | None = None,
    promise: str | None = None,
    segment: str | None = None,
) -> Instances:
    """The instances of the ledger in force, ready for `keep_rates`.

    segment: a field of the opening interaction (`product`, `topic`, ...) to group by as "segment".
    """
    text = question("ledger_in_force")
    if segment is not None:
        if segment not in PATTERN_NAMES:
            raise DesirelineError(f"unknown field '{segment}'. {nearest(segment, PATTERN_NAMES)}".strip())
        column = BY_NAME[segment].column
        text = question("ledger_segment").format(column=column, instances=text)
    with lake.connection() as connection:
        found = connection.execute(text, {"none": NONE, "promise": promise, "map": of_map}).fetchnumpy()
    return _instances(found, maps)


def _instances(found: Mapping[str, Any], maps: Sequence[Map]) -> Instances:
    listed = {(each.name, promise.name): promise.at for each in maps for promise in each.promises}
    (map_code, map_words), (promise_code, words) = _coded(found["map"]), _coded(found["promise"])
    pairs, pair = np.unique(map_code * max(1, len(words)) + promise_code, return_inverse=True)
    occurring = [(map_words[code // len(words)], words[code % len(words)]) for code in pairs.tolist()]
    promises = sorted(set(occurring) | set(listed))
    steps = sorted({listed.get(each, "") for each in occurring} - {""})
    step = [steps.index(listed[each]) if listed.get(each) else -1 for each in occurring]
    groups = {name: _coded(found[name]) for name in ("channel", "segment") if name in found}
    verdict, verdicts = _coded(found["verdict"])
    judged_at = np.asarray(found["judged_at"], dtype=np.int64)
    return Instances(
        promises=promises,
        promise=np.array([promises.index(each) for each in occurring], dtype=np.int64)[pair],
        person=np.asarray(found["person"], dtype=np.int64),
        key=np.asarray(found["key_hash"], dtype=np.int64),
        opened_at=np.asarray(found["opened_at"], dtype=np.int64),
        due_at=np.asarray(found["due_at"], dtype=np.int64),
        settled_at=np.asarray(found["settled_at"], dtype=np.int64),
        verdict=np.array([VERDICTS.index(word) for word in verdicts], dtype=np.int64)[verdict],
        groups={"step": np.array(step, dtype=np.int64)[pair], **{name: codes for name, (codes, _) in groups.items()}},
        texts={"step": steps, **{name: texts for name, (_, texts) in groups.items()}},
        as_of=int(judged_at.max()) if len(judged_at) else None,
    )


def _coded(values: Any) -> tuple[NDArray[np.int64], list[str]]:
    """The place of each value among the sorted texts that occur, -1 for an empty one; and these texts."""
    masked = np.ma.asarray(values)
    listed = masked.data.astype(object)
    listed[np.ma.getmaskarray(masked)] = None
    numbers: dict[Any, int] = {}
    number = np.fromiter((numbers.setdefault(each, len(numbers)) for each in listed.tolist()), np.int64, len(listed))
    texts = sorted({str(each) for each in numbers if each not in (None, "")})
    place = {text: code for code, text in enumerate(texts)}
    codes = np.array([-1 if each is None else place.get(str(each), -1) for each in numbers], dtype=np.int64)
    return codes[number], texts


def _write(
    lake: Lake, judged: Judged, *, people: Sequence[int] | None, cause: str | None, keys: Iterable[str] = ()
) -> LedgerChange:
    choice(cause=cause)
    number = 1 + max((each.last for each in stretches(lake.parts(LEDGER.name), _STREAM)), default=0)
    part = Stretch(_STREAM, number, number).name
    texts, asked = judged_texts(judged), {"people": list(people or ())}
    known = {text_hash(each): each for each in keys}
    with lake.bare_connection() as connection:
        connection.register("judged_rows", judged.columns(*COLUMNS))
        connection.execute(f"CREATE TEMP VIEW ledger_rows AS {lake.table_sql(LEDGER.name)}")
        if people is None:
            connection.execute("CREATE TEMP VIEW ledger_past AS FROM ledger_rows")
        else:
            _gather_past(connection, asked, texts)
        last = connection.execute("SELECT max(judged_at) FROM ledger_rows").fetchone() or (None,)
        values = {"none": NONE, "everybody": people is None, "cause": cause, "last_judged_at": last[0]}
        found = _made(connection, "ledger_changed", question("ledger_change"), values | asked | texts)
        if not found:
            return LedgerChange("", 0, judged, list)
        _find_keys(lake, connection, list(known))
        values = {"as_of": judged.as_of, "known": list(known), "keys": list(known.values())}
        if people is None:
            lake.write_part(LEDGER.name, part, connection.sql(question("ledger_added"), params=values), connection)
            return LedgerChange(part, found, judged, partial(_rows_of_part, lake, part))
        _made(connection, "ledger_added", question("ledger_added"), values)
        lake.write_part(LEDGER.name, part, "FROM ledger_added", connection)
        changes = _rows(connection, "FROM ledger_added")
    return LedgerChange(part, found, judged, lambda: changes)


def _rows_of_part(lake: Lake, part: str) -> list[dict[str, Any]]:
    with lake.bare_connection() as connection:
        return _rows(connection, f"FROM {lake.reading_sql(LEDGER.name, [part])}")


def _rows(connection: DuckDBPyConnection, text: str) -> list[dict[str, Any]]:
    found = connection.execute(text)
    names = [each[0] for each in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _gather_past(connection: DuckDBPyConnection, people: Mapping[str, Any], texts: Mapping[str, Any]) -> None:
    """Make `ledger_past`: all the ledger ever said of these people's instances, also while they were others'."""
    _made(connection, "ledger_past", question("ledger_past"), people)
    named = {name: texts[name] for name in ("maps", "promises")}
    openings, opened = connection.execute(question("ledger_uncertain"), named).fetchnumpy().values()
    if len(openings):
        moments = np.ma.asarray(opened)
        ever = bool(np.ma.getmaskarray(moments).any())
        earliest, latest = (_EVER.min, _EVER.max) if ever else (moments.min(), moments.max())
        values = {**people, "openings": openings.tolist(), "earliest": int(earliest), "latest": int(latest)}
        connection.execute(f"INSERT INTO ledger_past {question('ledger_elsewhere')}", values)


def _find_keys(lake: Lake, connection: DuckDBPyConnection, known: list[int]) -> None:
    """Make `ledger_keys`: the keys of openings, looked up in what came in last and then among all of their time."""
    connection.execute("CREATE TEMP TABLE ledger_keys (same VARCHAR, id BIGINT, key VARCHAR)")
    parts = lake.parts(INTERACTIONS.name)
    newest = [each.name for each in stretches(parts, LIVE)[-_NEWEST_PARTS:]]
    for some in (newest, parts):
        if not some or not _made(connection, "ledger_keyless", question("ledger_keyless"), {"known": known}):
            continue
        times = connection.execute("SELECT min(opened_at), max(opened_at) FROM ledger_keyless").fetchone() or (0, 0)
        source = lake.reading_sql(INTERACTIONS.name, some)
        connection.execute(f"CREATE OR REPLACE TEMP VIEW interactions AS SELECT * FROM {source}")
        values = {"earliest": times[0], "latest": times[1]}
        connection.execute(f"INSERT INTO ledger_keys BY NAME {question('ledger_keys')}", values)


def _made(connection: DuckDBPyConnection, name: str, text: str, values: Mapping[str, Any]) -> int:
    """Make a temporary table of an answer; how many rows it has."""
    found = connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {text}", dict(values)).fetchone()
    return int(found[0]) if found else 0


STEPS = (Step("judge", ("journey_store", "interactions"), (LEDGER.name,), judge_all),)
"""The steps of this room, for `project.flow`."""
