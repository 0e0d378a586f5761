"""Requests of the log become interactions: read by their dialect, repeats dropped, the rest in one small part."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from desireline.intake import dialects
from desireline.storage.identity import interaction_id, text_hash
from desireline.storage.import_book import ImportBook
from desireline.storage.log import Frame
from desireline.storage.passing import may_pass
from desireline.storage.progress_book import ProgressBook
from desireline.storage.seen_book import SeenBook
from desireline.vocabulary.interaction import BY_NAME, KEY_NAMES
from desireline.vocabulary.tables import INTERACTIONS

if TYPE_CHECKING:
    from desireline.project.applying import Effects
    from desireline.project.project import Project

_KEY_COLUMNS = tuple(BY_NAME[name].column for name in KEY_NAMES)
LIVE = "live"
"""The import id of whatever came in through the collector."""
MOST_KEPT_CHARACTERS = 4_000_000
HEAD_CHARACTERS = 4_096
"""Of a longer message only the head is kept in quarantine; the log has all of it."""


@dataclass
class Taken:
    """What some requests came to: rows for the lake, refusals for the quarantine, a verdict for each message."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    contents: list[int] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    refusals: list[dict[str, Any]] = field(default_factory=list)
    verdicts: list[dict[str, Any]] = field(default_factory=list)


def received_of(frame: Frame, *, body: bytes | None = None) -> dialects.Received:
    """A request as its dialect reads it."""
    meta = msgspec.json.decode(frame.meta)
    return dialects.Received(
        sequence=frame.sequence,
        received_at=frame.received_at,
        source=frame.source,
        dialect=meta["dialect"],
        method=meta.get("method", "POST"),
        path=meta.get("path", ""),
        query=meta.get("query", ""),
        headers=meta.get("headers", {}),
        body=frame.body if body is None else body,
        likely_repeat=meta.get("likely_repeat", False),
    )


def take_requests(project: Project, frames: Sequence[Frame], progress: ProgressBook, projection: str) -> Effects:
    """Take requests in: one part of the lake, and in one transaction what was seen, refused, and how far we came.

    Where that fails, each request is taken alone, and one that cannot be taken is refused as a whole: a single
    poisoned message never keeps the others out.
    """
    from desireline.project.applying import Effects

    try:
        return _take_together(project, frames, progress, projection)
    except Exception as error:
        if may_pass(error):
            raise
        _log_fault(error)
        if len(frames) == 1:
            return _refuse_request(project, frames[0], error, progress, projection)
    effects = Effects()
    for frame in frames:
        effects.add(take_requests(project, [frame], progress, projection))
    return effects


def _take_together(project: Project, frames: Sequence[Frame], progress: ProgressBook, projection: str) -> Effects:
    from desireline.project.applying import Effects

    taken = Taken()
    for frame in frames:
        read_request(project, frame, taken)
    first, last = frames[0].sequence, frames[-1].sequence
    rows, contents = without_repeats(project, taken)
    part = f"live-{first:010d}-{last:010d}"
    if rows:
        project.lake.write_rows(INTERACTIONS.name, part, rows)
    seen, book = SeenBook(project.state), ImportBook(project.state)
    with project.state.writing():
        seen.add([(row["id"], content, last) for row, content in zip(rows, contents, strict=True)])
        book.keep_refusals(taken.refusals)
        progress.reach(projection, last)
    return Effects(added=[part] if rows else [], keys=keys_of(rows), verdicts=taken.verdicts)


def _refuse_request(
    project: Project, frame: Frame, error: Exception, progress: ProgressBook, projection: str
) -> Effects:
    """Keep a request that nobody can take in; the log has its bytes, and the reason says what happened."""
    from desireline.project.applying import Effects

    taken = Taken()
    _refuse(taken, frame, "", -1, _text(frame.body), f"reader.failed: {type(error).__name__}")
    with project.state.writing():
        ImportBook(project.state).keep_refusals(taken.refusals)
        progress.reach(projection, frame.sequence)
    return Effects(verdicts=taken.verdicts)


def keys_of(rows: Sequence[dict[str, Any]]) -> set[str]:
    """The cases, orders and other keys that some interactions are about."""
    return {row[column] for row in rows for column in _KEY_COLUMNS if row.get(column)}


def read_request(project: Project, frame: Frame, taken: Taken) -> None:
    """Read one request; what cannot be understood is refused with its reason, and never stops the others."""
    received = received_of(frame)
    kept = msgspec.json.decode(frame.meta).get("kept")
    if kept is not None:
        _refuse(
            taken, frame, received.dialect, -1, _text(received.body), f"{kept['code']}: {kept['length']:,} bytes came"
        )
        return
    try:
        read = dialects.read(received)
    except Exception as error:
        _log_fault(error)
        _refuse(taken, frame, received.dialect, -1, _text(received.body), f"reader.failed: {type(error).__name__}")
        return
    if read.problem is not None:
        _refuse(taken, frame, received.dialect, -1, _text(received.body), f"{read.problem.code}: {read.problem.says}")
        return
    for message in read.messages:
        take_message(project, frame, received, message, taken)


def take_message(
    project: Project, frame: Frame, received: dialects.Received, message: dialects.Message, taken: Taken
) -> bool:
    """Make the interactions of one message; says whether it could be understood."""
    setting = project.sources.setting(received.source)
    reason = message.refused
    rows: list[dict[str, Any]] = []
    if not reason:
        try:
            rows = dialects.rows_of(message, received, setting)
        except dialects.Refused as refused:
            reason = refused.reason
        except Exception as error:
            _log_fault(error)
            reason = f"reader.failed: {type(error).__name__}"
    if reason:
        _refuse(
            taken, frame, received.dialect, message.position, _plain(message.body).decode("utf-8", "replace"), reason
        )
        return False
    project.drift.learn(received.source, message, at=frame.received_at)
    content = dialects.content_of(message)
    for row in rows:
        row["source"] = received.source
        row["id"] = interaction_id(received.source, row["source_key"])
        row["handle"] = text_hash(row["handles"][0]) if row.get("handles") else None
        row["import_id"] = LIVE
        row["received_at"] = frame.received_at
        row["raw"] = f"log:{frame.sequence}/{message.position}"
        row.setdefault("position", 0)
        taken.rows.append(row)
        taken.contents.append(content)
        taken.places.append(len(taken.verdicts))
        taken.verdicts.append(_verdict(frame, message.position, row.get("touchpoint"), row.get("channel")))
    return True


def without_repeats(project: Project, taken: Taken) -> tuple[list[dict[str, Any]], list[int]]:
    """The rows not seen before; the same id with another content is kept as a conflict in quarantine."""
    known = SeenBook(project.state).known([row["id"] for row in taken.rows])
    known |= imported_before(project, taken.rows)
    rows, contents = [], []
    for row, content, place in zip(taken.rows, taken.contents, taken.places, strict=True):
        before = known.get(row["id"])
        if before is None:
            known[row["id"]] = content
            rows.append(row)
            contents.append(content)
            continue
        taken.verdicts[place]["verdict"] = "repeated"
        if before not in (content, 0):
            _conflict(taken, row, place)
    return rows, contents


def imported_before(project: Project, rows: Sequence[dict[str, Any]]) -> dict[int, int]:
    """Of these interactions the ones that came in files of the same source before; what they said is not compared."""
    sources = {row["source"] for row in rows} & {each["source"] for each in ImportBook(project.state).imports()}
    ids = [row["id"] for row in rows if row["source"] in sources]
    if not ids:
        return {}
    with project.lake.connection() as connection:
        question = "SELECT id FROM interactions WHERE list_contains($ids, id)"
        return {int(found[0]): 0 for found in connection.execute(question, {"ids": ids}).fetchall()}


def _conflict(taken: Taken, row: dict[str, Any], place: int) -> None:
    taken.verdicts[place] |= {"verdict": "quarantined", "reason": "key.conflict: the id is known with other content"}
    sequence, _, position = row["raw"].removeprefix("log:").partition("/")
    taken.refusals.append(
        _refusal(
            row["source"], int(sequence), int(position), "", _plain_row(row),
            "key.conflict: the id is known with other content", "conflict", row["received_at"],
        )
    )  # fmt: skip


def _refuse(taken: Taken, frame: Frame, dialect: str, position: int, raw: str, reason: str) -> None:
    refusal = _refusal(frame.source, frame.sequence, position, dialect, raw, reason, "meaning", frame.received_at)
    taken.refusals.append(refusal)
    taken.verdicts.append(_verdict(frame, position, None, None) | {"verdict": "quarantined", "reason": reason})


def _refusal(
    source: str, sequence: int, position: int, dialect: str, raw: str, reason: str, stage: str, at: int
) -> dict[str, Any]:
    whole = len(raw) <= MOST_KEPT_CHARACTERS
    return {
        "digest": hashlib.sha256(f"{source}\x1f{stage == 'conflict'}\x1f{raw}".encode()).hexdigest(),
        "import_id": LIVE,
        "source": source,
        "file": LIVE,
        "row": position,
        "raw": raw if whole else raw[:HEAD_CHARACTERS],
        "whole": whole,
        "length": len(raw),
        "reason": reason,
        "stage": stage,
        "status": "waiting",
        "changed_at": at,
        "sequence": sequence,
        "position": position,
        "dialect": dialect,
    }


def _verdict(frame: Frame, position: int, touchpoint: str | None, channel: str | None) -> dict[str, Any]:
    return {
        "sequence": frame.sequence,
        "position": position,
        "source": frame.source,
        "received_at": frame.received_at,
        "touchpoint": touchpoint,
        "channel": channel,
        "verdict": "accepted",
        "reason": "",
    }


def _plain(body: Any) -> bytes:
    """What a message says, the same however often it was sent."""
    kept = {name: value for name, value in body.items() if name not in dialects.CHANGES_AT_A_RETRY}
    return msgspec.json.encode(kept, order="sorted")


def _plain_row(row: dict[str, Any]) -> str:
    kept = {name: value for name, value in row.items() if name not in ("received_at", "sent_at", "raw", "import_id")}
    return msgspec.json.encode(kept, order="sorted").decode()


def _text(body: bytes) -> str:
    return body.decode("utf-8", "replace").replace("\x00", "\ufffd")


def _log_fault(error: Exception) -> None:
    logging.getLogger("desireline.intake").error("a reader failed: %s", type(error).__name__)
