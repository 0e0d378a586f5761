"""One connection to a mailbox over IMAP: logging in, fetching what is new, hearing that something came.

Nothing is changed in the mailbox. How far we came is remembered only after a letter lies in the log: after a crash
a letter may be fetched again, and its message id keeps it from counting twice.
"""

from __future__ import annotations

import contextlib
import imaplib
import logging
import re
import select
import socket
import ssl
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from imap_tools import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.errors import MailboxFolderStatusError

from desireline.intake.mail.mail_faults import Fault, MailFault
from desireline.intake.mail.parts import slim
from desireline.intake.mail.receiver import MOST_KEPT_BYTES, Take
from desireline.intake.mail.ways import Mailbox
from desireline.vocabulary.errors import nearest

MOST_FETCHED_BYTES = 50 * 1024 * 1024
"""Of a larger letter only the beginning is fetched."""
MOST_AT_ONCE = 500
MARKED_TOGETHER = 20
"""So many letters at most lie in the log before it is written down that they do."""
MOST_TRIES_OF_A_LETTER = 10
GOODBYE_SECONDS = 2.0
SHORTEST_WAIT_SECONDS = 1.0
"""So often somebody who waits for the server looks whether it is over."""
MOST_FOLDERS_NAMED = 8
LONGEST_PASSWORD = 4_096


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a mailbox was read: its numbering (UIDVALIDITY) and the last letter's number in it."""

    numbering: int = 0
    last: int = 0


class Mark(Protocol):
    """Remembers how far a mailbox was read."""

    def reached(self) -> Reached:
        """How far we came; from the beginning when nothing is remembered."""

    def reach(self, reached: Reached, *, letters: int) -> None:
        """Remember that all up to here lies in the log, `letters` more than the last time."""


def password_of(mailbox: Mailbox, environment: Mapping[str, str]) -> str:
    """The password of a mailbox, read anew each time; raises `MailFault` when it is not where it should be."""
    if mailbox.password_env:
        found = environment.get(mailbox.password_env, "")
        if not found:
            do = f"set {mailbox.password_env} to the mailbox's password and start the server again"
            raise MailFault(Fault(f"the environment has no {mailbox.password_env}", do, passes=False))
        return found
    try:
        with Path(mailbox.password_file).open(encoding="utf-8") as file:
            found = file.read(LONGEST_PASSWORD).split("\n", 1)[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        do = "put the password into it, readable by the user the server runs as"
        says = f"the file {mailbox.password_file} cannot be read ({type(error).__name__})"
        raise MailFault(Fault(says, do, passes=False)) from None
    if not found:
        raise MailFault(Fault(f"the file {mailbox.password_file} is empty", "put the password into it", passes=False))
    return found


class Connection:
    """A mailbox that is open for reading. Whoever opens it closes it; `cut` may come from another thread."""

    def __init__(self, mailbox: Mailbox, *, password: str, silence_seconds: float) -> None:
        self.mailbox = mailbox
        self._box = _connected(mailbox, silence_seconds)
        try:
            _log_in(self._box, mailbox, password)
        except BaseException:
            self.close()
            raise

    @property
    def tells(self) -> bool:
        """Whether the server can say that something came (IDLE)."""
        return "IDLE" in self._box.client.capabilities

    def fetch(self, take: Take, mark: Mark, *, failed: Counter[int], go_on: Callable[[], bool]) -> int:
        """Fetch what is new, a few hundred letters at most, for as long as `go_on` says so; how many were taken.

        Raises when the server or `take` fails; what was taken before that is remembered. failed: how often each letter
        could not be fetched; one that never can is passed over, so that those after it come in.
        """
        marking = _Marking(mark, self._open_folder())
        try:
            for number in self._new_numbers(after=marking.last):
                if not go_on():
                    break
                raw = self._letter_or_nothing(number, failed)
                if raw:
                    take(slim(raw, most=MOST_KEPT_BYTES))
                marking.passed(number, letters=1 if raw else 0)
        finally:
            marking.keep()
        return marking.letters

    def wait(self, over: Callable[[], bool]) -> None:
        """Wait until the server says that something came, or until it is `over`; only where it `tells`."""
        sock = self._box.client.sock
        with self._box.idle:
            while not over() and not select.select([sock], [], [], SHORTEST_WAIT_SECONDS)[0]:
                pass

    def close(self) -> None:
        """Say goodbye and hang up."""
        with contextlib.suppress(Exception):
            self._box.client.sock.settimeout(GOODBYE_SECONDS)
            self._box.client.logout()
        with contextlib.suppress(Exception):
            self._box.client.shutdown()

    def cut(self) -> None:
        """Hang up at once, from any thread: whoever waits for the server stops waiting."""
        with contextlib.suppress(OSError):
            self._box.client.sock.shutdown(socket.SHUT_RDWR)

    def _open_folder(self) -> int:
        folder = self.mailbox.folder
        try:
            numbering = int(self._box.folder.status(folder, ["UIDVALIDITY"])["UIDVALIDITY"])
            self._box.folder.set(folder, readonly=True)
        except MailboxFolderStatusError:
            raise MailFault(self._no_folder()) from None
        return numbering

    def _no_folder(self) -> Fault:
        named = [each.name for each in self._box.folder.list()]
        hint = nearest(self.mailbox.folder, named) or f"it has {', '.join(named[:MOST_FOLDERS_NAMED])}"
        return Fault(f"the mailbox has no folder '{self.mailbox.folder}'", hint.rstrip("."), passes=False)

    def _new_numbers(self, *, after: int) -> list[int]:
        listed = self._numbers(f"UID {after + 1}:*")
        return sorted(number for number in listed if number > after)[:MOST_AT_ONCE]

    def _numbers(self, criteria: str) -> list[int]:
        answered, found = self._box.client.uid("SEARCH", criteria)
        if answered != "OK":
            raise imaplib.IMAP4.error(found[-1] if found else "SEARCH")
        return [int(number) for number in b" ".join(part for part in found if isinstance(part, bytes)).split()]

    def _letter_or_nothing(self, number: int, failed: Counter[int]) -> bytes:
        if failed[number] >= MOST_TRIES_OF_A_LETTER:
            says = "a letter of a mailbox cannot be fetched and is passed over"
            logging.getLogger("desireline.mail").warning(says, extra={"sequence": number})
            return b""
        try:
            return self._letter(number)
        except Exception:
            failed[number] += 1
            raise

    def _letter(self, number: int) -> bytes:
        """A letter's bytes; none when it is gone. It stays unread in the mailbox."""
        _, sizes = self._box.client.uid("FETCH", str(number), "(RFC822.SIZE)")
        told = re.search(rb"RFC822\.SIZE (\d+)", b" ".join(part for part in sizes if isinstance(part, bytes)))
        size = int(told[1]) if told else 0
        part = f"<0.{MOST_KEPT_BYTES}>" if size > MOST_FETCHED_BYTES else ""
        answered, found = self._box.client.uid("FETCH", str(number), f"(BODY.PEEK[]{part})")
        if answered != "OK" and self._numbers(f"UID {number}"):
            raise imaplib.IMAP4.error(found[-1] if found else "FETCH")
        return next((bytes(each[1]) for each in found if isinstance(each, tuple)), b"")


class _Marking:
    """Remembers how far one look into a mailbox came, a few letters at a time."""

    def __init__(self, mark: Mark, numbering: int) -> None:
        reached = mark.reached()
        self.last = reached.last if reached.numbering == numbering else 0
        self.letters = 0
        self._mark = mark
        self._numbering = numbering
        self._kept = (self.last, 0)

    def passed(self, number: int, *, letters: int) -> None:
        """All up to this number lies in the log."""
        self.last = number
        self.letters += letters
        if self.letters - self._kept[1] >= MARKED_TOGETHER:
            self.keep()

    def keep(self) -> None:
        """Remember it."""
        last, letters = self._kept
        if self.last != last:
            self._mark.reach(Reached(self._numbering, self.last), letters=self.letters - letters)
            self._kept = (self.last, self.letters)


def _connected(mailbox: Mailbox, silence_seconds: float) -> BaseMailBox:
    host, port = mailbox.host, mailbox.port
    if mailbox.security == "tls":
        return MailBox(host, port, timeout=silence_seconds, ssl_context=ssl.create_default_context())
    if mailbox.security == "starttls":
        return MailBoxStartTls(host, port, timeout=silence_seconds, ssl_context=ssl.create_default_context())
    return MailBoxUnencrypted(host, port, timeout=silence_seconds)


def _log_in(box: BaseMailBox, mailbox: Mailbox, password: str) -> None:
    if (mailbox.user + password).isascii():
        box.login(mailbox.user, password, initial_folder=None)
    else:
        box.login_utf8(mailbox.user, password, initial_folder=None)
