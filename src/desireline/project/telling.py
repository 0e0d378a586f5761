"""Whoever listens is told when a promise breaks: listeners, what waits for them, and what could not be told."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from desireline.outreach import (
    Answer,
    Channel,
    Deliverer,
    Listener,
    Mail,
    MailServer,
    Message,
    Notice,
    Outbox,
    Surroundings,
    Webhook,
)
from desireline.project.handing_over import running_server
from desireline.storage.outbox_book import WAITING
from desireline.vocabulary.table import Table
from desireline.vocabulary.units import counted

if TYPE_CHECKING:
    from desireline.project.project import Project


class AsSetNow:
    """A way out by the settings as they are when something is told, so that a change of them needs no new start."""

    def __init__(self, made: Callable[[], Channel]) -> None:
        self._made = made

    async def send(self, message: Message, listener: Listener, *, now: int) -> Answer:
        """Try once to tell a listener."""
        return await self._made().send(message, listener, now=now)


class Telling:
    """The listeners of one project. Every change goes through the log of record."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.outbox = Outbox(project.state)

    def change(self, does: str, **words: Any) -> None:
        """Set, remove, enable, disable or test a listener; retry or discard what could not be told."""
        change = {"does": does, **words}
        if (server := running_server(self.project)) is not None:
            server.do("outreach", change)
            return
        self.outbox.check(change, at=self.project.now())
        with self.project.writing("desireline listener"):
            self.project.record.change("outreach", {"change": change})

    def listeners(self) -> Table:
        """Who is told what."""
        rows = self.outbox.listeners()
        columns: dict[str, list[Any]] = {
            "name": [each.name for each in rows],
            "kind": [each.kind for each in rows],
            "address": [each.address for each in rows],
            "maps": [", ".join(each.maps) or "all" for each in rows],
            "promises": [", ".join(each.promises) or "all" for each in rows],
            "kinds": [", ".join(each.kinds) for each in rows],
            "enabled": [each.enabled for each in rows],
        }
        says = (
            f"{counted(len(rows), 'listener')}."
            if rows
            else "Nobody listens yet. Add one: desireline listener add NAME"
        )
        return Table(says=says, columns=columns, counted="one line for each webhook or mail address that is told")

    def dead_letters(self, *, listener: str | None = None, top: int = 1_000) -> Table:
        """What could not be told, with the reason."""
        rows = self.outbox.dead_letters(listener=listener, limit=top)
        names = ("listener", "notice", "reason", "attempts", "changed_at")
        says = f"{counted(len(rows), 'message')} could not be told." if rows else "Everything was told."
        return Table(
            says=says,
            columns={name: [row[name] for row in rows] for name in names},
            counted="messages given up after many tries, or refused by whoever was to be told",
        )

    def tell(self, *, now: int) -> Sequence[Notice]:
        """Write down who is to be told of what changed in the ledger since the last time, and of what is due soon."""
        lake = self.project.lake
        return [*self.outbox.tell_ledger(lake, now=now), *self.outbox.tell_due_soon(lake, now=now)]

    def time_was_set_back(self, *, now: int) -> None:
        """What waits to be told waits no longer for moments of the time before."""
        for each in self.outbox.listeners():
            self.outbox.book.change(listener=each.name, standing=WAITING, due_at=now)

    def deliverer(self, *, environment: Mapping[str, str] = os.environ) -> Deliverer:
        """What delivers all that waits, in a thread of its own once started."""
        channels: dict[str, Channel] = {
            "webhook": AsSetNow(lambda: Webhook(environment, self._around())),
            "email": AsSetNow(lambda: Mail(MailServer.from_words(self.project.file.mail), environment, self._around())),
        }
        return Deliverer(self.outbox, channels, now=self.project.now, chance=random.random)

    def _around(self) -> Surroundings:
        source = f"/desireline/{self.project.file.name}"
        return Surroundings(source=source, link=self._link, says=self._says, handles=self._handles)

    def _link(self, notice: Notice) -> str:
        address = self.project.file.public_url.rstrip("/")
        return f"{address}/people/{notice.person}" if address and notice.person else ""

    def _says(self, notice: Notice) -> str:
        for each in self.project.map_set().maps:
            for promise in each.promises:
                if each.name == notice.map and promise.name == notice.promise:
                    return promise.says
        return ""

    def _handles(self, person: int) -> Sequence[str]:
        with self.project.lake.connection() as connection:
            question = "SELECT kind || ':' || value FROM handles WHERE person = $person AND NOT shared ORDER BY 1"
            return [str(row[0]) for row in connection.execute(question, {"person": person}).fetchall()]
