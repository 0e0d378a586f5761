"""Lets letters in once, by hand: out of a mailbox or a mailbox file, or from a mail server, to a collector.

A server that runs does this by itself for every source that says how its letters come in (`letters_in`). This is for
one fetch, for what lies in an old mailbox file, and for another machine, where there is no project:

python -m desireline.intake.mail imap --host imap.bank.example --user help@bank.example --password-env MAIL_PASSWORD \
    --to http://127.0.0.1:8765/mail/KEY
python -m desireline.intake.mail mbox old.mbox --to http://127.0.0.1:8765/mail/KEY
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from desireline.intake.mail.boxes import is_maildir, letters
from desireline.intake.mail.condition import Around, Condition
from desireline.intake.mail.fetching import Fetching
from desireline.intake.mail.hand_in import handing_to
from desireline.intake.mail.imap import Reached
from desireline.intake.mail.mail_faults import fault_of
from desireline.intake.mail.parts import slim
from desireline.intake.mail.receiver import MOST_KEPT_BYTES, MailReceiver, Take
from desireline.intake.mail.ways import Mailbox, read_way, way_of
from desireline.storage.durable import replacing
from desireline.vocabulary.errors import DesirelineError, WorkFailed


class RememberedFile:
    """How far a mailbox was read, in a small file beside."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def reached(self) -> Reached:
        """How far we came; from the beginning when there is no such file."""
        try:
            said = json.loads(self.path.read_text(encoding="utf-8"))
            return Reached(int(said["numbering"]), int(said["last"]))
        except (OSError, ValueError, KeyError, TypeError):
            return Reached()

    def reach(self, reached: Reached, *, letters: int) -> None:
        """After a power cut the file may be older than the log; then letters are fetched again and dropped as known."""
        with replacing(self.path, durable=False) as file:
            file.write_text(json.dumps({"numbering": reached.numbering, "last": reached.last}), encoding="utf-8")


def let_in(arguments: Sequence[str], stopped: threading.Event) -> int:
    """Let letters in until `stopped`; 0 when that ended well, 2 when the arguments make no sense, 3 when it failed."""
    said = _parser().parse_args(arguments)
    try:
        take = handing_to(said.to)
        if said.way == "imap":
            _fetch(said, take, stopped)
        elif said.way == "mbox":
            _read(said.file, take, stopped)
        else:
            _receive(said, take, stopped)
    except DesirelineError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


def _fetch(said: argparse.Namespace, take: Take, stopped: threading.Event) -> None:
    words = ("host", "user", "password_env", "password_file", "folder", "port", "security")
    mailbox = way_of(read_way({"way": "imap", **{word: getattr(said, word) for word in words}}))
    assert isinstance(mailbox, Mailbox)
    around = Around(now=lambda: int(time.time() * 1_000))
    condition = Condition("", mailbox.place)
    fetching = Fetching(condition, mailbox, take, RememberedFile(said.remember), around=around, keep=_tell)
    if said.once:
        try:
            sys.stderr.write(f"{fetching.fetch_once():,} letters fetched.\n")
        except Exception as error:
            fault = fault_of(error, mailbox)
            raise (WorkFailed if fault.passes else DesirelineError)(f"{fault}.") from None
        return
    running = threading.Thread(target=fetching.run, name="letters")
    running.start()
    stopped.wait()
    fetching.stop()
    running.join()


def _tell(condition: Condition) -> None:
    if condition.is_failing:
        sys.stderr.write(f"{condition.fault}: {condition.do}. It is tried again.\n")


def _read(path: Path, take: Take, stopped: threading.Event) -> None:
    """The letters of a mailbox file; taken twice they are known by their message ids."""
    if not path.is_file() and not is_maildir(path):
        raise DesirelineError(f"{path} is no mailbox file (mbox, eml) and no Maildir folder.")
    taken = 0
    try:
        for raw in letters(path, zipped=path.suffix == ".gz"):
            if stopped.is_set():
                break
            take(slim(raw, most=MOST_KEPT_BYTES))
            taken += 1
    except OSError as error:
        raise WorkFailed(
            f"{taken:,} letters are taken, then it failed: {error}. Start it again; none counts twice."
        ) from None
    sys.stderr.write(f"{taken:,} letters taken.\n")


def _receive(said: argparse.Namespace, take: Take, stopped: threading.Event) -> None:
    receiver = MailReceiver(take, host=said.host, port=said.port, accepts=said.accepts, lmtp=said.way == "lmtp")
    receiver.start()
    sys.stderr.write(f"Taking letters at {said.host} port {receiver.port}.\n")
    stopped.wait()
    receiver.stop()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m desireline.intake.mail", description="Lets letters in.")
    ways = parser.add_subparsers(dest="way", required=True)
    imap = ways.add_parser("imap", help="fetch them out of a mailbox")
    imap.add_argument("--host", required=True)
    imap.add_argument("--user", required=True)
    imap.add_argument("--password-env", default="", help="the variable that holds the password")
    imap.add_argument("--password-file", default="", help="the file that holds the password")
    imap.add_argument("--folder", default="INBOX")
    imap.add_argument("--port", type=int)
    imap.add_argument("--security", default="tls", help="tls, starttls, or none on this machine")
    imap.add_argument("--remember", type=Path, default=Path("mailbox-reached.json"), help="how far we came")
    imap.add_argument("--once", action="store_true", help="fetch what is new and end")
    mbox = ways.add_parser("mbox", help="read them from a mailbox file: mbox, .mbox.gz, .eml, Maildir")
    mbox.add_argument("file", type=Path)
    for way in ("smtp", "lmtp"):
        receive = ways.add_parser(way, help=f"take them over {way.upper()}")
        receive.add_argument("--host", default="127.0.0.1")
        receive.add_argument("--port", type=int, default=2525)
        receive.add_argument("--accepts", action="append", default=[], help="an address or @domain; none means all")
    for each in ways.choices.values():
        each.add_argument("--to", required=True, help="the collector: http://127.0.0.1:8765/mail/KEY")
    return parser
