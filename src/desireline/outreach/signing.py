"""Signing what we send as Standard Webhooks describes: the receiver knows that it came from us, whole, and just now.

Source: standardwebhooks.com, specification 1.0: HMAC-SHA256 over id.timestamp.body. While a secret is
replaced there are two, and every message bears both signatures.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence

from desireline.vocabulary.errors import DesirelineError, Mistake

PREFIX = "whsec_"
FEWEST_BYTES = 24
MOST_SECRETS = 2


def read_secrets(environment: Mapping[str, str], name: str) -> tuple[bytes, ...]:
    """The secrets of a listener, newest first: one, or two with a space between while the old one is replaced.

    A secret is `whsec_` and Base64 of at least 24 bytes. Raises `DesirelineError` that never shows it.
    """
    words = environment.get(name, "").split()
    if not words:
        raise DesirelineError(Mistake(f"the environment variable {name} is not set.", do=f"Set it to '{PREFIX}...'."))
    if len(words) > MOST_SECRETS:
        raise DesirelineError(Mistake(f"{name} holds more than {MOST_SECRETS} secrets.", do="Take the oldest out."))
    return tuple(_read(word, name) for word in words)


def signed_headers(*, message_id: str, at: int, body: bytes, secrets: Sequence[bytes]) -> dict[str, str]:
    """The three headers of a signed webhook; `at` is the moment of this try in milliseconds."""
    seconds = str(at // 1_000)
    to_sign = b".".join((message_id.encode(), seconds.encode(), body))
    signatures = [base64.b64encode(hmac.new(each, to_sign, hashlib.sha256).digest()).decode() for each in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(f"v1,{each}" for each in signatures),
    }


def _read(word: str, name: str) -> bytes:
    try:
        secret = base64.b64decode(word.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if not word.startswith(PREFIX) or len(secret) < FEWEST_BYTES:
        raise DesirelineError(
            Mistake(
                f"{name} does not hold a secret.", do=f"Write '{PREFIX}' and {FEWEST_BYTES} bytes or more in Base64."
            )
        )
    return secret
