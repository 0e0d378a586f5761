"""A first map from lived journeys: steps in the order people walk them, promises from the times they really waited.

Everything proposed stands with its evidence in a comment, to be read, changed and kept or thrown away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from desireline.storage.journey_store import EMPTY_CODE, EMPTY_KEY, Snapshot
from desireline.vocabulary.errors import DesirelineError, nearest
from desireline.vocabulary.units import DAY_MS, HOUR_MS, MINUTE_MS, lateness_text

Longs = NDArray[np.int64]
QUIET_DAYS = (1, 2, 3, 5, 7, 14, 21, 30, 45, 60, 90, 120, 180, 365)
QUIET_SHARE = 0.95
STEP_SHARE = 0.05
MOST_STEPS = 12
ANSWER_SHARE = 0.5
FEWEST_ANSWERS = 30
MOST_ROWS = 5_000_000
"""A draft looks at no more interactions than this, person by person."""


@dataclass(frozen=True, slots=True)
class Lived:
    """Interactions of many people, one after another, and the journey each lies in.

    journey: number of the journey, counted over everybody. key: hash of the case, 0 for none.
    """

    person: Longs
    time: Longs
    touchpoint: Longs
    direction: Longs
    case: Longs
    journey: Longs
    names: Sequence[str]
    directions: Sequence[str]


def draft(snapshot: Snapshot, *, start: str | None = None, name: str = "drafted") -> str:
    """YAML of a first map, with comments that say what each line rests on; it loads as it is.

    start: the touchpoint the journey begins with; the one most journeys begin with when `None`.
    """
    names = snapshot.words("touchpoint")
    if start is not None and start not in names:
        raise DesirelineError(f"no interaction has the touchpoint '{start}'. {nearest(start, names)}".strip())
    rows = _rows(snapshot)
    if not len(rows["time"]) or not len(names):
        raise DesirelineError("nothing to draft from: no interaction with a person and a touchpoint.")
    quiet = _quiet_days(rows["person"], rows["time"])
    lived = _lived(rows, quiet * DAY_MS, snapshot, start)
    if not len(lived.time):
        raise DesirelineError(f"no journey contains '{start}'.")
    steps = _steps(lived)
    return "\n".join(_text(name, quiet, lived, steps)) + "\n"


def _rows(snapshot: Snapshot) -> dict[str, Longs]:
    parts: list[dict[str, Longs]] = []
    left = MOST_ROWS
    for bucket in snapshot.buckets:
        people = int(np.searchsorted(np.cumsum(bucket.length), left, "right"))
        length = bucket.length[:people]
        left -= int(length.sum())
        offset = np.arange(int(length.sum())) - np.repeat(np.cumsum(length) - length, length)
        place = np.repeat(bucket.start[:people], length) + offset
        columns = {"time": "occurred_at", "touchpoint": "touchpoint", "direction": "direction", "case": "case"}
        found = {word: np.asarray(bucket.column(column))[place].astype(np.int64) for word, column in columns.items()}
        parts.append({**found, "person": np.repeat(bucket.person[:people], length)})
    rows = {word: np.concatenate([part[word] for part in parts]) for word in parts[0]}
    named = rows["touchpoint"] != EMPTY_CODE
    return {word: values[named] for word, values in rows.items()}


def _quiet_days(person: Longs, time: Longs) -> int:
    """The quiet time after which few people ever come back to the same journey."""
    gaps = np.diff(time)[person[1:] == person[:-1]]
    if not len(gaps):
        return QUIET_DAYS[-1]
    enough = np.quantile(gaps, QUIET_SHARE) / DAY_MS
    return next((days for days in QUIET_DAYS if days >= enough), QUIET_DAYS[-1])


def _lived(rows: dict[str, Longs], quiet: int, snapshot: Snapshot, start: str | None) -> Lived:
    """Only the journeys that begin with `start`, each from there on."""
    names = snapshot.words("touchpoint")
    new = np.ones(len(rows["time"]), dtype=bool)
    new[1:] = (np.diff(rows["person"]) != 0) | (np.diff(rows["time"]) > quiet)
    begin = names.index(start) if start is not None else int(np.bincount(rows["touchpoint"][new]).argmax())
    journey = np.cumsum(new) - 1
    from_here = np.full(int(journey[-1]) + 1, len(journey))
    found = np.flatnonzero(rows["touchpoint"] == begin)[::-1]
    from_here[journey[found]] = found
    kept = np.arange(len(journey)) >= from_here[journey]
    return Lived(
        journey=np.unique(journey[kept], return_inverse=True)[1].reshape(-1),
        names=names,
        directions=snapshot.words("direction"),
        **{word: rows[word][kept] for word in ("person", "time", "touchpoint", "direction", "case")},
    )


def _steps(lived: Lived) -> list[tuple[int, int]]:
    """(touchpoint, journeys) of the steps many journeys have, in the order people come to them."""
    first = np.unique(lived.journey * len(lived.names) + lived.touchpoint, return_index=True)[1]
    begun = np.searchsorted(lived.journey, np.arange(lived.journey[-1] + 1))
    touchpoint, place = lived.touchpoint[first], first - begun[lived.journey[first]]
    journeys = np.bincount(touchpoint, minlength=len(lived.names))
    often = [
        code for code in np.argsort(-journeys, kind="stable")[:MOST_STEPS] if journeys[code] >= STEP_SHARE * len(begun)
    ]
    when = {int(code): float(np.median(place[touchpoint == code])) for code in often}
    return [(code, int(journeys[code])) for code in sorted(when, key=lambda code: (when[code], code))]


def _text(name: str, quiet: int, lived: Lived, steps: Sequence[tuple[int, int]]) -> list[str]:
    journeys = int(lived.journey[-1]) + 1
    begin = lived.names[int(lived.touchpoint[0])]
    lines = [
        f"# Drafted from {journeys:,} lived journeys with {len(lived.time):,} interactions.",
        "# Every line is a proposal: read it, change it, and say what you really promise.",
        f"map: {_quoted(name)}",
        "for: everyone",
        f"begins: {{touchpoint: {_quoted(begin)}}}",
        *_end(lived, journeys),
        f"quiet_after: {quiet} days  # {QUIET_SHARE:.0%} of people who come back do so sooner",
        "phases:",
        "  - phase: Lived",
        "    steps:",
    ]
    for code, count in steps:
        lines.append(f"      - step: {_quoted(lived.names[code])}  # in {count / journeys:.0%} of journeys")
        lines.append(f"        touchpoint: {_quoted(lived.names[code])}")
    promises = [line for pair in _pairs(lived, steps) for line in _promise(lived, *pair)]
    return [*lines, "promises:", *promises] if promises else [*lines, "promises: []  # no answer came often enough"]


def _end(lived: Lived, journeys: int) -> list[str]:
    last = np.flatnonzero(np.append(np.diff(lived.journey) != 0, True))
    counts = np.bincount(lived.touchpoint[last])
    code = int(counts.argmax())
    share = counts[code] / journeys
    if share < 0.3 or code == int(lived.touchpoint[0]):
        return []
    return [f"ends: {{touchpoint: {_quoted(lived.names[code])}}}  # the last step of {share:.0%} of journeys"]


def _pairs(lived: Lived, steps: Sequence[tuple[int, int]]) -> list[tuple[int, int, Longs, int]]:
    """(asked, answered, waits, asked how often): each step and the answer that most often comes next after it."""
    inside = [code for code, _ in steps]
    outbound = lived.directions.index("outbound") if "outbound" in lived.directions else None
    answers = lived.direction == outbound if outbound is not None else np.ones(len(lived.time), dtype=bool)
    following = _following(answers)
    found = []
    for code in inside:
        asked = np.flatnonzero(
            (lived.touchpoint == code) & ~(answers if outbound is not None else np.zeros_like(answers))
        )
        answer = following[asked]
        good = answer < len(answers)
        asked_good, answer = asked[good], answer[good]
        same = lived.journey[asked_good] == lived.journey[answer]
        asked_good, answer = asked_good[same], answer[same]
        if not len(answer):
            continue
        by = int(np.bincount(lived.touchpoint[answer]).argmax())
        fits = (lived.touchpoint[answer] == by) & (by != code)
        waits = (lived.time[answer] - lived.time[asked_good])[fits]
        if len(waits) >= FEWEST_ANSWERS and len(waits) >= ANSWER_SHARE * len(asked):
            found.append((code, by, waits, len(asked)))
    return found


def _following(answers: NDArray[np.bool_]) -> Longs:
    """For each row the place of the next answer after it, the number of rows when there is none."""
    place = np.append(np.where(answers, np.arange(len(answers)), len(answers)), len(answers))
    nearest_place = np.minimum.accumulate(place[::-1])[::-1]
    return nearest_place[1:].astype(np.int64)


def _promise(lived: Lived, asked: int, answered: int, waits: Longs, count: int) -> list[str]:
    usual = float(np.quantile(waits, 0.9))
    keyed = lived.case[np.isin(lived.touchpoint, (asked, answered))]
    within = lateness_text(round(usual / 1000))
    lines = [
        f"  # {len(waits):,} of {count:,} were followed by it; nine of ten within {within} (P90).",
        f"  - promise: {_quoted(lived.names[asked] + ' then ' + lived.names[answered])}",
        f"    at: {_quoted('Lived/' + lived.names[asked])}",
        f"    when: {{touchpoint: {_quoted(lived.names[asked])}}}",
        f"    then: {{touchpoint: {_quoted(lived.names[answered])}}}",
        f"    within: {_round_duration(usual)}",
    ]
    return [*lines, "    same: case"] if (keyed != EMPTY_KEY).mean() >= 0.8 else lines


def _round_duration(milliseconds: float) -> str:
    """The next length of time a person would promise."""
    choices: list[tuple[int, str]] = [(n * MINUTE_MS, f"{n} minutes") for n in (1, 2, 5, 10, 15, 30)]
    choices += [(n * HOUR_MS, f"{n} hours") for n in (1, 2, 4, 8, 12)]
    choices += [(n * DAY_MS, f"{n} days") for n in (1, 2, 3, 5, 7, 10, 14, 21, 30, 45, 60, 90, 180, 365)]
    says = next((says for size, says in choices if size >= milliseconds), choices[-1][1])
    return says.removesuffix("s") if says.startswith("1 ") else says


def _quoted(text: Any) -> str:
    """A text as YAML, in quotes unless it is plain."""
    word = str(text)
    plain = word and all(each.isalnum() or each in "._-/" for each in word) and word[0].isalpha()
    reserved = word.lower() in ("true", "false", "null", "yes", "no", "on", "off")
    return word if plain and not reserved else '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
