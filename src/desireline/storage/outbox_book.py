"""The book of what is told to whom, in the state store: listeners, intents, attempts, outcomes, dead letters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from desireline.storage.bulk_rows import insert_or_nothing
from desireline.storage.outbox_tables import ATTEMPTS, LISTENERS, NOTICES, OUTBOX, TOLD_SO_FAR
from desireline.storage.state import State

Row = dict[str, Any]
WAITING, SENDING, TOLD, DEAD, DISCARDED = STATUSES = ("waiting", "sending", "told", "dead", "discarded")
_AT_ONCE = 400


class OutboxBook:
    """Rows come and go as mappings of column to value; a block of `state.writing()` makes several calls one."""

    def __init__(self, state: State) -> None:
        self.state = state

    # Listeners

    def listeners(self) -> list[Row]:
        """Everybody who listens, by name."""
        with self.state.reading() as connection:
            return _rows(connection, select(LISTENERS).order_by(LISTENERS.c.name))

    def set_listener(self, row: Mapping[str, Any]) -> None:
        """Write a listener down, in the place of an earlier one of that name."""
        with self.state.writing() as connection:
            connection.execute(delete(LISTENERS).where(LISTENERS.c.name == row["name"]))
            connection.execute(insert(LISTENERS).values(**row))

    def change_listener(self, name: str, **values: Any) -> bool:
        """Set columns of a listener; says whether there is one of that name."""
        with self.state.writing() as connection:
            return connection.execute(update(LISTENERS).where(LISTENERS.c.name == name).values(**values)).rowcount > 0

    def remove_listener(self, name: str) -> None:
        """Take a listener away; what waited for it is discarded."""
        with self.state.writing() as connection:
            connection.execute(delete(LISTENERS).where(LISTENERS.c.name == name))
            left = (OUTBOX.c.listener == name) & OUTBOX.c.status.in_((WAITING, SENDING, DEAD))
            self._set(connection, left, status=DISCARDED, reason="its listener was taken away")

    # Intents

    def write(self, notices: Sequence[Mapping[str, Any]], intents: Sequence[Mapping[str, Any]]) -> int:
        """Write notices and the intents to tell them, each only once ever; says how many intents are new."""
        with self.state.writing() as connection:
            insert_or_nothing(connection, NOTICES, notices)
            return insert_or_nothing(connection, OUTBOX, intents)

    def told_already(self, listener: str, notices: Iterable[str]) -> set[str]:
        """Of notices by their ids, those whose intent to be told to a listener is written already."""
        query = select(OUTBOX.c.notice).where(OUTBOX.c.listener == listener)
        found: set[str] = set()
        with self.state.reading() as connection:
            for some in _some(sorted(notices)):
                found |= set(connection.execute(query.where(OUTBOX.c.notice.in_(some))).scalars())
        return found

    def singles_since(self, listener: str, since: int) -> int:
        """How many intents to be told by themselves were written for a listener since a moment."""
        query = select(func.count()).where(
            OUTBOX.c.listener == listener, OUTBOX.c.bundle == "", OUTBOX.c.made_at > since
        )
        with self.state.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def waiting(self, listener: str) -> int:
        """How many intents wait for a listener."""
        query = select(func.count()).where(OUTBOX.c.listener == listener, OUTBOX.c.status == WAITING)
        with self.state.reading() as connection:
            return int(connection.execute(query).scalar_one())

    def open_bundle(self, listener: str, now: int) -> tuple[str, int] | None:
        """The bundle of a listener that still gathers, and when it goes out; never one that was tried already."""
        query = (
            select(OUTBOX.c.bundle, OUTBOX.c.due_at)
            .where(OUTBOX.c.listener == listener, OUTBOX.c.bundle != "", OUTBOX.c.due_at > now)
            .where(OUTBOX.c.status == WAITING, OUTBOX.c.attempts == 0)
            .order_by(OUTBOX.c.due_at)
            .limit(1)
        )
        with self.state.reading() as connection:
            found = connection.execute(query).first()
        return (found.bundle, found.due_at) if found else None

    # Delivering

    def take(self, listener: str, *, now: int, first_tries_only: bool = False) -> list[Row]:
        """Take the next message that is due: one intent or a whole bundle, with what it tells.

        It counts as being sent from now on, and the attempt is on disk before it is made.
        """
        with self.state.writing() as connection:
            due = _due(select(OUTBOX.c.number, OUTBOX.c.bundle), listener, first_tries_only)
            first = connection.execute(
                due.where(OUTBOX.c.due_at <= now).order_by(OUTBOX.c.due_at, OUTBOX.c.number).limit(1)
            ).first()
            if first is None:
                return []
            mine = (OUTBOX.c.number == first.number) if not first.bundle else (OUTBOX.c.bundle == first.bundle)
            mine = mine & (OUTBOX.c.listener == listener) & (OUTBOX.c.status == WAITING) & (OUTBOX.c.due_at <= now)
            query = select(OUTBOX, NOTICES.c.body).join(NOTICES, NOTICES.c.id == OUTBOX.c.notice).where(mine)
            rows = _rows(connection, query.order_by(NOTICES.c.at, OUTBOX.c.number))
            since = func.coalesce(OUTBOX.c.first_tried_at, now)
            more = {"attempts": OUTBOX.c.attempts + 1, "first_tried_at": since}
            self._set(connection, mine, status=SENDING, changed_at=now, **more)
            attempt = {
                "listener": listener,
                "message": first.bundle or rows[0]["notice"],
                "notices": len(rows),
                "attempt": rows[0]["attempts"] + 1,
                "started_at": now,
            }
            key = connection.execute(insert(ATTEMPTS).values(**attempt)).inserted_primary_key
            assert key is not None, "the database numbers attempts"
            tried = {"attempts": attempt["attempt"], "attempt_number": key[0]}
            return [{**row, **tried, "first_tried_at": row["first_tried_at"] or now} for row in rows]

    def settle(self, taken: Sequence[Row], attempt: Mapping[str, Any], **values: Any) -> None:
        """Write down what became of a message that was taken: of its intents still being sent, and of the attempt."""
        with self.state.writing() as connection:
            for some in _some([row["number"] for row in taken]):
                self._set(connection, OUTBOX.c.number.in_(some) & (OUTBOX.c.status == SENDING), **values)
            number = taken[0]["attempt_number"]
            connection.execute(update(ATTEMPTS).where(ATTEMPTS.c.number == number).values(**attempt))

    def next_due(self, listener: str, *, first_tries_only: bool = False) -> int | None:
        """When the next message of a listener is due, `None` when nothing waits."""
        with self.state.reading() as connection:
            found = connection.execute(_due(select(func.min(OUTBOX.c.due_at)), listener, first_tries_only)).scalar()
        return None if found is None else int(found)

    def change(self, *, listener: str, standing: str, **values: Any) -> int:
        """Set columns of the intents of a listener that stand in one status; says how many there were."""
        with self.state.writing() as connection:
            which = (OUTBOX.c.listener == listener) & (OUTBOX.c.status == standing)
            return self._set(connection, which, **values)

    def change_some(self, notices: Iterable[str], *, listener: str, standing: str, **values: Any) -> int:
        """Set columns of the named intents of a listener that stand in one status; says how many there were."""
        which = (OUTBOX.c.listener == listener) & (OUTBOX.c.status == standing)
        with self.state.writing() as connection:
            return sum(
                self._set(connection, which & OUTBOX.c.notice.in_(some), **values) for some in _some(sorted(notices))
            )

    # Reading

    def intents(self, *, limit: int | None = None, offset: int = 0, **equal: Any) -> list[Row]:
        """Intents with what they tell, in the order written, of which each named column has the given value."""
        query = select(OUTBOX, NOTICES.c.body).join(NOTICES, NOTICES.c.id == OUTBOX.c.notice)
        for column, value in equal.items():
            query = query.where(OUTBOX.c[column] == value)
        with self.state.reading() as connection:
            return _rows(connection, query.order_by(OUTBOX.c.number).limit(limit).offset(offset))

    def counts(self) -> list[Row]:
        """How many intents each listener has in each status, and since when the oldest of them stand."""
        query = select(
            OUTBOX.c.listener,
            OUTBOX.c.status,
            func.count().label("intents"),
            func.min(OUTBOX.c.made_at).label("oldest"),
        ).group_by(OUTBOX.c.listener, OUTBOX.c.status)
        with self.state.reading() as connection:
            return _rows(connection, query.order_by(OUTBOX.c.listener, OUTBOX.c.status))

    def attempts(self, *, limit: int | None = None, **equal: Any) -> list[Row]:
        """The attempts, latest first, of which each named column has the given value."""
        query = select(ATTEMPTS)
        for column, value in equal.items():
            query = query.where(ATTEMPTS.c[column] == value)
        with self.state.reading() as connection:
            return _rows(connection, query.order_by(ATTEMPTS.c.number.desc()).limit(limit))

    # How far, and forgetting

    def told_so_far(self, what: str) -> str:
        """The last part gone through, '' when none was."""
        query = select(TOLD_SO_FAR.c.part).where(TOLD_SO_FAR.c.what == what)
        with self.state.reading() as connection:
            return str(connection.execute(query).scalar() or "")

    def have_told(self, what: str, part: str) -> None:
        """Note the last part gone through."""
        with self.state.writing() as connection:
            connection.execute(delete(TOLD_SO_FAR).where(TOLD_SO_FAR.c.what == what))
            connection.execute(insert(TOLD_SO_FAR).values(what=what, part=part))

    def forget(self, before: int) -> int:
        """Delete what was told or discarded before a moment, and attempts as old; says how many intents went."""
        done = OUTBOX.c.status.in_((TOLD, DISCARDED)) & (OUTBOX.c.changed_at < before)
        with self.state.writing() as connection:
            gone = connection.execute(delete(OUTBOX).where(done)).rowcount
            old = select(NOTICES.c.id).where(NOTICES.c.made_at < before).except_(select(OUTBOX.c.notice))
            connection.execute(delete(NOTICES).where(NOTICES.c.id.in_(old)))
            connection.execute(delete(ATTEMPTS).where(ATTEMPTS.c.started_at < before))
        return gone

    @staticmethod
    def _set(connection: Connection, which: Any, **values: Any) -> int:
        return connection.execute(update(OUTBOX).where(which).values(**values)).rowcount


def _due(query: Any, listener: str, first_tries_only: bool) -> Any:
    query = query.where(OUTBOX.c.listener == listener, OUTBOX.c.status == WAITING)
    return query.where(OUTBOX.c.attempts == 0) if first_tries_only else query


def _some(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """So many at a time that a statement stays short."""
    return (values[start : start + _AT_ONCE] for start in range(0, len(values), _AT_ONCE))


def _rows(connection: Connection, query: Any) -> list[Row]:
    return [dict(row) for row in connection.execute(query).mappings()]
