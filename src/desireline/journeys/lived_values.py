"""A lived flow as values: designed steps with who came, links with loops, leavers, everything else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from desireline.journeys.lived_picture import lived_picture
from desireline.journeys.spans import MapRule, MaskOf
from desireline.vocabulary.table import Table
from desireline.vocabulary.which import Which


@dataclass(frozen=True, slots=True)
class Lane:
    """One designed step: its name and what matches it.

    touchpoints: one or several, `card.*` takes a whole family. channels: only there, empty for all.
    mask_of: instead of both, which rows of a bucket match.
    """

    step: str
    touchpoints: str | tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    mask_of: MaskOf | None = None


@dataclass(frozen=True, slots=True)
class LivedStep:
    """What was lived at a designed step.

    journeys, people: how many came at least once. interactions: how often, `channels` by channel.
    repeats: visits after the first of a journey. leaving: journeys last seen here, by how they stand: "ends" (the
    map's end was reached), "quiet" (nobody has heard since), "open" (under way).
    other_after: interactions that match no step, after a visit here and before the next step, by channel.
    """

    step: str
    journeys: int
    people: int
    interactions: int
    channels: Mapping[str, int]
    repeats: int
    leaving: Mapping[str, int]
    other_after: Mapping[str, int]

    @property
    def left(self) -> int:
        """Journeys that fell silent here without reaching their end."""
        return self.leaving["quiet"]


@dataclass(frozen=True, slots=True)
class LivedLink:
    """From one designed step straight to the next one visited; `journeys` counts every time it was gone.

    forward: further on in the design; repeat: the same step again; neither: a loop back.
    """

    source: str
    target: str
    journeys: int
    median_seconds: float | None
    forward: bool
    repeat: bool


@dataclass(frozen=True, slots=True, repr=False)
class LivedFlow:
    """How people walked along one map: prints as a table and draws itself in a notebook.

    elsewhere: journeys that came to no designed step, by how they stand. other_before: interactions that
    match no step before a journey's first step, by channel.
    """

    rule: MapRule
    lanes: tuple[Lane, ...]
    which: Which
    steps: tuple[LivedStep, ...]
    links: tuple[LivedLink, ...]
    journeys: int
    people: int
    elsewhere: Mapping[str, int]
    other_before: Mapping[str, int]
    channels: tuple[str, ...]
    as_of: int

    def step(self, name: str) -> LivedStep:
        """The designed step of this name."""
        return next(step for step in self.steps if step.step == name)

    def links_from(self, name: str) -> list[LivedLink]:
        """Where people went from a step."""
        return [link for link in self.links if link.source == name]

    def links_into(self, name: str) -> list[LivedLink]:
        """Where people came from to a step, "(start)" included."""
        return [link for link in self.links if link.target == name]

    @property
    def ended(self) -> Mapping[str, int]:
        """All journeys by how they stand: "ends", "quiet", "open"."""
        groups = [self.elsewhere, *(step.leaving for step in self.steps)]
        return {how: sum(group[how] for group in groups) for how in self.elsewhere}

    @property
    def says(self) -> str:
        """The finding in one sentence."""
        if not self.journeys:
            return "Nobody walked this journey in what was asked for."
        ended = self.ended
        text = f"{self.journeys:,} journeys of {self.people:,} people: {ended['ends']:,} reached the end"
        text += f", {ended['quiet']:,} fell silent, {ended['open']:,} are under way"
        worst = max(self.steps, key=lambda step: step.left)
        if worst.left:
            text += f"; most were lost after {worst.step} ({worst.left:,})"
        loops = [link for link in self.links if link.repeat or not link.forward]
        if loops:
            most = max(loops, key=lambda link: link.journeys)
            again = f"{most.target} again" if most.repeat else f"back from {most.source} to {most.target}"
            text += f"; {most.journeys:,} times people went {again}"
        return text + "."

    @property
    def counted(self) -> str:
        """How this is counted."""
        parts = [
            self.rule.says(),
            "an interaction belongs to the first designed step it matches, all others are (other)",
            "a link goes to the next designed step visited; times are exact medians",
            self.which.says(),
        ]
        return "; ".join(part for part in parts if part) + "."

    def table(self) -> Table:
        """One row per designed step."""
        columns: dict[str, list[object]] = {
            "step": [step.step for step in self.steps],
            "journeys": [step.journeys for step in self.steps],
            "people": [step.people for step in self.steps],
            "interactions": [step.interactions for step in self.steps],
            "repeats": [step.repeats for step in self.steps],
            "reached_end": [step.leaving["ends"] for step in self.steps],
            "fell_silent": [step.leaving["quiet"] for step in self.steps],
            "under_way": [step.leaving["open"] for step in self.steps],
            "other_after": [sum(step.other_after.values()) for step in self.steps],
        }
        for channel in self.channels:
            columns[channel] = [step.channels.get(channel, 0) for step in self.steps]
        notes = {"journeys": self.journeys, "people": self.people, "elsewhere": dict(self.elsewhere)}
        return Table(self.says, columns, counted=self.counted, as_of=self.as_of, picture=self._repr_svg_(), notes=notes)

    def links_table(self) -> Table:
        """One row per link between designed steps."""
        return Table(
            self.says,
            {
                "from": [link.source for link in self.links],
                "to": [link.target for link in self.links],
                "journeys": [link.journeys for link in self.links],
                "median_seconds": [link.median_seconds for link in self.links],
                "kind": [link_kind(link) for link in self.links],
            },
            counted=self.counted,
            as_of=self.as_of,
        )

    def __str__(self) -> str:
        return str(self.table())

    __repr__ = __str__

    def _repr_svg_(self) -> str:
        return lived_picture(self)

    def _repr_html_(self) -> str:
        return self.table()._repr_html_()


def link_kind(link: LivedLink) -> str:
    """A link in one word."""
    return "again" if link.repeat else "forward" if link.forward else "back"
