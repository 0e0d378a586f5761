"""How far people came on the way from one step to the next, in order and within a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from desireline.journeys.labels import NOT_GIVEN, Touchpoints, labels_of, touchpoint_flags, touchpoint_text
from desireline.journeys.spans import NEVER_MS, period_of
from desireline.journeys.svg import INK, QUIET_INK, channel_fill, legend, mark, picture, rectangle, words
from desireline.storage.engines import kernel, run
from desireline.storage.journey_store import Snapshot
from desireline.storage.journey_store.chosen import Chosen, chosen
from desireline.vocabulary.errors import DesirelineError, Mistake
from desireline.vocabulary.table import Table
from desireline.vocabulary.units import DAY_MS
from desireline.vocabulary.which import Which

MOST_STEPS = 32


@dataclass(frozen=True, slots=True)
class _Depths:
    """Per bucket, how many steps each person made (0: not even the first), and the channel of the first opening."""

    person: NDArray[np.int64]
    depth: NDArray[np.int8]
    channel: NDArray[np.int16]


def funnel(
    snapshot: Snapshot,
    steps: Sequence[Touchpoints],
    *,
    within_days: float | None = 14,
    by_channel: bool = True,
    which: Which | None = None,
) -> Table:
    """Of the people who took the first step, how many took the next ones, in order and within `within_days`.

    Each step is a touchpoint or several (`card.*`). A person counts once, with the deepest reach of any of
    their first steps in the period; later steps may lie beyond the period but within the time from that first
    step. Other interactions may lie between. One row per step and, with `by_channel`, channel of the
    person's first opening, then one row for all channels together.

    >>> from desireline.storage.journey_store import snapshot_from_rows
    >>> rows = [{"person": 1, "occurred_at": at, "touchpoint": name} for at, name in ((0, "a"), (5000, "b"))]
    >>> funnel(snapshot_from_rows(rows), ["a", "b"], by_channel=False)["people"]
    [1, 1]
    """
    which = which or Which()
    names = [touchpoint_text(step) for step in steps]
    counts = np.zeros((len(labels_of(snapshot, "channel")), len(steps)), np.int64)
    for part in _depths(snapshot, steps, within_days, which):
        for depth in range(len(steps)):
            reached = part.channel[part.depth > depth].astype(np.int64) + 1
            counts[:, depth] += np.bincount(reached, minlength=len(counts))
    return _table(snapshot, names, counts, within_days=within_days, by_channel=by_channel, which=which)


def funnel_people(
    snapshot: Snapshot,
    steps: Sequence[Touchpoints],
    *,
    reached: int,
    within_days: float | None = 14,
    which: Which | None = None,
) -> NDArray[np.int64]:
    """The ids of the people who took at least `reached` steps: as many as the funnel counts."""
    parts = _depths(snapshot, steps, within_days, which or Which())
    if not 1 <= reached <= len(steps):
        raise DesirelineError(Mistake(f"the funnel has no step {reached}.", "reached", do=f"1 to {len(steps)}"))
    return np.sort(np.concatenate([part.person[part.depth >= reached] for part in parts]))


def _depths(snapshot: Snapshot, steps: Sequence[Touchpoints], within_days: float | None, which: Which) -> list[_Depths]:
    if not 1 <= len(steps) <= MOST_STEPS:
        raise DesirelineError(Mistake(f"a funnel of {len(steps)} steps.", "steps", do=f"Name 1 to {MOST_STEPS}."))
    bits = np.zeros(len(snapshot.words("touchpoint")) + 1, np.int64)
    for place, step in enumerate(steps):
        bits |= touchpoint_flags(snapshot, step, f"step {place + 1}").astype(np.int64) << place
    within_ms = NEVER_MS if within_days is None else int(within_days * DAY_MS)
    period = period_of(which)

    def work(each: Chosen) -> _Depths:
        bucket = each.bucket
        depth = np.zeros(len(bucket.person), np.int8)
        channel = np.full(len(bucket.person), -1, np.int16)
        funnel_depths(
            each.start,
            each.length,
            bucket.column("occurred_at"),
            bucket.column("touchpoint"),
            bucket.column("channel"),
            each.keep,
            bits,
            len(steps),
            within_ms,
            period.from_ms,
            period.until_ms,
            np.empty(len(steps), np.int64),
            depth,
            channel,
        )
        return _Depths(bucket.person, depth, channel)

    return list(run(work, chosen(snapshot, which)))


@kernel
def funnel_depths(
    start: Any,
    length: Any,
    at: Any,
    touch: Any,
    channel: Any,
    keep: Any,
    bits: Any,
    steps: int,
    within_ms: int,
    from_ms: int,
    until_ms: int,
    opened: Any,
    depth: Any,
    first_channel: Any,
) -> None:
    """Fill in how deep each person came. `opened[k]`: the latest opening that has reached step k."""
    filtered = keep.size > 0
    for person in range(len(start)):
        reached = 0
        for row in range(start[person], start[person] + length[person]):
            step_bits = bits[touch[row] + 1]
            if step_bits == 0 or (filtered and keep[row] == 0):
                continue
            moment = at[row]
            for step in range(min(reached, steps - 1), 0, -1):
                if (step_bits >> step) & 1 and moment - opened[step - 1] <= within_ms:
                    opened[step] = opened[step - 1]
                    if step == reached:
                        reached = step + 1
            if step_bits & 1 and from_ms <= moment < until_ms:
                opened[0] = moment
                if reached == 0:
                    reached = 1
                    first_channel[person] = channel[row]
            if reached == steps:
                break
        depth[person] = reached


def _table(
    snapshot: Snapshot,
    names: list[str],
    counts: NDArray[np.int64],
    *,
    within_days: float | None,
    by_channel: bool,
    which: Which,
) -> Table:
    channels = labels_of(snapshot, "channel").names
    groups = [(channels[row], counts[row]) for row in np.flatnonzero(counts[:, 0])] if by_channel else []
    groups.sort(key=lambda group: (-int(group[1][0]), group[0]))
    groups.append(("all", counts.sum(axis=0)))
    rows = [
        (channel, place + 1, name, int(reach[place]), _share(reach, place, 0), _share(reach, place, place - 1))
        for channel, reach in groups
        for place, name in enumerate(names)
    ]
    columns = ("first_channel", "step", "touchpoint", "people", "share_of_first", "share_of_before")
    values: dict[str, list[Any]] = {name: [row[i] for row in rows] for i, name in enumerate(columns)}
    if not by_channel:
        del values["first_channel"]
    limit = "" if within_days is None else f" within {within_days:g} days of the first"
    counted = f"each person once, by their furthest reach{limit}; steps in this order, anything may lie between"
    says = _sentence(names, counts.sum(axis=0), limit)
    return Table(
        says,
        values,
        counted="; ".join(text for text in (counted, which.says()) if text) + ".",
        as_of=snapshot.as_of,
        picture=funnel_picture(names, counts, channels, says),
        notes={"people": int(counts[:, 0].sum())},
    )


def _share(reach: NDArray[np.int64], place: int, of: int) -> float | None:
    return int(reach[place]) / int(reach[of]) if place > 0 and reach[of] else None


def _sentence(names: list[str], reach: NDArray[np.int64], limit: str) -> str:
    if not reach[0]:
        return f"Nobody took the first step, {names[0]}."
    share = f"{int(reach[-1]):,} ({reach[-1] / reach[0]:.0%})"
    text = f"Of {int(reach[0]):,} people who came to {names[0]}, {share} reached {names[-1]}{limit}"
    lost = reach[:-1] - reach[1:]
    if len(lost) and lost.max() > 0:
        worst = int(lost.argmax())
        text += f"; most are lost between {names[worst]} and {names[worst + 1]} ({int(lost[worst]):,})"
    return text + "."


def funnel_picture(names: list[str], counts: NDArray[np.int64], channels: Sequence[str], says: str) -> str:
    """The funnel as bars, one per step, coloured by the channel of the first step."""
    shown = [row for row in range(len(counts)) if counts[row, 0]]
    called = [channels[row] for row in shown]
    most = max(1, int(counts[:, 0].sum()))
    parts = []
    for place, name in enumerate(names):
        x, y, shapes = 190.0, 16 + 44.0 * place, []
        for row, channel in zip(shown, called, strict=True):
            width = 480 * int(counts[row, place]) / most
            shapes.append(rectangle(x, y, width, 24, channel_fill(channel, called)))
            x += width
        reach = int(counts[:, place].sum())
        text = words(10, y + 16, name, width=176, fill=INK) + words(x + 6, y + 16, f"{reach:,}", fill=QUIET_INK)
        split = ", ".join(f"{channel} {int(counts[row, place]):,}" for row, channel in zip(shown, called, strict=True))
        parts.append(mark("".join(shapes) + text, title=f"{name}: {reach:,} people; {split or NOT_GIVEN}"))
    height = 16 + 44.0 * len(names)
    body = "".join(parts) + legend(10, height + 12, called, width=740)
    return picture(760, height + 44, body, title="Funnel", says=says)
