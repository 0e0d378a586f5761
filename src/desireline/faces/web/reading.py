"""How pages read an open project: once for each state of the project, then from memory."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from desireline.faces.web import people_reading
from desireline.faces.web.flow_reading import MapReading
from desireline.faces.web.latest import Latest
from desireline.faces.web.ledger_reading import OVERDUE, LedgerOfMap, in_order_of_the_journey
from desireline.faces.web.now import Kept, Now
from desireline.faces.web.url_state import ScreenState, month_after, month_begins, months_between
from desireline.faces.web.what_is_shown import (
    Choices,
    DesignedOverLived,
    LivedFlow,
    MapShown,
    PeopleFound,
    PeopleList,
    PersonLine,
    PersonRow,
    PromiseShown,
)
from desireline.promises import Map
from desireline.storage.journey_store import EMPTY_NUMBER
from desireline.vocabulary.interaction import BY_NAME, PATTERN_NAMES
from desireline.vocabulary.promise import BREACHES, VERDICTS
from desireline.vocabulary.which import Which

MOST_VALUES = 40
"""People are divided by columns that have no more distinct values than this."""
PAGE = 50
MOST_PREPARED = 3
"""So many screens, those asked for last, are made ready in a newer state before pages show it."""
NAMES_SECONDS = 60.0
WANTED_SECONDS = 180.0
"""So long after it was last asked for."""


class Reading:
    """Reads one project for its pages. Everything it gives away is a frozen value."""

    def __init__(self, project: Any, *, marker: Callable[[], int] = lambda: 0) -> None:
        self.project = project
        self._latest = Latest(project, prepare=self._prepare, marker=marker)
        self._wanted: OrderedDict[tuple[str, ScreenState], float] = OrderedDict()

    @property
    def now(self) -> Now:
        """The project as pages see it at this moment."""
        return self._latest.now

    @property
    def number(self) -> int:
        """The number of the latest event of live work that these figures may hold."""
        return self.now.number

    def names_of(self, people: Sequence[int], *, all_of_them: bool = False) -> dict[int, str]:
        """What some people are called; those known since less than a minute may not be told yet.

        all_of_them: for somebody who came a moment ago the project is read anew.
        """
        found = people_reading.names_of(self._latest.at_most(NAMES_SECONDS), people) if people else {}
        if all_of_them and set(found) != set(people):
            found = people_reading.names_of(self._latest.renewed(), people)
        return found

    def people_of_handles(self, handles: Sequence[int]) -> dict[int, int]:
        """Whose some handles are; for somebody who came a moment ago the project is read anew."""
        found = people_reading.people_of_handles(self.now, handles)
        if set(found) != set(handles):
            found = people_reading.people_of_handles(self._latest.renewed(), handles)
        return found

    def renewed(self) -> None:
        """Read the project as of this moment; somebody asked for it."""
        self._latest.renewed()

    def _prepare(self, now: Now) -> None:
        since = time.monotonic() - WANTED_SECONDS
        for (name, state), asked_at in list(self._wanted.items()):
            if asked_at > since and any(each.name == name for each in now.maps):
                self._screen(now, name, state)

    @property
    def name(self) -> str:
        """The project's name."""
        return str(self.project.file.name)

    @property
    def as_of(self) -> int:
        """The moment all numbers are for."""
        return self.now.as_of

    @property
    def interactions(self) -> int:
        """How many interactions there are."""
        return self.now.snapshot.interactions

    def warm_up(self) -> None:
        """Read what the first page needs before somebody waits for it."""
        now = self.now
        for name in self._map_names(now):
            self._screen(now, name, ScreenState())

    def close(self) -> None:
        """Let go of what was read."""
        self._latest.close()

    def kept(self, key: tuple[Any, ...], make: Callable[[], Kept]) -> Kept:
        """Something made from what was read, such as a drawn page, kept until the project changes."""
        return self.now.once(("made", *key), make)

    def map_names(self) -> list[str]:
        """The maps, the one with most burning promises first; of equals the one with the longest journey."""
        return self._map_names(self.now)

    def _map_names(self, now: Now) -> list[str]:
        def order() -> list[str]:
            burning = self._burning(now)
            return [
                each.name
                for each in sorted(now.maps, key=lambda each: (-burning[each.name], -len(each.steps), each.name))
            ]

        return list(now.once(("order of maps",), order))

    def promise_names(self, name: str) -> list[str]:
        """The promises of a map, in the order of the journey."""
        return [promise.name for promise in in_order_of_the_journey(self._map(self.now, name))]

    def segment_columns(self) -> list[str]:
        """The columns people can be divided by: texts with few distinct values."""
        return list(self._segments(self.now))

    def maps(self) -> list[MapShown]:
        """Every map with how its promises stand."""
        now = self.now
        shown = []
        for name in self._map_names(now):
            each = self._map(now, name)
            promises = self._promises(now, each, ScreenState())
            shown.append(
                MapShown(
                    each.name,
                    each.says,
                    each.owner,
                    len(each.steps),
                    len(promises),
                    sum(promise.kept for promise in promises),
                    sum(promise.broken for promise in promises),
                    sum(promise.waiting for promise in promises),
                    tuple(promise.state for promise in promises),
                    each.file_name,
                )
            )
        return shown

    def designed_over_lived(self, name: str, state: ScreenState) -> DesignedOverLived:
        """The one screen of a map for what the person chose."""
        self._wanted[name, state] = time.monotonic()
        self._wanted.move_to_end((name, state))
        while len(self._wanted) > MOST_PREPARED:
            self._wanted.popitem(last=False)
        return self._screen(self.now, name, state)

    def _screen(self, now: Now, name: str, state: ScreenState) -> DesignedOverLived:
        return now.once(("screen", name, state), lambda: self._designed_over_lived(now, name, state))

    def promise_shown(self, name: str, promise: str, state: ScreenState) -> PromiseShown:
        """One promise of a map, as its card shows it."""
        now = self.now
        return next(each for each in self._promises(now, self._map(now, name), state) if each.promise == promise)

    def promise_people(
        self, name: str, promise: str, state: ScreenState, *, verdict: str, page: int, size: int = PAGE
    ) -> PeopleList:
        """The people of one promise with a verdict (or still waiting past its moment), a page of them."""
        now = self.now
        ledger = self._ledger(now, self._map(now, name))
        rows = ledger.rows(self._chosen(now, ledger, state), promise, verdict)
        part = rows[(page - 1) * size : page * size]
        return PeopleList(
            heading=promise,
            says=f"{promise}, {verdict}",
            rows=tuple(self._person_rows(now, ledger, part, name, promise)),
            total=len(rows),
            page=page,
            pages=max(1, -(-len(rows) // size)),
            counted="One row for each time the promise was opened. The rate counts openings that waited together "
            "for one key once, so it may rest on fewer.",
            as_of=now.as_of,
        )

    def people_of_flow(self, name: str, state: ScreenState, page: int, **mark: str | None) -> PeopleFound:
        """The people behind a mark of the lived flow, a page of them."""
        now = self.now
        reading, which = self._map_reading(now, name), self._which(now, name, state)
        people = now.once(("people of flow", name, state, *sorted(mark.items())), lambda: reading.people(which, **mark))
        return people_reading.people_listed(now, people, page=page, size=PAGE)

    def find(self, text: str, page: int) -> PeopleFound:
        """The people whose handles hold a text; without one, those with most interactions."""
        return people_reading.find(self.now, self.project.lake, text, page=page, size=PAGE)

    def person(self, person: int, *, touches: int = people_reading.MOST_LISTED) -> PersonLine | None:
        """A person's line of years, with so many of the latest interactions listed; also of one who just came."""
        found = people_reading.person_line(self.now, person, touches=touches)
        if found is None and self.project.is_live:
            return people_reading.person_line(self._latest.renewed(), person, touches=touches)
        return found

    def _map(self, now: Now, name: str) -> Map:
        return next(each for each in now.maps if each.name == name)

    def _burning(self, now: Now) -> dict[str, int]:
        return {
            each.name: sum(p.state == "burns" for p in self._promises(now, each, ScreenState())) for each in now.maps
        }

    def _ledger(self, now: Now, design: Map) -> LedgerOfMap:
        return now.once(("ledger", design.name), lambda: _ledger_of(now, design))

    def _promises(self, now: Now, design: Map, state: ScreenState) -> tuple[PromiseShown, ...]:
        def count() -> tuple[PromiseShown, ...]:
            ledger = self._ledger(now, design)
            nobody = now.once(("openings of nobody",), self.project.ledger.openings_of_nobody)
            return tuple(
                replace(each, of_nobody=nobody.get((design.name, each.promise), 0))
                for each in ledger.shown(self._chosen(now, ledger, state))
            )

        return now.once(("promises", design.name, state), count)

    def _chosen(self, now: Now, ledger: LedgerOfMap, state: ScreenState) -> NDArray[np.bool_]:
        openings = None
        if state.segment_column:
            values = {"map": ledger.design.name, "value": state.segment_value}
            column = BY_NAME[state.segment_column].column
            openings = now.once(
                ("openings", ledger.design.name, state.segment),
                lambda: np.asarray(now.arrays("openings_with", values, column=column)["opening_id"], dtype=np.int64),
            )
        return ledger.chosen(state, openings)

    def _map_reading(self, now: Now, name: str) -> MapReading:
        return now.once(("map", name), lambda: MapReading(now.snapshot, self._map(now, name)))

    def _which(self, now: Now, name: str, state: ScreenState) -> Which:
        """The same selection for the flow as for the promises: months in which journeys begin, and whole journeys."""
        people = None
        if state.only_broken:
            ledger = self._ledger(now, self._map(now, name))
            people = ledger.broken_people(self._chosen(now, ledger, state))
        return Which(
            from_ms=month_begins(state.first_month) if state.first_month else None,
            until_ms=month_begins(month_after(state.last_month)) if state.last_month else None,
            where={state.segment_column: state.segment_value} if state.segment_column else {},
            where_in="journeys",
            people=people,
        )

    def _designed_over_lived(self, now: Now, name: str, state: ScreenState) -> DesignedOverLived:
        design = self._map(now, name)
        promises = self._promises(now, design, state)
        reading = self._map_reading(now, name)
        flow = reading.flow(self._which(now, name, state), promises) if now.snapshot.people else None
        return DesignedOverLived(
            map=name,
            says=design.says,
            state=state,
            choices=self._choices(now),
            promises=promises,
            flow=flow or LivedFlow((), (), (), 0, 0),
            as_of=now.as_of,
            counted=counted_how(design, state),
        )

    def _choices(self, now: Now) -> Choices:
        def find() -> Choices:
            counts = {row["month"]: int(row["interactions"]) for row in now.rows("months")}
            months = months_between(min(counts), max(counts)) if counts else ()
            return Choices(
                months,
                tuple(counts.get(month, 0) for month in months),
                self._segments(now),
                tuple(self._map_names(now)),
                self._burning(now),
            )

        return now.once(("choices",), find)

    def _segments(self, now: Now) -> dict[str, tuple[str, ...]]:
        found = {}
        for name in PATTERN_NAMES:
            field = BY_NAME[name]
            if field.type != "text" or field.key or name not in now.snapshot.columns:
                continue
            words = [word for word in now.snapshot.words(name) if word]
            if 2 <= len(words) <= MOST_VALUES:
                found[name] = tuple(sorted(words))
        return found

    def _person_rows(
        self, now: Now, ledger: LedgerOfMap, rows: NDArray[np.int64], name: str, promise: str
    ) -> list[PersonRow]:
        openings = ledger.opening_id[rows].tolist()
        values = {"map": name, "promise": promise, "openings": openings}
        details = {row["opening_id"]: row for row in now.rows("instances_shown", values)} if openings else {}
        names = people_reading.names_of(now, ledger.person[rows].tolist())
        made, overdue = [], ledger.overdue
        for row in rows.tolist():
            detail = details.get(int(ledger.opening_id[row]), {})
            breach = int(ledger.breach[row])
            person = int(ledger.person[row])
            made.append(
                PersonRow(
                    person=person,
                    name=names.get(person, f"person {person}"),
                    opened_at=int(ledger.opened_at[row]),
                    due_at=_given(ledger.due_at[row]),
                    settled_at=_given(ledger.settled_at[row]),
                    verdict=VERDICTS[int(ledger.verdict[row])],
                    breach=BREACHES[breach] if breach >= 0 else "",
                    lateness_seconds=int(ledger.lateness_seconds[row]) or None,
                    made_good_at=_given(ledger.made_good_at[row]),
                    channel=detail.get("channel", ""),
                    key=detail.get("key", ""),
                    opening_id=int(ledger.opening_id[row]),
                    settling_id=detail.get("settling_id"),
                    breaking_id=detail.get("breaking_id"),
                    still_waits=bool(overdue[row]),
                )
            )
        return made


def counted_how(design: Map, state: ScreenState) -> str:
    """How the flow is counted, in words."""
    quiet = (
        f", or until nothing the map names happens for {design.quiet_after // 86_400_000} days"
        if design.quiet_after
        else ""
    )
    parts = [
        f"A journey runs from its begin to its end{quiet}",
        "an interaction belongs to the first designed step it matches, all others are (other)",
        "a journey belongs to the month in which it began, a promise to the month in which it was opened",
    ]
    if state.segment_column:
        parts.append(
            f"with {state.segment_column} {state.segment_value}: promises opened by such an interaction, "
            "journeys that hold one"
        )
    if state.only_broken:
        parts.append("only broken: the flow of people to whom a promise of this map was broken in the chosen time")
    return "; ".join(parts) + "."


def _ledger_of(now: Now, design: Map) -> LedgerOfMap:
    names = tuple(promise.name for promise in design.promises)
    values = {
        "map": design.name,
        "promises": list(names),
        "verdicts": list(VERDICTS),
        "breaches": list(BREACHES),
        "none": EMPTY_NUMBER,
    }
    return LedgerOfMap.from_columns(design, names, now.arrays("ledger_of_map", values), as_of=now.as_of)


def _given(value: Any) -> int | None:
    return None if int(value) == EMPTY_NUMBER else int(value)


__all__ = ["OVERDUE", "PAGE", "Reading", "counted_how"]
