"""What can be asked about the journeys people lived: words in, a room's answer out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from desireline import journeys as lived
from desireline.measures import census
from desireline.people import find
from desireline.project.choosing import chosen, gap_days
from desireline.project.rules import MapMasks
from desireline.vocabulary.errors import DesirelineError
from desireline.vocabulary.table import Table
from desireline.vocabulary.units import Duration
from desireline.vocabulary.which import Which

if TYPE_CHECKING:
    from desireline.project.project import Project


class Questions:
    """Questions of one project. Every one takes the same words to choose by: `since`, `until`, `channels`,
    `segment` (column=value) and `broken` (only people with a broken promise).
    """

    def __init__(self, project: Project) -> None:
        self.project = project

    def flow(
        self, start: str | None = None, *, steps: int = 6, top: int = 8, by: str = "touchpoint",
        anchor: str = "starts", gap: str | None = None, **choice: Any,
    ) -> lived.Flow:  # fmt: skip
        """Where people went from a step: every path, leavers and (other) included."""
        return lived.flow(
            self.project.snapshot(),
            start=start,
            steps=steps,
            top=top,
            by=by,
            anchor=anchor,
            which=self.which(**choice),
            journey_gap_days=self.gap(gap),
        )

    def transitions(self, *, by: str = "touchpoint", gap: str | None = None, **choice: Any) -> Table:
        """From which step to which, how often, and the exact median time between."""
        return lived.transitions(
            self.project.snapshot(), by=by, which=self.which(**choice), journey_gap_days=self.gap(gap)
        )

    def variants(self, *, top: int = 20, gap: str | None = None, **choice: Any) -> lived.Variants:
        """The most frequent whole journeys."""
        return lived.variants(
            self.project.snapshot(), top=top, which=self.which(**choice), journey_gap_days=self.gap(gap)
        )

    def funnel(self, steps: Sequence[str], *, within: str = "14 days", by_channel: bool = True, **choice: Any) -> Table:
        """How many people took these steps in this order within the time."""
        days = Duration.parse(within).amount / 86_400_000
        which = self.which(**choice)
        return lived.funnel(self.project.snapshot(), steps, within_days=days, by_channel=by_channel, which=which)

    def retention(self, **choice: Any) -> Table:
        """Of the people first seen in a month, how many came back in the months after."""
        return lived.retention(self.project.snapshot(), which=self.which(**choice), zone=self.project.file.time_zone)

    def census(self, **choice: Any) -> Table:
        """Interactions and people by month and channel."""
        return census(self.project.snapshot(), which=self.which(**choice), zone=self.project.file.time_zone)

    def journeys(self, *, of_map: str | None = None, gap: str | None = None) -> Table:
        """Each journey: begun, ended and how, steps, channel hops, repeated contacts."""
        snapshot = self.project.snapshot()
        return lived.journeys_table(snapshot, lived.stitch(snapshot, rule=self.rule(of_map, gap)))

    def lived_flow(self, map_name: str, **choice: Any) -> lived.LivedFlow:
        """The flow people really lived, laid under the designed steps of a map."""
        snapshot = self.project.snapshot()
        masks = MapMasks(self.project.map_set().named(map_name), snapshot)
        rule = masks.rule()
        if rule is None:
            raise DesirelineError(f"map '{map_name}' does not say what begins a journey. Add 'begins:'.")
        return lived.lived_flow(
            snapshot,
            begins=rule.begins,
            ends=rule.ends,
            touches=rule.touches,
            quiet_ms=rule.quiet_ms,
            key=rule.key,
            map_name=map_name,
            lanes=masks.lanes(),
            which=self.which(**choice),
        )

    def person(self, text: str) -> lived.Relationship:
        """The line of years of the person who fits best; a clear error when nobody does."""
        snapshot = self.project.snapshot()
        masks = [MapMasks(each, snapshot).rule() for each in self.project.map_set().maps]
        rules: tuple[lived.JourneyRule, ...] = (
            lived.GapRule(days=self.gap(None)),
            *(rule for rule in masks if rule is not None),
        )
        found = find(self.project.lake, text)[0]
        if found.shared_because:
            raise DesirelineError(f"{found.name} is shared by strangers, so it is nobody: {found.shared_because}.")
        return lived.relationship(snapshot, found.person, rules=rules)

    def rule(self, of_map: str | None, gap: str | None) -> lived.JourneyRule:
        """How journeys are cut: as a map says, else by silence."""
        if of_map is None:
            return lived.GapRule(days=self.gap(gap))
        rule = MapMasks(self.project.map_set().named(of_map), self.project.snapshot()).rule()
        if rule is None:
            raise DesirelineError(f"map '{of_map}' does not say what begins a journey. Add 'begins:'.")
        return rule

    def gap(self, text: str | None) -> float | None:
        """The silence that ends a journey, in days; the project's own where none is given."""
        return gap_days(text, else_text=self.project.file.journey_gap)

    def which(self, *, broken: bool = False, **choice: Any) -> Which:
        """The selection that words choose."""
        wanted = [text.partition("=")[0].strip() for text in choice.get("segment") or ()]
        properties = [name for name in wanted if name.startswith("properties.")]
        if properties:
            self.project.store.ensure_columns(properties)
        people = self.project.ledger.people_let_down() if broken else None
        return chosen(self.project.snapshot(), people=people, **choice)
