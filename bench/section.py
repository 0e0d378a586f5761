"""What one part of the bench found: its text, whether answers agreed, and its figures beside what was to be reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bench.harness import table


@dataclass(frozen=True, slots=True)
class Line:
    """One figure and the reach set for it; `more` is whether more is better. No figure says why there is none."""

    what: str
    figure: float | None
    unit: str
    reach: float
    more: bool = False
    note: str = ""

    @property
    def share(self) -> float | None:
        """How much of the reach was reached: 1 or more is reached."""
        if self.figure is None or self.figure <= 0:
            return None
        return self.figure / self.reach if self.more else self.reach / self.figure

    def cells(self) -> list[str]:
        """The line of the table of reaches."""
        sign = ">=" if self.more else "<="
        share = self.share
        says = "not measured" if share is None else "reached" if share >= 1 else f"{1 / share:.2f} x short"
        figure = "-" if self.figure is None else f"{self.figure:,.3g} {self.unit}"
        return [self.what, figure, f"{sign} {self.reach:,.3g} {self.unit}", says, self.note]


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the bench. seconds: everything it measured, by name, for the JSON file."""

    title: str
    text: str
    agreed: bool = True
    lines: Sequence[Line] = ()
    seconds: Any = None

    def as_dict(self) -> dict[str, Any]:
        """Everything, for JSON."""
        lines = [{**asdict(line), "share": line.share} for line in self.lines]
        return {"title": self.title, "agreed": self.agreed, "lines": lines, "measured": self.seconds}


def reach_table(sections: Sequence[Section]) -> str:
    """Every line of every part, one below the other."""
    rows = [line.cells() for section in sections for line in section.lines]
    return table(["figure", "measured", "reach", "", "of"], rows)
