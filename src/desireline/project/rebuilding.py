"""Everything derived, made again from the log of record; and the digests that show it is the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from desireline.project import upkeep
from desireline.project.recovering import adopt, make_again
from desireline.storage.import_book import ImportBook
from desireline.storage.source_book import SourceBook

if TYPE_CHECKING:
    from desireline.project.project import Project

Progress = Callable[[float, str], None]
NOT_CONTENT = ("number", "changed_at", "replayed_by", "sequence")


def rebuild(project: Project, *, progress: Progress) -> None:
    """Make lake, state, people, store, journeys and ledger anew from the log of record alone.

    What was sent to listeners is not forgotten, so nobody is told twice.
    """
    with project.writing("desireline rebuild", recovering=False):
        adopt(project)
        make_again(project, progress=progress)
        upkeep.write_all_journeys(project)
        progress(1.0, "done")


def digests(project: Project) -> dict[str, str]:
    """A digest of each thing that is derived: equal for equal content, however it came about."""
    book, lake = ImportBook(project.state), project.lake
    question = files("desireline.project").joinpath("digests.sql").read_text(encoding="utf-8")
    with lake.connection() as connection:
        found = connection.execute(question).fetchall()
    return {
        "store": project.store.digest(),
        **{str(name): str(value) for name, value in found},
        "imports": _digest(book.imports()),
        "quarantine": _digest(book.refusals()),
        "sources": _digest(SourceBook(project.state).sources()),
    }


def _digest(rows: list[Mapping[str, Any]] | list[dict[str, Any]]) -> str:
    plain = sorted(
        json.dumps({name: value for name, value in row.items() if name not in NOT_CONTENT}, sort_keys=True)
        for row in rows
    )
    return hashlib.sha256("\n".join(plain).encode()).hexdigest()[:32]
