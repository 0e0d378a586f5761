"""Which write key a request brings: in its headers, its query or its body."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import parse_qsl

_IN_QUERY = ("writeKey", "write_key", "api_key", "token")
_IN_BODY = (b'"writeKey"', b'"api_key"', b'"token"')
_VALUE = re.compile(rb'\s*:\s*"([^"\\]{1,256})"')
_MOST_TRIED = 20


@lru_cache(maxsize=4096)
def key_of_authorization(value: bytes) -> str | None:
    """The key of `Authorization: Basic base64(key:)`, with or without the colon, or of `Bearer key`.

    >>> [key_of_authorization(value) for value in (b"Basic a2V5Og==", b"Basic a2V5", b"Bearer key")]
    ['key', 'key', 'key']
    """
    scheme, _, rest = value.strip().partition(b" ")
    rest = rest.strip()
    if scheme.lower() == b"bearer":
        return rest.decode("ascii", "replace") or None
    if scheme.lower() != b"basic":
        return None
    try:
        decoded = b64decode(rest + b"=" * (-len(rest) % 4), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return decoded.partition(":")[0] or None


def keys_of_query(query: bytes) -> Iterator[str]:
    """The keys that stand in a query.

    >>> list(keys_of_query(b"v=1&writeKey=abc"))
    ['abc']
    """
    given = dict(parse_qsl(query.decode("latin-1"))) if query.count(b"&") < 200 else {}
    for name in _IN_QUERY:
        if given.get(name):
            yield given[name]


def keys_of_body(text: bytes) -> Iterator[str]:
    """What stands as a key in a JSON text, at its top or in its events; the caller knows which of them are real.

    >>> list(keys_of_body(b'{"batch": [{"event": "x"}], "api_key": "abc"}'))
    ['abc']
    """
    for name in _IN_BODY:
        at = text.find(name)
        for _ in range(_MOST_TRIED):
            if at < 0:
                break
            found = _VALUE.match(text, at + len(name))
            if found:
                yield found[1].decode("utf-8", "replace")
            at = text.find(name, at + len(name))
