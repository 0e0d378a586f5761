"""Reading a map: the document, and every mistake and warning met so far."""

from __future__ import annotations

from collections.abc import Sequence

from desireline.storage.documents import Document
from desireline.vocabulary.errors import Mistake


class Reading:
    """Gathers what is wrong with a document, so that all of it can be told at once."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.mistakes: list[Mistake] = []
        self.warnings: list[Mistake] = []

    def refuse(self, path: Sequence[str | int], what: str, do: str = "") -> None:
        """Note a mistake at the place of `path`."""
        self.mistakes.append(self.document.mistake(path, what, do))

    def warn(self, path: Sequence[str | int], what: str, do: str = "") -> None:
        """Note something that is allowed but rarely meant."""
        self.warnings.append(self.document.mistake(path, what, do))
