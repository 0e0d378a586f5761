"""What an import did, in numbers and in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from desireline.vocabulary.units import moment_text


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What one import did. Every row read is accounted for.

    `refused` counts rows by reason (values cut out, so that equal faults count together); `conflicts`
    are interactions whose key was taken in before with another content: they lie in quarantine too.
    """

    import_id: str
    file: str
    source: str
    recipe: str
    rows_read: int
    made: int
    already_known: int
    conflicts: int
    left_out: int
    refused: Mapping[str, int] = field(default_factory=dict)
    newly_refused: int = 0
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    first_at: int | None = None
    last_at: int | None = None

    @property
    def rows_refused(self) -> int:
        """Rows that lie in quarantine because they could not be read or understood."""
        return sum(self.refused.values())

    def as_dict(self) -> dict[str, Any]:
        """Everything it carries, for JSON."""
        out = {name: getattr(self, name) for name in self.__slots__}
        return {**out, "refused": dict(self.refused), "notes": list(self.notes), "rows_refused": self.rows_refused}

    def lines(self) -> tuple[str, ...]:
        """The report in words, one line each."""
        out = [f"{self.file}: {self.rows_read:,} rows read, {self.made:,} interactions made ({self.seconds:.1f} s)."]
        if self.first_at is not None:
            out.append(f"From {moment_text(self.first_at)} to {moment_text(self.last_at)}.")
        if self.already_known:
            out.append(f"{self.already_known:,} interactions were already known.")
        if self.left_out:
            out.append(f"{self.left_out:,} rows left out by the recipe's conditions.")
        if self.conflicts:
            out.append(
                f"{self.conflicts:,} rows have a known key but another content: kept in quarantine as conflicts."
            )
        if self.refused:
            out.append(
                f"{self.rows_refused:,} {'row' if self.rows_refused == 1 else 'rows'} refused, kept in quarantine:"
            )
            out.extend(f"  {count:,} x {reason}" for reason, count in self.refused.items())
        out.extend(self.notes)
        return tuple(out)
