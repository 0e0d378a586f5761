"""People as pages show them: found by a handle, listed behind a number, and with their line of years."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from desireline.faces.web.now import Now
from desireline.faces.web.what_is_shown import HandleShown, PeopleFound, PersonFound, PersonLine, PromiseMark, Touch
from desireline.vocabulary.errors import DesirelineError
from desireline.vocabulary.handles import rank
from desireline.vocabulary.units import counted

MOST_LISTED = 60
"""So many interactions the table beneath a line of years lists; the picture and the exports hold more."""
_HANDLES_IN_A_LIST = 4


def find(now: Now, lake: Any, text: str, *, page: int, size: int) -> PeopleFound:
    """The people whose handles hold a text; without one, those with most interactions."""
    if text:
        from desireline.people import find as find_people

        try:
            ids = np.array([found.person for found in find_people(lake, text)], dtype=np.int64)
        except DesirelineError:
            ids = np.zeros(0, dtype=np.int64)
        return people_listed(now, ids, page=page, size=size)
    return people_listed(now, now.once(("most active",), lambda: _most_active(now)), page=page, size=size)


def people_listed(now: Now, people: NDArray[np.int64], *, page: int, size: int) -> PeopleFound:
    """A page of a list of people, in the given order."""
    part = [int(person) for person in people[(page - 1) * size : page * size]]
    handles = _handles(now, part)
    spans = {person: _span(now, person) for person in part}
    rows = tuple(
        PersonFound(
            person=person,
            name=_name(handles.get(person, []), person),
            handles=_in_a_line(handles.get(person, [])),
            interactions=spans[person][0],
            first_at=spans[person][1],
            last_at=spans[person][2],
        )
        for person in part
    )
    return PeopleFound(rows, len(people), page, max(1, -(-len(people) // size)))


def names_of(now: Now, people: Sequence[int]) -> dict[int, str]:
    """What each of some people is called in a list."""
    return {person: _name(handles, person) for person, handles in _handles(now, sorted(set(people))).items()}


def people_of_handles(now: Now, handles: Sequence[int]) -> dict[int, int]:
    """Whose some handles are."""
    rows = now.rows("people_of_handles", {"handles": list(handles)}) if handles else []
    return {int(row["handle"]): int(row["person"]) for row in rows}


def person_line(now: Now, person: int, *, touches: int = MOST_LISTED) -> PersonLine | None:
    """A person's line of years, or nothing when there is no such person."""
    place = _place(now, person)
    if place is None:
        return None
    bucket, number = place
    rows = slice(int(bucket.start[number]), int(bucket.start[number] + bucket.length[number]))
    words = [*now.snapshot.words("channel"), ""]
    at, channel = bucket.column("occurred_at")[rows].tolist(), bucket.column("channel")[rows].tolist()
    ids = bucket.column("id")[rows][-touches:].tolist()
    handles = _handles(now, [person]).get(person, [])
    says = {(each.name, promise.name): promise.says for each in now.maps for promise in each.promises}
    return PersonLine(
        person=person,
        name=_name(handles, person),
        handles=tuple(_evidence(now, person, handles)),
        touches=tuple(
            Touch(
                row["id"], row["occurred_at"], row["channel"], row["touchpoint"], row["direction"], row["about_case"],
                row["words"], row["source"], row["raw"],
            )
            for row in now.rows("touches_shown", {"ids": ids})
        ),
        total=len(at),
        promises=tuple(
            PromiseMark(
                row["map"], row["promise"], says.get((row["map"], row["promise"]), row["promise"]), row["verdict"],
                row["breach"],
                row["opened_at"], row["due_at"], row["settled_at"], row["lateness_seconds"], row["made_good_at"],
            )
            for row in now.rows("promises_of_person", {"person": person})
        ),
        moments=tuple(zip(at, (words[code] for code in channel), strict=True)),
        as_of=now.as_of,
    )  # fmt: skip


def _evidence(now: Now, person: int, handles: Sequence[dict[str, Any]]) -> list[HandleShown]:
    seen = {(row["kind"], row["value"]): row for row in now.rows("handle_evidence", {"person": person})}
    shown = []
    for handle in handles:
        beside = seen.get((handle["kind"], handle["value"]))
        reason = handle["reason"] or (
            f"seen with {beside['seen_with']} on {counted(int(beside['times']), 'interaction')}"
            if beside
            else "the only handle it came with"
        )
        shown.append(HandleShown(handle["kind"], handle["value"], reason, bool(handle["shared"])))
    return shown


def _handles(now: Now, people: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    if people:
        for row in now.rows("handles_of_people", {"people": list(people)}):
            found.setdefault(int(row["person"]), []).append(row)
    return found


def _name(handles: Sequence[dict[str, Any]], person: int) -> str:
    ordered = sorted(handles, key=lambda each: (each["kind"] != "email", rank(each["kind"]), each["value"]))
    if not ordered:
        return f"person {person}"
    best = ordered[0]
    return str(best["value"]) if best["kind"] == "email" else f"{best['kind']} {best['value']}"


def _in_a_line(handles: Sequence[dict[str, Any]]) -> str:
    shown = " · ".join(f"{each['kind']} {each['value']}" for each in handles[:_HANDLES_IN_A_LIST])
    more = len(handles) - _HANDLES_IN_A_LIST
    return f"{shown} and {more:,} more" if more > 0 else shown


def _place(now: Now, person: int) -> tuple[Any, int] | None:
    for bucket in now.snapshot.buckets:
        place = int(np.searchsorted(bucket.person, person))
        if place < len(bucket.person) and bucket.person[place] == person and bucket.length[place]:
            return bucket, place
    return None


def _span(now: Now, person: int) -> tuple[int, int, int]:
    place = _place(now, person)
    if place is None:
        return 0, 0, 0
    bucket, number = place
    first, count = int(bucket.start[number]), int(bucket.length[number])
    at = bucket.column("occurred_at")
    return count, int(at[first]), int(at[first + count - 1])


def _most_active(now: Now) -> NDArray[np.int64]:
    """Everybody, those with most interactions first."""
    if not now.snapshot.buckets:
        return np.zeros(0, dtype=np.int64)
    people = np.concatenate([bucket.person for bucket in now.snapshot.buckets])
    counts = np.concatenate([bucket.length for bucket in now.snapshot.buckets])
    ordered: NDArray[np.int64] = people[counts > 0][np.lexsort((people[counts > 0], -counts[counts > 0]))]
    return ordered
