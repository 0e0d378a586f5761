"""A letter from a mail server to the log: over SMTP, through the collector, and acknowledged only then."""

from __future__ import annotations

import json
import smtplib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.running import NOW, Running, running
from desireline.faces.collector import Source
from desireline.intake.dialects import Received, Setting, read, rows_of
from desireline.intake.mail import let_in, mail_of
from desireline.intake.mail.hand_in import handing_to
from desireline.intake.mail.receiver import MailReceiver
from desireline.vocabulary.errors import DesirelineError
from free_ports import free_port

LETTER = (
    b"From: anna@example.org\r\nTo: help@bank.example\r\nMessage-ID: <a@x>\r\nSubject: My card\r\n"
    b"Date: Mon, 21 Sep 2026 10:00:00 +0000\r\n\r\nWhere is it? \xc3\xa4\r\n"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    source = Source("mail", "email", "mail-key", unsigned=True)
    with running(tmp_path_factory.mktemp("mail"), sources=(source,)) as server:
        yield server


def test_a_letter_goes_from_a_mail_server_to_the_log_and_becomes_an_interaction(server: Running) -> None:
    take = handing_to(f"http://127.0.0.1:{server.port}/mail/mail-key")
    receiver = MailReceiver(take, port=free_port(), accepts=["@bank.example"])
    receiver.start()
    try:
        with smtplib.SMTP("127.0.0.1", receiver.port) as sender:
            sender.sendmail("anna@example.org", ["help@bank.example"], LETTER)
    finally:
        receiver.stop()
    *_, frame = server.log.read()
    meta = json.loads(frame.meta)
    assert (frame.source, meta["dialect"], meta["path"]) == ("mail", "email", "/mail/{key}")
    received = Received(
        frame.sequence, NOW, frame.source, meta["dialect"], "POST", meta["path"], "", meta["headers"], frame.body
    )
    setting = Setting("mail", "UTC", "EUR", "", server_side=True, own_addresses=("@bank.example",))
    [row] = rows_of(read(received).messages[0], received, setting)
    assert (row["touchpoint"], row["text"], row["handles"]) == (
        "email.received",
        "Where is it? ä",
        ["email:anna@example.org"],
    )


def test_a_letter_the_collector_does_not_keep_is_not_acknowledged(server: Running) -> None:
    with pytest.raises(OSError, match="401"):
        handing_to(f"http://127.0.0.1:{server.port}/mail/another-key")(LETTER)
    with pytest.raises(OSError, match=r"refused|broke off"):
        handing_to(f"http://127.0.0.1:{free_port()}/mail/mail-key")(LETTER)
    with pytest.raises(DesirelineError, match="/mail/KEY"):
        handing_to("ftp://example.org")


def test_the_small_program_takes_letters_until_it_is_stopped(server: Running, tmp_path: Path) -> None:
    before, port, stopped = server.log.last, free_port(), threading.Event()
    address = f"http://127.0.0.1:{server.port}/mail/mail-key"
    arguments = ["lmtp", "--port", str(port), "--accepts", "@bank.example", "--to", address]
    ended: list[int] = []
    program = threading.Thread(target=lambda: ended.append(let_in(arguments, stopped)))
    program.start()
    try:
        for _ in range(200):
            try:
                with smtplib.LMTP("127.0.0.1", port) as sender:
                    sender.sendmail("anna@example.org", ["help@bank.example"], LETTER)
                break
            except ConnectionRefusedError:
                stopped.wait(0.05)
    finally:
        stopped.set()
        program.join(20)
    assert ended == [0]
    assert server.log.last == before + 1


def test_the_letters_of_a_mailbox_file_are_handed_in_one_by_one(
    server: Running, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = tmp_path / "old.mbox"
    begin = b"From anna@example.org Mon Sep 21 10:00:00 2026\n"
    second = LETTER.replace(b"<a@x>", b"<b@x>")
    old.write_bytes(b"\n".join(begin + each.replace(b"\r\n", b"\n") for each in (LETTER, second)))
    before = server.log.last
    address = f"http://127.0.0.1:{server.port}/mail/mail-key"
    assert let_in(["mbox", str(old), "--to", address], threading.Event()) == 0
    assert capsys.readouterr().err == "2 letters taken.\n"
    ids = [mail_of(frame.body)["message_id"] for frame in server.log.read(before)]
    assert ids == ["a@x", "b@x"]
    assert let_in(["mbox", str(tmp_path / "none"), "--to", address], threading.Event()) == 2
    assert "no mailbox file" in capsys.readouterr().err
    assert let_in(["mbox", str(old), "--to", f"http://127.0.0.1:{free_port()}/mail/k"], threading.Event()) == 3
    assert "0 letters are taken" in capsys.readouterr().err


def test_the_small_program_says_what_is_wrong(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    arguments = [
        "imap", "--host", "127.0.0.1", "--user", "anna", "--password-env", "NO_SUCH", "--once",
        "--remember", str(tmp_path / "reached.json"), "--to", "http://127.0.0.1:1/mail/k",
    ]  # fmt: skip
    assert let_in(arguments, threading.Event()) == 2
    assert "NO_SUCH" in capsys.readouterr().err
