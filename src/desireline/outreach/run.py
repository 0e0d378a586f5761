"""What this room does to the tables: from what changed in the ledger to what is to be told to whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from desireline.outreach.listeners import MOST_LISTENERS, Listener, listener_from_row, read_listener
from desireline.outreach.notices import DUE_SOON, Notice, due_soon_of, notices_of
from desireline.outreach.policies import POLICIES
from desireline.outreach.retries import Limits
from desireline.storage.lake import Lake
from desireline.storage.outbox_book import DEAD, DISCARDED, SENDING, WAITING, OutboxBook
from desireline.storage.state import State
from desireline.vocabulary.errors import DesirelineError, Mistake, nearest
from desireline.vocabulary.tables import LEDGER

CHANGES: Mapping[str, tuple[str, ...]] = {
    "listener.set": ("listener",),
    "listener.remove": ("name",),
    "listener.enable": ("name",),
    "listener.disable": ("name",),
    "listener.test": ("name",),
    "outbox.retry": ("name", "notices"),
    "outbox.discard": ("name", "notices"),
}
"""What people can change, as `{"does": ..., ...}`; `notices` is a list of ids, or left out for all dead letters."""

MOST_DEAD = 1_000_000
"""So many dead letters at most are retried or discarded by one change."""


class Outbox:
    """What is to be told, to whom, and what became of it.

    Intents are written before anything is sent, in the transaction of the caller when there is one
    (`with state.writing(): ...`), each only once ever.
    """

    def __init__(self, state: State, *, limits: Limits | None = None) -> None:
        self.book = OutboxBook(state)
        self.limits = limits or Limits()
        self._due_soon: dict[str, int] = {}
        self._asked_at = -self.limits.due_soon_every

    def listeners(self) -> list[Listener]:
        """Everybody who listens, by name."""
        return [listener_from_row(row) for row in self.book.listeners()]

    def tell(self, notices: Sequence[Notice], *, now: int) -> int:
        """Write down who is to be told of these; says how many intents are new. Old news and known news add none."""
        fresh: dict[str, Notice] = {}
        for notice in notices:
            if notice.at > now - self.limits.tell_within:
                fresh.setdefault(notice.id, notice)
        with self.book.state.writing():
            intents = [
                intent
                for each in self.listeners()
                if each.enabled
                for intent in self._intents(each, self._new_to(each, fresh), now)
            ]
            told = {str(intent["notice"]) for intent in intents}
            rows = [_notice_row(notice, now) for name, notice in fresh.items() if name in told]
            return self.book.write(rows, intents)

    def tell_ledger(self, lake: Lake, *, now: int) -> list[Notice]:
        """Go through the parts of the ledger written since the last time, and write down who is to be told of what.

        Returns every recent notice of them, also those nobody subscribed to, for whoever watches a screen. It may be
        called at any time and after any crash: parts are gone through once, and what was told stays told.
        """
        with self.book.state.writing():
            parts, last = lake.parts(LEDGER.name), self.book.told_so_far(LEDGER.name)
            new = _written_since(parts, last)
            if not new:
                return []
            since = now - self.limits.tell_within
            notices = notices_of(self._changes(lake, new, since))
            recent = [notice for notice in notices if notice.at > since]
            self.tell(recent, now=now)
            self.book.have_told(LEDGER.name, new[-1])
            return recent

    def tell_due_soon(self, lake: Lake, *, now: int) -> list[Notice]:
        """Write down who is to be told of open promises that fall due soon, once for each; returns the new ones.

        The ledger is asked once a minute at most, and only while somebody listens for it.
        """
        if abs(now - self._asked_at) < self.limits.due_soon_every:
            return []
        self._asked_at = now
        parts = lake.parts(LEDGER.name)
        if not parts or not any(each.enabled and DUE_SOON in each.kinds for each in self.listeners()):
            return []
        values = {"after": now, "until": now + self.limits.due_soon_within}
        rows = _ask(lake, "due_soon", values, everything=lake.reading_sql(LEDGER.name, parts))
        self._due_soon = {notice: due for notice, due in self._due_soon.items() if due > now}
        notices = [notice for notice in due_soon_of(rows) if notice.id not in self._due_soon]
        self.tell(notices, now=now)
        self._due_soon |= {notice.id: notice.at for notice in notices}
        return notices

    def check(self, change: Mapping[str, Any], *, at: int) -> None:
        """Refuse a change that makes no sense, before it is written to the log; every mistake is told."""
        does = str(change.get("does", ""))
        if does not in CHANGES:
            raise DesirelineError(f"unknown change '{does}'. {nearest(does, list(CHANGES))}".strip())
        unknown = [word for word in change if word not in ("does", *CHANGES[does])]
        if unknown:
            raise DesirelineError([Mistake(f"unknown word '{word}'.", f"change '{does}'") for word in unknown])
        known = [each.name for each in self.listeners()]
        if does == "listener.set":
            given = change.get("listener")
            if not isinstance(given, Mapping):
                raise DesirelineError("the change 'listener.set' needs a 'listener'.")
            listener = read_listener(given, at=at)
            if listener.name not in known and len(known) >= MOST_LISTENERS:
                raise DesirelineError(f"there are {MOST_LISTENERS} listeners already. Remove one first.")
            return
        name = change.get("name")
        if name not in known:
            raise DesirelineError(f"there is no listener '{name}'. {nearest(str(name), known)}".strip())

    def apply(self, change: Mapping[str, Any], *, at: int) -> None:
        """Do what people changed, as it stands in the log; `at` is the moment they changed it.

        Applied again it changes nothing, and what a listener said after that moment (410: gone) stays so.
        """
        does, name = change["does"], change.get("name", "")
        with self.book.state.writing():
            if does == "listener.set":
                self._set(read_listener(change["listener"], at=at))
            elif does == "listener.remove":
                self.book.remove_listener(name)
            elif does == "listener.enable":
                self._enable(name, at)
            elif does == "listener.disable":
                self.book.change_listener(name, enabled=False, why_stopped="stopped by us", changed_at=at)
            elif does == "listener.test":
                self._test(name, at)
            elif does == "outbox.retry":
                self._change_dead(change, at, status=WAITING, due_at=at, attempts=0, first_tried_at=None)
            elif does == "outbox.discard":
                self._change_dead(change, at, status=DISCARDED)

    def dead_letters(self, *, listener: str | None = None, limit: int = 1_000, offset: int = 0) -> list[dict[str, Any]]:
        """What could not be told, with the reason, in the order it came."""
        chosen = {"listener": listener} if listener else {}
        return self.book.intents(limit=limit, offset=offset, status=DEAD, **chosen)

    def stop(self, name: str, why: str, *, now: int) -> None:
        """Tell a listener nothing any more, because it said so; what waits for it are dead letters."""
        with self.book.state.writing():
            self.book.change_listener(name, enabled=False, why_stopped=why, changed_at=now)
            self.book.change(listener=name, standing=WAITING, **_dead(why, now))

    def take_up_interrupted(self, *, now: int, listener: str | None = None) -> int:
        """After a crash: what was being sent perhaps arrived. Its purpose says whether it goes out again."""
        with self.book.state.writing():
            return sum(
                self.book.change(listener=each.name, standing=SENDING, **self._interrupted(each, now))
                for each in self.listeners()
                if listener in (None, each.name)
            )

    def forget_old(self, *, now: int) -> int:
        """Delete what was told long ago; dead letters stay until people decide."""
        return self.book.forget(now - self.limits.keep_told)

    def _new_to(self, listener: Listener, notices: Mapping[str, Notice]) -> list[Notice]:
        """What a listener wants and was not told yet; what happened before they listened is none of it."""
        wanted = {
            name: notice for name, notice in notices.items() if listener.wants(notice) and notice.at >= listener.since
        }
        told = self.book.told_already(listener.name, wanted)
        return [notice for name, notice in wanted.items() if name not in told]

    @staticmethod
    def _interrupted(listener: Listener, now: int) -> dict[str, Any]:
        if POLICIES[listener.purpose].send_again:
            return {"status": WAITING, "due_at": now, "reason": "interrupted while sending", "changed_at": now}
        return _dead("interrupted while sending: perhaps they have it; not sent again", now)

    def _intents(self, listener: Listener, notices: Sequence[Notice], now: int) -> list[dict[str, Any]]:
        """One intent a notice; mails beyond so many a minute are gathered in one, sent when the minute ends."""
        row = {"listener": listener.name, "status": WAITING, "reason": "", "made_at": now, "changed_at": now}
        if notices and self.book.waiting(listener.name) + len(notices) > self.limits.most_waiting:
            row |= _dead(f"{self.limits.most_waiting:,} wait already", now)
        if listener.kind != "email":
            return [{**row, "notice": notice.id, "due_at": now, "bundle": ""} for notice in notices]
        bundle = self.book.open_bundle(listener.name, now)
        singles = self.book.singles_since(listener.name, now - self.limits.gather)
        alone = 0 if bundle else max(0, self.limits.singles_a_minute - singles)
        name, due_at = bundle or (f"bundle-{listener.name}-{now}", now + self.limits.gather)
        return [
            {**row, "notice": notice.id, "due_at": now, "bundle": ""}
            if place < alone
            else {**row, "notice": notice.id, "due_at": due_at, "bundle": name}
            for place, notice in enumerate(notices)
        ]

    def _set(self, listener: Listener) -> None:
        row = listener.as_row()
        for before in self.book.listeners():
            if before["name"] != listener.name:
                continue
            row["since"] = min(before["since"], row["since"])
            if before["changed_at"] > listener.changed_at:
                row |= {word: before[word] for word in ("enabled", "why_stopped", "changed_at")}
        self.book.set_listener(row)

    def _enable(self, name: str, at: int) -> None:
        if any(each.name == name and each.changed_at <= at for each in self.listeners()):
            self.book.change_listener(name, enabled=True, why_stopped="", changed_at=at)

    def _test(self, name: str, at: int) -> None:
        notice = Notice("listener.test", map="(none)", promise="This notice", person=0, opening_id=0, at=at)
        chosen = [each for each in self.listeners() if each.name == name]
        intents = [intent for each in chosen for intent in self._intents(each, [notice], at)]
        self.book.write([_notice_row(notice, at)], intents)

    def _change_dead(self, change: Mapping[str, Any], at: int, **values: Any) -> None:
        values |= {"changed_at": at}
        ids = change.get("notices")
        died_before = {
            row["notice"]
            for row in self.dead_letters(listener=change["name"], limit=MOST_DEAD)
            if row["changed_at"] <= at and (ids is None or row["notice"] in ids)
        }
        self.book.change_some(died_before, listener=change["name"], standing=DEAD, **values)

    @staticmethod
    def _changes(lake: Lake, parts: Sequence[str], since: int) -> list[dict[str, Any]]:
        everything = lake.reading_sql(LEDGER.name, lake.parts(LEDGER.name))
        changed = lake.reading_sql(LEDGER.name, parts)
        return _ask(lake, "ledger_changes", {"since": since}, changed=changed, everything=everything)


def _written_since(parts: Sequence[str], last: str) -> list[str]:
    """The parts after the last one gone through, by the number that ends their names; all of a ledger begun anew."""
    numbered = sorted((_number(part), part) for part in parts)
    if not last or not numbered or numbered[-1][0] < _number(last):
        return [part for _, part in numbered]
    return [part for number, part in numbered if number > _number(last)]


def _number(part: str) -> int:
    return int(part[len(part.rstrip("0123456789")) :] or 0)


def _ask(lake: Lake, name: str, values: Mapping[str, Any], **sources: str) -> list[dict[str, Any]]:
    text = files("desireline.outreach").joinpath(f"{name}.sql").read_text(encoding="utf-8").format(**sources)
    with lake.bare_connection() as connection:
        found = connection.execute(text, dict(values))
        names = [each[0] for each in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _notice_row(notice: Notice, now: int) -> dict[str, Any]:
    return {
        "id": notice.id,
        "kind": notice.kind,
        "person": notice.person,
        "at": notice.at,
        "body": notice.as_json(),
        "made_at": now,
    }


def _dead(why: str, now: int) -> dict[str, Any]:
    return {"status": DEAD, "reason": why, "changed_at": now}
