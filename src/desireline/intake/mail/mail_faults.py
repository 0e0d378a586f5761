"""What is wrong with a mailbox, in words: what happened, what to do about it, and whether it may pass by itself."""

from __future__ import annotations

import imaplib
import re
import socket
import ssl
from dataclasses import dataclass

from imap_tools.errors import ImapToolsError, MailboxLoginError, UnexpectedCommandStatusError

from desireline.intake.mail.ways import PORTS, Mailbox
from desireline.vocabulary.errors import DesirelineError

LONGEST_SAID = 200
_UNFIT = re.compile(r"[^\x20-\x7e\u00a0-\uffff]+")
_CERTIFICATES = (
    "have the environment variable SSL_CERT_FILE name a file with its authority, or use the name it is made for"
)


@dataclass(frozen=True, slots=True)
class Fault:
    """Why letters do not come in. passes: it may be over at the next try, without anybody's help."""

    what: str
    do: str
    passes: bool = True

    def __str__(self) -> str:
        return f"{self.what}: {self.do}" if self.do else self.what


class MailFault(Exception):
    """Letters do not come in; carries why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


def fault_of(error: Exception, mailbox: Mailbox, *, password: str = "") -> Fault:
    """An error met while a mailbox was fetched, in words; never with the password in it."""
    fault = _fault_of(error, mailbox)
    if not password or password not in fault.what:
        return fault
    return Fault(fault.what.replace(password, "***"), fault.do, fault.passes)


def _fault_of(error: Exception, mailbox: Mailbox) -> Fault:
    at = f"{mailbox.host} port {mailbox.port}"
    if isinstance(error, MailFault):
        return error.fault
    if isinstance(error, MailboxLoginError):
        return Fault(f"{mailbox.host} lets {mailbox.user} not in{_said(error)}", _mend_password(mailbox), passes=False)
    if isinstance(error, ssl.SSLCertVerificationError):
        return Fault(f"the certificate of {mailbox.host} is not trusted ({error.verify_message})", _CERTIFICATES, False)
    if isinstance(error, ssl.SSLError):
        other = "starttls" if mailbox.security == "tls" else "tls"
        return Fault(f"{at} does not speak TLS that way", f"try security {other}, port {PORTS[other]}", passes=False)
    if isinstance(error, socket.gaierror):
        return Fault(f"nobody knows the host {mailbox.host}", "correct its name, or look at this machine's network")
    if isinstance(error, ConnectionRefusedError):
        return Fault(f"nobody listens at {at}", "look whether that mail server runs, and at the port")
    if isinstance(error, TimeoutError):
        return Fault(f"{at} does not answer in time", "look at that mail server and at the way there")
    if isinstance(error, UnexpectedCommandStatusError | imaplib.IMAP4.error | ImapToolsError):
        if isinstance(error, imaplib.IMAP4.abort):
            return Fault(f"{mailbox.host} broke the connection off", "nothing, when it comes back by itself")
        return Fault(f"{mailbox.host} does not do what was asked{_said(error)}", "look at that mail server")
    if isinstance(error, DesirelineError):
        return Fault("; ".join(each.what.rstrip(".") for each in error.mistakes), error.mistakes[0].do.rstrip("."))
    if isinstance(error, OSError):
        return Fault(
            f"the connection to {at} broke off ({type(error).__name__})", "nothing, when it comes back by itself"
        )
    return Fault(f"a fault of ours ({type(error).__name__})", "report it with the version of Desireline")


def _mend_password(mailbox: Mailbox) -> str:
    if mailbox.password_file:
        return f"correct the user, or the password in {mailbox.password_file}; it is read again at each try"
    return f"correct the user, or set {mailbox.password_env} to the right password and start the server again"


def _said(error: Exception) -> str:
    """What a server answered, made fit to be read."""
    text = ""
    if isinstance(error, UnexpectedCommandStatusError):
        parts = error.command_result[1] if len(error.command_result) > 1 else ()
        text = " ".join(each.decode("utf-8", "replace") for each in parts or () if isinstance(each, bytes))
    elif error.args:
        said = error.args[0]
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    text = _UNFIT.sub(" ", text).strip()[:LONGEST_SAID]
    return f": {text}" if text else ""
