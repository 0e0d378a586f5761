"""Which promises fall due next and which were broken just now: kept in mind, so that no page has to search for it."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from desireline.vocabulary.units import HOUR_MS, counted

MOST_WAITING = 2_000
"""So many of the next due are kept; when few of them are left, they are read again."""
FEWEST_WAITING = 200
MOST_BROKEN = 20_000
Instance = tuple[str, str, int]
"""Map, promise and the id of the opening: names an instance for ever."""


@dataclass(frozen=True, slots=True)
class PromiseAtStake:
    """One promise to one person that waits for its moment, or that was broken at one."""

    map: str
    promise: str
    person: int
    key: str
    channel: str
    opened_at: int
    due_at: int | None
    broke_at: int | None
    verdict: str
    breach: str
    number: int

    @property
    def moment(self) -> int:
        """When it broke, or falls due; UTC milliseconds."""
        return self.broke_at or self.due_at or self.opened_at


@dataclass(frozen=True, slots=True)
class Stakes:
    """Promises at stake: those of one kind, at most so many, and how many there are."""

    what: str
    rows: tuple[PromiseAtStake, ...]
    total: int
    is_all: bool
    now: int

    @property
    def words(self) -> str:
        """How many there are, in words."""
        return f"{'' if self.is_all else 'at least '}{counted(self.total, 'promise')}"


class PromisesBoard:
    """The next dues and the breaches of the last hour."""

    def __init__(self) -> None:
        self._waiting: dict[Instance, PromiseAtStake] = {}
        self._broken: dict[Instance, PromiseAtStake] = {}
        self._horizon: int | None = None

    def begin(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Begin anew with what the ledger holds: at most `MOST_WAITING` of the next due, and those broken."""
        self._waiting.clear()
        self._broken.clear()
        self._horizon = None
        for row in rows:
            self.change(row)
        if len(self._waiting) >= MOST_WAITING:
            self._horizon = max(each.moment for each in self._waiting.values())

    @property
    def needs_reading(self) -> bool:
        """Whether so many dues have passed that more have to be read from the ledger."""
        return self._horizon is not None and len(self._waiting) < FEWEST_WAITING

    def change(self, row: Mapping[str, Any]) -> None:
        """A row of the ledger changed."""
        name = (row["map"], row["promise"], int(row["opening_id"]))
        stake = _stake(row)
        for known in (self._waiting, self._broken):
            before = known.get(name)
            if before is not None and before.number > stake.number:
                return
            known.pop(name, None)
        if row.get("cause") == "gone":
            return
        if stake.verdict == "waiting" and stake.due_at is not None:
            if self._horizon is None or stake.due_at <= self._horizon:
                self._waiting[name] = stake
        elif stake.verdict == "broken":
            self._broken[name] = stake

    def forget_before(self, now: int) -> None:
        """Let go of what broke more than an hour ago; of very many keep the latest."""
        late = [name for name, stake in self._broken.items() if stake.moment < now - HOUR_MS]
        for name in late:
            del self._broken[name]
        if len(self._broken) > MOST_BROKEN:
            latest = heapq.nlargest(MOST_BROKEN, self._broken.items(), key=lambda each: each[1].moment)
            self._broken = dict(latest)

    def next_due(self, now: int, most: int) -> list[PromiseAtStake]:
        """Those that fall due next, the earliest first."""
        ahead = (stake for stake in self._waiting.values() if stake.moment >= now)
        return heapq.nsmallest(most, ahead, key=lambda stake: stake.moment)

    def due_count(self, now: int) -> tuple[int, bool]:
        """How many of those kept in mind wait for their moment, and whether that is all of them."""
        return sum(stake.moment >= now for stake in self._waiting.values()), self._horizon is None

    def broken(self, now: int, most: int) -> list[PromiseAtStake]:
        """Those broken in the last hour, the latest first."""
        return heapq.nlargest(most, self._within(now), key=lambda stake: stake.moment)

    def broken_count(self, now: int) -> int:
        """How many were broken in the last hour."""
        return sum(1 for _ in self._within(now))

    def broken_words(self, now: int) -> str:
        """How many promises were broken in the last hour, in words."""
        count = self.broken_count(now)
        least = "at least " if count >= MOST_BROKEN else ""
        return f"{least}{counted(count, 'promise')}"

    def _within(self, now: int) -> Iterable[PromiseAtStake]:
        return (stake for stake in self._broken.values() if now - HOUR_MS < stake.moment <= now)


def _stake(row: Mapping[str, Any]) -> PromiseAtStake:
    due, broke = row.get("due_at"), _broke_at(row)
    return PromiseAtStake(
        map=str(row["map"]),
        promise=str(row["promise"]),
        person=int(row["person"]),
        key=str(row.get("key") or ""),
        channel=str(row.get("channel") or ""),
        opened_at=int(row["opened_at"]),
        due_at=None if due is None else int(due),
        broke_at=broke,
        verdict=str(row["verdict"]),
        breach=str(row.get("breach") or ""),
        number=int(row.get("number") or 0),
    )


def _broke_at(row: Mapping[str, Any]) -> int | None:
    """The moment of the first breach, as the ledger writes it down: `late 1700000000000, repeated 1700000001000`."""
    first = str(row.get("breaches") or "").partition(",")[0].rpartition(" ")[2]
    return int(first) if first.isdigit() else None
