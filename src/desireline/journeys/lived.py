"""The lived flow: journeys of one map laid on the steps that were designed, with loops and leavers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from desireline.journeys.labels import labels_of, patterns_of
from desireline.journeys.lived_kernels import lived_counts, lived_people_of
from desireline.journeys.lived_values import Lane, LivedFlow, LivedLink, LivedStep
from desireline.journeys.medians import medians_of, offsets_of
from desireline.journeys.spans import ENDINGS, MapRule, MaskOf, Spans, cut, mask
from desireline.storage.engines import run
from desireline.storage.journey_store import Bucket, Snapshot
from desireline.storage.journey_store.chosen import matching, read_only
from desireline.vocabulary.errors import DesirelineError, Mistake, nearest
from desireline.vocabulary.which import Which

START = "(start)"
ANY_ENDING = 3


def lived_flow(
    snapshot: Snapshot,
    *,
    begins: MaskOf,
    lanes: Sequence[Lane],
    ends: MaskOf | None = None,
    touches: MaskOf | None = None,
    quiet_ms: int | None = None,
    key: str | None = None,
    map_name: str = "",
    which: Which | None = None,
) -> LivedFlow:
    """How people really walked along the designed steps of a map; every journey and interaction is accounted for.

    begins, ends, touches: which rows of a bucket match the map's patterns (one uint8 flag per physical row).
    lanes: the designed steps in order. A row belongs to the first step it matches; rows between that match
    none are "(other)". quiet_ms: silence after which a journey has stopped. key: see `MapRule`.
    """
    rule = MapRule(map_name, begins, ends, touches, quiet_ms, key)
    walk = _Walk(snapshot, rule, tuple(lanes), which or Which())
    made = _lived(snapshot, walk)
    _assert_sums(made)
    return made


def lived_people(
    snapshot: Snapshot,
    lived: LivedFlow,
    *,
    step: str | None = None,
    to: str | None = None,
    left: str | None = None,
    channel: str | None = None,
) -> NDArray[np.int64]:
    """The ids of the people behind a mark of a lived flow.

    step alone: everybody who came there (on `channel`). step and to: everybody who went from one straight to
    the other ("(start)" for those whose first designed step was `to`). left: everybody last seen at this step
    ("(start)": at none); `left` with `to` = "open", "quiet" or "ends" only those whose journey stopped so.
    Nothing: everybody with a journey.
    """
    walk = _Walk(snapshot, lived.rule, lived.lanes, lived.which)
    names = [lane.step for lane in lived.lanes]
    lane = following = how = on_channel = -1
    if left is not None:
        lane = _place(names, left)
        how = ANY_ENDING if to is None else _known(ENDINGS, to, "to")
    elif step is not None:
        lane = _place(names, step)
        following = -1 if to is None else _known(names, to, "to")
    if channel is not None:
        on_channel = _known(labels_of(snapshot, "channel").names, channel, "channel")
    return walk.people(lane=lane, following=following, how=how, on_channel=on_channel)


def _place(names: Sequence[str], name: str) -> int:
    return len(names) if name == START else _known(names, name, "step")


def _known(names: Sequence[str], name: str, where: str) -> int:
    if name not in names:
        hint = nearest(name, names) or f"Known are: {', '.join(names)}."
        raise DesirelineError(Mistake(f"there is no '{name}'.", where, do=hint))
    return list(names).index(name)


class _Walk:
    """One lived-flow question bound to a snapshot: the journeys and the designed step of each row."""

    def __init__(self, snapshot: Snapshot, rule: MapRule, lanes: tuple[Lane, ...], which: Which) -> None:
        if not lanes:
            raise DesirelineError(Mistake("a map without steps has no lived flow.", "lanes", do="Add a step."))
        self.snapshot, self.rule, self.lanes, self.which = snapshot, rule, lanes, which
        self.table = _lane_table(snapshot, lanes)
        self.spans = cut(snapshot, rule, which)

    def lane_of(self, bucket: Bucket) -> NDArray[np.int16]:
        """The designed step of every row of a bucket, -1 for none."""
        touch = bucket.column("touchpoint").astype(np.int64) + 1
        found = self.table[touch, bucket.column("channel").astype(np.int64) + 1]
        for place, lane in enumerate(self.lanes):
            if lane.mask_of is not None:
                better = (mask(lane.mask_of, bucket) == 1) & ((found < 0) | (found > place))
                found = np.where(better, np.int16(place), found)
        return read_only(np.ascontiguousarray(found))

    def parts(self) -> list[dict[str, Any]]:
        """The counts of every bucket."""
        return list(run(self._counted, self.spans))

    def medians(self, parts: Sequence[Mapping[str, Any]]) -> NDArray[np.float64]:
        """The exact median time of every link between two designed steps."""
        lanes = len(self.lanes)
        places, bounds = offsets_of([np.ascontiguousarray(part["links"][:lanes]).reshape(-1) for part in parts])
        gaps = np.empty(max(1, int(bounds[-1])), np.int64)

        def fill(pair: tuple[Spans, NDArray[np.int64]]) -> None:
            self._run(pair[0], self._arrays(), pair[1].reshape(lanes, lanes), gaps)

        run(fill, list(zip(self.spans, places, strict=True)))
        return medians_of(gaps, bounds).reshape(lanes, lanes)

    def people(self, *, lane: int, following: int, how: int, on_channel: int) -> NDArray[np.int64]:
        """The ids of everybody behind a mark."""

        def work(spans: Spans) -> NDArray[np.int64]:
            flags = np.zeros(len(spans.bucket.person), np.uint8)
            lived_people_of(
                spans.head,
                spans.last,
                spans.who,
                spans.ended,
                spans.bucket.column("channel"),
                self.lane_of(spans.bucket),
                spans.keep,
                spans.key,
                lane,
                following,
                how,
                on_channel,
                len(self.lanes),
                flags,
            )
            found: NDArray[np.int64] = spans.bucket.person[flags == 1]
            return found

        return np.sort(np.concatenate(run(work, self.spans)))

    def _arrays(self) -> dict[str, Any]:
        lanes, channels = len(self.lanes), len(self.snapshot.words("channel")) + 1
        return {
            "seen_journey": np.full(lanes, -1, np.int64),
            "seen_person": np.full(lanes, -1, np.int64),
            "visits": np.zeros((lanes, channels), np.int64),
            "reached": np.zeros(lanes, np.int64),
            "people": np.zeros(lanes, np.int64),
            "repeats": np.zeros(lanes, np.int64),
            "links": np.zeros((lanes + 1, lanes), np.int64),
            "others": np.zeros((lanes + 1, channels), np.int64),
            "leaving": np.zeros((lanes + 1, len(ENDINGS)), np.int64),
        }

    def _counted(self, spans: Spans) -> dict[str, Any]:
        made = self._arrays()
        found = self._run(spans, made, np.zeros((1, 1), np.int64), np.empty(0, np.int64))
        made["journeys"], made["persons"], made["elsewhere"] = (np.int64(value) for value in found)
        return made

    def _run(
        self, spans: Spans, made: dict[str, Any], places: NDArray[np.int64], gaps: NDArray[np.int64]
    ) -> tuple[int, int, int]:
        bucket = spans.bucket
        return lived_counts(
            spans.head,
            spans.last,
            spans.who,
            spans.ended,
            bucket.column("occurred_at"),
            bucket.column("channel"),
            self.lane_of(bucket),
            spans.keep,
            spans.key,
            made["seen_journey"],
            made["seen_person"],
            made["visits"],
            made["reached"],
            made["people"],
            made["repeats"],
            made["links"],
            made["others"],
            made["leaving"],
            places,
            gaps,
        )


def _lane_table(snapshot: Snapshot, lanes: tuple[Lane, ...]) -> NDArray[np.int16]:
    """The designed step of each pair of touchpoint and channel, -1 for none; the first step that matches."""
    touchpoints, channels = snapshot.words("touchpoint"), snapshot.words("channel")
    table = np.full((len(touchpoints) + 1, len(channels) + 1), -1, np.int16)
    for place in range(len(lanes) - 1, -1, -1):
        lane = lanes[place]
        if lane.mask_of is not None or not lane.touchpoints:
            continue
        touch = matching(touchpoints, patterns_of(lane.touchpoints)) == 1
        channel = matching(channels, lane.channels) == 1 if lane.channels else np.ones(len(channels) + 1, np.bool_)
        table[np.ix_(touch, channel)] = place
    return table


def _lived(snapshot: Snapshot, walk: _Walk) -> LivedFlow:
    parts = walk.parts()
    total = {name: np.sum([part[name] for part in parts], axis=0) for name in parts[0]}
    medians = walk.medians(parts)
    channels = labels_of(snapshot, "channel").names
    lanes = len(walk.lanes)
    return LivedFlow(
        rule=walk.rule,
        lanes=walk.lanes,
        which=walk.which,
        steps=tuple(_step(walk.lanes[lane], lane, total, channels) for lane in range(lanes)),
        links=tuple(
            LivedLink(
                source=START if source == lanes else walk.lanes[source].step,
                target=walk.lanes[target].step,
                journeys=int(total["links"][source, target]),
                median_seconds=None if source == lanes else float(medians[source, target]) / 1000,
                forward=source == lanes or target > source,
                repeat=source == target,
            )
            for source, target in np.argwhere(total["links"])
        ),
        journeys=int(total["journeys"]),
        people=int(total["persons"]),
        elsewhere=_endings(total["leaving"][lanes]),
        other_before=_split(total["others"][lanes], channels),
        channels=tuple(name for code, name in enumerate(channels) if _any(total, code)),
        as_of=snapshot.as_of,
    )


def _any(total: Mapping[str, Any], code: int) -> bool:
    return bool(total["visits"][:, code].any() or total["others"][:, code].any())


def _step(lane: Lane, place: int, total: Mapping[str, Any], channels: Sequence[str]) -> LivedStep:
    return LivedStep(
        step=lane.step,
        journeys=int(total["reached"][place]),
        people=int(total["people"][place]),
        interactions=int(total["visits"][place].sum()),
        channels=_split(total["visits"][place], channels),
        repeats=int(total["repeats"][place]),
        leaving=_endings(total["leaving"][place]),
        other_after=_split(total["others"][place], channels),
    )


def _split(counts: NDArray[np.int64], channels: Sequence[str]) -> dict[str, int]:
    return {channels[code]: int(counts[code]) for code in np.flatnonzero(counts).tolist()}


def _endings(counts: NDArray[np.int64]) -> dict[str, int]:
    return {how: int(counts[code]) for code, how in enumerate(ENDINGS)}


def _assert_sums(made: LivedFlow) -> None:
    """What comes to a step goes on from it or leaves there, and every journey leaves somewhere once."""
    leavers = sum(sum(step.leaving.values()) for step in made.steps) + sum(made.elsewhere.values())
    assert leavers == made.journeys, "a journey of the lived flow was lost"
    for step in made.steps:
        assert sum(link.journeys for link in made.links_into(step.step)) == step.interactions, "an arrival was lost"
        gone = sum(link.journeys for link in made.links_from(step.step)) + sum(step.leaving.values())
        assert gone == step.interactions, "a departure was lost"
