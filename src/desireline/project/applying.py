"""What each kind of change in the log does to a project. One function each; doing it twice changes nothing."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from desireline import intake
from desireline.project.replaying import replay_live, report_of_replay
from desireline.project.settings import SETTINGS, LoggedVersions
from desireline.storage.import_book import ImportBook
from desireline.storage.log import Frame
from desireline.storage.progress_book import ProgressBook
from desireline.storage.source_book import SourceBook
from desireline.vocabulary.errors import DesirelineError

if TYPE_CHECKING:
    from desireline.project.project import Project


@dataclass
class Effects:
    """What applying changed in the lake, for whoever brings people, store and ledger up to date.

    added, removed: parts of the lake. touched: persons that removed parts spoke of, asked before they went.
    keys: the cases, orders and other keys of what came in live. verdicts: what became of each message that came in.
    """

    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    touched: set[int] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)
    verdicts: list[dict[str, Any]] = field(default_factory=list)

    def add(self, other: Effects) -> None:
        """Take in what another step did."""
        self.added += other.added
        self.removed += other.removed
        self.touched |= other.touched
        self.keys |= other.keys
        self.verdicts += other.verdicts

    @property
    def changed(self) -> bool:
        """Whether anything in the lake came or went."""
        return bool(self.added or self.removed)


Here = Mapping[str, Any]
IMPORT_NUMBERS = "import numbers"
"""The name under which the state store keeps the highest number of an import's id."""
Apply = Callable[["Project", Frame, dict[str, Any], Effects, Here], Any]


def _import(project: Project, frame: Frame, meta: dict[str, Any], effects: Effects, here: Here) -> Any:
    """A file is taken in by a recipe, as it was drafted just now or, later on, from the kept copy."""
    _count_import(project, meta["import_id"])
    if ImportBook(project.state).imports(import_id=meta["import_id"]):
        return None
    if "drafted" in here:
        report = intake.publish(here["drafted"], lake=project.lake, state=project.state)
    else:
        report = _import_again(project, frame, meta)
    if report.made:
        effects.added.append(meta["import_id"])
    return report


def _import_again(project: Project, frame: Frame, meta: dict[str, Any]) -> intake.ImportReport:
    with tempfile.TemporaryDirectory(dir=project.temporary()) as folder:
        return intake.import_file(
            lake=project.lake,
            state=project.state,
            path=project.record.log.kept_file(meta["sha256"], Path(folder) / meta["file"]),
            recipe=intake.read_recipe(meta["recipe"], name=f"recipe of {meta['import_id']}"),
            import_id=meta["import_id"],
            received_at=frame.received_at,
            project_zone=meta["zone"],
            currency=meta["currency"],
        )


def _adopt(project: Project, frame: Frame, meta: dict[str, Any], effects: Effects, _here: Here) -> None:
    """An import from before there was a log, as it lay in the lake."""
    entry, book = meta["entry"], ImportBook(project.state)
    name = entry["import_id"]
    if book.imports(import_id=name):
        return
    book.restore(entry, json.loads(frame.body))
    if "sha256" in meta:
        with tempfile.TemporaryDirectory(dir=project.temporary()) as folder:
            part = project.record.log.kept_file(meta["sha256"], Path(folder) / f"{name}.parquet")
            project.lake.take_part("interactions", name, part)
        effects.added.append(name)


def _undo(project: Project, _frame: Frame, meta: dict[str, Any], effects: Effects, _here: Here) -> int:
    """An import is taken back."""
    name = meta["import_id"]
    if not ImportBook(project.state).imports(import_id=name, status="done"):
        raise DesirelineError(f"there is no import '{name}'. 'desireline imports' lists them.")
    effects.touched |= project.people_of([name])
    gone = intake.undo_import(lake=project.lake, state=project.state, import_id=name)
    effects.added = [part for part in effects.added if part != name]
    effects.removed.append(name)
    return gone


def _edit(project: Project, frame: Frame, meta: dict[str, Any], _effects: Effects, _here: Here) -> None:
    """A refused row is mended."""
    number = _numbers(project, [meta["digest"]])[0]
    intake.edit_refused(state=project.state, number=number, raw=frame.body.decode(), at=frame.received_at)


def _discard(project: Project, frame: Frame, meta: dict[str, Any], _effects: Effects, _here: Here) -> int:
    """Refused rows are given up."""
    numbers = _numbers(project, meta["digests"])
    return intake.discard(state=project.state, numbers=numbers, at=frame.received_at)


def _replay(project: Project, frame: Frame, meta: dict[str, Any], effects: Effects, _here: Here) -> Any:
    """Refused rows of one import are tried again."""
    _count_import(project, meta["import_id"])
    if ImportBook(project.state).imports(import_id=meta["import_id"]):
        return None
    report = intake.replay(
        lake=project.lake,
        state=project.state,
        import_id=meta["import_id"],
        numbers=_numbers(project, meta["digests"]),
        received_at=frame.received_at,
        project_zone=meta["zone"],
        currency=meta["currency"],
    )
    if report.made:
        effects.added.append(meta["import_id"])
    return report


def _replay_live(project: Project, frame: Frame, meta: dict[str, Any], effects: Effects, _here: Here) -> Any:
    """Refused messages that came in live are tried again, as they are or as mended."""
    followed = replay_live(project, frame, meta["digests"])
    effects.add(followed)
    return report_of_replay(meta["digests"], followed.verdicts)


def _version(project: Project, frame: Frame, meta: dict[str, Any], _effects: Effects, _here: Here) -> None:
    """A map, the calendars or the settings are saved in a new version."""
    saved, text = LoggedVersions(project.data / "versions", project.record), frame.body.decode()
    if not any(each.saved_at == meta["saved_at"] and each.text == text for each in saved.of(meta["name"])):
        saved.save_applied(meta["name"], text, saved_at=meta["saved_at"])
    if meta["name"] == SETTINGS:
        project.sources.forget()


def _source(project: Project, frame: Frame, meta: dict[str, Any], _effects: Effects, _here: Here) -> None:
    """A source is connected or changed."""
    book = SourceBook(project.state)
    if book.by_name(meta["name"]) is None:
        book.add({"created_at": frame.received_at, **meta})
    else:
        book.change(meta["name"], **{word: value for word, value in meta.items() if word != "name"})
    project.sources.forget()


def _clock(_project: Project, _frame: Frame, _meta: dict[str, Any], _effects: Effects, _here: Here) -> None:
    """Somebody said that the machine's clock is right although it was stepped. On record; nothing else follows."""


def _outreach(project: Project, frame: Frame, meta: dict[str, Any], _effects: Effects, _here: Here) -> None:
    """Who is told what is changed, or what could not be told is tried again or given up."""
    project.telling.outbox.apply(meta["change"], at=frame.received_at)


def _numbers(project: Project, digests: list[str]) -> list[int]:
    book = ImportBook(project.state)
    found = [row["number"] for digest in digests for row in book.refusals(digest=digest)]
    if not found:
        raise DesirelineError("there is no such refused row.")
    return found


def _count_import(project: Project, import_id: str) -> None:
    """Remember the number in an import's id, also of one that fails, so that no other ever gets it."""
    book = ProgressBook(project.state)
    number = import_id.rpartition("-")[2]
    if number.isdecimal():
        book.reach(IMPORT_NUMBERS, max(book.reached(IMPORT_NUMBERS), int(number)))


APPLY: dict[str, Apply] = {
    "import": _import,
    "adopt": _adopt,
    "undo": _undo,
    "edit": _edit,
    "discard": _discard,
    "replay": _replay,
    "replay live": _replay_live,
    "version": _version,
    "source": _source,
    "outreach": _outreach,
    "clock": _clock,
}
