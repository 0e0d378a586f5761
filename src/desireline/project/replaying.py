"""Messages that came in live and were refused, tried again as they are or as mended: the same way in, the same ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from desireline import intake
from desireline.intake import dialects
from desireline.project.taking import LIVE, Taken, keys_of, received_of, take_message, without_repeats
from desireline.storage.import_book import ImportBook
from desireline.storage.log import Frame
from desireline.storage.seen_book import SeenBook
from desireline.vocabulary.tables import INTERACTIONS

if TYPE_CHECKING:
    from desireline.project.applying import Effects
    from desireline.project.project import Project


def replay_live(project: Project, frame: Frame, digests: Sequence[str]) -> Effects:
    """Try refused messages again; those that succeed leave the quarantine. Doing it twice is harmless."""
    from desireline.project.applying import Effects

    book, seen = ImportBook(project.state), SeenBook(project.state)
    waiting = [
        row for digest in digests for row in book.refusals(digest=digest, import_id=LIVE) if row["status"] == "waiting"
    ]
    taken = Taken()
    mended, still = [], {}
    for refusal in waiting:
        before = len(taken.refusals)
        if _again(project, refusal, taken):
            mended.append(refusal["number"])
        else:
            new = taken.refusals[before:]
            still[refusal["number"]] = new[0]["reason"] if new else refusal["reason"]
            del taken.refusals[before:]
    rows, contents = without_repeats(project, taken)
    part = f"live-{frame.sequence:010d}-{frame.sequence:010d}"
    if rows:
        project.lake.write_rows(INTERACTIONS.name, part, rows)
    with project.state.writing():
        seen.add([(row["id"], content, frame.sequence) for row, content in zip(rows, contents, strict=True)])
        replayed = {"status": "replayed", "replayed_by": f"log-{frame.sequence}"}
        book.change_refusals(mended, **replayed, changed_at=frame.received_at)
        for number, reason in still.items():
            book.change_refusals([number], reason=reason, changed_at=frame.received_at)
    return Effects(added=[part] if rows else [], keys=keys_of(rows), verdicts=taken.verdicts)


def report_of_replay(digests: Sequence[str], verdicts: Sequence[Mapping[str, Any]]) -> intake.ImportReport:
    """What came of trying live messages again, in the words of an import."""
    counts = Counter(each["verdict"] for each in verdicts)
    reasons = Counter(str(each["reason"]) for each in verdicts if each["verdict"] == "quarantined")
    return intake.ImportReport(
        import_id=LIVE,
        file="live messages tried again",
        source=LIVE,
        recipe="",
        rows_read=len(digests),
        made=counts["accepted"],
        already_known=counts["repeated"],
        conflicts=0,
        left_out=0,
        refused=dict(reasons),
    )


def _again(project: Project, refusal: dict[str, Any], taken: Taken) -> bool:
    """Read one refused message, or one whole request, with the text it has now."""
    if not refusal["sequence"] or not refusal["dialect"]:
        return False
    frames = list(project.record.log.read(refusal["sequence"] - 1, until=refusal["sequence"]))
    if not frames:
        return False
    frame, raw = frames[0], refusal["raw"].encode()
    if refusal["position"] < 0:
        received = received_of(frame, body=raw)
        read = dialects.read(received)
        if read.problem is not None:
            taken.refusals.append({"reason": f"{read.problem.code}: {read.problem.says}"})
            return False
        taken_in = [take_message(project, frame, received, message, taken) for message in read.messages]
        return all(taken_in)
    received = received_of(frame)
    message = dialects.edited(received, refusal["position"], raw)
    if isinstance(message, dialects.Problem):
        taken.refusals.append({"reason": f"{message.code}: {message.says}"})
        return False
    return take_message(project, frame, received, message, taken)
