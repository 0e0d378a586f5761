"""A mail source is added once, and the server does the rest: mailboxes are fetched, letters taken, faults told."""

from __future__ import annotations

import json
import smtplib
import socket
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from desireline.faces.serve import Serving
from desireline.project import Project, examine
from desireline.vocabulary.errors import DesirelineError
from free_ports import free_port
from intake.mail_servers import WHY_NOT, Mailbox, dovecot
from intake.served_letters import PORT, a_bank, keys, letter, mailbox_words, served, until

PASSWORD = "pass-w0rd-canary"


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    if WHY_NOT:
        pytest.skip(WHY_NOT)
    monkeypatch.setenv("MAIL_PASSWORD", PASSWORD)
    with dovecot() as running:
        running.let_in_with(PASSWORD)
        yield running


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with served(a_bank(tmp_path_factory.mktemp("letters") / "bank")) as working:
        yield working


@pytest.fixture(autouse=True)
def nothing_left(serving: Serving) -> Iterator[None]:
    """Each test begins without mailboxes and ports of the one before."""
    yield
    for source in serving.project.sources.all():
        if source["mail"]:
            serving.project.sources.change(source["name"], mail={})
    until(lambda: not serving.project.letters.conditions())


def ask(serving: Serving, path: str) -> str:
    with TestClient(serving.app, base_url=f"http://127.0.0.1:{PORT}") as client:
        return client.get(path).text


def says(project: Project, name: str) -> str:
    table = project.sources.table()
    return dict(zip(table.columns["name"], table.columns["letters"], strict=True))[name]


def test_letters_of_a_mailbox_come_in_as_soon_as_its_source_is_added(serving: Serving, mailbox: Mailbox) -> None:
    mailbox.deliver(letter(1), name="1.1.x")
    project = serving.project
    project.sources.add("first", dialect="email", mail=mailbox_words(mailbox))
    until(lambda: "m1@x" in keys(project))
    mailbox.deliver(letter(2), name="1.2.x")
    until(lambda: "m2@x" in keys(project))
    until(lambda: says(project, "first").startswith("2 letters taken, last looked for at 20"))
    project.sources.change("first", enabled=False)
    until(lambda: "first" not in project.letters.conditions())
    mailbox.deliver(letter(3), name="1.3.x")
    assert says(project, "first") == "switched off"
    project.sources.change("first", enabled=True)
    until(lambda: "m3@x" in keys(project))
    assert max(keys(project).values()) == 1
    assert len(list((mailbox.folder / "cur").glob("*S*"))) == 0, "letters stay unread"


def test_a_mail_server_hands_letters_in_over_smtp_and_lmtp_and_a_port_is_changed_on_the_way(serving: Serving) -> None:
    project, first, second, third = serving.project, free_port(), free_port(), free_port()
    project.sources.add("post", mail={"way": "smtp", "port": first, "accepts": ["@bank.example"]}, dialect="email")
    project.sources.add("local", mail={"way": "lmtp", "port": third}, dialect="email")
    until(lambda: {"post", "local"} <= {n for n, it in project.letters.conditions().items() if it.looked_at})
    with smtplib.SMTP("127.0.0.1", first) as sender:
        sender.sendmail("anna@example.org", ["help@bank.example"], letter(11))
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            sender.sendmail("anna@example.org", ["carl@example.org"], letter(12))
    with smtplib.LMTP("127.0.0.1", third) as sender:
        sender.sendmail("anna@example.org", ["help@bank.example"], letter(13))
    until(lambda: {"m11@x", "m13@x"} <= set(keys(project)))
    assert "m12@x" not in keys(project)
    project.sources.change("post", mail={"port": second})
    until(lambda: project.letters.conditions()["post"].place.endswith(f":{second}"))
    until(lambda: project.letters.conditions()["post"].looked_at is not None and is_open(second))
    assert not is_open(first)
    with smtplib.SMTP("127.0.0.1", second) as sender:
        sender.sendmail("anna@example.org", ["help@bank.example"], letter(14))
    until(lambda: "m14@x" in keys(project))
    until(lambda: says(project, "post").startswith("2 letters taken"))
    project.sources.change("post", mail={})
    until(lambda: not is_open(second))


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_the_same_letter_out_of_the_mailbox_and_over_smtp_counts_once(serving: Serving, mailbox: Mailbox) -> None:
    project = serving.project
    mailbox.deliver(letter(21), name="1.1.x")
    source = project.sources.add("twice", dialect="email", mail=mailbox_words(mailbox), unsigned=True)
    until(lambda: keys(project)["m21@x"] == 1)
    before = serving.log.last
    with TestClient(serving.app, base_url=f"http://127.0.0.1:{PORT}") as client:
        again = b"Return-Path: <anna21@example.org>\r\nDelivered-To: desk@bank.example\r\n" + letter(21)
        assert client.post(f"/mail/{source['key']}", content=again).status_code == 200
    until(lambda: serving.live.reached > before)
    assert keys(project)["m21@x"] == 1
    assert len(project.imports.refused()) == 0, "another way is no conflict"


def test_a_failing_mailbox_is_told_with_what_to_do_and_its_password_nowhere(
    serving: Serving, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    project = serving.project
    mailbox.let_in_with("another")
    project.sources.add("shut", dialect="email", mail=mailbox_words(mailbox))
    until(lambda: project.letters.failing())
    [failing] = project.letters.failing()
    assert (failing.source, "lets anna not in" in failing.fault) == ("shut", True)
    ready = json.loads(ask(serving, "/ready"))
    assert ready["ready"] is True, "the collector goes on"
    assert any("'shut'" in line and "MAIL_PASSWORD" in line for line in ready["warnings"])
    figures = ask(serving, "/metrics")
    assert 'desireline_letters_failing{source="shut"} 1' in figures
    assert says(project, "shut").startswith("failing since 20")
    until(lambda: Project(project.folder).letters.conditions()["shut"].is_failing)
    found = [each for each in examine(project.folder, progress=lambda *_: None) if each.about == "letters"]
    assert any(each.level == "fault" and "'shut'" in each.what and "MAIL_PASSWORD" in each.do for each in found)
    page = ask(serving, "/connect/shut")
    assert "lets anna not in" in page and "MAIL_PASSWORD" in page
    stored = "".join(path.read_bytes().decode("latin-1") for path in (project.data).rglob("*") if path.is_file())
    for text in (figures, json.dumps(ready), page, str(found), caplog.text, stored):
        assert PASSWORD not in text
    mailbox.let_in_with(PASSWORD)
    mailbox.deliver(letter(31), name="1.1.x")
    project.letters.look_now("shut")
    until(lambda: "m31@x" in keys(project))
    until(lambda: not project.letters.failing())
    assert json.loads(ask(serving, "/ready"))["warnings"] == []
    assert 'desireline_letters_failing{source="shut"} 0' in ask(serving, "/metrics")
    assert 'desireline_letters_total{source="shut"} 1' in ask(serving, "/metrics")


def test_a_mailbox_is_set_up_looked_into_and_ended_on_its_page(serving: Serving, mailbox: Mailbox) -> None:
    project = serving.project
    project.sources.add("paged", dialect="email")
    filled = {name: str(value) for name, value in mailbox_words(mailbox).items()}
    with TestClient(serving.app, base_url=f"http://127.0.0.1:{PORT}") as client:
        headers = {"origin": f"http://127.0.0.1:{PORT}"}
        wrong = client.post("/connect/paged", data={**filled, "action": "letters", "port": "imap"}, headers=headers)
        assert wrong.status_code == 422 and "is no port" in wrong.text
        client.post("/connect/paged", data={**filled, "action": "letters"}, headers=headers)
        until(lambda: says(project, "paged").startswith("0 letters taken"))
        assert project.sources.named("paged")["mail"]["password_env"] == "MAIL_PASSWORD"
        mailbox.deliver(letter(41), name="1.1.x")
        client.post("/connect/paged", data={"action": "look"}, headers=headers)
        until(lambda: "m41@x" in keys(project))
        until(lambda: "1 letter taken" in client.get("/connect/paged").text)
        assert "1 letter taken" in client.get("/connect").text
        client.post("/connect/paged", data={"action": "no-letters"}, headers=headers)
    until(lambda: "paged" not in project.letters.conditions())


def test_a_port_somebody_has_is_told_and_taken_when_it_is_free(serving: Serving) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        serving.project.sources.add("busy", dialect="email", mail={"way": "smtp", "port": port})
        until(lambda: serving.project.letters.failing())
        [failing] = serving.project.letters.failing()
        assert failing.fault == f"another program listens at port {port}"
    serving.project.letters.look_now("busy")
    until(lambda: is_open(port) and not serving.project.letters.failing())


def test_what_cannot_hold_is_refused_before_it_is_written_down(serving: Serving) -> None:
    sources, before = serving.project.sources, serving.log.last
    far = {"way": "imap", "host": "imap.bank.example", "user": "anna", "password_env": "MAIL_PASSWORD"}
    for words, told in (
        ({**far, "security": "none"}, "another machine"),
        ({**far, "password_env": ""}, "must come from somewhere"),
        ({**far, "password_env": "s3cret!"}, "must be the name of one"),
        ({**far, "password_file": "/run/secrets/help"}, "two places"),
        ({**far, "password_env": "", "password_file": "help"}, "not a whole path"),
        ({**far, "securty": "tls"}, "Did you mean 'security'"),
        ({**far, "host": "no host"}, "no mail server"),
        ({**far, "security": "starttls", "port": 993}, "TLS from the start"),
        ({"way": "smtp", "port": 99_999}, "no port"),
        ({"way": "smtp"}, "a port is needed"),
        ({"way": "lmtp", "port": 2424, "accepts": ["bank.example"]}, "no address"),
        ({"way": "pop"}, "no way for letters"),
    ):
        with pytest.raises(DesirelineError, match=told):
            sources.add("wrong", dialect="email", mail=words)
    with pytest.raises(DesirelineError, match="takes no letters"):
        sources.add("wrong", dialect="segment", mail=far)
    assert serving.log.last == before
