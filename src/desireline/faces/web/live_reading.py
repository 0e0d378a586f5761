"""What pages look up: what waits in quarantine, and one message with what became of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from desireline.faces.web.now import question_text
from desireline.faces.web.plain_text import written_out
from desireline.project import Project
from desireline.storage.import_book import ImportBook
from desireline.storage.part_names import stretch_of

LIVE = "live"
MOST_SHOWN_LETTERS = 20_000
"""Of a longer message only the beginning is shown; the log holds all of it."""


@dataclass(frozen=True, slots=True)
class Refused:
    """One message or row in quarantine. file, row: where it stood; of a message `live` and its place in the request."""

    number: int
    source: str
    file: str
    row: int
    at: int
    reason: str
    raw: str
    whole: bool
    length: int
    status: str
    sequence: int
    position: int


@dataclass(frozen=True, slots=True)
class Quarantine:
    """What waits in quarantine: some of it, the latest first, how much there is, and how much for each reason."""

    rows: tuple[Refused, ...]
    total: int
    reasons: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Made:
    """One interaction made of a message, and the handle by which its person is found."""

    occurred_at: int
    touchpoint: str
    channel: str
    direction: str
    handle: int | None


@dataclass(frozen=True, slots=True)
class Came:
    """One request or message as it lies in the log, and what became of it."""

    sequence: int
    position: int
    source: str
    received_at: int
    text: str
    cut: bool
    made: tuple[Made, ...] = field(default_factory=tuple)
    refused: Refused | None = None


def quarantine(project: Project, *, most: int, offset: int = 0, import_id: str = LIVE, reason: str = "") -> Quarantine:
    """What waits in quarantine, the latest first.

    most, offset: which of them are given. import_id: of which import, `live` for what came over the wire, all when
    empty. reason: only those refused for it, when it is given; the reasons and the total are of all.
    """
    book = ImportBook(project.state)
    equal = {"status": "waiting"} | ({"import_id": import_id} if import_id else {})
    reasons = tuple((str(row["reason"]), int(row["rows"])) for row in book.reasons(**equal))
    total = sum(count for _, count in reasons)
    fitting = total if not reason else dict(reasons).get(reason, 0)
    equal |= {"reason": reason} if reason else {}
    end = max(0, fitting - offset)
    rows = book.refusals(limit=min(most, end), offset=max(0, end - most), **equal) if end and most else []
    return Quarantine(tuple(refused_of(row) for row in reversed(rows)), total, reasons)


def refused(project: Project, number: int) -> Refused | None:
    """One live message that was refused, whatever became of it since."""
    rows = ImportBook(project.state).refusals(number=number, import_id=LIVE)
    return refused_of(rows[0]) if rows else None


def refused_of(row: Mapping[str, Any]) -> Refused:
    """A message in quarantine from its row in the state store."""
    raw = str(row["raw"])
    return Refused(
        number=int(row["number"]),
        source=str(row["source"]),
        file=str(row["file"]),
        row=int(row["row"]),
        at=int(row["changed_at"]),
        reason=str(row["reason"]),
        raw=raw,
        whole=bool(row["whole"]),
        length=int(row["length"]),
        status=str(row["status"]),
        sequence=int(row["sequence"] or 0),
        position=int(row["position"] or 0),
    )


def came(project: Project, sequence: int, position: int) -> Came | None:
    """One message as it lies in the log; nothing when the log holds no such one."""
    from desireline.intake import dialects
    from desireline.project.taking import received_of
    from desireline.storage.log import Kind

    log = project.record.log
    frames = list(log.read(sequence - 1, until=sequence)) if 0 < sequence <= log.last else []
    if not frames or frames[0].kind is not Kind.REQUEST:
        return None
    received = received_of(frames[0])
    messages = dialects.read(received).messages
    message = next((each for each in messages if each.position == position), None)
    if message is None and position >= 0:
        return None
    text = _pretty(message.body) if message is not None else received.body.decode("utf-8", "replace")
    waiting = ImportBook(project.state).refusals(import_id=LIVE, sequence=sequence, position=position)
    return Came(
        sequence=sequence,
        position=position,
        source=received.source,
        received_at=received.received_at,
        text=written_out(text)[:MOST_SHOWN_LETTERS],
        cut=len(text) > MOST_SHOWN_LETTERS,
        made=tuple(_made(project, sequence, position)),
        refused=refused_of(waiting[-1]) if waiting else None,
    )


def _made(project: Project, sequence: int, position: int) -> Sequence[Made]:
    """The interactions of a message, looked for only where it can lie."""
    parts = [part for part in project.lake.parts("interactions") if part.startswith(f"{LIVE}-")]
    own = [part for part in parts if (stretch := stretch_of(part)) is None or _within(stretch, sequence)]
    replayed = [part for part in parts if part not in own]
    for chosen in (own, replayed):
        if not chosen:
            continue
        question = question_text("made_of_message").format(parts=project.lake.reading_sql("interactions", chosen))
        found = project.lake.bare_connection().execute(question, {"raw": f"log:{sequence}/{position}"}).fetchall()
        if found:
            return [Made(int(row[0]), row[1], row[2], row[3], row[4]) for row in found]
    return []


def _within(stretch: Any, sequence: int) -> bool:
    return bool(stretch.first <= sequence <= stretch.last)


def _pretty(body: Mapping[str, Any]) -> str:
    return json.dumps(dict(body), indent=2, ensure_ascii=False, default=str)
