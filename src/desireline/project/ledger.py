"""What can be asked about the promises of a project: judge, keep-rates, check, ledger, draft."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from desireline import promises
from desireline.project import upkeep
from desireline.project.handing_over import running_server
from desireline.vocabulary.errors import DesirelineError, nearest
from desireline.vocabulary.interaction import BY_NAME
from desireline.vocabulary.table import Table
from desireline.vocabulary.units import moment_text

if TYPE_CHECKING:
    from desireline.project.project import Project

GROUPS = ("map", "promise", "step", "channel", "month")
"""What keep-rates are counted by, besides the fields of an interaction."""


class Ledger:
    """The promise ledger of one project."""

    def __init__(self, project: Project) -> None:
        self.project = project

    def judge(self, *, as_of: str | None = None) -> Table:
        """Judge every promise of everybody, write the ledger, and tell the keep-rates."""
        moment = self.project.as_of(as_of)
        if (server := running_server(self.project)) is not None:
            server.do("judge", {"as_of": as_of})
            return self.keep_rates(as_of=moment)
        with self.project.writing("desireline judge"):
            maps = self.project.map_set(keep=True)
            upkeep.judge(self.project, maps, None, as_of=moment)
        return replace(self.keep_rates(as_of=moment), notes={"maps": list(maps.notes)})

    def openings_of_nobody(self) -> dict[tuple[str, str], int]:
        """How many openings of each (map, promise) have no handle, or a shared one: counted beside the rate."""
        maps = self.project.map_set()
        judged = promises.judge(self.project.snapshot(), maps.versions, calendars=maps.calendars, people=())
        return dict(promises.instances_of(judged).unknown)

    def keep_rates(self, by: tuple[str, ...] = ("map", "promise"), *, as_of: int | None = None, **choice: Any) -> Table:
        """The keep-rate of every promise, with its interval and counts.

        by: any of map, promise, step, channel, month (of the opening), and one other field of the opening
        interaction, such as product.
        """
        fields = [name for name in by if name not in GROUPS]
        if len(fields) > 1:
            raise DesirelineError(f"cannot count by '{fields[0]}' and '{fields[1]}' at once. Choose one of them.")
        for name in fields:
            if name not in BY_NAME:
                hint = nearest(name, (*GROUPS, *BY_NAME)) or f"Known: {', '.join(GROUPS)}, fields such as product."
                raise DesirelineError(f"cannot count by '{name}'. {hint}")
            choice["segment"] = name
        maps = self.project.map_set()
        instances = promises.instances_in_force(self.project.lake, maps.maps, **choice)
        if set(by) <= {"map", "promise"}:
            instances = replace(instances, unknown=self.openings_of_nobody())
        rates = promises.keep_rates(instances, by=["segment" if name in fields else name for name in by])
        columns: dict[str, list[Any]] = {
            name: [rate.group["segment" if name in fields else name] for rate in rates] for name in by
        }
        estimates = [rate.estimate for rate in rates]
        columns |= {
            "keep_rate": [None if e.value is None else round(e.value, 4) for e in estimates],
            "low": [None if e.low is None else round(e.low, 4) for e in estimates],
            "high": [None if e.high is None else round(e.high, 4) for e in estimates],
            "settled": [e.count for e in estimates],
            **{name: [getattr(rate, name) for rate in rates] for name in ("kept", "broken", "waiting", "withdrawn")},
            "without_handle": [rate.unknown for rate in rates],
            "note": [e.why_missing for e in estimates],
        }
        as_of = as_of or self.project.snapshot().as_of
        return Table(
            says=_finding(rates, as_of),
            columns=columns,
            counted=(
                "kept / (kept + broken) with the 95 % Wilson interval; instances that waited together for one key "
                "count once, with the worst verdict; openings without any handle are counted beside"
            ),
            as_of=as_of,
        )

    def check(self) -> list[promises.Finding]:
        """What fails in continuous checking; empty when every promise has evidence and is kept often enough."""
        maps = self.project.map_set()
        instances = promises.instances_in_force(self.project.lake, maps.maps)
        rates = promises.keep_rates(replace(instances, unknown=self.openings_of_nobody()))
        return promises.check(maps.maps, rates)

    def rows(self, *, top: int = 40, **choice: Any) -> Table:
        """Promise instances in force with their evidence, the latest breach first."""
        if choice.get("promise"):
            self.project.map_set().promise(choice["promise"])
        if choice.get("of_map"):
            self.project.map_set().named(choice["of_map"])
        found = promises.ledger_rows(self.project.lake, top=top, **choice)
        return found if len(found) else replace(found, says="No promise instance fits.")

    def people_let_down(self, of_map: str | None = None) -> NDArray[np.int64]:
        """Everybody with a broken promise, ascending ids."""
        sql = files("desireline.project").joinpath("people_let_down.sql").read_text(encoding="utf-8")
        with self.project.lake.connection() as connection:
            found = connection.execute(sql, {"map": of_map}).fetchnumpy()
        return np.asarray(found["person"], dtype=np.int64)

    def draft(self, *, start: str | None = None, name: str = "drafted") -> str:
        """A first map drafted from the journeys people lived, as YAML."""
        return promises.draft(self.project.snapshot(), start=start, name=name)


def _finding(rates: Sequence[promises.KeepRate], as_of: int | None) -> str:
    """What a reader should know first: the promise kept least often of those that can be told."""
    judged = f"judged as of {moment_text(as_of)}" if as_of else "nothing has happened yet"
    if not rates:
        return f"No promises yet; {judged}. Draft a map with: desireline draft"
    told = [rate for rate in rates if rate.estimate.value is not None]
    if not told:
        return f"Too few promises have settled to tell how often they are kept; {judged}."
    worst = min(told, key=lambda rate: rate.estimate.value or 0.0)
    name = ", ".join(word or "(none)" for key, word in worst.group.items() if key != "map")
    rate = f"{worst.estimate.value:.1%} of {worst.estimate.count:,}"
    return f"{'Least kept' if len(rates) > 1 else 'Kept'}: {name}, {rate}; {judged}."
