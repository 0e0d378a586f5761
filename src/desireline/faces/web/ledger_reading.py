"""The ledger of one map as arrays: filtered by time and segment in a moment, and counted by the room's own rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from desireline.faces.web.url_state import ScreenState, month_after, month_begins
from desireline.faces.web.what_is_shown import PromiseShown
from desireline.promises import Instances, Map, Promise, keep_rates
from desireline.storage.journey_store import EMPTY_NUMBER
from desireline.vocabulary.estimate import keep_rate
from desireline.vocabulary.promise import BREACHES, VERDICTS

WAITING, KEPT, BROKEN, WITHDRAWN = (VERDICTS.index(word) for word in ("waiting", "kept", "broken", "withdrawn"))
MISSING = BREACHES.index("missing")
OVERDUE = "overdue"
"""Broken because nothing came, nothing has come since, and the journey has not fallen quiet: somebody still waits."""


@dataclass(frozen=True)
class LedgerOfMap:
    """The instances of a map's promises, arrays of equal length; `EMPTY_NUMBER` where there is no moment."""

    design: Map
    names: tuple[str, ...]
    promise: NDArray[np.int64]
    person: NDArray[np.int64]
    key_hash: NDArray[np.int64]
    opening_id: NDArray[np.int64]
    opened_at: NDArray[np.int64]
    due_at: NDArray[np.int64]
    settled_at: NDArray[np.int64]
    verdict: NDArray[np.int64]
    breach: NDArray[np.int64]
    lateness_seconds: NDArray[np.int64]
    made_good_at: NDArray[np.int64]
    as_of: int

    @classmethod
    def from_columns(
        cls, design: Map, names: tuple[str, ...], columns: Mapping[str, Any], *, as_of: int
    ) -> LedgerOfMap:
        """From the columns of `ledger_of_map.sql`."""
        return cls(
            design, names, **{name: np.asarray(values, dtype=np.int64) for name, values in columns.items()}, as_of=as_of
        )

    @property
    def overdue(self) -> NDArray[np.bool_]:
        """Which instances somebody still waits for, past the promised moment."""
        still = (self.verdict == BROKEN) & (self.breach == MISSING) & (self.settled_at == EMPTY_NUMBER)
        still &= self.made_good_at == EMPTY_NUMBER
        quiet = self.design.quiet_after
        waits: NDArray[np.bool_] = still if quiet is None else still & (self.due_at + quiet >= self.as_of)
        return waits

    def chosen(self, state: ScreenState, openings: NDArray[np.int64] | None) -> NDArray[np.bool_]:
        """The instances opened in the chosen months, and by one of `openings` where a segment was chosen."""
        chosen = np.ones(len(self.promise), dtype=bool)
        if state.first_month:
            chosen &= self.opened_at >= month_begins(state.first_month)
        if state.last_month:
            chosen &= self.opened_at < month_begins(month_after(state.last_month))
        if openings is not None:
            chosen &= np.isin(self.opening_id, openings)
        return chosen

    def broken_people(self, chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Everybody to whom a promise was broken, among the chosen instances."""
        return np.unique(self.person[chosen & (self.verdict == BROKEN)])

    def rows(self, chosen: NDArray[np.bool_], promise: str, verdict: str) -> NDArray[np.int64]:
        """The places of one promise's instances of a verdict, in the order people should read them."""
        mine = chosen & (self.promise == self.names.index(promise))
        mine &= self.overdue if verdict == OVERDUE else self.verdict == VERDICTS.index(verdict)
        rows = np.flatnonzero(mine)
        if verdict in (OVERDUE, "waiting"):
            due = np.where(self.due_at[rows] == EMPTY_NUMBER, np.iinfo(np.int64).max, self.due_at[rows])
            return rows[np.lexsort((self.opening_id[rows], self.opened_at[rows], due))]
        if verdict == "broken":
            open_still = (self.settled_at[rows] == EMPTY_NUMBER) & (self.breach[rows] == MISSING)
            waited = np.where(open_still, (self.as_of - self.due_at[rows]) // 1000, self.lateness_seconds[rows])
            return rows[np.lexsort((self.opening_id[rows], -waited, ~self.overdue[rows]))]
        return rows[np.lexsort((self.opening_id[rows], -self.opened_at[rows]))]

    def shown(self, chosen: NDArray[np.bool_]) -> tuple[PromiseShown, ...]:
        """The promises in the order of the journey, each with its rate and counts."""
        instances = self._instances()
        verdicts = _table(self.promise[chosen], self.verdict[chosen], len(self.names), len(VERDICTS))
        broken = chosen & (self.verdict == BROKEN)
        breaches = _table(self.promise[broken], self.breach[broken], len(self.names), len(BREACHES))
        overdue = np.bincount(self.promise[chosen & self.overdue], minlength=len(self.names))
        good = np.bincount(self.promise[broken & (self.made_good_at != EMPTY_NUMBER)], minlength=len(self.names))
        shown = []
        for number, promise in enumerate(in_order_of_the_journey(self.design), start=1):
            place = self.names.index(promise.name)
            counts = verdicts[place]
            mine = instances.where(chosen & (self.promise == place))
            rate = keep_rates(mine, by=())[0].estimate if len(mine) else keep_rate(kept=0, broken=0, what=promise.name)
            shown.append(
                PromiseShown(
                    number=number,
                    promise=promise.name,
                    says=promise.says or promise.name,
                    step=promise.at.rpartition("/")[2],
                    rate=rate,
                    limit=promise.keep,
                    kept=int(counts[KEPT]),
                    broken=int(counts[BROKEN]),
                    waiting=int(counts[WAITING]),
                    withdrawn=int(counts[WITHDRAWN]),
                    overdue=int(overdue[place]),
                    made_good=int(good[place]),
                    breaches={kind: int(count) for kind, count in zip(BREACHES, breaches[place], strict=True) if count},
                    rule=rule_in_words(promise),
                    critical=promise.critical,
                    public=promise.public,
                )
            )
        return tuple(shown)

    def _instances(self) -> Instances:
        return Instances(
            promises=[(self.design.name, name) for name in self.names],
            promise=self.promise,
            person=self.person,
            key=self.key_hash,
            opened_at=self.opened_at,
            due_at=self.due_at,
            settled_at=self.settled_at,
            verdict=self.verdict,
            as_of=self.as_of,
        )


def in_order_of_the_journey(design: Map) -> list[Promise]:
    """The promises by the step they are made at, else as they stand in the file."""
    places = {f"{step.phase}/{step.name}": place for place, step in enumerate(design.steps)}
    names = {step.name: place for place, step in enumerate(design.steps)}
    known = len(places)
    return sorted(design.promises, key=lambda p: places.get(p.at, names.get(p.at.rpartition("/")[2], known)))


def rule_in_words(promise: Promise) -> str:
    """The rule of a promise as the map writes it, in one line."""
    parts = [f"opened by {pattern_in_words(promise.when)}"]
    if promise.then is not None:
        parts.append(f"settled by {pattern_in_words(promise.then)}")
    if promise.never is not None:
        parts.append(f"never {pattern_in_words(promise.never)}")
    if promise.at_most is not None:
        parts.append(
            f"at most {promise.at_most.count} times {pattern_in_words(promise.at_most.of)} "
            f"within {promise.at_most.within.says}"
        )
    if promise.within is not None:
        whole = promise.within.everywhere
        by_channel = ", ".join(f"{channel} {each.says}" for channel, each in promise.within.by_channel.items())
        parts.append(f"within {whole.says if whole else by_channel}")
    if promise.same:
        parts.append(f"about the same {promise.same}")
    if promise.unless is not None:
        parts.append(f"unless {pattern_in_words(promise.unless)}")
    if promise.consent:
        parts.append(f"with consent to {promise.consent}")
    if promise.if_broken is not None:
        parts.append(f"if broken, {pattern_in_words(promise.if_broken.then)} within {promise.if_broken.within.says}")
    return "; ".join(parts)


def pattern_in_words(pattern: Any) -> str:
    """A pattern in one line, such as `touchpoint fraud.explained, channel phone or branch`."""
    words = []
    for condition in pattern.conditions:
        for test in condition.tests:
            values = " or ".join(_value(value) for value in test.values)
            link = {
                "is": "",
                "not": "not ",
                "exists": "is filled in " if test.values and test.values[0] else "is empty ",
            }.get(test.word, f"{test.word.replace('_', ' ')} ")
            words.append(f"{condition.field} {link}{'' if test.word == 'exists' else values}".strip())
    said = ", ".join(words)
    either = " or ".join(f"({pattern_in_words(each)})" for each in pattern.any)
    return ", ".join(part for part in (said, either) if part)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _table(rows: NDArray[np.int64], columns: NDArray[np.int64], height: int, width: int) -> NDArray[np.int64]:
    inside = (columns >= 0) & (columns < width)
    counts = np.bincount(rows[inside] * width + columns[inside], minlength=height * width)
    table: NDArray[np.int64] = counts.reshape(height, width)
    return table
