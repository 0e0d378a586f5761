"""What `desireline.open(path)` gives: the five nouns in Python, each call handed on; no logic here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from desireline.project.project import Project
from desireline.vocabulary.table import Table

if TYPE_CHECKING:
    from desireline.intake import ImportReport
    from desireline.journeys import Flow, LivedFlow, Relationship, Variants
    from desireline.promises import Finding


class Opened:
    """An open project. Every question takes `since`, `until`, `channels`, `segment` (column=value) and `broken`.

    >>> bank = desireline.open("demo-project")                       # doctest: +SKIP
    >>> bank.flow(start="card.reported_lost", since="2026-01-01")    # doctest: +SKIP
    """

    def __init__(self, folder: Path | str) -> None:
        self.project = Project(folder)

    def __repr__(self) -> str:
        return f"<Desireline project '{self.project.file.name}' in {self.project.folder}>"

    def flow(self, start: str | None = None, **choice: Any) -> Flow:
        """Where people went from a step: every path, leavers and (other) included."""
        return self.project.questions.flow(start, **choice)

    def lived_flow(self, map_name: str, **choice: Any) -> LivedFlow:
        """The flow people really lived, laid under the designed steps of a map."""
        return self.project.questions.lived_flow(map_name, **choice)

    def transitions(self, **choice: Any) -> Table:
        """From which step to which, how often, and the exact median time between."""
        return self.project.questions.transitions(**choice)

    def variants(self, **choice: Any) -> Variants:
        """The most frequent whole journeys."""
        return self.project.questions.variants(**choice)

    def funnel(self, steps: Sequence[str], **choice: Any) -> Table:
        """How many people took these steps in this order within the time."""
        return self.project.questions.funnel(steps, **choice)

    def retention(self, **choice: Any) -> Table:
        """Of the people first seen in a month, how many came back in the months after."""
        return self.project.questions.retention(**choice)

    def census(self, **choice: Any) -> Table:
        """Interactions and people by month and channel."""
        return self.project.questions.census(**choice)

    def journeys(self, of_map: str | None = None, **choice: Any) -> Table:
        """Each journey: begun, ended and how, steps, channel hops, repeated contacts."""
        return self.project.questions.journeys(of_map=of_map, **choice)

    def person(self, find: str) -> Relationship:
        """The line of years of the person known by a handle, part of one, or the person's number."""
        return self.project.questions.person(find)

    def judge(self, as_of: str | None = None) -> Table:
        """Judge every promise, write the ledger, and tell the keep-rates."""
        return self.project.ledger.judge(as_of=as_of)

    def keep_rates(self, by: Sequence[str] = ("map", "promise")) -> Table:
        """The keep-rate of every promise, or by map, promise, step, channel, month."""
        return self.project.ledger.keep_rates(tuple(by))

    def ledger(self, **choice: Any) -> Table:
        """Promise instances in force: choose by `promise`, `verdict`, `breach`, `of_map`, `person`."""
        return self.project.ledger.rows(**choice)

    def check(self) -> list[Finding]:
        """What fails in continuous checking."""
        return self.project.ledger.check()

    def draft(self, start: str | None = None, name: str = "drafted") -> str:
        """A first map drafted from the journeys people lived, as YAML."""
        return self.project.ledger.draft(start=start, name=name)

    def take(self, *files: Path | str) -> list[ImportReport]:
        """Take export files in, each by the saved recipe that fits its name."""
        return self.project.imports.take_known([Path(file) for file in files])

    def undo(self, import_id: str) -> int:
        """Take an import back with all that followed from it."""
        return self.project.imports.undo(import_id)

    def sql(self, question: str, rows: int = 1_000) -> Table:
        """Ask the lake one SELECT."""
        return self.project.lake.sql(question, limit=rows)
