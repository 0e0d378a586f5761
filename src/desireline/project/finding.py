"""What a look at a project found: all is well, somebody should look, or something is broken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "look", "fault"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. level: `ok`, `look` (no harm yet, but somebody should look) or `fault`; do: what to do about it."""

    level: Level
    about: str
    what: str
    do: str = ""

    def line(self) -> str:
        """The finding as a line."""
        return f"{self.level:6}{self.about}: {self.what.rstrip('.') + '. ' + self.do if self.do else self.what}"


def ok(about: str, what: str) -> Finding:
    """All is well with this."""
    return Finding("ok", about, what)


def look(about: str, what: str, do: str) -> Finding:
    """Somebody should look at this."""
    return Finding("look", about, what, do)


def fault(about: str, what: str, do: str, *, where: str = "") -> Finding:
    """This is broken."""
    return Finding("fault", about, f"{where}: {what}" if where else what, do)
