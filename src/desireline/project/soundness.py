"""Whether what is derived fits the log of record: looked at whenever a project is opened for writing.

What is lost or spoilt is made again from the log without anybody's help. The looks are cheap (footers, counts);
the journey store is read through only while it is small and not as it was left, `desireline doctor` reads everything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from desireline.project.leaving import store_is_as_left
from desireline.project.settings import VERSIONS
from desireline.storage.import_book import ImportBook
from desireline.storage.progress_book import ProgressBook
from desireline.storage.seen_book import SeenBook
from desireline.storage.versions import Versions
from desireline.vocabulary.errors import DesirelineError
from desireline.vocabulary.tables import TABLES

if TYPE_CHECKING:
    from desireline.project.project import Project

MOST_ROWS_READ_THROUGH = 5_000_000


def what_is_lost(project: Project) -> str:
    """Why the derived stores must be made again from the log; empty when they fit it.

    A log that lost its end knows less than they do: then they are the last copy, and are left as they are.
    """
    reached, last = project.record.reached, project.record.log.last
    if reached > last or not last:
        return ""
    if not reached:
        return "the state store is empty" if project.lake.parts("interactions") else ""
    return _lost_versions(project) or _lost_parts(project) or _spoilt_parts(project)


def store_is_spoilt(project: Project) -> bool:
    """Whether the journey store must be built again from the lake."""
    try:
        if store_is_as_left(project) or project.snapshot().interactions > MOST_ROWS_READ_THROUGH:
            return False
        return bool(project.store.verify())
    except (DesirelineError, ValueError, IndexError, OSError, KeyError, TypeError, UnicodeDecodeError):
        return True


def _lost_versions(project: Project) -> str:
    counted = ProgressBook(project.state).reached(VERSIONS)
    saved = Versions(project.data / "versions")
    there = sum(len(saved.of(folder.name)) for folder in saved.folder.glob("*") if folder.is_dir())
    return f"{counted - there} saved versions are missing" if there < counted else ""


def _lost_parts(project: Project) -> str:
    there = project.lake.parts("interactions")
    for entry in ImportBook(project.state).imports(status="done"):
        if entry["made"] and entry["import_id"] not in there:
            return f"the interactions of import {entry['import_id']} are missing"
    if there and not project.lake.parts("handles"):
        return "the handles are missing"
    return ""


def _spoilt_parts(project: Project) -> str:
    lake, live = project.lake, 0
    try:
        for table in TABLES:
            for part in lake.parts(table):
                rows = lake.rows(table, part)
                live += rows if table == "interactions" and part.startswith("live-") else 0
    except (duckdb.Error, OSError, DesirelineError):
        return "a part of the lake cannot be read"
    seen = SeenBook(project.state).count()
    return f"{seen - live} interactions that came in live are missing" if live < seen else ""
