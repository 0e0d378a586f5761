"""The words somebody wrote in an e-mail: the text, without what is quoted, without markup."""

from __future__ import annotations

import re
from functools import lru_cache
from html.parser import HTMLParser

from mailparser_reply import EmailReplyParser

LONGEST_TEXT = 20_000
MOST_READ = 3_000
"""So much is searched for where the answer ends: the search takes time with the square of its length."""
LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pl", "pt", "sv", "da", "cs")
_QUOTED = re.compile(r"^[ \t]*>.*$\n?", re.MULTILINE)
_EMPTY_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")
_BLANKS = re.compile(r"[ \t\u00a0]{2,}")
_BLOCKS = frozenset(("p", "div", "br", "tr", "li", "table", "ul", "ol", "h1", "h2", "h3", "h4", "blockquote", "hr"))
_SILENT = frozenset(("style", "script", "head", "title"))
_RE = re.compile(
    r"^\s*(?:(?:re|aw|antw|antwort|sv|vs|ref|rv|res|fw|fwd|wg|tr|rif|odp)\s*(?:\[\d{1,3}\])?\s*:\s*){1,20}",
    re.IGNORECASE,
)


def own_words(text: str) -> str:
    """What the sender wrote anew, without the message it answers.

    >>> own_words("Thank you!\\n\\nOn Mon, 5 Jan 2026 at 10:00, Ben <ben@bank.example> wrote:\\n> It is on its way.")
    'Thank you!'
    """
    squeezed = _BLANKS.sub(" ", _EMPTY_LINES.sub("\n\n", text[: LONGEST_TEXT * 2].strip()))[:LONGEST_TEXT]
    head = squeezed[:MOST_READ]
    reply = (_parser().parse_reply(head) or "").strip()
    if not reply:
        return _QUOTED.sub("", squeezed).strip()
    if len(squeezed) > MOST_READ and len(reply) > MOST_READ * 9 // 10:
        return _QUOTED.sub("", squeezed).strip()
    return _QUOTED.sub("", reply).strip()


@lru_cache(maxsize=1)
def _parser() -> EmailReplyParser:
    return EmailReplyParser(languages=list(LANGUAGES))


def plain_subject(subject: str) -> str:
    """A subject without Re: and Fwd: in the languages that have them.

    >>> plain_subject("AW: Re: Fwd: Your card")
    'Your card'
    """
    return _RE.sub("", subject).strip()[:500]


class _Words(HTMLParser):
    """The text of a page; what is quoted (blockquote) is marked as e-mails mark it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self.silent = 0
        self.quoted = 0
        self.length = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self.silent += 1
        elif tag == "blockquote":
            self.quoted += 1
        if tag in _BLOCKS:
            self._put("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self.silent = max(0, self.silent - 1)
        elif tag == "blockquote":
            self.quoted = max(0, self.quoted - 1)
        if tag in _BLOCKS:
            self._put("\n")

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self._put(re.sub(r"\s+", " ", data))

    def _put(self, text: str) -> None:
        if self.length < LONGEST_TEXT * 2:
            if self.quoted and (not self.out or self.out[-1].endswith("\n")) and text.strip():
                text = "> " + text
            self.out.append(text)
            self.length += len(text)


def words_of_html(page: str) -> str:
    """The words of an HTML page, markup left out."""
    words = _Words()
    try:
        words.feed(page[:500_000])
    except (ValueError, AssertionError, RecursionError):
        return re.sub(r"<[^>]{0,2000}>", " ", page[: LONGEST_TEXT * 2])
    return "".join(words.out).strip()
