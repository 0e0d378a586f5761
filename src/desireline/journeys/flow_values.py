"""A flow as values: columns of steps, links between them, and the tables and picture made of them."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass

from desireline.journeys.flow_picture import flow_picture
from desireline.journeys.labels import BEGIN, END, OTHER, touchpoint_text
from desireline.journeys.spans import JourneyRule
from desireline.vocabulary.table import Table
from desireline.vocabulary.units import lateness_text
from desireline.vocabulary.which import Which


@dataclass(frozen=True, slots=True)
class FlowQuestion:
    """What a flow was asked for; asking again gives the same numbers."""

    start: tuple[str, ...] | None
    ends: tuple[str, ...] | None
    steps: int
    top: int
    by: str
    which: Which
    journeys: JourneyRule
    anchor: str


@dataclass(frozen=True, slots=True)
class FlowNode:
    """One step in one column.

    journeys: paths that pass here (one interaction each). people: how many different persons.
    channels: the interactions by channel. again: paths that had the same step in an earlier column.
    ended: paths that end here (that begin here, when the flow runs backwards). goes_on: paths that
    continue beyond the last column.
    """

    column: int
    label: str
    journeys: int
    people: int
    channels: Mapping[str, int]
    again: int
    ended: int
    goes_on: int

    @property
    def interactions(self) -> int:
        """Interactions at this step: one per path."""
        return self.journeys


@dataclass(frozen=True, slots=True)
class FlowLink:
    """From a step in `column` to one in the next; `(end)` and `(begin)` have no time."""

    column: int
    source: str
    target: str
    journeys: int
    median_seconds: float | None


@dataclass(frozen=True, slots=True, repr=False)
class Flow:
    """Where people went: prints as a table and draws itself in a notebook."""

    question: FlowQuestion
    columns: tuple[tuple[FlowNode, ...], ...]
    links: tuple[FlowLink, ...]
    starts: int
    people: int
    channels: tuple[str, ...]
    as_of: int

    @property
    def backwards(self) -> bool:
        """Whether the flow shows how people came to a step."""
        return self.question.anchor == "ends"

    @property
    def labels(self) -> tuple[tuple[str, ...], ...]:
        """The labels of each column, as drawn."""
        return tuple(tuple(node.label for node in column) for column in self.columns)

    def node(self, column: int, label: str) -> FlowNode | None:
        """The step of this label in a column, if anybody was there."""
        return next((node for node in self.columns[column] if node.label == label), None)

    def links_from(self, node: FlowNode) -> list[FlowLink]:
        """What leaves a step, `(end)` included."""
        return [link for link in self.links if link.column == node.column and link.source == node.label]

    def links_into(self, node: FlowNode) -> list[FlowLink]:
        """What comes into a step, `(begin)` included."""
        return [link for link in self.links if link.column == node.column - 1 and link.target == node.label]

    @property
    def says(self) -> str:
        """The finding in one sentence."""
        return flow_sentence(self)

    @property
    def counted(self) -> str:
        """How this is counted."""
        question = self.question
        parts = [
            f"{question.journeys.says()}",
            f"each column names the {question.top} most frequent; the rest is (other), nothing is left out",
            "a step is one interaction; times are exact medians",
            question.which.says(),
        ]
        return "; ".join(part for part in parts if part) + "."

    def table(self) -> Table:
        """Every link of the flow: how many journeys, how long in the middle."""
        return Table(
            says=self.says,
            columns={
                "step": [link.column + 1 for link in self.links],
                "from": [link.source for link in self.links],
                "to": [link.target for link in self.links],
                "journeys": [link.journeys for link in self.links],
                "median_seconds": [link.median_seconds for link in self.links],
            },
            counted=self.counted,
            as_of=self.as_of,
            notes={"starts": self.starts, "people": self.people},
        )

    def steps_table(self) -> Table:
        """Every step of the flow with its journeys, people, repeats and channels."""
        nodes = [node for column in self.columns for node in column]
        columns: dict[str, list[object]] = {
            "step": [node.column + 1 for node in nodes],
            "label": [node.label for node in nodes],
            "journeys": [node.journeys for node in nodes],
            "people": [node.people for node in nodes],
            "again": [node.again for node in nodes],
            "ended": [node.ended for node in nodes],
            "goes_on": [node.goes_on for node in nodes],
        }
        for channel in self.channels:
            columns[channel] = [node.channels.get(channel, 0) for node in nodes]
        return Table(self.says, columns, counted=self.counted, as_of=self.as_of, picture=self._repr_svg_())

    def __str__(self) -> str:
        return str(self.table())

    __repr__ = __str__

    def _repr_svg_(self) -> str:
        return flow_picture(self)

    def _repr_html_(self) -> str:
        counted = f"<p><small>How this is counted: {html.escape(self.counted)}</small></p>"
        return f"<figure>{self._repr_svg_()}<figcaption>{html.escape(self.says)}</figcaption>{counted}</figure>"


def flow_sentence(drawn: Flow) -> str:
    """What a flow shows, in words."""
    question = drawn.question
    if not drawn.starts:
        return "No journey took this path."
    steps = [node for column in drawn.columns for node in column]
    where = "where journeys begin" if question.start is None else touchpoint_text(question.start)
    verb = {"starts": "went on from", "contains": "passed", "ends": "came to"}[question.anchor]
    if question.start is None:
        verb, where = ("ended", "") if drawn.backwards else ("began", "")
    text = f"{drawn.starts:,} journeys of {drawn.people:,} people {verb} {where}".rstrip()
    unnamed = {END, BEGIN, OTHER}
    moving = [link for link in drawn.links if not unnamed & {link.source, link.target}]
    if moving:
        most = max(moving, key=lambda link: (link.journeys, link.source, link.target))
        time = lateness_text(int(most.median_seconds or 0))
        text += f"; most went from {most.source} to {most.target} ({most.journeys:,}, half within {time})"
    again = sum(node.again for node in steps)
    if again:
        text += f"; {again:,} times somebody did the same thing again"
    return text + "."
