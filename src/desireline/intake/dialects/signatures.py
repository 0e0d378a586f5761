"""Who really sent a webhook: signatures checked over the bytes as they came, before anything is kept.

A signed sender proves with a shared secret that it wrote this body, and most also when. Five ways are
known: Standard Webhooks, Chatwoot, Zendesk, Typeform, and GitHub's `X-Hub-Signature-256`. Which one a
request uses is told by its headers alone, so a request cannot be checked in one way and read in another.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from desireline.intake.dialects.moments import read_moment
from desireline.vocabulary.units import MINUTE_MS, SECOND_MS

Headers = Mapping[str, str]

MOST_OFF_MS = 5 * MINUTE_MS
"""How far the time of a signed request may be from ours: an older one may have been listened to and sent again."""
MOST_SIGNATURES = 10
"""A header may hold several signatures while secrets are changed; more are not looked at."""
_STANDARD_MARK = "whsec_"
_SECONDS = re.compile(r"[0-9]{9,12}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a request may be believed. A refusal has a code that never changes and says what to do."""

    accepted: bool
    code: str = ""
    says: str = ""


ACCEPTED = Verdict(True)
NO_SECRET = Verdict(
    False, "signature.no_secret", "This source has no secret yet. Set one on both sides, or allow it to be unsigned."
)
MISSING = Verdict(False, "signature.missing", "The request is not signed. Set this source's secret at the sender.")
WRONG = Verdict(False, "signature.wrong", "The signature does not fit. Check the secret on both sides.")
NO_TIME = Verdict(False, "signature.no_time", "The time that is signed is missing or is none. Check the sender.")
TOO_OLD = Verdict(False, "signature.time", "It was signed more than five minutes from now. Check both clocks.")
REFUSALS = (NO_SECRET, MISSING, WRONG, NO_TIME, TOO_OLD)
"""Every reason not to believe a request."""


@dataclass(frozen=True, slots=True)
class Scheme:
    """One way of signing: its headers, what is signed, and how a signature is written.

    `signed` gives the bytes that are signed; `written` the signature's bytes out of one text of the header.
    """

    name: str
    header: str
    time_header: str
    id_header: str
    id_is_signed: bool
    signed: Callable[[Headers, bytes], bytes]
    written: Callable[[str], bytes | None]
    key: Callable[[str], bytes]

    def time_of(self, headers: Headers) -> str:
        """The signed time as it was written; empty when this way signs none."""
        return headers.get(self.time_header, "") if self.time_header else ""


def verify(headers: Headers, body: bytes, secrets: Sequence[str], now_ms: int, *, unsigned: bool = False) -> Verdict:
    """Whether a request was signed, just now, with one of the secrets (two while a secret is being changed).

    `headers` have names in small letters; `body` is the body as it came, before anything is unpacked.
    Where there is a secret, a request without a signature is refused, whatever `unsigned` says; where
    there is none it is refused unless the source is allowed to be unsigned.
    """
    usable = [secret for secret in secrets if secret]
    if not usable:
        return ACCEPTED if unsigned else NO_SECRET
    scheme = scheme_of(headers)
    if scheme is None:
        return MISSING
    if scheme.time_header:
        at = _moment(scheme.time_of(headers))
        if at is None:
            return NO_TIME
        if abs(now_ms - at) > MOST_OFF_MS:
            return TOO_OLD
    signed = scheme.signed(headers, body)
    given = [scheme.written(text) for text in headers[scheme.header].split(" ")[:MOST_SIGNATURES]]
    fits = False
    for secret in usable:
        expected = hmac.new(scheme.key(secret), signed, hashlib.sha256).digest()
        for signature in given:
            fits |= hmac.compare_digest(expected, signature or b"")
    return ACCEPTED if fits else WRONG


def scheme_of(headers: Headers) -> Scheme | None:
    """The way a request is signed, by its headers; the first of `SCHEMES` that fits."""
    return next((scheme for scheme in SCHEMES if headers.get(scheme.header)), None)


def delivery_key(headers: Headers, body: bytes, *, by_body: bool = False) -> str | None:
    """A key for a request, the same whenever it is sent again; nothing when it cannot be told.

    Only what is signed counts: a listener who sends a request again can write any other header anew.
    `by_body` is for senders whose bodies all differ; a try that is signed anew is then known, too.
    """
    scheme = scheme_of(headers)
    if scheme is not None and scheme.id_is_signed and headers.get(scheme.id_header):
        return headers[scheme.id_header]
    if by_body:
        return "body-" + hashlib.sha256(body).hexdigest()[:32]
    return None if scheme is None else "signed-" + hashlib.sha256(scheme.signed(headers, body)).hexdigest()[:32]


def _moment(written: str) -> int | None:
    """The signed time in milliseconds: seconds since 1970, or ISO 8601."""
    if _SECONDS.fullmatch(written):
        return int(written) * SECOND_MS
    moment = read_moment(written, zone="UTC") if written else None
    return moment.at if moment else None


def _from_base64(text: str) -> bytes | None:
    """Base64 as it is written by rule; the same bytes written in another way are refused."""
    try:
        plain = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return plain if base64.b64encode(plain).decode() == text else None


def _from_hex(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None


def _marked(mark: str, inner: Callable[[str], bytes | None]) -> Callable[[str], bytes | None]:
    return lambda text: inner(text.removeprefix(mark)) if text.startswith(mark) else None


def _plain_key(secret: str) -> bytes:
    return secret.encode()


def _standard_key(secret: str) -> bytes:
    """Secrets of Standard Webhooks are base64, marked `whsec_`; others are taken as they are."""
    if not secret.startswith(_STANDARD_MARK):
        return secret.encode()
    inner = secret.removeprefix(_STANDARD_MARK)
    return _from_base64(inner + "=" * (-len(inner) % 4)) or secret.encode()


def _latin(text: str) -> bytes:
    return text.encode("latin-1", "replace")


def _standard(prefix: str) -> Scheme:
    return Scheme(
        name="Standard Webhooks",
        header=f"{prefix}-signature",
        time_header=f"{prefix}-timestamp",
        id_header=f"{prefix}-id",
        id_is_signed=True,
        signed=lambda headers, body: (
            _latin(f"{headers.get(f'{prefix}-id', '')}.{headers.get(f'{prefix}-timestamp', '')}.") + body
        ),
        written=_marked("v1,", _from_base64),
        key=_standard_key,
    )


SCHEMES: tuple[Scheme, ...] = (
    _standard("webhook"),
    _standard("svix"),
    Scheme(
        name="Chatwoot",
        header="x-chatwoot-signature",
        time_header="x-chatwoot-timestamp",
        id_header="x-chatwoot-delivery",
        id_is_signed=False,
        signed=lambda headers, body: _latin(headers.get("x-chatwoot-timestamp", "") + ".") + body,
        written=_marked("sha256=", _from_hex),
        key=_plain_key,
    ),
    Scheme(
        name="Zendesk",
        header="x-zendesk-webhook-signature",
        time_header="x-zendesk-webhook-signature-timestamp",
        id_header="x-zendesk-webhook-invocation-id",
        id_is_signed=False,
        signed=lambda headers, body: _latin(headers.get("x-zendesk-webhook-signature-timestamp", "")) + body,
        written=_from_base64,
        key=_plain_key,
    ),
    Scheme(
        name="Typeform",
        header="typeform-signature",
        time_header="",
        id_header="",
        id_is_signed=False,
        signed=lambda _headers, body: body,
        written=_marked("sha256=", _from_base64),
        key=_plain_key,
    ),
    Scheme(
        name="X-Hub-Signature-256",
        header="x-hub-signature-256",
        time_header="",
        id_header="",
        id_is_signed=False,
        signed=lambda _headers, body: body,
        written=_marked("sha256=", _from_hex),
        key=_plain_key,
    ),
)
"""Every way of signing that is known, in the order they are looked for."""

SIGNING_HEADERS: tuple[str, ...] = tuple(
    sorted({name for each in SCHEMES for name in (each.header, each.time_header, each.id_header) if name})
)
"""The headers of signed requests, all of which the log keeps: keys of repeats are made of them."""
