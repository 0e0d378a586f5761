"""Lets letters in from a mailbox or from a mail server, beside the collector or on another machine.

python -m desireline.intake.mail imap --host imap.bank.example --user help@bank.example --password-env MAIL_PASSWORD \
    --to http://127.0.0.1:8765/mail/KEY
python -m desireline.intake.mail smtp --port 2525 --accepts @bank.example --to http://127.0.0.1:8765/mail/KEY
"""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from desireline.intake.mail.hand_in import handing_to
from desireline.intake.mail.imap import ImapAccount, ImapInbox
from desireline.intake.mail.receiver import MailReceiver, Take
from desireline.vocabulary.errors import DesirelineError


def let_in(arguments: Sequence[str], stopped: threading.Event) -> int:
    """Let letters in until `stopped`; 0 when that ended well, 2 when the arguments make no sense."""
    said = _parser().parse_args(arguments)
    try:
        take = handing_to(said.to)
        if said.way == "imap":
            _fetch(said, take, stopped)
        else:
            _receive(said, take, stopped)
    except DesirelineError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


def _fetch(said: argparse.Namespace, take: Take, stopped: threading.Event) -> None:
    account = ImapAccount(said.host, said.user, said.password_env, said.folder, said.port, said.security)
    inbox = ImapInbox(account, take, remembered=said.remember)
    if said.once:
        sys.stderr.write(f"{inbox.fetch_new():,} letters fetched.\n")
    else:
        inbox.run(stopped, tell=_tell)


def _tell(says: str) -> None:
    sys.stderr.write(f"{says}\n")


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
    imap.add_argument("--password-env", required=True, help="the variable that holds the password")
    imap.add_argument("--folder", default="INBOX")
    imap.add_argument("--port", type=int, default=993)
    imap.add_argument("--security", choices=("tls", "starttls", "none"), default="tls")
    imap.add_argument("--remember", type=Path, default=Path("mailbox-reached.json"), help="how far we came")
    imap.add_argument("--once", action="store_true", help="fetch what is new and end")
    for way in ("smtp", "lmtp"):
        receive = ways.add_parser(way, help=f"take them over {way.upper()}")
        receive.add_argument("--host", default="127.0.0.1")
        receive.add_argument("--port", type=int, default=2525)
        receive.add_argument("--accepts", action="append", default=[], help="an address or @domain; none means all")
    for each in ways.choices.values():
        each.add_argument("--to", required=True, help="the collector: http://127.0.0.1:8765/mail/KEY")
    return parser
