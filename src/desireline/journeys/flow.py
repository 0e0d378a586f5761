"""Where people went, step by step: an exact flow in which nothing is cut in silence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from desireline.journeys.flow_kernels import CONTAINS, ENDS, STARTS, flow_counts, flow_labels, flow_people_of
from desireline.journeys.flow_values import Flow, FlowLink, FlowNode, FlowQuestion
from desireline.journeys.labels import (
    BEGIN,
    END,
    OTHER,
    Labels,
    Touchpoints,
    labels_of,
    patterns_of,
    ranked,
    touchpoint_flags,
)
from desireline.journeys.medians import medians_of, offsets_of
from desireline.journeys.spans import ALWAYS, JourneyRule, Spans, cut, period_of, rule_of
from desireline.storage.engines import run
from desireline.storage.journey_store import Snapshot
from desireline.storage.journey_store.chosen import Flags
from desireline.vocabulary.errors import DesirelineError, Mistake, nearest
from desireline.vocabulary.which import Which

ANCHORS = {"starts": STARTS, "contains": CONTAINS, "ends": ENDS}
MOST_STEPS = 24
MOST_TOP = 40


def flow(
    snapshot: Snapshot,
    *,
    start: Touchpoints | None = None,
    ends: Touchpoints | None = None,
    steps: int = 6,
    top: int = 8,
    by: str = "touchpoint",
    which: Which | None = None,
    journey_gap_days: float | None = 30,
    journeys: JourneyRule | None = None,
    anchor: str = "starts",
) -> Flow:
    """Where people went from a step, or how they came to it; every journey is drawn, nothing is cut.

    start: the touchpoint (or several, `card.*`) the paths hang on; without it, where journeys begin.
    anchor: "starts" follows each journey from its first `start` on, "contains" draws journeys that hold
        `start` from their beginning, "ends" goes backwards from their last `start`.
    ends: touchpoints at which a path stops. steps: columns. top: labels named per column, the rest
        are "(other)". by: the column that is drawn, such as "channel" or "topic".
    journeys: how journeys are cut (a `GapRule` or `MapRule`), else by `journey_gap_days` of silence.
    With a period in `which`, the first step drawn must lie in it (for "contains": a `start` must).

    Raises `DesirelineError` for words that no interaction has.
    """
    question = FlowQuestion(
        None if start is None else patterns_of(start),
        None if ends is None else patterns_of(ends),
        steps,
        top,
        by,
        which or Which(),
        rule_of(journeys, journey_gap_days),
        anchor,
    )
    walk = _Walk(snapshot, question)
    node_of, names = walk.nodes()
    counts = walk.counts(node_of, names)
    return _flow(snapshot, question, names, counts)


def flow_people(
    snapshot: Snapshot, drawn: Flow, *, column: int, label: str, to: str | None = None
) -> NDArray[np.int64]:
    """Who stands behind a mark of a flow: the ids of everybody at a step, or on the way from it to the next.

    `to` is a label of the next column, or "(end)" for those who left there. The number of ids equals the
    `people` of the node.
    """
    names = drawn.labels
    _refuse_unknown_mark(names, column, label, to)
    walk = _Walk(snapshot, drawn.question)
    node_of = walk.table_of(names)
    place = len(names) - 1 - column if drawn.backwards else column
    following = -1
    end = max(map(len, names))
    if to is not None:
        beside = column - 1 if drawn.backwards else column + 1
        following = end if to in (END, BEGIN) else names[beside].index(to)
    return walk.people(node_of, place=place, node=names[column].index(label), following=following, end=end)


class _Walk:
    """One flow question bound to a snapshot: the journeys and everything a path is made of."""

    def __init__(self, snapshot: Snapshot, question: FlowQuestion) -> None:
        _refuse(question)
        self.snapshot = snapshot
        self.question = question
        self.labels: Labels = labels_of(snapshot, question.by)
        self.starts: Flags = touchpoint_flags(snapshot, question.start, "start")
        self.stops: Flags = touchpoint_flags(snapshot, question.ends, "ends")
        self.spans = cut(snapshot, question.journeys, question.which, period=ALWAYS)

    def nodes(self) -> tuple[NDArray[np.int16], tuple[tuple[str, ...], ...]]:
        """The node of each label in each column, and the nodes' names in the order they are drawn."""
        size = (self.question.steps, len(self.labels))
        counts = np.zeros(size, np.int64)
        for part in run(self._label_counts, self.spans):
            counts += part
        names = []
        for column in range(self.question.steps):
            found = ranked(counts[column], self.labels.names)
            rest = (OTHER,) if len(found) > self.question.top else ()
            names.append((*(self.labels.names[label] for label in found[: self.question.top]), *rest))
        drawn = tuple(names if not self.backwards else names[::-1])
        return self.table_of(drawn), drawn

    @property
    def backwards(self) -> bool:
        """Whether paths are walked from their last step to their first."""
        return self.question.anchor == "ends"

    def table_of(self, names: tuple[tuple[str, ...], ...]) -> NDArray[np.int16]:
        """The node of each label in each column, in walking order; labels without a name are "(other)"."""
        table = np.zeros((len(names), len(self.labels)), np.int16)
        for place, column in enumerate(names[::-1] if self.backwards else names):
            index = {name: node for node, name in enumerate(column)}
            rest = index.get(OTHER, 0)
            table[place] = [index.get(name, rest) for name in self.labels.names]
        return table

    def counts(self, node_of: NDArray[np.int16], names: tuple[tuple[str, ...], ...]) -> dict[str, Any]:
        """Everything the flow is drawn from, and the exact median time of every link."""
        width = max(1, max(map(len, names)))
        parts = run(lambda spans: self._count(spans, node_of, width), self.spans)
        total = {name: np.sum([part[name] for part in parts], axis=0) for name in parts[0]}
        shape = total["links"].shape
        flat = [np.ascontiguousarray(part["links"][:, :, :width]).reshape(-1) for part in parts]
        places, bounds = offsets_of(flat)
        gaps = np.empty(max(1, int(bounds[-1])), np.int64)
        run(lambda pair: self._fill(pair[0], node_of, width, pair[1], gaps), list(zip(self.spans, places, strict=True)))
        total["medians"] = medians_of(gaps, bounds).reshape(shape[0], width, width)
        return total

    def people(
        self, node_of: NDArray[np.int16], *, place: int, node: int, following: int, end: int
    ) -> NDArray[np.int64]:
        """The ids of everybody with a path through a node."""

        def work(spans: Spans) -> NDArray[np.int64]:
            flags = np.zeros(len(spans.bucket.person), np.uint8)
            flow_people_of(
                spans.head,
                spans.last,
                spans.who,
                *self._columns(spans),
                *self._anchor(spans),
                np.empty(self.question.steps, np.int64),
                node_of,
                place,
                node,
                following,
                end,
                flags,
            )
            found: NDArray[np.int64] = spans.bucket.person[flags == 1]
            return found

        return np.sort(np.concatenate(run(work, self.spans)))

    def _columns(self, spans: Spans) -> tuple[NDArray[np.int64], NDArray[np.int16], NDArray[np.int16]]:
        bucket = spans.bucket
        return bucket.column("occurred_at"), bucket.column("touchpoint"), self.labels.codes(bucket)

    def _anchor(self, spans: Spans) -> Any:
        period = period_of(self.question.which)
        return (
            spans.keep,
            spans.key,
            self.starts,
            self.stops,
            period.from_ms,
            period.until_ms,
            ANCHORS[self.question.anchor],
        )

    def _label_counts(self, spans: Spans) -> NDArray[np.int64]:
        counts = np.zeros((self.question.steps, len(self.labels)), np.int64)
        path = np.empty(self.question.steps, np.int64)
        flow_labels(spans.head, spans.last, *self._columns(spans), *self._anchor(spans), path, counts)
        return counts

    def _count(self, spans: Spans, node_of: NDArray[np.int16], width: int) -> dict[str, Any]:
        made = self._arrays(width)
        found = self._run(spans, node_of, made, np.zeros((1, 1, 1), np.int64), np.empty(0, np.int64))
        made["starts"], made["persons"] = (np.int64(value) for value in found)
        del made["seen"]
        return made

    def _fill(
        self, spans: Spans, node_of: NDArray[np.int16], width: int, places: NDArray[np.int64], gaps: NDArray[np.int64]
    ) -> None:
        at = places.reshape(self.question.steps, width, width).copy()
        self._run(spans, node_of, self._arrays(width), at, gaps)

    def _arrays(self, width: int) -> dict[str, Any]:
        steps, channels = self.question.steps, len(self.snapshot.words("channel")) + 1
        return {
            "seen": np.full((steps, width), -1, np.int64),
            "people": np.zeros((steps, width), np.int64),
            "channels": np.zeros((steps, width, channels), np.int64),
            "again": np.zeros((steps, width), np.int64),
            "beyond": np.zeros((steps, width), np.int64),
            "links": np.zeros((steps, width, width + 1), np.int64),
        }

    def _run(
        self,
        spans: Spans,
        node_of: NDArray[np.int16],
        made: dict[str, Any],
        places: NDArray[np.int64],
        gaps: NDArray[np.int64],
    ) -> tuple[int, int]:
        return flow_counts(
            spans.head,
            spans.last,
            spans.who,
            *self._columns(spans),
            spans.bucket.column("channel"),
            *self._anchor(spans),
            np.empty(self.question.steps, np.int64),
            node_of,
            made["seen"],
            made["people"],
            made["channels"],
            made["again"],
            made["beyond"],
            made["links"],
            places,
            gaps,
        )


def _flow(
    snapshot: Snapshot, question: FlowQuestion, names: tuple[tuple[str, ...], ...], counts: Mapping[str, Any]
) -> Flow:
    backwards = question.anchor == "ends"
    walked = names[::-1] if backwards else names
    channels = labels_of(snapshot, "channel").names
    columns = []
    for place, column in enumerate(walked):
        at = len(walked) - 1 - place if backwards else place
        columns.append(tuple(_node(at, place, node, label, counts, channels) for node, label in enumerate(column)))
    made = Flow(
        question=question,
        columns=tuple(columns[::-1] if backwards else columns),
        links=tuple(_links(walked, counts, backwards=backwards)),
        starts=int(counts["starts"]),
        people=int(counts["persons"]),
        channels=tuple(name for name in channels if any(name in node.channels for each in columns for node in each)),
        as_of=snapshot.as_of,
    )
    _assert_sums(made)
    return made


def _node(at: int, place: int, node: int, label: str, counts: Mapping[str, Any], channels: tuple[str, ...]) -> FlowNode:
    split = counts["channels"][place, node]
    return FlowNode(
        column=at,
        label=label,
        journeys=int(split.sum()),
        people=int(counts["people"][place, node]),
        channels={channels[code]: int(split[code]) for code in np.flatnonzero(split)},
        again=int(counts["again"][place, node]),
        ended=int(counts["links"][place, node, -1]),
        goes_on=int(counts["beyond"][place, node]),
    )


def _links(walked: tuple[tuple[str, ...], ...], counts: Mapping[str, Any], *, backwards: bool) -> list[FlowLink]:
    links = []
    last = len(walked) - 1
    for place, node, following in np.argwhere(counts["links"]):
        left = following == counts["links"].shape[2] - 1
        other = (BEGIN if backwards else END) if left else walked[place + 1][following]
        ends = (other, walked[place][node]) if backwards else (walked[place][node], other)
        median = None if left else float(counts["medians"][place, node, following]) / 1000
        links.append(
            FlowLink(
                column=int(last - place - 1 if backwards else place),
                source=ends[0],
                target=ends[1],
                journeys=int(counts["links"][place, node, following]),
                median_seconds=median,
            )
        )
    return links


def _assert_sums(made: Flow) -> None:
    """Nobody is lost: whoever starts stands in a column or has left before it; what enters a step leaves it."""
    gone = 0
    for column in made.columns[::-1] if made.backwards else made.columns:
        assert sum(node.journeys for node in column) + gone == made.starts, "a column of the flow lost somebody"
        gone += sum(node.ended for node in column)
    for column in made.columns:
        for node in column:
            side = made.links_into(node) if made.backwards else made.links_from(node)
            assert sum(link.journeys for link in side) + node.goes_on == node.journeys, (
                "a step of the flow lost somebody"
            )


def _refuse(question: FlowQuestion) -> None:
    mistakes = []
    if question.anchor not in ANCHORS:
        mistakes.append(Mistake(f"'{question.anchor}' is no anchor.", "anchor", do="starts, contains or ends"))
    if not 1 <= question.steps <= MOST_STEPS:
        mistakes.append(Mistake(f"{question.steps} steps cannot be drawn.", "steps", do=f"1 to {MOST_STEPS}"))
    if not 1 <= question.top <= MOST_TOP:
        mistakes.append(Mistake(f"{question.top} labels cannot be drawn.", "top", do=f"1 to {MOST_TOP}"))
    if mistakes:
        raise DesirelineError(mistakes)


def _refuse_unknown_mark(names: tuple[tuple[str, ...], ...], column: int, label: str, to: str | None) -> None:
    if not 0 <= column < len(names):
        raise DesirelineError(Mistake(f"the flow has no column {column}.", "column", do=f"0 to {len(names) - 1}"))
    if label not in names[column]:
        raise DesirelineError(
            Mistake(f"column {column} of the flow has no '{label}'.", "label", do=nearest(label, names[column]))
        )
    beside = [name for place in (column - 1, column + 1) if 0 <= place < len(names) for name in names[place]]
    if to is not None and to not in (*beside, BEGIN, END):
        raise DesirelineError(Mistake(f"nobody goes on to '{to}' from there.", "to", do=nearest(to, beside)))
