"""The steps of the room: who is who after imports and undone imports, and finding people in the lake."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from desireline.people import directory as directories
from desireline.people.caps import KNOWN_VALUE, MANY_OF_RANK, MANY_PERSONS, MANY_WEAKER, UNSHARED, known_shared, reason
from desireline.people.directory import Directory
from desireline.people.find import Found, KnownHandle, nobody_found, ranked
from desireline.people.join_and_part import changes
from desireline.people.resolve import Changes, Handles, Links, Resolution, build, grow, resolution
from desireline.people.seen_together import MOST_HANDLES_OF_AN_INTERACTION, handle_rows, seen_together, split
from desireline.people.settle import RANKS
from desireline.storage.journey_store import NOBODY
from desireline.storage.lake import Lake
from desireline.storage.part_names import Stretch, stretch_of, stretches, unmatched
from desireline.vocabulary.errors import DesirelineError, Mistake
from desireline.vocabulary.handles import HANDLE_KINDS, OTHER_RANK, rank
from desireline.vocabulary.step import Step
from desireline.vocabulary.tables import LINKS

MOST_ROWS_ONE_BY_ONE = 5_000
"""So many new interactions are read row by row; of more, the database is asked."""
MOST_FOUND = 50
HANDLES = "handles"
"""The stream of parts of the table `handles`: the first is the whole, later ones what changed since."""
_FEWEST_PHONE_DIGITS = 3


@dataclass(frozen=True, slots=True)
class Updated:
    """What an update did: whose person changed, and the directory to hand to the next update (or to forget).

    handle, person: what the journey store is to be told, each handle with its person; `NOBODY` under a handle that
    strangers share. All handles when everything was decided afresh, else those that changed or are new.
    touched: everybody whose interactions may be others than before, under the old names and the new, and whom the
    parts that arrived speak of. arrived: the parts of the lake that people had not taken in before.
    """

    changes: Changes
    directory: Directory
    handle: NDArray[np.int64]
    person: NDArray[np.int64]
    touched: NDArray[np.int64]
    arrived: tuple[str, ...] = ()


def update(lake: Lake, directory: Directory | None = None, *, leaving: Collection[str] = ()) -> Updated:
    """Take in imports that are new in the lake and withdraw those undone; write `links` and `handles`.

    Without the directory of the last update, and when an import was undone, everything is decided afresh from the
    links in the lake; with it, at the cost of what changed. Both give the same. `handles` is written before the parts
    of `links` that mark an import as taken in, so after a crash the same update is done again.

    leaving: parts of the lake that somebody else is about to take in.
    """
    known, there = lake.parts("links"), lake.parts("interactions")
    arrived = sorted(part for part in unmatched(there, known) if part not in leaving)
    gone = sorted({*unmatched(known, there), *_replaced(known, arrived)})
    if directory is not None and not gone:
        few = sum(lake.rows("interactions", part) for part in arrived) <= MOST_ROWS_ONE_BY_ONE
        return (_taken_in_one_by_one if few else _taken_in)(lake, directory, arrived)
    with lake.connection() as connection:
        _prepare(connection, lake, arrived=arrived, gone=gone)
        directory = build(_handles(connection), _links(connection, "links_after"))
        before, after = _before(connection), resolution(directory)
        if arrived or gone:
            _write_all_handles(connection, lake, after)
        _write_links(connection, lake, arrived)
    for part in gone:
        lake.remove_part("links", part)
    changed = changes(before, after)
    flipped = np.setxor1d(before.handle[before.why != UNSHARED], after.handle[after.why != UNSHARED])
    touched = _all_of(changed.old_person, changed.new_person, flipped, _speak_of(lake, directory, arrived))
    told = np.where(after.why == UNSHARED, after.person, NOBODY)
    return Updated(changed, directory, after.handle, told, touched, tuple(arrived))


def persons_of(lake: Lake, directory: Directory, parts: Sequence[str]) -> set[int]:
    """The persons that some parts of the lake speak of."""
    return set(_speak_of(lake, directory, parts).tolist())


def find(lake: Lake, text: str) -> list[Found]:
    """People known by a handle, a part of one, or a person's number, the best first, at most `MOST_FOUND` handles deep.

    Raises `DesirelineError` naming the nearest handle when nobody is found.
    """
    wanted = text.strip().lower()
    if not wanted:
        raise DesirelineError(Mistake("nothing to find.", do="Give an e-mail address, a phone number or part of one."))
    number = int(wanted) if wanted.isascii() and wanted.isdigit() and int(wanted[:20]) < 2**63 else None
    digits = "".join(letter for letter in wanted if letter.isdigit())
    is_phone = len(digits) >= _FEWEST_PHONE_DIGITS and not wanted.strip("+0123456789 -/().")
    with lake.connection() as connection:
        _set(connection, text=wanted, number=number, most=MOST_FOUND, digits=digits.lstrip("0") if is_phone else "")
        fits = [(KnownHandle(*row[:5]), int(row[5])) for row in connection.execute(_sql("people_found")).fetchall()]
        if not fits:
            near = connection.execute(_sql("nearest_handle")).fetchall()
            raise nobody_found(text, [row[0] for row in near])
        _set(connection, persons=sorted({fit.person for fit, _ in fits}))
        handles = [KnownHandle(*row) for row in connection.execute(_sql("handles_of_people")).fetchall()]
    return ranked(fits, handles)


RESOLVE_PEOPLE = Step("resolve_people", reads=("interactions",), writes=("links", "handles"), run=update)


def _taken_in(lake: Lake, directory: Directory, arrived: Sequence[str]) -> Updated:
    """Take in new imports at the cost of what is new: only handles that changed are looked up and written."""
    with lake.bare_connection() as connection:
        _lay_out_arrived(connection, lake, arrived)
        connection.execute(f"CREATE TEMP TABLE newcomers AS {_sql('handles_arrived')}")
        handle = np.asarray(connection.execute("SELECT handle FROM newcomers").fetchnumpy()["handle"], np.int64)
        fresh = handle[directories.places(directory, handle) < 0]
        connection.register("looked_up", {"handle": fresh})
        connection.execute("CREATE TEMP TABLE texts AS SELECT * FROM newcomers SEMI JOIN looked_up USING (handle)")
        links = Links(*(_numbers(connection.table("new_links"), name) for name in ("handle_a", "handle_b", "seen")))
        grown = grow(directory, _handles(connection), links.gathered())
        directory, written = grown.directory, grown.written
        place = directories.places(directory, written)
        person, why = directory.person[place], directory.why[place]
        if len(written):
            _look_up(connection, lake, np.setdiff1d(written, fresh))
            _judge_values(connection)
            _lay_out(connection, Resolution(written, person, why))
            _write_handles(connection, lake, begin=None)
        _write_links(connection, lake, arrived)
    spoken_of = _speak_of(lake, directory, arrived)
    touched = _all_of(grown.changes.old_person, grown.changes.new_person, person, spoken_of)
    told = np.where(why == UNSHARED, person, NOBODY)
    return Updated(grown.changes, directory, written, told, touched, tuple(arrived))


def _taken_in_one_by_one(lake: Lake, directory: Directory, arrived: Sequence[str]) -> Updated:
    """The same for a small batch, at the cost of its rows."""
    batch = {part: _read(lake, part) for part in arrived}
    seen = {part: seen_together(row[:3] for row in rows) for part, rows in batch.items()}
    texts = {handle: text for each in seen.values() for handle, text in each.texts.items()}
    named = {handle: split(text) for handle, text in texts.items()}
    place = directories.places(directory, np.array(list(named), np.int64))
    fresh = [handle for handle, there in zip(named, place.tolist(), strict=True) if there < 0]
    handles = Handles(
        np.array(fresh, np.int64),
        np.array([rank(named[handle][0]) for handle in fresh], np.int8),
        np.array([known_shared(*named[handle]) != "" for handle in fresh], np.bool_),
    )
    pairs = [(*pair, told[0]) for each in seen.values() for pair, told in each.pairs.items()]
    links = Links(*np.array(pairs, np.int64).reshape(-1, 3).T.copy())
    grown = grow(directory, handles, links.gathered())
    directory, written = grown.directory, grown.written
    place = directories.places(directory, written)
    person, why = directory.person[place], directory.why[place]
    if len(written):
        named |= _look_up_texts(lake, [handle for handle in written.tolist() if handle not in named])
        rows = handle_rows(written, [named[handle] for handle in written.tolist()], person, why)
        lake.write_rows("handles", _next_part(lake).name, rows)
    for part in arrived:
        lake.write_rows("links", part, seen[part].rows())
    own = np.array(sorted({row[3] for rows in batch.values() for row in rows if row[3] is not None}), np.int64)
    touched = _all_of(grown.changes.old_person, grown.changes.new_person, person, _persons(directory, own))
    told = np.where(why == UNSHARED, person, NOBODY)
    return Updated(grown.changes, directory, written, told, touched, tuple(arrived))


def _read(lake: Lake, part: str) -> list[tuple[Any, ...]]:
    rows = lake.reading_sql("interactions", [part])
    with lake.bare_connection() as connection:
        return connection.execute(f"SELECT handles, id, occurred_at, handle FROM {rows}").fetchall()


def _look_up_texts(lake: Lake, handles: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Kind and value of handles known before; every row of a handle tells the same."""
    if not handles:
        return {}
    rows = lake.reading_sql("handles", lake.parts("handles"))
    listed = ", ".join(map(str, handles))
    with lake.bare_connection() as connection:
        found = connection.execute(f"SELECT handle, kind, value FROM {rows} WHERE handle IN ({listed})").fetchall()
    return {handle: (kind, value) for handle, kind, value in found}


def _speak_of(lake: Lake, directory: Directory, parts: Sequence[str]) -> NDArray[np.int64]:
    if not parts:
        return np.empty(0, np.int64)
    rows = lake.reading_sql("interactions", parts)
    with lake.bare_connection() as connection:
        found = connection.execute(f"SELECT DISTINCT handle FROM {rows} WHERE handle IS NOT NULL").fetchnumpy()
    return _persons(directory, np.asarray(found["handle"], np.int64))


def _persons(directory: Directory, handle: NDArray[np.int64]) -> NDArray[np.int64]:
    place = directories.places(directory, handle)
    return np.where(place >= 0, directory.person[place], handle)


def _all_of(*persons: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.unique(np.concatenate(persons))


def _look_up(connection: duckdb.DuckDBPyConnection, lake: Lake, handles: NDArray[np.int64]) -> None:
    """Put handles known before among the `texts`, as the lake has them."""
    if len(handles):
        listed = ", ".join(str(handle) for handle in handles.tolist())
        connection.execute(
            "INSERT INTO texts SELECT handle, kind, value, 0 AS rank, shared AS suspect "
            f"FROM ({lake.table_sql('handles')}) WHERE handle IN ({listed})"
        )


def _replaced(known: Sequence[str], arrived: Sequence[str]) -> list[str]:
    """Parts of `links` whose interactions arrive again, in a longer part."""
    longer = [own for part in arrived if (own := stretch_of(part)) is not None]
    return [part for part in known if (own := stretch_of(part)) is not None and any(each.holds(own) for each in longer)]


def _lay_out_arrived(connection: duckdb.DuckDBPyConnection, lake: Lake, arrived: Sequence[str]) -> None:
    """Lay out the interactions that arrived, their links, and the kinds of handles."""
    ranks = [kind.rank for kind in HANDLE_KINDS]
    strong = [kind.strong for kind in HANDLE_KINDS]
    names = np.array([kind.name for kind in HANDLE_KINDS], object)
    connection.register("kinds", {"kind": names, "rank": np.array(ranks, np.int8), "strong": np.array(strong)})
    _set(connection, most_handles=MOST_HANDLES_OF_AN_INTERACTION, other_rank=OTHER_RANK)
    columns = ", ".join(f"{name} {kind}" for name, kind in LINKS.columns.items())
    connection.execute(f"CREATE TEMP TABLE new_links ({columns}, part VARCHAR)")
    for part in arrived:
        _view(connection, lake, "arrived", "interactions", [part])
        _set(connection, part=part)
        connection.execute(
            f"INSERT INTO new_links BY NAME SELECT *, getvariable('part') AS part FROM ({_sql('links_of_import')})"
        )
    _view(connection, lake, "arrived", "interactions", arrived)


def _prepare(connection: duckdb.DuckDBPyConnection, lake: Lake, *, arrived: Sequence[str], gone: Sequence[str]) -> None:
    """Lay out what the questions read: the interactions that arrived, their links, the links that go."""
    _lay_out_arrived(connection, lake, arrived)
    _set(connection, keep_known=not gone)
    _view(connection, lake, "gone_links", "links", gone)
    _view(connection, lake, "arrived", "interactions", lake.parts("interactions") if gone else arrived)
    connection.execute(f"CREATE TEMP TABLE newcomers AS {_sql('handles_arrived')}")
    connection.execute(f"CREATE TEMP TABLE texts AS {_sql('handle_texts')}")


def _view(connection: duckdb.DuckDBPyConnection, lake: Lake, name: str, table: str, parts: Sequence[str]) -> None:
    rows = lake.reading_sql(table, parts) if parts else f"{table} LIMIT 0"
    connection.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT * FROM {rows}")


def _judge_values(connection: duckdb.DuckDBPyConnection) -> NDArray[np.int64]:
    """Judge the few handles whose value looks like nobody's, one by one, with the reason; those that are."""
    suspects = connection.execute("SELECT handle, kind, value FROM texts WHERE suspect").fetchall()
    judged = [(handle, why) for handle, kind, value in suspects if (why := known_shared(kind, value))]
    shared = np.array([handle for handle, _ in judged], np.int64)
    connection.register("judged", {"handle": shared, "reason": np.array([why for _, why in judged], object)})
    return shared


def _handles(connection: duckdb.DuckDBPyConnection) -> Handles:
    """The handles among the `texts`."""
    shared = _judge_values(connection)
    found = connection.execute("SELECT handle, rank FROM texts").fetchnumpy()
    handle = np.asarray(found["handle"], np.int64)
    return Handles(handle, np.asarray(found["rank"], np.int8), np.isin(handle, shared))


def _links(connection: duckdb.DuckDBPyConnection, question: str) -> Links:
    found = connection.execute(_sql(question)).fetchnumpy()
    return Links(*(np.asarray(found[name], np.int64) for name in ("handle_a", "handle_b", "seen")))


def _before(connection: duckdb.DuckDBPyConnection) -> Resolution:
    found = connection.execute("SELECT handle, person, shared FROM handles ORDER BY handle").fetchnumpy()
    handle, person = (np.asarray(found[name], np.int64) for name in ("handle", "person"))
    return Resolution(handle, person, np.where(np.asarray(found["shared"], np.bool_), KNOWN_VALUE, UNSHARED))


def _lay_out(connection: duckdb.DuckDBPyConnection, after: Resolution) -> None:
    """Lay out who is whose, and the reasons in words."""
    whys = [MANY_PERSONS, MANY_WEAKER, *(MANY_OF_RANK + rank for rank in range(RANKS))]
    words = np.array([reason(why) for why in whys], object)
    connection.register("reasons", {"why": np.array(whys, np.int8), "reason": words})
    connection.register("resolved", {"handle": after.handle, "person": after.person, "why": after.why})


def _write_all_handles(connection: duckdb.DuckDBPyConnection, lake: Lake, after: Resolution) -> None:
    """Write the whole table anew as a part that covers all others; nobody sees the table without or half."""
    _lay_out(connection, after)
    whole = _write_handles(connection, lake, begin=0)
    for part in (*lake.covered("handles"), *lake.parts("handles")):
        if part != whole:
            lake.remove_part("handles", part)


def _write_handles(connection: duckdb.DuckDBPyConnection, lake: Lake, *, begin: int | None) -> str:
    """Write a part of `handles` that begins with a number, or behind the last one; a later row replaces an earlier."""
    following = _next_part(lake)
    part = (following if begin is None else following._replace(first=begin)).name
    lake.write_part("handles", part, _sql("handles_resolved"), connection)
    return part


def _next_part(lake: Lake) -> Stretch:
    number = max((each.last for each in stretches(lake.parts("handles"), HANDLES)), default=0) + 1
    return Stretch(HANDLES, number, number)


def _write_links(connection: duckdb.DuckDBPyConnection, lake: Lake, parts: Sequence[str]) -> None:
    for part in parts:
        connection.execute("SET VARIABLE part = ?", [part])
        select = "SELECT * EXCLUDE (part) FROM new_links WHERE part = getvariable('part')"
        lake.write_part("links", part, select, connection)


def _numbers(relation: duckdb.DuckDBPyRelation, name: str) -> NDArray[np.int64]:
    return np.asarray(relation.project(name).fetchnumpy()[name], np.int64)


def _set(connection: duckdb.DuckDBPyConnection, **values: object) -> None:
    for name, value in values.items():
        connection.execute(f"SET VARIABLE {name} = ?", [value])


def _sql(question: str) -> str:
    return files("desireline.people").joinpath(f"{question}.sql").read_text(encoding="utf-8")
