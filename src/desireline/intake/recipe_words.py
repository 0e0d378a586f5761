"""Taking words out of a recipe file while collecting every mistake with its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from desireline.intake.recipes import TAKEN_FIELDS
from desireline.storage.documents import Document
from desireline.vocabulary.errors import Mistake, nearest

EVERY_WORDS: tuple[str, ...] = ("when", "occurred_at", "sent_at", "handles", "others", "properties", *TAKEN_FIELDS)
"""The words of one interaction of a recipe, and of `every`; only an interaction has a name."""

Path = tuple[str | int, ...]


class Words:
    """A recipe file being read: hands out checked words and keeps the mistakes found on the way."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self.body: Any = document.body if document.body is not None else {}
        self.mistakes: list[Mistake] = []

    def wrong(self, path: Path, what: str, do: str = "") -> None:
        """Note a mistake at the place of `path`."""
        word = str(path[-1]) if path else "the recipe"
        self.mistakes.append(self._document.mistake(path, f"{word}: {what}", do))

    def mapping(self, path: Path, given: Any, known: Sequence[str]) -> Mapping[str, Any]:
        """A mapping whose words are all known."""
        if not isinstance(given, Mapping):
            self.wrong(path, "is not a mapping.", "Write word: value pairs.")
            return {}
        self.mistakes.extend(self._document.unknown_words(path, given, known))
        return given

    def sequence(self, path: Path, given: Any) -> Sequence[Any]:
        """A list, empty when nothing is given."""
        if given is None:
            return []
        if not isinstance(given, list):
            self.wrong(path, "is not a list.", "Write each entry after a dash.")
            return []
        return given

    def plain(self, given: Any) -> str:
        """A value as text; yes and no as true and false."""
        if isinstance(given, bool):
            return "true" if given else "false"
        return str(given)

    def scalar(self, path: Path, given: Any) -> str:
        """A text, number or yes/no as text."""
        if given is None or isinstance(given, (Mapping, list)):
            self.wrong(path, "is not a plain value.", "Write a text, a number, true or false.")
            return ""
        return self.plain(given)

    def scalars(self, path: Path, given: Any) -> tuple[str, ...]:
        """One plain value or a list of them."""
        items = given if isinstance(given, list) else [given]
        return tuple(self.scalar(path, item) for item in items)

    def optional(self, path: Path, given: Any) -> str | None:
        """A plain value, or nothing."""
        return None if given is None else self.scalar(path, given)

    def text(self, path: Path, given: Any, *, needed: bool = False) -> str:
        """A text; a missing one is a mistake when it is needed."""
        if given is None:
            if needed:
                self.wrong(path, "is missing.")
            return ""
        return self.scalar(path, given)

    def texts(self, path: Path, given: Any) -> tuple[str, ...]:
        """One text or a list of texts; nothing gives none."""
        return () if given is None else self.scalars(path, given)

    def flag(self, path: Path, given: Any) -> bool:
        """True or false; nothing is false."""
        if given is not None and not isinstance(given, bool):
            self.wrong(path, "is not true or false.")
        return given is True

    def count(self, path: Path, given: Any, *, most: int) -> int | None:
        """A whole number from 0 to `most`, or nothing."""
        if given is None:
            return None
        if not isinstance(given, int) or isinstance(given, bool) or not 0 <= given <= most:
            self.wrong(path, f"is not a number from 0 to {most}.")
            return None
        return given

    def one_of(self, path: Path, given: Any, known: Sequence[str]) -> str | None:
        """One of the known words, or nothing."""
        if given is None:
            return None
        word = self.plain(given)
        if word not in known:
            self.wrong(path, f"unknown word '{word}'.", nearest(word, known) or f"Known: {', '.join(known)}.")
            return None
        return word
