"""Letters handed to the collector over HTTP: it answers 200 when a letter lies in the log, and not before."""

from __future__ import annotations

from contextlib import closing
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from desireline.intake.mail.receiver import Take
from desireline.vocabulary.errors import DesirelineError

SECONDS = 30.0


def handing_to(address: str) -> Take:
    """A `take` that hands each letter to the collector at `http(s)://.../mail/KEY` and raises unless it is kept."""
    to = urlsplit(address)
    if to.scheme not in ("http", "https") or not to.hostname or "/mail/" not in to.path:
        raise DesirelineError("the collector's address is written http://127.0.0.1:8765/mail/KEY.")
    kind, host, port, path = HTTPSConnection if to.scheme == "https" else HTTPConnection, to.hostname, to.port, to.path

    def take(raw: bytes) -> None:
        with closing(kind(host, port, timeout=SECONDS)) as connection:
            try:
                connection.request("POST", path, raw, {"Content-Type": "message/rfc822"})
                answer = connection.getresponse()
                answer.read()
            except HTTPException as error:
                raise OSError(f"the collector broke off ({type(error).__name__})") from error
        if answer.status != 200:
            raise OSError(f"the collector answered {answer.status}")

    return take
