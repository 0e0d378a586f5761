"""The letters of a project: fetched out of mailboxes and taken from mail servers while the project is served.

Each lies in the log of record before it is written down that it was fetched, and its message id keeps it from counting
twice; so a crash at any moment loses none and doubles none.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import msgspec

from desireline.intake import Around, Condition, LettersIn, Mailbox, Reached, Way, way_of
from desireline.project.finding import Finding, look
from desireline.storage.log import Kind
from desireline.storage.mailbox_book import MailboxBook
from desireline.vocabulary.units import counted, moment_text

if TYPE_CHECKING:
    from desireline.project.project import Project

_WRITTEN = ("place", "looked_at", "letter_at", "failing_since", "tries", "fault", "do")


class Letters:
    """How the letters of one project come in, and how it stands with them."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._book = MailboxBook(project.state)
        self._coming_in: LettersIn | None = None

    def coming_in(self, around: Around | None = None) -> LettersIn:
        """What brings letters in, once started; the project is held as long."""
        self._coming_in = LettersIn(self, around or Around(now=self.project.now))
        return self._coming_in

    def look_now(self, source: str) -> None:
        """Look for the letters of a source at once; nothing where no server runs."""
        if self._coming_in is not None:
            self._coming_in.look_now(source)

    def conditions(self) -> dict[str, Condition]:
        """How it stands with each source whose letters come in by themselves; as last written down without a server."""
        if self._coming_in is not None:
            return self._coming_in.conditions()
        known = {name: self._condition(row) for name, row in self._book.all().items()}
        return {name: known.get(name, Condition(name, way.place)) for name, way in self.ways().items()}

    def failing(self) -> list[Condition]:
        """The sources whose letters do not come in at the moment."""
        return [each for each in self.conditions().values() if each.is_failing]

    def warnings(self) -> list[Finding]:
        """What somebody should do so that letters come in again, one for each source."""
        return [look("letters", none_come(each), each.do) for each in self.failing()]

    def says(self, source: Mapping[str, Any]) -> str:
        """How it stands with the letters of a source, in one line; empty where the server brings none in."""
        if not source["mail"]:
            return ""
        if not source["enabled"]:
            return "switched off"
        condition = self.conditions().get(source["name"])
        return words_of(condition) if condition is not None else "not looked for yet"

    def ways(self) -> dict[str, Way]:
        """How the letters of each source come in; what cannot be understood is left out and logged."""
        found: dict[str, Way] = {}
        for source in self.project.sources.all():
            try:
                way = way_of(source["mail"]) if source["enabled"] else None
            except (TypeError, KeyError):
                says = "a later version wrote how the letters of a source come in: they do not"
                logging.getLogger("desireline.mail").error(says, extra={"source": source["name"]})
                continue
            if way is not None:
                found[source["name"]] = way
        return found

    def take(self, source: str, way: Way) -> Callable[[bytes], None]:
        """Takes the letters of a source into the log of record."""
        method = "IMAP" if isinstance(way, Mailbox) else way.protocol.upper()
        meta = msgspec.json.encode({"dialect": "email", "method": method, "path": "/mail", "query": "", "headers": {}})

        def take(raw: bytes) -> None:
            log, now = self.project.record.log, self.project.now()
            log.append(Kind.REQUEST, received_at=now, source=source, meta=meta, body=raw)

        return take

    def mark(self, source: str, mailbox: Mailbox) -> BookMark:
        """Remembers how far a mailbox was read."""
        return BookMark(self.project, source, mailbox.place)

    def known(self, source: str) -> Condition | None:
        """What was last written down of a source."""
        row = self._book.of(source)
        return self._condition(row) if row else None

    def keep(self, condition: Condition) -> None:
        """Write down how it stands, with the letters that came since the last time."""
        row = self._book.of(condition.source)
        more = max(0, condition.letters - (row["letters"] if row else 0))
        values = {name: value for name, value in asdict(condition).items() if name in _WRITTEN}
        self._book.keep(condition.source, values, more_letters=more)

    def _condition(self, row: Mapping[str, Any]) -> Condition:
        return Condition(row["source"], letters=row["letters"], **{name: row[name] for name in _WRITTEN})


class BookMark:
    """How far one mailbox was read, in the state store.

    Another mailbox begins anew, and so does one that is marked ahead of the log, as it is when an older log was brought
    back: its letters are fetched again, and those that are known count once.
    """

    def __init__(self, project: Project, source: str, place: str) -> None:
        self._project = project
        self._book = MailboxBook(project.state)
        self._source = source
        self._place = place

    def reached(self) -> Reached:
        """How far we came."""
        row = self._book.of(self._source)
        if row is None or row["place"] != self._place or row["sequence"] > self._project.record.log.last:
            return Reached()
        return Reached(row["numbering"], row["last"])

    def reach(self, reached: Reached, *, letters: int) -> None:
        """All up to here lies in the log."""
        values = {
            "place": self._place,
            "numbering": reached.numbering,
            "last": reached.last,
            "sequence": self._project.record.log.last,
        }
        self._book.keep(self._source, values, more_letters=letters)


def words_of(condition: Condition) -> str:
    """How it stands with the letters of a source, in words.

    >>> words_of(Condition("help", "anna@mail", looked_at=0, letters=1))
    '1 letter taken, last looked for at 1970-01-01 00:00:00 UTC'
    """
    if condition.is_failing:
        return (
            f"failing since {moment_text(condition.failing_since)}: {condition.fault}. {_capital(condition.do)}".strip()
        )
    if condition.looked_at is None:
        return "not looked for yet"
    return f"{counted(condition.letters, 'letter')} taken, last looked for at {moment_text(condition.looked_at)}"


def none_come(condition: Condition) -> str:
    """That no letters come from a source, since when, and why."""
    return f"no letters come from '{condition.source}' since {moment_text(condition.failing_since)}: {condition.fault}"


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}." if text else ""
