"""Where two judges differ: found, made as small as it can be, and written so that a person can judge it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from promises.random_logs import CALENDARS, Case

Row = dict[str, Any]
Judge = Callable[[Case], list[Row]]

FIELDS = (
    "map",
    "map_version",
    "promise",
    "person",
    "key",
    "channel",
    "opening_id",
    "opened_at",
    "due_at",
    "settled_at",
    "verdict",
    "breach",
    "breaches",
    "lateness_seconds",
    "settling_id",
    "breaking_id",
    "made_good_at",
    "made_good_id",
)


def differences(case: Case, plain: Judge, real: Judge) -> list[tuple[Row | None, Row | None]]:
    """The rows in which two judges differ, each as (plain, real); None where one has no such row."""
    mine, theirs = (
        {(row["map"], row["promise"], row["opening_id"]): {name: row[name] for name in FIELDS} for row in judge(case)}
        for judge in (plain, real)
    )
    both = sorted(mine.keys() | theirs.keys())
    return [(mine.get(key), theirs.get(key)) for key in both if mine.get(key) != theirs.get(key)]


def smallest(case: Case, plain: Judge, real: Judge) -> Case:
    """The smallest case found, by leaving things out one by one, in which the judges still differ."""
    shrunk = True
    while shrunk:
        shrunk = False
        for candidate in smaller(case):
            try:
                differs = bool(differences(candidate, plain, real))
            except Exception:  # a map that is not valid any more
                differs = False
            if differs:
                case, shrunk = candidate, True
                break
    return case


def smaller(case: Case) -> Iterator[Case]:
    """Each way to make a case a little smaller: halves of the logs first, single words of the map last."""
    logs = case.logs
    if len(logs) > 1:
        half = len(logs) // 2
        yield case.with_logs(*logs[:half])
        yield case.with_logs(*logs[half:])
        return
    for at, log in enumerate(logs):
        for left_out in range(len(log)):
            yield case.with_logs(*logs[:at], log[:left_out] + log[left_out + 1 :], *logs[at + 1 :])
    for at in range(len(case.versions)):
        if len(case.versions) > 1:
            yield case.with_versions(*case.versions[:at], *case.versions[at + 1 :])
    for at, (valid_from, version) in enumerate(case.versions):
        for changed in smaller_map(version):
            yield case.with_versions(*case.versions[:at], (valid_from, changed), *case.versions[at + 1 :])
    for at, one in enumerate(logs[0] if logs else ()):
        for name in one.keys() - {"id", "source", "position", "occurred_at", "person"}:
            without = {word: value for word, value in one.items() if word != name}
            yield case.with_logs((*logs[0][:at], without, *logs[0][at + 1 :]))


def smaller_map(node: Any) -> Iterator[Any]:
    """Each way to leave one word or one entry out of a map."""
    if isinstance(node, dict):
        for word in node:
            yield {other: value for other, value in node.items() if other != word}
        for word, value in node.items():
            for changed in smaller_map(value):
                yield {**node, word: changed}
    elif isinstance(node, list):
        for at in range(len(node)):
            yield node[:at] + node[at + 1 :]
        for at, value in enumerate(node):
            for changed in smaller_map(value):
                yield [*node[:at], changed, *node[at + 1 :]]


def story(case: Case, plain: Judge, real: Judge) -> str:
    """A case and what the two judges say about it, as text."""
    first = min((one["occurred_at"] for one in case.interactions), default=0)
    lines = []
    for valid_from, version in case.versions:
        lines.append(f"map from {valid_from}: {json.dumps({**version, 'promises': '...'})}")
        lines += [f"    {json.dumps(promise)}" for promise in version["promises"]]
        for name in {one.get("calendar") or version.get("calendar", "default") for one in version["promises"]}:
            lines.append(f"    calendar {name}: {json.dumps(CALENDARS[name])}")
    for one in sorted(case.interactions, key=lambda each: (each["occurred_at"], each["id"])):
        rest = {name: value for name, value in one.items() if name not in ("occurred_at", "source", "position")}
        lines.append(f"    {one['occurred_at'] - first:+} ms ({one['occurred_at']}): {json.dumps(rest)}")
    lines.append(f"    as of {case.as_of - first:+} ms ({case.as_of})")
    for mine, theirs in differences(case, plain, real):
        if mine is None or theirs is None:
            lines.append(f"only {'real' if mine is None else 'plain'}: {mine or theirs}")
        else:
            lines.append(
                f"{mine['map']}/{mine['promise']} opened by {mine['opening_id']} at +{mine['opened_at'] - first} ms:"
            )
            lines += [
                f"    {word}: {mine[word]} plain, {theirs[word]} real" for word in FIELDS if mine[word] != theirs[word]
            ]
    return "\n".join(lines)
