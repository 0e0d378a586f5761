"""The texts behind the codes of a column: each text has one code for as long as the generation lives."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from desireline.storage.journey_store.columns import MOST_SHORT_CODES, OTHER, Column


class Dictionary:
    """The texts of one coded column, in order of code; new ones are appended."""

    def __init__(self, column: Column, words: Sequence[str] = ()) -> None:
        self.column = column
        self.words: list[str] = list(words)
        self._codes: dict[str, int] | None = None

    def codes_of(self, words: Sequence[str]) -> list[int]:
        """The code of each text; texts not seen before get new codes, in alphabetical order."""
        if self._codes is None:
            self._codes = {word: code for code, word in enumerate(self.words)}
        for word in sorted(set(words) - self._codes.keys()):
            if self.column.kind == "code16" and len(self.words) >= MOST_SHORT_CODES:
                word = OTHER
            if word not in self._codes:
                self._codes[word] = len(self.words)
                self.words.append(word)
        other = self._codes.get(OTHER, -1)
        return [self._codes.get(word, other) for word in words]


def read_words(path: Path, count: int) -> list[str]:
    """The first `count` texts of a dictionary file."""
    if count == 0:
        return []
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line, _ in zip(file, range(count), strict=False)]


def write_words(path: Path, words: Sequence[str], already: int) -> None:
    """Bring a dictionary file that rightly holds `already` texts to hold all of `words`.

    What a crash may have left behind the first `already` lines is cut off.
    """
    if already:
        with path.open("r+b") as file:
            for _ in range(already):
                file.readline()
            file.truncate()
    with path.open("ab" if already else "wb") as file:
        file.writelines(json.dumps(word).encode() + b"\n" for word in words[already:])
