"""What is done whenever a project is opened for writing: whatever a crash left half done is brought to its end."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING

from desireline import intake
from desireline.project import upkeep
from desireline.project.settings import keep_settings
from desireline.project.soundness import store_is_spoilt, what_is_lost
from desireline.storage.forgetting import forget_applied
from desireline.storage.import_book import ImportBook
from desireline.storage.log import Kind
from desireline.storage.merging import forget_covered
from desireline.storage.part_names import unmatched
from desireline.storage.versions import Versions
from desireline.vocabulary.tables import TABLES

if TYPE_CHECKING:
    from desireline.project.project import Project

Progress = Callable[[float, str], None]


def silent(_share: float, _what: str) -> None:
    """Progress that nobody watches."""


def recover(project: Project) -> None:
    """Apply what is in the log only, and bring people, store and ledger up to what is in the lake.

    What is derived and was lost or spoilt is made again from the log, without anybody's help.
    """
    lost = what_is_lost(project)
    if lost:
        logging.getLogger("desireline.project").warning("%s: everything derived is made again from the log", lost)
        make_again(project, progress=silent)
        return
    if store_is_spoilt(project):
        logging.getLogger("desireline.project").warning("the journey store is spoilt: it is built again")
        project.store.build()
    intake.recover(lake=project.lake, state=project.state)
    forget_covered(project.lake)
    adopt(project)
    forget_unfinished(project)
    keep_settings(project)
    effects = project.record.catch_up()
    new, gone = project.store.behind()
    taken_in, linked = project.lake.parts("interactions"), project.lake.parts("links")
    unlinked = unmatched(taken_in, linked) or unmatched(linked, taken_in)
    if effects.changed or new or gone or unlinked or upkeep.ledger_is_behind(project):
        added, removed = dict.fromkeys((*effects.added, *new)), dict.fromkeys((*effects.removed, *gone))
        upkeep.follow(project, added=list(added), removed=list(removed), everybody=True, progress=silent)


def make_again(project: Project, *, progress: Progress) -> None:
    """Forget everything that is derived and apply the whole log; the project is held."""
    progress(0.0, "forgetting what is derived")
    for table in TABLES:
        shutil.rmtree(project.lake.folder / table, ignore_errors=True)
    shutil.rmtree(project.data / "versions", ignore_errors=True)
    project.directory = None
    with project.sources.made_again():
        forget_applied(project.state)
        project.sources.forget()
        effects = project.record.catch_up(progress=lambda share, what: progress(0.7 * share, what))
    keep_settings(project)
    upkeep.follow(
        project,
        added=effects.added,
        anew=True,
        progress=lambda share, what: progress(0.7 + 0.25 * share, what),
    )


def forget_unfinished(project: Project) -> None:
    """Take away small parts of the lake that were written just before a crash and never counted."""
    reached = project.record.reached
    for part in project.lake.parts("interactions"):
        if part.startswith("live-") and int(part.split("-")[1]) > reached:
            project.lake.remove_part("interactions", part)


def adopt(project: Project) -> None:
    """Give a project from before there was a log its log: its imports, refused rows and maps as they are now."""
    if project.record.log.last or project.record.reached or not project.lake.parts("interactions"):
        return
    saved = Versions(project.data / "versions")
    for folder in sorted(path for path in saved.folder.glob("*") if path.is_dir()):
        for version in saved.of(folder.name):
            values = {"name": folder.name, "saved_at": version.saved_at}
            project.record.note("version", values, body=version.text.encode())
    book = ImportBook(project.state)
    for entry in book.imports():
        refusals = book.refusals(import_id=entry["import_id"])
        values = {"entry": entry}
        if entry["import_id"] in project.lake.parts("interactions"):
            values["sha256"] = project.record.log.keep_file(
                project.lake.path("interactions", entry["import_id"])
            ).sha256
        project.record.note("adopt", values, body=json.dumps(refusals).encode(), kind=Kind.IMPORT)
    project.record.mark_applied()
