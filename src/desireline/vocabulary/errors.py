"""Errors that help: what is wrong, where, and what to do. All mistakes at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake: what is wrong, where it stands, and what to do about it.

    `line` and `column` count from 1; `None` where the place is not known.
    """

    what: str
    where: str = ""
    line: int | None = None
    column: int | None = None
    do: str = ""

    def __str__(self) -> str:
        place = self.where
        if self.line is not None:
            place = f"{place} line {self.line}".strip()
        if self.column is not None:
            place = f"{place}, column {self.column}"
        text = f"{place}: {self.what}" if place else self.what
        return f"{text} {self.do}" if self.do else text


class DesirelineError(Exception):
    """Something a person can mend. Carries every mistake found, never only the first.

    The command line prints the mistakes without a traceback and exits with `exit_code`
    (2 wrong use or wrong file, 3 failed while working).
    """

    exit_code = 2

    def __init__(self, mistakes: str | Mistake | Iterable[Mistake]) -> None:
        if isinstance(mistakes, str):
            mistakes = (Mistake(mistakes),)
        elif isinstance(mistakes, Mistake):
            mistakes = (mistakes,)
        self.mistakes: tuple[Mistake, ...] = tuple(mistakes)
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


class WorkFailed(DesirelineError):
    """The request was fine but the work could not be finished (disk full, file vanished)."""

    exit_code = 3


def nearest(word: str, known: Sequence[str]) -> str:
    """A hint naming the nearest known word, or an empty text when none is near.

    >>> nearest("touchpiont", ["touchpoint", "channel"])
    "Did you mean 'touchpoint'?"
    >>> nearest("zzz", ["touchpoint"])
    ''
    """
    found = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"Did you mean '{found[0]}'?" if found else ""
