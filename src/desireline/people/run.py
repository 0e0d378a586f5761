"""The steps of the room: who is who after imports and undone imports, and finding people in the lake."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

import duckdb
import numpy as np

from desireline.people.caps import MANY_OF_RANK, MANY_PERSONS, MANY_WEAKER, known_shared, reason
from desireline.people.directory import Directory
from desireline.people.find import Found, KnownHandle, nobody_found, ranked
from desireline.people.join_and_part import changes
from desireline.people.resolve import Changes, Handles, Links, Resolution, build, grow, resolution
from desireline.people.settle import RANKS
from desireline.storage.lake import Lake
from desireline.vocabulary.errors import DesirelineError, Mistake
from desireline.vocabulary.handles import HANDLE_KINDS, OTHER_RANK
from desireline.vocabulary.step import Step

MOST_HANDLES_OF_AN_INTERACTION = 16
"""An interaction that carries more handles than this is a mailing list: evidence about nobody."""
MOST_FOUND = 50
_FEWEST_PHONE_DIGITS = 3


@dataclass(frozen=True, slots=True)
class Updated:
    """What an update did: whose person changed, and the directory to hand to the next update (or to forget)."""

    changes: Changes
    directory: Directory


def update(lake: Lake, directory: Directory | None = None) -> Updated:
    """Take in imports that are new in the lake and withdraw those undone; write `links` and `handles`.

    Without the directory of the last update everything is decided afresh from the links in the lake;
    with it, at the cost of what changed. Both give the same. `handles` is written before the parts
    of `links` that mark an import as taken in, so after a crash the same update is done again.
    """
    known, there = set(lake.parts("links")), set(lake.parts("interactions"))
    arrived, gone = sorted(there - known), sorted(known - there)
    with lake.connection() as connection:
        _prepare(connection, lake, arrived=arrived, gone=gone)
        handles = _handles(connection)
        if directory is None:
            directory = build(handles, _links(connection, "links_after"))
            after = resolution(directory)
            changed = changes(_before(connection), after)
        else:
            grown = grow(directory, handles, _links(connection, "links_changed"))
            directory, changed, after = grown.directory, grown.changes, resolution(grown.directory)
        if arrived or gone:
            _write_handles(connection, lake, after)
        for part in arrived:
            connection.execute("SET VARIABLE part = ?", [part])
            select = "SELECT * EXCLUDE (part) FROM new_links WHERE part = getvariable('part')"
            lake.write_part("links", part, select, connection)
    for part in gone:
        lake.remove_part("links", part)
    return Updated(changed, directory)


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


def _prepare(connection: duckdb.DuckDBPyConnection, lake: Lake, *, arrived: Sequence[str], gone: Sequence[str]) -> None:
    """Lay out what the questions read: the interactions that arrived, their links, the links that go."""
    ranks = [kind.rank for kind in HANDLE_KINDS]
    strong = [kind.strong for kind in HANDLE_KINDS]
    names = np.array([kind.name for kind in HANDLE_KINDS], object)
    connection.register("kinds", {"kind": names, "rank": np.array(ranks, np.int8), "strong": np.array(strong)})
    _set(connection, most_handles=MOST_HANDLES_OF_AN_INTERACTION, other_rank=OTHER_RANK, keep_known=not gone)
    connection.execute("CREATE TEMP TABLE new_links AS SELECT *, '' AS part FROM links WHERE false")
    for part in arrived:
        _view(connection, lake, "arrived", "interactions", [part])
        _set(connection, part=part)
        connection.execute(
            f"INSERT INTO new_links BY NAME SELECT *, getvariable('part') AS part FROM ({_sql('links_of_import')})"
        )
    _view(connection, lake, "gone_links", "links", gone)
    _view(connection, lake, "arrived", "interactions", lake.parts("interactions") if gone else arrived)
    connection.execute(f"CREATE TEMP TABLE newcomers AS {_sql('handles_arrived')}")
    connection.execute(f"CREATE TEMP TABLE texts AS {_sql('handle_texts')}")


def _view(connection: duckdb.DuckDBPyConnection, lake: Lake, name: str, table: str, parts: Sequence[str]) -> None:
    rows = lake.reading_sql(table, parts) if parts else f"{table} LIMIT 0"
    connection.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT * FROM {rows}")


def _handles(connection: duckdb.DuckDBPyConnection) -> Handles:
    """The handles there are; the few whose value looks like nobody's are judged one by one, with the reason."""
    suspects = connection.execute("SELECT handle, kind, value FROM texts WHERE suspect").fetchall()
    judged = [(handle, why) for handle, kind, value in suspects if (why := known_shared(kind, value))]
    shared = np.array([handle for handle, _ in judged], np.int64)
    connection.register("judged", {"handle": shared, "reason": np.array([why for _, why in judged], object)})
    found = connection.execute("SELECT handle, rank FROM texts").fetchnumpy()
    handle = np.asarray(found["handle"], np.int64)
    return Handles(handle, np.asarray(found["rank"], np.int8), np.isin(handle, shared))


def _links(connection: duckdb.DuckDBPyConnection, question: str) -> Links:
    found = connection.execute(_sql(question)).fetchnumpy()
    return Links(*(np.asarray(found[name], np.int64) for name in ("handle_a", "handle_b", "seen")))


def _before(connection: duckdb.DuckDBPyConnection) -> Resolution:
    found = connection.execute("SELECT handle, person FROM handles ORDER BY handle").fetchnumpy()
    handle, person = (np.asarray(found[name], np.int64) for name in ("handle", "person"))
    return Resolution(handle, person, np.zeros(len(handle), np.int8))


def _write_handles(connection: duckdb.DuckDBPyConnection, lake: Lake, after: Resolution) -> None:
    whys = [MANY_PERSONS, MANY_WEAKER, *(MANY_OF_RANK + rank for rank in range(RANKS))]
    words = np.array([reason(why) for why in whys], object)
    connection.register("reasons", {"why": np.array(whys, np.int8), "reason": words})
    connection.register("resolved", {"handle": after.handle, "person": after.person, "why": after.why})
    lake.replace_table("handles", _sql("handles_resolved"), connection)


def _set(connection: duckdb.DuckDBPyConnection, **values: object) -> None:
    for name, value in values.items():
        connection.execute(f"SET VARIABLE {name} = ?", [value])


def _sql(question: str) -> str:
    return files("desireline.people").joinpath(f"{question}.sql").read_text(encoding="utf-8")
