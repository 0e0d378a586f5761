"""The journeys people lived, one row each: how long, how many steps, how often the channel changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from desireline.journeys.labels import Touchpoints, touchpoint_flags
from desireline.journeys.spans import ENDINGS, GapRule, JourneyRule, MapRule, Spans, cut
from desireline.storage.engines import kernel, run
from desireline.storage.journey_store import Snapshot
from desireline.vocabulary.table import Table
from desireline.vocabulary.units import DAY_MS, lateness_text
from desireline.vocabulary.which import Which

REPEAT_MS = 7 * DAY_MS
"""Coming back within this time on the same topic or touchpoint is a repeated contact."""


@dataclass(frozen=True, slots=True)
class Journeys:
    """Journeys as arrays of equal length, in the order of the store.

    journey: id of the first interaction. started_at, ended_at: moments of its first and last interaction.
    ended: code of `ENDINGS`. first_channel, last_touchpoint: codes of the snapshot's words.
    """

    rule: JourneyRule
    journey: NDArray[np.int64]
    person: NDArray[np.int64]
    started_at: NDArray[np.int64]
    ended_at: NDArray[np.int64]
    ended: NDArray[np.uint8]
    steps: NDArray[np.int32]
    channel_hops: NDArray[np.int32]
    repeat_contacts: NDArray[np.int32]
    converted: NDArray[np.bool_]
    first_channel: NDArray[np.int16]
    last_touchpoint: NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.journey)

    @property
    def map(self) -> str:
        """The map they are journeys of, empty for journeys cut by gaps."""
        return self.rule.map if isinstance(self.rule, MapRule) else ""

    def columns(self) -> dict[str, NDArray[Any]]:
        """The arrays by name."""
        names = [name for name in self.__slots__ if name != "rule"]
        return {name: getattr(self, name) for name in names}


def stitch(
    snapshot: Snapshot,
    *,
    rule: JourneyRule | None = None,
    which: Which | None = None,
    converts: Touchpoints | None = None,
) -> Journeys:
    """The journeys people lived, with their facts.

    rule: how journeys are cut (30 days of silence unless said otherwise). converts: touchpoints that make
    a journey a success; without them a journey is converted when it reached its end.
    repeat_contacts counts inbound interactions that follow an inbound one of the same journey within
    7 days on the same topic or the same touchpoint.

    >>> from desireline.storage.journey_store import snapshot_from_rows
    >>> rows = [{"person": 1, "occurred_at": day * DAY_MS, "touchpoint": "visit"} for day in (0, 1, 90)]
    >>> stitch(snapshot_from_rows(rows)).steps.tolist()
    [2, 1]
    """
    rule = rule or GapRule()
    wins = touchpoint_flags(snapshot, converts, "converts")
    inbound = snapshot.code("direction", "inbound")
    topics = len(snapshot.words("topic")) if "topic" in snapshot.columns else 0
    touchpoints = len(snapshot.words("touchpoint"))

    def work(spans: Spans) -> tuple[NDArray[Any], ...]:
        return _facts(spans, inbound=inbound, wins=wins, topics=topics, touchpoints=touchpoints)

    parts = run(work, cut(snapshot, rule, which or Which()))
    if not parts:
        parts = [tuple(np.empty(0, dtype) for dtype in _TYPES)]
    return Journeys(rule, *(np.concatenate(columns) for columns in zip(*parts, strict=True)))


_TYPES = ("i8", "i8", "i8", "i8", "u1", "i4", "i4", "i4", "?", "i2", "i2")


def _facts(
    spans: Spans, *, inbound: int, wins: NDArray[np.uint8], topics: int, touchpoints: int
) -> tuple[NDArray[Any], ...]:
    bucket, count = spans.bucket, len(spans)
    at = bucket.column("occurred_at")
    steps, hops, repeats = (np.empty(count, np.int32) for _ in range(3))
    converted = np.empty(count, np.bool_)
    journey_facts(
        spans.head,
        spans.last,
        spans.ended,
        at,
        bucket.column("touchpoint"),
        bucket.column("channel"),
        bucket.column("direction"),
        bucket.column("topic"),
        spans.keep,
        spans.key,
        wins,
        inbound,
        REPEAT_MS,
        np.empty(touchpoints, np.int64),
        np.full(touchpoints, -1, np.int64),
        np.empty(topics, np.int64),
        np.full(topics, -1, np.int64),
        steps,
        hops,
        repeats,
        converted,
    )
    return (
        bucket.column("id")[spans.head],
        bucket.person[spans.who],
        at[spans.head],
        at[spans.last],
        spans.ended,
        steps,
        hops,
        repeats,
        converted,
        bucket.column("channel")[spans.head],
        bucket.column("touchpoint")[spans.last],
    )


@kernel
def journey_facts(
    head: Any,
    last: Any,
    ended: Any,
    at: Any,
    touch: Any,
    channel: Any,
    direction: Any,
    topic: Any,
    keep: Any,
    key: Any,
    wins: Any,
    inbound: int,
    repeat_ms: int,
    touched_at: Any,
    touched_in: Any,
    topic_at: Any,
    topic_in: Any,
    steps: Any,
    hops: Any,
    repeats: Any,
    converted: Any,
) -> None:
    """Fill `steps`, `hops`, `repeats` and `converted` of each journey.

    `touched_at`/`touched_in` hold when, and in which journey, a touchpoint last came in; likewise topics.
    """
    filtered = keep.size > 0
    keyed = key.size > 0
    winning = wins.size > 0
    by_topic = topic_at.size > 0
    for journey in range(len(head)):
        first = head[journey]
        count = 0
        changes = 0
        again = 0
        won = ended[journey] == 2 and not winning
        before = -1
        for row in range(first, last[journey] + 1):
            if filtered and keep[row] == 0:
                continue
            if keyed and key[first] != 0 and key[row] != key[first]:
                continue
            count += 1
            if channel[row] >= 0:
                if before >= 0 and channel[row] != before:
                    changes += 1
                before = channel[row]
            code = touch[row]
            if winning and wins[code + 1] == 1:
                won = True
            if inbound < 0 or direction[row] != inbound:
                continue
            repeated = False
            if code >= 0:
                repeated = touched_in[code] == journey and at[row] - touched_at[code] <= repeat_ms
                touched_at[code] = at[row]
                touched_in[code] = journey
            if by_topic and topic[row] >= 0:
                about = topic[row]
                if topic_in[about] == journey and at[row] - topic_at[about] <= repeat_ms:
                    repeated = True
                topic_at[about] = at[row]
                topic_in[about] = journey
            if repeated:
                again += 1
        steps[journey] = count
        hops[journey] = changes
        repeats[journey] = again
        converted[journey] = won


def journeys_table(snapshot: Snapshot, journeys: Journeys) -> Table:
    """The journeys as a table that prints, with the sentence a care lead wants to hear."""
    count = len(journeys)
    channels, touchpoints = _words(snapshot, "channel"), _words(snapshot, "touchpoint")
    columns: dict[str, Any] = journeys.columns()
    columns["ended"] = np.array(ENDINGS)[journeys.ended]
    columns["first_channel"] = channels[journeys.first_channel]
    columns["last_touchpoint"] = touchpoints[journeys.last_touchpoint]
    return Table(
        says=_sentence(journeys),
        columns=columns,
        counted=f"{journeys.rule.says()}. Repeated contacts: inbound again within 7 days on the same topic or "
        "touchpoint. A journey is named by the id of its first interaction.",
        as_of=snapshot.as_of,
        notes={"journeys": count, "people": len(np.unique(journeys.person))},
    )


def _words(snapshot: Snapshot, name: str) -> NDArray[Any]:
    return np.array([*snapshot.words(name), ""], dtype=object)


def _sentence(journeys: Journeys) -> str:
    count = len(journeys)
    if not count:
        return "No journeys began in what was asked for."
    seconds = int(np.median(journeys.ended_at - journeys.started_at)) // 1000
    repeated = int(np.count_nonzero(journeys.repeat_contacts))
    return (
        f"{count:,} journeys of {len(np.unique(journeys.person)):,} people; half took no longer than "
        f"{lateness_text(seconds)}, and in {repeated:,} ({repeated / count:.0%}) somebody had to come back."
    )
