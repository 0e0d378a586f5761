"""Small parts of the lake merged into longer ones, so that days of a part a second stay quick to read.

A merge writes one new part beside those it holds. From the moment that file has its name, readers leave the
small ones out (`part_names`); these are deleted a minute later, when nobody reads them any more. A crash
leaves a merge not begun, or done with something still to delete: nothing is ever doubled or lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from desireline.storage.durable import TEMPORARY, replacing
from desireline.storage.journey_store import JourneyStore
from desireline.storage.lake import HANDLES_IN_A_GROUP, PARQUET, Lake, quoted, reading_sql
from desireline.storage.part_names import Stretch, stretch_of, stretches, unmatched
from desireline.vocabulary.errors import Mistake, WorkFailed
from desireline.vocabulary.tables import HANDLES, INTERACTIONS, LINKS, TABLES

LIVE = "live"
"""The stream of what comes in live."""
FAN_IN = 16
"""So many parts of about one size become one."""
MOST_ROWS = 1_000_000
"""A part of interactions grows no longer than this."""
SHORT_PART_ROWS = 10_000
"""A part no longer than this is always quick to write again."""
_MERGED_BY = {LINKS.name: "links_merged.sql", HANDLES.name: "handles_merged.sql"}
GRACE_MS = 60_000
"""So long a file that was merged into another stays for those who are reading it; no question takes longer."""


class Merged(NamedTuple):
    """One merge: the table, the part that was written, how many parts it holds, and its rows."""

    table: str
    part: str
    of: int
    rows: int


def merge_live_parts(
    lake: Lake, store: JourneyStore, *, now: int, fan_in: int = FAN_IN, most_rows: int = MOST_ROWS
) -> tuple[Merged, ...]:
    """Merge what came in live where enough small parts have gathered: at most one merge a table, often none.

    Only what people and the journey store have taken in is merged; the store itself need not change. The links
    come first, each pair once in a merged part. `now`, UTC milliseconds, decides which merged files are old
    enough to be deleted. Whoever calls must be the one who writes the project.
    """
    forget_covered(lake, before=now - GRACE_MS)
    waiting = set(unmatched(lake.parts(INTERACTIONS.name), lake.parts(LINKS.name))) | set(store.behind()[0])
    there = stretches((part for part in lake.parts(INTERACTIONS.name) if part not in waiting), LIVE)
    if len(there) < fan_in:
        return ()
    rows = [lake.rows(INTERACTIONS.name, each.name) for each in there]
    chosen = next_merge(rows, fan_in=fan_in, most_rows=most_rows)
    if chosen is None:
        return ()
    whole = _whole(there[chosen.start : chosen.stop])
    of_links = [each for each in stretches(lake.parts(LINKS.name), LIVE) if whole.holds(each)]
    linked = (_merge(lake, LINKS.name, of_links, into=whole),) if [each for each in of_links if each != whole] else ()
    return (*linked, _merge(lake, INTERACTIONS.name, there[chosen.start : chosen.stop], into=whole))


def merge_handles(lake: Lake, *, prefix: str, now: int, fan_in: int = FAN_IN) -> Merged | None:
    """Merge the handles' changes, of each handle the last row, where enough small parts have gathered."""
    forget_covered(lake, before=now - GRACE_MS)
    there = stretches(lake.parts(HANDLES.name), prefix)
    if len(there) < fan_in:
        return None
    chosen = next_merge([lake.rows(HANDLES.name, each.name) for each in there], fan_in=fan_in, most_rows=None)
    if chosen is None:
        return None
    parts = there[chosen.start : chosen.stop]
    return _merge(lake, HANDLES.name, parts, into=_whole(parts))


def forget_covered(lake: Lake, *, before: int | None = None) -> int:
    """Delete parts that were merged into others before a moment (UTC milliseconds; none: all); says how many.

    Without a moment also what a crash left half written goes: call it so when a project is opened for writing.
    """
    gone = 0
    for table in TABLES:
        covered = lake.covered(table)
        shown = [own for part in lake.parts(table) if (own := stretch_of(part)) is not None] if covered else []
        for part in covered:
            around = next(each for each in shown if (own := stretch_of(part)) is not None and each.holds(own))
            if before is None or _written_at(lake.path(table, around.name)) < before:
                gone += lake.remove_part(table, part)
        if before is None:
            for path in (lake.folder / table).glob(f"*{TEMPORARY}"):
                path.unlink(missing_ok=True)
    return gone


def next_merge(rows: Sequence[int], *, fan_in: int, most_rows: int | None) -> range | None:
    """Which neighbours of a row of parts to merge next, by their rows: the smallest parts that are enough.

    Parts are sorted by tiers, each `fan_in` times the one below. A stretch of at least `fan_in` parts of one tier
    or below is merged, so that every row is written again about once a tier; a long part that is more than twice
    all others of the stretch together is not written again for their sake.

    >>> next_merge([4000] + [10] * 16, fan_in=16, most_rows=None)
    range(1, 17)
    >>> next_merge([10] * 15, fan_in=16, most_rows=None) is None
    True
    >>> next_merge([400_000] + [10] * 15, fan_in=16, most_rows=None) is None
    True
    """
    tiers = [_tier(count, fan_in) for count in rows]
    for tier in sorted(set(tiers)):
        begin = total = 0
        for end, count in enumerate(rows):
            if tiers[end] > tier or (most_rows is not None and count > most_rows // 2):
                begin, total = end + 1, 0
                continue
            if most_rows is not None and total + count > most_rows:
                return range(begin, end)
            total += count
            if end + 1 - begin >= fan_in and _worth_it(rows[begin : end + 1]):
                return range(begin, end + 1)
    return None


def _worth_it(rows: Sequence[int]) -> bool:
    """Whether the longest of these parts may be written again for the sake of the others."""
    longest = max(rows)
    return longest <= max(SHORT_PART_ROWS, 2 * (sum(rows) - longest))


def _tier(rows: int, fan_in: int) -> int:
    tier = 0
    while rows >= fan_in:
        rows //= fan_in
        tier += 1
    return tier


def _whole(parts: Sequence[Stretch]) -> Stretch:
    return Stretch(parts[0].prefix, parts[0].first, parts[-1].last)


def _merge(lake: Lake, table: str, parts: Sequence[Stretch], *, into: Stretch) -> Merged:
    paths = [str(lake.path(table, each.name)) for each in parts]
    source = reading_sql(TABLES[table], paths, also=", filename = true" if table in _MERGED_BY else "")
    with lake.bare_connection() as connection, replacing(lake.path(table, into.name)) as temporary:
        connection.execute(f"CREATE TEMP VIEW arrived AS SELECT * FROM {source}")
        select = files(__package__).joinpath(_MERGED_BY[table]).read_text() if table in _MERGED_BY else "FROM arrived"
        options = f"{PARQUET}, ROW_GROUP_SIZE {HANDLES_IN_A_GROUP}" if table == HANDLES.name else PARQUET
        found = connection.execute(f"COPY ({select}) TO {quoted(str(temporary))} ({options})").fetchone()
        rows = int(found[0]) if found else 0
        expected = sum(lake.rows(table, each.name) for each in parts)
        if table == INTERACTIONS.name and rows != expected:
            raise WorkFailed(Mistake(f"{rows:,} rows in place of {expected:,}.", f"merging into part '{into.name}'"))
    return Merged(table, into.name, len(parts), rows)


def _written_at(path: Path) -> int:
    return path.stat().st_mtime_ns // 1_000_000
