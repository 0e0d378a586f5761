"""What a sender is told once its request lies in the log."""

from __future__ import annotations

from typing import Any

import msgspec

from desireline.faces.collector.answers import (
    SUCCESS,
    SUCCESS_PIXEL,
    SUCCESS_POSTHOG,
    Answer,
    refused,
)
from desireline.faces.collector.routes import Route
from desireline.intake import dialects

RESULTS_PATH = "/i/v1/analytics/events"


class Verdicts:
    """What is kept of a body that was read while the disk still works: counts and, where asked for, a verdict each."""

    __slots__ = ("events", "items", "problem", "refused", "unnamed", "warnings")

    def __init__(self, read: dialects.Read, *, each: bool) -> None:
        self.problem: dialects.Problem | None = read.problem
        self.warnings = read.warnings
        self.events = len(read.messages)
        self.refused = 0
        self.unnamed: list[int] = []
        self.items: list[tuple[int, str | None, str]] = []
        for message in read.messages:
            if message.refused:
                self.refused += 1
            if message.key is None:
                self.unnamed.append(message.position)
            if each:
                self.items.append((message.position, message.key, message.refused))

    @classmethod
    def unread(cls) -> Verdicts:
        """Nothing is known of a body that lies in the log but made its reader fail."""
        return cls(dialects.Read(), each=False)


def given_id(sequence: int, position: int) -> str:
    """The id of an interaction whose sender gave none: where it lies in the log."""
    return f"log-{sequence}-{position}"


def answer(route: Route, verdicts: Verdicts, *, sequence: int, verbose: bool) -> Answer:
    """The answer to a request that lies in the log under this sequence."""
    problem = verdicts.problem
    if problem is not None:
        return refused(problem.status, problem.code, problem.says)
    if route.does == "pixel":
        return SUCCESS_PIXEL
    if route.path == RESULTS_PATH:
        return _results(verdicts, sequence=sequence)
    if verbose:
        return _verbose(verdicts, sequence=sequence)
    if verdicts.unnamed:
        return _with_ids(verdicts, sequence=sequence, posthog=route.dialect == "posthog")
    return SUCCESS_POSTHOG if route.dialect == "posthog" else SUCCESS


def _with_ids(verdicts: Verdicts, *, sequence: int, posthog: bool) -> Answer:
    ids = [{"position": at, "messageId": given_id(sequence, at)} for at in verdicts.unnamed]
    head: dict[str, Any] = {"status": 1} if posthog else {"success": True}
    return Answer(200, msgspec.json.encode({**head, "assigned": ids}))


def _verbose(verdicts: Verdicts, *, sequence: int) -> Answer:
    items = [
        {
            "position": position,
            "messageId": key if key is not None else given_id(sequence, position),
            "verdict": "quarantined" if reason else "accepted",
            "reason": reason,
        }
        for position, key, reason in verdicts.items
    ]
    said = {"success": True, "sequence": sequence, "items": items, "warnings": list(verdicts.warnings)}
    return Answer(200, msgspec.json.encode(said))


def _results(verdicts: Verdicts, *, sequence: int) -> Answer:
    """A verdict for each uuid, as PostHog's newer clients read it; what lies in quarantine is a warning, not a loss."""
    results = {
        (key if key is not None else given_id(sequence, position)): (
            {"result": "warning", "details": reason} if reason else {"result": "ok"}
        )
        for position, key, reason in verdicts.items
    }
    return Answer(200, msgspec.json.encode({"results": results}))
