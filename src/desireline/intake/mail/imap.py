"""E-mail fetched out of a mailbox over IMAP: what is new, each letter once, nothing changed there.

How far we came is remembered only after a letter lies in the log. After a crash a letter may be
fetched again; its message id keeps it from counting twice.
"""

from __future__ import annotations

import imaplib
import json
import logging
import os
import re
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from imap_tools import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError

from desireline.intake.mail.parts import slim
from desireline.intake.mail.receiver import MOST_KEPT_BYTES, Take
from desireline.storage.durable import replacing
from desireline.vocabulary.errors import DesirelineError

MOST_FETCHED_BYTES = 50 * 1024 * 1024
"""Of a larger letter only the beginning is fetched."""
MOST_AT_ONCE = 500
IDLE_SECONDS = 20.0
LONGEST_PAUSE_SECONDS = 300.0
_LOG = logging.getLogger("desireline.mail")
_FAULTS = (OSError, imaplib.IMAP4.error, ImapToolsError, DesirelineError)


@dataclass(frozen=True, slots=True)
class ImapAccount:
    """A mailbox on a server. The password is never written down: `password_env` names the variable that holds it."""

    host: str
    user: str
    password_env: str
    folder: str = "INBOX"
    port: int = 993
    security: Literal["tls", "starttls", "none"] = "tls"


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a mailbox was read: its numbering (UIDVALIDITY) and the last letter's number in it."""

    numbering: int = 0
    last: int = 0


class ImapInbox:
    """Fetches what is new in a mailbox and hands it to `take`, which returns when it lies in the log.

    `remembered` is a small file that says how far we came.
    """

    def __init__(self, account: ImapAccount, take: Take, *, remembered: Path) -> None:
        self.account = account
        self._take = take
        self._remembered = remembered

    def fetch_new(self) -> int:
        """Fetch what is new now; says how many letters that were. Raises when the server cannot be reached."""
        fetched = 0
        with self._logged_in() as box:
            while found := self._fetch_round(box):
                fetched += found
        return fetched

    def run(
        self, stopped: threading.Event, *, pause_seconds: float = 30.0, tell: Callable[[str], None] | None = None
    ) -> None:
        """Fetch until `stopped`: at once when the server says there is something (IDLE), else every so often.

        A server that cannot be reached is tried again, more and more seldom, up to every five minutes.
        """
        wait = pause_seconds
        while not stopped.is_set():
            try:
                with self._logged_in() as box:
                    wait = pause_seconds
                    self._stay(box, stopped, pause_seconds)
            except _FAULTS as error:
                _LOG.warning("the mailbox could not be read: %s", type(error).__name__)
                if tell is not None:
                    tell(str(error))
                stopped.wait(wait)
                wait = min(wait * 2, LONGEST_PAUSE_SECONDS)

    def _stay(self, box: BaseMailBox, stopped: threading.Event, pause_seconds: float) -> None:
        idles = "IDLE" in box.client.capabilities
        while not stopped.is_set():
            while self._fetch_round(box) and not stopped.is_set():
                pass
            if not idles:
                stopped.wait(pause_seconds)
                continue
            with box.idle as idle:
                while not stopped.is_set() and not idle.poll(timeout=min(IDLE_SECONDS, pause_seconds)):
                    pass

    def _logged_in(self) -> BaseMailBox:
        account = self.account
        password = os.environ.get(account.password_env, "")
        if not password:
            raise DesirelineError(f"the environment has no {account.password_env}. Set it to the mailbox's password.")
        box: BaseMailBox
        if account.security == "tls":
            box = MailBox(account.host, account.port, timeout=60, ssl_context=ssl.create_default_context())
        elif account.security == "starttls":
            box = MailBoxStartTls(account.host, account.port, timeout=60, ssl_context=ssl.create_default_context())
        else:
            box = MailBoxUnencrypted(account.host, account.port, timeout=60)
        return box.login(account.user, password, initial_folder=None)

    def _fetch_round(self, box: BaseMailBox) -> int:
        numbering = int(box.folder.status(self.account.folder, ["UIDVALIDITY"])["UIDVALIDITY"])
        box.folder.set(self.account.folder, readonly=True)
        reached = self.reached()
        if reached.numbering != numbering:
            reached = Reached(numbering)
        numbers = _new_numbers(box, after=reached.last)
        for number in numbers:
            raw = _letter(box, number)
            if raw:
                self._take(slim(raw, most=MOST_KEPT_BYTES))
            self._remember(Reached(numbering, number))
        return len(numbers)

    def reached(self) -> Reached:
        """How far we came."""
        try:
            said = json.loads(self._remembered.read_text(encoding="utf-8"))
            return Reached(int(said["numbering"]), int(said["last"]))
        except (OSError, ValueError, KeyError, TypeError):
            return Reached()

    def _remember(self, reached: Reached) -> None:
        """After a power cut the file may be older than the log; then letters are fetched again and dropped as known."""
        with replacing(self._remembered, durable=False) as file:
            file.write_text(json.dumps({"numbering": reached.numbering, "last": reached.last}), encoding="utf-8")


def _new_numbers(box: BaseMailBox, *, after: int) -> list[int]:
    _, found = box.client.uid("SEARCH", f"UID {after + 1}:*")
    listed = [int(number) for number in b" ".join(part for part in found if isinstance(part, bytes)).split()]
    return sorted(number for number in listed if number > after)[:MOST_AT_ONCE]


def _letter(box: BaseMailBox, number: int) -> bytes:
    """A letter's bytes; none when it is gone. It stays unread in the mailbox."""
    _, sizes = box.client.uid("FETCH", str(number), "(RFC822.SIZE)")
    told = re.search(rb"RFC822\.SIZE (\d+)", b" ".join(part for part in sizes if isinstance(part, bytes)))
    size = int(told[1]) if told else 0
    part = f"<0.{MOST_KEPT_BYTES}>" if size > MOST_FETCHED_BYTES else ""
    _, found = box.client.uid("FETCH", str(number), f"(BODY.PEEK[]{part})")
    return next((bytes(each[1]) for each in found if isinstance(each, tuple)), b"")
