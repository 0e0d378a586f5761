"""By TLS a listener is who it says: the name is checked although the connection goes to an address."""

from __future__ import annotations

import random
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from desireline.outreach import Deliverer, Mail, MailServer, Webhook
from outreach.listening import (
    ENVIRONMENT,
    Clock,
    broken,
    deliver,
    desk,
    hook,
    outbox_in,
    post_office,
    raw_listener,
    statuses,
    web_listener,
)


def certificate_for(host: str, folder: Path) -> Path:
    """A certificate that only says who it is itself, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / f"{host}.pem"
    path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return path


async def here(host: str, port: int) -> Sequence[str]:
    return ["127.0.0.1"]


@pytest.mark.parametrize(
    ("asked", "becomes", "reason"),
    [
        ("hook.example", {"told": 1}, "answered 200"),
        ("other.example", {"waiting": 1}, "the certificate is not valid for this host"),
    ],
)
def test_the_name_in_the_certificate_must_be_the_one_asked_for(
    tmp_path: Path, asked: str, becomes: dict[str, int], reason: str
) -> None:
    clock = Clock()
    certificate = certificate_for("hook.example", tmp_path)
    with web_listener(certificate=certificate) as listener:
        outbox = outbox_in(tmp_path, clock, hook(address=f"https://{asked}:{listener.port}/told"))
        outbox.tell([broken(1, clock())], now=clock())
        trusting = ssl.create_default_context(cafile=str(certificate))
        channel = Webhook(ENVIRONMENT, resolve=here, tls=trusting)
        deliver(Deliverer(outbox, {"webhook": channel}, now=clock, chance=random.random), clock, until=clock())
    assert statuses(outbox) == becomes
    assert outbox.book.attempts()[0]["says"] == reason
    hosts = [heard.headers["host"] for heard in listener.heard]
    assert hosts == [f"hook.example:{listener.port}"] * becomes.get("told", 0)


def test_a_listener_who_is_unknown_to_the_system_or_speaks_no_tls_is_told_nothing(tmp_path: Path) -> None:
    clock = Clock()
    certificate = certificate_for("hook.example", tmp_path)
    with web_listener(certificate=certificate) as listener, web_listener() as plain:
        changes = [
            hook("unknown", address=f"https://hook.example:{listener.port}/"),
            hook("plain", address=f"https://hook.example:{plain.port}/"),
        ]
        outbox = outbox_in(tmp_path, clock, *changes)
        outbox.tell([broken(1, clock())], now=clock())
        channel = Webhook(ENVIRONMENT, resolve=here)
        deliver(Deliverer(outbox, {"webhook": channel}, now=clock, chance=random.random), clock, until=clock())
    said = {row["listener"]: (row["outcome"], row["says"]) for row in outbox.book.attempts()}
    assert said == {
        "unknown": ("again", "the certificate is not valid for this host"),
        "plain": ("again", "no secure connection could be made"),
    }
    assert (listener.heard, plain.heard) == ([], [])


def test_a_mail_server_that_is_not_there_or_not_configured_keeps_the_mail_waiting(tmp_path: Path) -> None:
    with raw_listener(None) as port:
        pass
    servers = {
        "no mail server is configured ('mail' in desireline.yaml)": None,
        "the environment variable MAIL_USER is not set": MailServer("x.example", "a@x.example", user_env="MAIL_USER"),
        "the connection to the mail server was cut": MailServer("127.0.0.1", "a@x.example", port=port, security="none"),
    }
    for place, (reason, server) in enumerate(servers.items()):
        clock = Clock()
        outbox = outbox_in(tmp_path / str(place), clock, desk())
        outbox.tell([broken(1, clock())], now=clock())
        channel = Mail(server, {})
        deliver(Deliverer(outbox, {"email": channel}, now=clock, chance=random.random), clock, until=clock())
        (waiting,) = outbox.book.intents()
        assert (waiting["status"], waiting["reason"]) == ("waiting", reason)


def test_a_mail_is_never_sent_in_the_open_when_starttls_was_asked_for(tmp_path: Path) -> None:
    clock = Clock()
    outbox = outbox_in(tmp_path, clock, desk())
    outbox.tell([broken(1, clock())], now=clock())
    with post_office() as office:
        channel = Mail(MailServer("127.0.0.1", "a@x.example", port=office.port), {})
        deliver(Deliverer(outbox, {"email": channel}, now=clock, chance=random.random), clock, until=clock())
    assert office.mails == []
    assert statuses(outbox) == {"waiting": 1}
