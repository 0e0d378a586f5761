"""Every version of a document that people edit, kept for ever: what was judged by it can be judged again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from desireline.storage.durable import replacing

_FILE = re.compile(r"^(\d{6})-(-?\d+)\.yaml$")


@dataclass(frozen=True, slots=True)
class SavedVersion:
    """One version: its number from 1, the moment it was saved (UTC milliseconds) and its text."""

    number: int
    saved_at: int
    text: str


class Versions:
    """The saved versions of named documents: `<folder>/<name>/<number>-<saved at>.yaml`."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)

    def of(self, name: str) -> list[SavedVersion]:
        """All versions of a document, the first one first."""
        found = []
        for path in sorted((self.folder / name).glob("*.yaml")):
            match = _FILE.match(path.name)
            if match:
                found.append(SavedVersion(int(match[1]), int(match[2]), path.read_text(encoding="utf-8")))
        return found

    def save(self, name: str, text: str, *, saved_at: int) -> SavedVersion:
        """Keep a text as the newest version of a document; on disk when this returns."""
        number = len(self.of(name)) + 1
        with replacing(self.folder / name / f"{number:06d}-{saved_at}.yaml") as path:
            path.write_text(text, encoding="utf-8")
        return SavedVersion(number, saved_at, text)
