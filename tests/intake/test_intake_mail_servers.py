"""Letters come in from real mail servers, each once, whatever breaks in between."""

from __future__ import annotations

import smtplib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from desireline.intake.mail import mail_of
from desireline.intake.mail.imap import ImapAccount, ImapInbox
from desireline.intake.mail.receiver import MailReceiver
from desireline.vocabulary.errors import DesirelineError
from free_ports import free_port
from intake.mail_servers import WHY_NOT, Mailbox, dovecot


def letter(number: int) -> bytes:
    return (
        f"From: anna@example.org\r\nTo: help@bank.example\r\nMessage-ID: <m{number}@x>\r\nSubject: {number}\r\n"
        f"Date: Sun, 22 Nov 2026 10:00:00 +0000\r\n\r\nletter {number}\r\n.. two dots\r\n"
    ).encode()


class Log:
    """Stands for the log of record: keeps what it is given, or refuses."""

    def __init__(self) -> None:
        self.kept: list[bytes] = []
        self.full = False
        self.came = threading.Condition()

    def take(self, raw: bytes) -> None:
        if self.full:
            raise OSError("disk full")
        with self.came:
            self.kept.append(raw)
            self.came.notify_all()

    def ids(self) -> list[str]:
        return [mail_of(raw)["message_id"] for raw in self.kept]

    def wait_for(self, count: int) -> bool:
        with self.came:
            return self.came.wait_for(lambda: len(self.kept) >= count, timeout=20)


@pytest.fixture
def log() -> Log:
    return Log()


def test_a_letter_is_acknowledged_only_when_it_is_kept(log: Log) -> None:
    receiver = MailReceiver(log.take, port=free_port(), accepts=["@bank.example"])
    receiver.start()
    try:
        with smtplib.SMTP("127.0.0.1", receiver.port) as sender:
            refused = sender.sendmail(
                "anna@example.org", ["help@bank.example", "desk@bank.example", "carl@example.org"], letter(1)
            )
            assert list(refused) == ["carl@example.org"]
            log.full = True
            with pytest.raises(smtplib.SMTPDataError) as told:
                sender.sendmail("anna@example.org", ["help@bank.example"], letter(2))
            assert "451" in str(told.value)
            log.full = False
            sender.sendmail("anna@example.org", ["help@bank.example"], letter(2))
            with pytest.raises(smtplib.SMTPRecipientsRefused):
                sender.sendmail("anna@example.org", ["carl@example.org"], letter(3))
    finally:
        receiver.stop()
    assert log.ids() == ["m1@x", "m2@x"]
    assert b"\r\n.. two dots\r\n" in log.kept[0]
    assert mail_of(log.kept[0])["delivered_to"] == ["desk@bank.example", "help@bank.example"]


def test_over_lmtp_each_recipient_has_an_answer(log: Log) -> None:
    receiver = MailReceiver(log.take, port=free_port(), lmtp=True)
    receiver.start()
    try:
        with smtplib.LMTP("127.0.0.1", receiver.port) as sender:
            sender.ehlo_or_helo_if_needed()
            for full, answer in ((True, 451), (False, 250)):
                log.full = full
                sender.mail("anna@example.org")
                sender.rcpt("help@bank.example")
                sender.rcpt("desk@bank.example")
                assert sender.docmd("DATA")[0] == 354
                sender.send(letter(1) + b".\r\n")
                assert [sender.getreply()[0] for _ in range(2)] == [answer, answer]
    finally:
        receiver.stop()
    assert log.ids() == ["m1@x"]


def test_a_letter_from_nobody_is_known_as_a_machines(log: Log) -> None:
    receiver = MailReceiver(log.take, port=free_port())
    receiver.start()
    try:
        with smtplib.SMTP("127.0.0.1", receiver.port) as sender:
            sender.sendmail("", ["help@bank.example"], letter(1))
    finally:
        receiver.stop()
    assert mail_of(log.kept[0])["automatic"] == "auto-generated"


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    if WHY_NOT:
        pytest.skip(WHY_NOT)
    monkeypatch.setenv("MAIL_PASSWORD", "secret")
    with dovecot() as running:
        yield running


def inbox(mailbox: Mailbox, log: Log, tmp_path: Path) -> ImapInbox:
    account = ImapAccount("127.0.0.1", "anna", "MAIL_PASSWORD", port=mailbox.port, security="none")
    return ImapInbox(account, log.take, remembered=tmp_path / "reached.json")


def test_what_is_new_is_fetched_once(mailbox: Mailbox, log: Log, tmp_path: Path) -> None:
    for number in range(3):
        mailbox.deliver(letter(number), name=f"1.{number}.x")
    assert inbox(mailbox, log, tmp_path).fetch_new() == 3
    assert inbox(mailbox, log, tmp_path).fetch_new() == 0
    mailbox.deliver(letter(3), name="1.3.x")
    assert inbox(mailbox, log, tmp_path).fetch_new() == 1
    assert sorted(log.ids()) == ["m0@x", "m1@x", "m2@x", "m3@x"]
    assert len(list((mailbox.folder / "cur").glob("*S*"))) == 0, "letters stay unread"


def test_nothing_is_lost_when_the_log_is_full_or_the_numbering_is_new(
    mailbox: Mailbox, log: Log, tmp_path: Path
) -> None:
    mailbox.deliver(letter(1), name="1.1.x")
    fetching = inbox(mailbox, log, tmp_path)
    log.full = True
    with pytest.raises(OSError, match="disk full"):
        fetching.fetch_new()
    log.full = False
    assert fetching.fetch_new() == 1
    before = fetching.reached()
    mailbox.number_anew()
    mailbox.deliver(letter(2), name="1.2.x")
    assert fetching.fetch_new() == 2
    assert fetching.reached().numbering != before.numbering
    assert sorted(set(log.ids())) == ["m1@x", "m2@x"], "fetched again, known by its message id"


def test_the_server_says_when_something_comes(mailbox: Mailbox, log: Log, tmp_path: Path) -> None:
    stopped = threading.Event()
    mailbox.deliver(letter(1), name="1.1.x")
    fetching = inbox(mailbox, log, tmp_path)
    running = threading.Thread(target=fetching.run, args=(stopped,), kwargs={"pause_seconds": 1.0})
    running.start()
    try:
        assert log.wait_for(1)
        mailbox.deliver(letter(2), name="1.2.x")
        assert log.wait_for(2)
    finally:
        stopped.set()
        running.join(20)
    assert not running.is_alive()
    assert log.ids() == ["m1@x", "m2@x"]


def test_a_wrong_password_is_told_and_tried_again(
    mailbox: Mailbox, log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", "wrong")
    stopped, told = threading.Event(), []

    def tell(says: str) -> None:
        told.append(says)
        stopped.set()

    inbox(mailbox, log, tmp_path).run(stopped, pause_seconds=0.1, tell=tell)
    assert told
    assert "wrong" not in told[0], "no password in what is told"


def test_a_password_that_is_nowhere_is_a_clear_error(log: Log, tmp_path: Path) -> None:
    account = ImapAccount("127.0.0.1", "anna", "NO_SUCH_PASSWORD", port=1, security="none")
    with pytest.raises(DesirelineError, match="NO_SUCH_PASSWORD"):
        ImapInbox(account, log.take, remembered=tmp_path / "reached.json").fetch_new()
