"""Letters come in from real mail servers, each once, whatever breaks in between."""

from __future__ import annotations

import smtplib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from typing import Any

import pytest

from desireline.intake.mail import Around, Condition, Reached, mail_of, read_way, way_of
from desireline.intake.mail import Mailbox as Way
from desireline.intake.mail.fetching import Fetching
from desireline.intake.mail.mail_faults import MailFault
from desireline.intake.mail.receiver import MailReceiver
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
        self.room_for: int | None = None
        self.came = threading.Condition()

    def take(self, raw: bytes) -> None:
        if self.full or self.room_for == len(self.kept):
            raise OSError("disk full")
        with self.came:
            self.kept.append(raw)
            self.came.notify_all()

    def ids(self) -> list[str]:
        return [mail_of(raw)["message_id"] for raw in self.kept]

    def wait_for(self, count: int) -> bool:
        with self.came:
            return self.came.wait_for(lambda: len(self.kept) >= count, timeout=60)


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
def mailbox() -> Iterator[Mailbox]:
    if WHY_NOT:
        pytest.skip(WHY_NOT)
    with dovecot() as running:
        yield running


class Remembered:
    """Stands for the state store: how far the mailbox was read."""

    def __init__(self) -> None:
        self.at = Reached()
        self.letters = 0
        self.times = 0

    def reached(self) -> Reached:
        return self.at

    def reach(self, reached: Reached, *, letters: int) -> None:
        self.at, self.letters, self.times = reached, self.letters + letters, self.times + 1


class Fetched:
    """A mailbox fetched into the log, with everything around it in the test's hands."""

    def __init__(
        self, log: Log, environment: dict[str, str] | None = None, *, silence_seconds: float = 10.0, **words: Any
    ) -> None:
        given = {"host": "127.0.0.1", "user": "anna", "password_env": "MAIL_PASSWORD", "security": "none", **words}
        way = way_of(read_way({"way": "imap", **given}))
        assert isinstance(way, Way)
        self.log, self.mark = log, Remembered()
        self.environment = environment if environment is not None else {"MAIL_PASSWORD": "secret"}
        self.told: Queue[Condition] = Queue()
        around = Around(
            now=lambda: 1_000,
            environment=self.environment,
            chance=lambda: 1.0,
            silence_seconds=silence_seconds,
        )
        self.fetching = Fetching(
            Condition("help", way.place), way, log.take, self.mark, around=around, keep=self.told.put
        )

    @contextmanager
    def running(self) -> Iterator[Fetching]:
        thread = threading.Thread(target=self.fetching.run)
        thread.start()
        try:
            yield self.fetching
        finally:
            self.fetching.stop()
            thread.join(60)
            assert not thread.is_alive()

    def wait_until(self, holds: Callable[[Condition], bool]) -> Condition:
        """The next condition told of which this holds."""
        condition = self.told.get(timeout=60)
        while not holds(condition):
            condition = self.told.get(timeout=60)
        return condition


def test_what_is_new_is_fetched_once(mailbox: Mailbox, log: Log) -> None:
    for number in range(3):
        mailbox.deliver(letter(number), name=f"1.{number}.x")
    fetched = Fetched(log, port=mailbox.port)
    assert fetched.fetching.fetch_once() == 3
    assert fetched.fetching.fetch_once() == 0
    mailbox.deliver(letter(3), name="1.3.x")
    assert fetched.fetching.fetch_once() == 1
    assert sorted(log.ids()) == ["m0@x", "m1@x", "m2@x", "m3@x"]
    assert fetched.fetching.condition.letters == fetched.mark.letters == 4
    assert len(list((mailbox.folder / "cur").glob("*S*"))) == 0, "letters stay unread"


def test_a_mailbox_with_years_of_letters_is_marked_a_few_times_only(mailbox: Mailbox, log: Log) -> None:
    for number in range(50):
        mailbox.deliver(letter(number), name=f"1.{number:03}.x")
    fetched = Fetched(log, port=mailbox.port)
    assert fetched.fetching.fetch_once() == 50
    assert (fetched.mark.letters, fetched.mark.times) == (50, 3)


def test_nothing_is_lost_when_the_log_is_full_or_the_numbering_is_new(mailbox: Mailbox, log: Log) -> None:
    mailbox.deliver(letter(1), name="1.1.x")
    fetched = Fetched(log, port=mailbox.port)
    log.full = True
    with pytest.raises(OSError, match="disk full"):
        fetched.fetching.fetch_once()
    assert fetched.mark.at == Reached()
    log.full = False
    assert fetched.fetching.fetch_once() == 1
    before = fetched.mark.at
    mailbox.number_anew()
    mailbox.deliver(letter(2), name="1.2.x")
    assert fetched.fetching.fetch_once() == 2
    assert fetched.mark.at.numbering != before.numbering
    assert sorted(set(log.ids())) == ["m1@x", "m2@x"], "fetched again, known by its message id"


def test_what_was_taken_before_the_log_was_full_is_not_fetched_again(mailbox: Mailbox, log: Log) -> None:
    for number in range(3):
        mailbox.deliver(letter(number), name=f"1.{number}.x")
    fetched = Fetched(log, port=mailbox.port)
    log.room_for = 2
    with pytest.raises(OSError, match="disk full"):
        fetched.fetching.fetch_once()
    log.room_for = None
    assert fetched.fetching.fetch_once() == 1
    assert sorted(log.ids()) == ["m0@x", "m1@x", "m2@x"]


def test_the_server_says_when_something_comes(mailbox: Mailbox, log: Log) -> None:
    mailbox.deliver(letter(1), name="1.1.x")
    with Fetched(log, port=mailbox.port).running():
        assert log.wait_for(1)
        mailbox.deliver(letter(2), name="1.2.x")
        assert log.wait_for(2)
    assert log.ids() == ["m1@x", "m2@x"]


def test_a_server_that_goes_is_told_from_the_second_try_on_and_found_again(mailbox: Mailbox, log: Log) -> None:
    fetched = Fetched(log, port=mailbox.port)
    with fetched.running() as fetching:
        fetched.wait_until(lambda it: it.looked_at is not None)
        mailbox.stop()
        once = fetched.wait_until(lambda it: it.tries == 1)
        assert not once.is_failing, "a connection that broke off once is no news"
        fetching.look_now()
        failing = fetched.wait_until(lambda it: it.fault == f"nobody listens at 127.0.0.1 port {mailbox.port}")
        assert failing.is_failing and failing.failing_since == 1_000
        mailbox.deliver(letter(1), name="1.1.x")
        mailbox.start()
        fetching.look_now()
        well = fetched.wait_until(lambda it: it.tries == 0)
        assert (well.is_failing, well.fault, well.do) == (False, "", "")
        assert log.wait_for(1)


def test_a_wrong_password_is_told_and_mended_in_its_file_without_a_restart(
    mailbox: Mailbox, log: Log, tmp_path: Path
) -> None:
    mailbox.deliver(letter(1), name="1.1.x")
    file = tmp_path / "password"
    file.write_text("wr0ng\n")
    fetched = Fetched(log, port=mailbox.port, password_env="", password_file=str(file))
    with fetched.running() as fetching:
        failing = fetched.wait_until(lambda it: it.is_failing)
        assert "lets anna not in" in failing.fault and str(file) in failing.do
        assert "wr0ng" not in failing.fault + failing.do, "no password in what is told"
        file.write_text("secret\n")
        fetching.look_now()
        assert log.wait_for(1)


def test_a_password_that_is_nowhere_and_a_folder_that_is_not_there_are_clear_errors(
    mailbox: Mailbox, log: Log, tmp_path: Path
) -> None:
    with pytest.raises(MailFault, match="no MAIL_PASSWORD: set MAIL_PASSWORD"):
        Fetched(log, {}, port=1).fetching.fetch_once()
    with pytest.raises(MailFault, match="cannot be read"):
        Fetched(log, port=1, password_env="", password_file=str(tmp_path / "none")).fetching.fetch_once()
    with pytest.raises(MailFault, match="no folder 'Letters': it has INBOX"):
        Fetched(log, port=mailbox.port, folder="Letters").fetching.fetch_once()


def test_a_server_that_says_nothing_is_given_up_and_can_be_cut_off(log: Log) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        fetched = Fetched(log, port=silent.getsockname()[1], silence_seconds=0.2)
        with fetched.running() as fetching:
            fetched.wait_until(lambda it: it.tries == 1)
            fetching.look_now()
            assert "does not answer in time" in fetched.wait_until(lambda it: it.is_failing).fault


def test_letters_come_over_tls_from_a_server_that_is_trusted_and_from_no_other(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    if WHY_NOT:
        pytest.skip(WHY_NOT)
    with dovecot(tls=True) as secure:
        secure.deliver(letter(1), name="1.1.x")
        words = {"host": "localhost", "port": secure.port, "security": "tls"}
        stranger = Fetched(log, **words)
        with stranger.running():
            failing = stranger.wait_until(lambda it: it.is_failing)
        assert "certificate of localhost is not trusted" in failing.fault and "SSL_CERT_FILE" in failing.do
        monkeypatch.setenv("SSL_CERT_FILE", str(secure.certificate))
        assert Fetched(log, **words).fetching.fetch_once() == 1
        misnamed = Fetched(log, **{**words, "host": "127.0.0.1"})
        with misnamed.running():
            assert "not trusted" in misnamed.wait_until(lambda it: it.is_failing).fault
    assert log.ids() == ["m1@x"]
