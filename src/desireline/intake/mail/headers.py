"""The headers of an e-mail: folded lines joined, encoded words decoded, addresses, parameters and dates read."""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from email.errors import HeaderParseError
from email.header import decode_header
from email.utils import getaddresses, parsedate_tz
from urllib.parse import unquote_to_bytes

from desireline.vocabulary.handles import normalise

MOST_HEADERS = 500
LONGEST_HEADER = 16_384
MOST_ADDRESSES = 200
MOST_IDS = 100
MOST_COMMENTS = 50
"""More comments in a list of addresses are no comments: the standard library would lose its way in them."""
_FOLD = re.compile(r"\r?\n[ \t]+|[\r\n]+")
_ENCODED = re.compile(r"=\?[^?\s]{1,60}\?[bqBQ]\?[^?]*\?=")
_ID = re.compile(r"<([^<>\s]{1,256})>")
_UNFIT = re.compile("[\x00\ud800-\udfff]")
_PARAMETER = re.compile(r';\s*([A-Za-z0-9!#$&+.^_`|~-]{1,60})(\*\d*\*?)?\s*=\s*("(?:[^"\\]|\\.)*"|[^;\s]*)')


@dataclass(frozen=True, slots=True)
class Headers:
    """Headers in their order, names in small letters, values as they were written."""

    pairs: tuple[tuple[str, str], ...]

    def all(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for other, value in self.pairs if other == name]

    def first(self, name: str) -> str:
        """The first value of a header; empty when there is none."""
        return next((value for other, value in self.pairs if other == name), "")

    @property
    def kind(self) -> str:
        """The type of the body, such as text/plain."""
        said = self.first("content-type").partition(";")[0].strip().lower()
        return said if "/" in said else "text/plain"

    def parameter(self, header: str, name: str) -> str:
        """A parameter of a header, RFC 2231 undone; with an empty name the header's own word, in small letters."""
        value = self.first(header)
        if not name:
            return value.partition(";")[0].strip().lower()
        found: dict[str, str] = {}
        for word, mark, given in _PARAMETER.findall(value):
            if word.lower() == name:
                found.setdefault(mark or "", _unquoted(given))
        if "" in found:
            return decoded(found[""])
        joined = "".join(found[mark] for mark in sorted(found, key=_place))
        return _percent(joined) if any(mark.endswith("*") for mark in found) else decoded(joined)

    def words(self, name: str) -> str:
        """A header's words, encoded words decoded."""
        return decoded(self.first(name))

    def addresses(self, name: str) -> list[tuple[str, str]]:
        """The addresses of a header as (name, address), in small letters; what is none is left out."""
        return addresses_of(self.all(name))

    def ids(self, name: str) -> list[str]:
        """The message ids of a header, without their brackets."""
        return _ID.findall(" ".join(self.all(name)))[:MOST_IDS]


def addresses_of(values: list[str]) -> list[tuple[str, str]]:
    """Addresses in the values of headers, each once."""
    found: dict[str, str] = {}
    short = [value[:LONGEST_HEADER] for value in values[:MOST_ADDRESSES]]
    plain = [value if value.count("(") <= MOST_COMMENTS else re.sub("[()]", " ", value) for value in short]
    for name, address in getaddresses(plain)[:MOST_ADDRESSES]:
        spelled = normalise("email", _UNFIT.sub("", address))
        if spelled is not None and len(spelled) <= 330:
            found.setdefault(spelled.removeprefix("email:"), decoded(name)[:200])
    return [(name, address) for address, name in found.items()]


def _place(mark: str) -> int:
    digits = mark.strip("*")
    return int(digits) if digits.isdigit() else 0


def _unquoted(given: str) -> str:
    return re.sub(r"\\(.)", r"\1", given[1:-1]) if given[:1] == '"' and given[-1:] == '"' and len(given) > 1 else given


def _percent(text: str) -> str:
    charset, _, rest = text.partition("'")
    _, _, value = rest.partition("'")
    return _bytes_text(unquote_to_bytes(value or text), charset)


def _bytes_text(data: bytes, charset: str) -> str:
    for name in (charset or "utf-8", "utf-8"):
        try:
            return _UNFIT.sub("\ufffd", data.decode(name))
        except (LookupError, ValueError, UnicodeError):
            continue
    return _UNFIT.sub("\ufffd", data.decode("cp1252", "replace"))


def read_headers(raw: bytes) -> Headers:
    """Headers out of their bytes; a line that is none ends nothing and is passed over."""
    text = _text(raw)
    pairs: list[tuple[str, str]] = []
    for line in re.sub(r"\r?\n[ \t]+", " ", text).splitlines()[: MOST_HEADERS * 2]:
        name, colon, value = line.partition(":")
        if colon and name and re.fullmatch(r"[!-9;-~]{1,100}", name.strip()):
            pairs.append((name.strip().lower(), _UNFIT.sub("\ufffd", value.strip()[:LONGEST_HEADER])))
        if len(pairs) >= MOST_HEADERS:
            break
    return Headers(tuple(pairs))


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def decoded(value: str) -> str:
    """Words with encoded words decoded; what cannot be decoded stays as it is written.

    >>> decoded("=?utf-8?q?Gr=C3=BC=C3=9Fe?= aus Berlin")
    'Grüße aus Berlin'
    """
    plain = _FOLD.sub(" ", value).strip()
    if not _ENCODED.search(plain):
        return plain
    try:
        pieces = decode_header(plain)
    except (HeaderParseError, binascii.Error, ValueError):
        return plain
    out = []
    for piece, charset in pieces:
        out.append(piece if isinstance(piece, str) else _bytes_text(piece, charset or "latin-1"))
    return _UNFIT.sub("\ufffd", "".join(out)).strip()


def date_of(written: str) -> datetime | None:
    """A date as e-mails write it, with its zone; none when it is no date or carries no zone.

    >>> date_of("Sun, 22 Nov 2026 10:00:00 +0100").isoformat()
    '2026-11-22T10:00:00+01:00'
    """
    try:
        parts = parsedate_tz(written[:100])
        if parts is None:
            return None
        offset = parts[9] if parts[9] is not None else 0
        zone = timezone(timedelta(seconds=offset)) if abs(offset) < 86_400 else UTC
        return datetime(*parts[:6], tzinfo=zone)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
