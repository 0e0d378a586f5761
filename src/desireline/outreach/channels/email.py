"""Telling by e-mail, through the mail server of the project."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import aiosmtplib

from desireline.outreach.listeners import Listener
from desireline.outreach.mail_text import mail
from desireline.outreach.message import NO_SURROUNDINGS, Answer, Message, Surroundings, handles_for
from desireline.outreach.retries import TIMEOUT_SECONDS

Security = Literal["tls", "starttls", "none"]


@dataclass(frozen=True, slots=True)
class MailServer:
    """The mail server, as the project file names it; user and password by environment name only.

    security: tls (from the start), starttls (before anything is told) or none (in one's own network).
    """

    host: str
    sender: str
    port: int = 587
    security: Security = "starttls"
    user_env: str = ""
    password_env: str = ""

    @classmethod
    def from_words(cls, words: Mapping[str, Any]) -> MailServer | None:
        """The mail server of a project file's `mail`, already checked; `None` when it names none."""
        if not words:
            return None
        given = {word: value for word, value in words.items() if word != "from"}
        return cls(sender=words["from"], **given)


@dataclass(frozen=True)
class Mail:
    """The way out for e-mail."""

    server: MailServer | None
    environment: Mapping[str, str] = field(repr=False)
    around: Surroundings = NO_SURROUNDINGS
    seconds: float = TIMEOUT_SECONDS
    tls: ssl.SSLContext | None = None

    async def send(self, message: Message, listener: Listener, *, now: int) -> Answer:
        """Hand one mail to the mail server; every try bears the same Message-ID."""
        if self.server is None:
            return Answer("again", "no mail server is configured ('mail' in desireline.yaml)")
        missing = [
            env for env in (self.server.user_env, self.server.password_env) if env and env not in self.environment
        ]
        if missing:
            return Answer("again", f"the environment variable {missing[0]} is not set")
        handles = await handles_for(message, listener, self.around)
        sender, receiver = self.server.sender, listener.address
        written = mail(message, self.around, sender=sender, receiver=receiver, handles=handles, now=now)
        handing = _Handing()
        try:
            async with asyncio.timeout(self.seconds):
                return await self._hand_in(bytes(written), self.server, listener.address, handing)
        except TimeoutError:
            return handing.broke_off(f"no answer within {self.seconds:g} seconds")
        except aiosmtplib.SMTPResponseException as error:
            return _refused(error.code, about_the_mail=handing.connected)
        except aiosmtplib.SMTPException:
            return handing.broke_off("the connection to the mail server was cut")
        except OSError:
            return handing.broke_off("the mail server could not be reached")
        finally:
            handing.close()

    async def _hand_in(self, written: bytes, server: MailServer, receiver: str, handing: _Handing) -> Answer:
        client = handing.client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            use_tls=server.security == "tls",
            start_tls=server.security == "starttls",
            username=self.environment.get(server.user_env) if server.user_env else None,
            password=self.environment.get(server.password_env) if server.password_env else None,
            timeout=self.seconds,
            tls_context=self.tls,
        )
        await client.connect()
        handing.connected = True
        await client.mail(_bare(server.sender))
        await client.rcpt(receiver)
        handing.begun = True
        response = await client.data(written)
        return Answer("told", f"the mail server took it ({response.code})", response.code)


class _Handing:
    """How far a mail has come: once its text is on the way, nobody can tell any more whether it was taken."""

    def __init__(self) -> None:
        self.connected = False
        self.begun = False
        self.client: aiosmtplib.SMTP | None = None

    def broke_off(self, says: str) -> Answer:
        """What to think when the connection ends without an answer."""
        return Answer("unsure" if self.begun else "again", says)

    def close(self) -> None:
        """Hang up without waiting."""
        if self.client is not None:
            self.client.close()


def _refused(code: int, *, about_the_mail: bool) -> Answer:
    """5xx about this mail or its receiver: never. Everything else, such as a wrong log-in, can pass or be mended."""
    says = f"the mail server answered {code}"
    if about_the_mail and 500 <= code < 600:
        return Answer("never", says, code)
    return Answer("again", says, code)


def _bare(sender: str) -> str:
    """The address alone, without a name before it."""
    return sender.rpartition("<")[2].rstrip("> ") if "<" in sender else sender.strip()
