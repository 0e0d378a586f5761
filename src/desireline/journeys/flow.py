"""Where people went, step by step: an exact flow in which nothing is cut in silence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from desireline.journeys.flow_kernels import (
    CONTAINS,
    ENDS,
    STARTS,
    flow_counts,
    flow_gaps,
    flow_labels,
    flow_people_of,
    walk_paths,
)
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

    `to` is a label of the next column; "(end)" picks those who left there, and in a flow that runs backwards
    "(begin)" those who began there. The number of ids equals the `people` of the node.
    """
    names = drawn.labels
    _refuse_unknown_mark(names, column, label, to, backwards=drawn.backwards)
    walk = _Walk(snapshot, drawn.question)
    end = max(map(len, names))
    node, following = names[column].index(label), -1
    if to in (END, BEGIN):
        following = end
    elif to is not None and drawn.backwards:
        column, node, following = column + 1, names[column + 1].index(to), node
    elif to is not None:
        following = names[column + 1].index(to)
    place = len(names) - 1 - column if drawn.backwards else column
    return walk.people(walk.table_of(names), place=place, node=node, following=following, end=end)


@dataclass(frozen=True, slots=True)
class _Paths:
    """The paths of one bucket: rows, lengths, whether they go on, and the journeys they are part of."""

    spans: Spans
    rows: NDArray[np.int32]
    lengths: NDArray[np.int8]
    beyond: NDArray[np.int8]
    journeys: NDArray[np.int32]


class _Walk:
    """One flow question bound to a snapshot: every path that is drawn."""

    def __init__(self, snapshot: Snapshot, question: FlowQuestion) -> None:
        _refuse(question)
        self.snapshot = snapshot
        self.question = question
        self.labels: Labels = labels_of(snapshot, question.by)
        self.starts: Flags = touchpoint_flags(snapshot, question.start, "start")
        self.stops: Flags = touchpoint_flags(snapshot, question.ends, "ends")
        self.paths = run(self._walked, cut(snapshot, question.journeys, question.which, period=ALWAYS))

    @property
    def backwards(self) -> bool:
        """Whether paths are walked from their last step to their first."""
        return self.question.anchor == "ends"

    def nodes(self) -> tuple[NDArray[np.int16], tuple[tuple[str, ...], ...]]:
        """The node of each label in each column, and the nodes' names in the order they are drawn."""
        counts = np.zeros((self.question.steps, len(self.labels)), np.int64)
        for part in run(self._label_counts, self.paths):
            counts += part
        names = []
        for column in range(self.question.steps):
            found = ranked(counts[column], self.labels.names)
            rest = (OTHER,) if len(found) > self.question.top else ()
            names.append((*(self.labels.names[label] for label in found[: self.question.top]), *rest))
        drawn = tuple(names if not self.backwards else names[::-1])
        return self.table_of(drawn), drawn

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
        width = max(1, *map(len, names))
        parts = run(lambda paths: self._counted(paths, node_of, width), self.paths)
        total = {name: np.sum([part[name] for part in parts], axis=0) for name in parts[0]}
        flat = [np.ascontiguousarray(part["links"][:, :, :width]).reshape(-1) for part in parts]
        places, bounds = offsets_of(flat)
        gaps = np.empty(int(bounds[-1]), np.int64)

        def fill(pair: tuple[_Paths, NDArray[np.int64]]) -> None:
            bucket, at = pair[0].spans.bucket, pair[1].reshape(-1, width, width)
            moments, by = bucket.column("occurred_at"), self.labels.codes(bucket)
            flow_gaps(pair[0].rows, pair[0].lengths, moments, by, node_of, at, gaps)

        run(fill, list(zip(self.paths, places, strict=True)))
        total["medians"] = medians_of(gaps, bounds).reshape(-1, width, width)
        return total

    def people(
        self, node_of: NDArray[np.int16], *, place: int, node: int, following: int, end: int
    ) -> NDArray[np.int64]:
        """The ids of everybody with a path through a node."""

        def work(paths: _Paths) -> NDArray[np.int64]:
            bucket = paths.spans.bucket
            flags = np.zeros(len(bucket.person), np.uint8)
            flow_people_of(
                paths.rows,
                paths.lengths,
                paths.beyond,
                paths.journeys,
                paths.spans.who,
                self.labels.codes(bucket),
                node_of,
                place,
                node,
                following,
                end,
                flags,
            )
            found: NDArray[np.int64] = bucket.person[flags == 1]
            return found

        return np.sort(np.concatenate(run(work, self.paths)))

    def _walked(self, spans: Spans) -> _Paths:
        count, period, bucket = len(spans), period_of(self.question.which), spans.bucket
        rows = np.empty((count, self.question.steps), np.int32)
        lengths, beyond = np.empty(count, np.int8), np.empty(count, np.int8)
        journeys = np.empty(count, np.int32)
        found = walk_paths(
            spans.head,
            spans.last,
            bucket.column("occurred_at"),
            bucket.column("touchpoint"),
            spans.keep,
            spans.key,
            self.starts,
            self.stops,
            period.from_ms,
            period.until_ms,
            ANCHORS[self.question.anchor],
            rows,
            lengths,
            beyond,
            journeys,
        )
        return _Paths(spans, rows[:found], lengths[:found], beyond[:found], journeys[:found])

    def _label_counts(self, paths: _Paths) -> NDArray[np.int64]:
        counts = np.zeros((self.question.steps, len(self.labels)), np.int64)
        flow_labels(paths.rows, paths.lengths, self.labels.codes(paths.spans.bucket), counts)
        return counts

    def _counted(self, paths: _Paths, node_of: NDArray[np.int16], width: int) -> dict[str, Any]:
        steps, channels = self.question.steps, len(self.snapshot.words("channel")) + 1
        bucket = paths.spans.bucket
        made: dict[str, Any] = {
            "people": np.zeros((steps, width), np.int64),
            "channels": np.zeros((steps, width, channels), np.int64),
            "again": np.zeros((steps, width), np.int64),
            "beyond": np.zeros((steps, width), np.int64),
            "links": np.zeros((steps, width, width + 1), np.int64),
        }
        persons = flow_counts(
            paths.rows,
            paths.lengths,
            paths.beyond,
            paths.journeys,
            paths.spans.who,
            self.labels.codes(bucket),
            bucket.column("channel"),
            node_of,
            np.full((steps, width), -1, np.int64),
            *made.values(),
        )
        made["starts"], made["persons"] = np.int64(len(paths.lengths)), np.int64(persons)
        return made


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


def _refuse_unknown_mark(
    names: tuple[tuple[str, ...], ...], column: int, label: str, to: str | None, *, backwards: bool
) -> None:
    if not 0 <= column < len(names):
        raise DesirelineError(Mistake(f"the flow has no column {column}.", "column", do=f"0 to {len(names) - 1}"))
    if label not in names[column]:
        raise DesirelineError(
            Mistake(f"column {column} of the flow has no '{label}'.", "label", do=nearest(label, names[column]))
        )
    beside = (*(names[column + 1] if column + 1 < len(names) else ()), BEGIN if backwards else END)
    if to is not None and to not in beside:
        raise DesirelineError(Mistake(f"nobody goes on to '{to}' from there.", "to", do=nearest(to, beside)))
