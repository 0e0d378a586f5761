"""Looks at the stores: the state store, the lake and the journeys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import duckdb

from desireline.project.backup import STATE
from desireline.project.finding import Finding, fault, look, ok
from desireline.project.soundness import MOST_ROWS_READ_THROUGH
from desireline.storage.state import SAFE_SINCE, VERSION, sqlite_in_use, sqlite_is_safe
from desireline.storage.state_looking import look_at_state
from desireline.vocabulary.errors import DesirelineError
from desireline.vocabulary.tables import TABLES

if TYPE_CHECKING:
    from desireline.project.project import Project

MADE_AGAIN = "stop the server and start it: it is made again from the log"
OF_THE_DISK = ("disk I/O error", "attempt to write a readonly database", "unable to open database file")
"""What SQLite says of a whole file that a full or read-only disk, or a missing right, keeps it from."""


def sqlite_in_use_is_safe() -> Iterator[Finding]:
    """Whether the SQLite in use is free of the fault by which two writers can damage a file."""
    module, version = sqlite_in_use()
    if sqlite_is_safe():
        yield ok("sqlite", f"{module} with SQLite {version}, free of the WAL fault")
    else:
        safe = ".".join(map(str, SAFE_SINCE))
        what = f"{module} with SQLite {version} has the WAL fault, so one connection does all the work and is slower"
        yield look("sqlite", what, f"install pysqlite3 with SQLite {safe} or later")


def state_is_whole(project: Project, _environment: Mapping[str, str]) -> Iterator[Finding]:
    """Whether the state store can be read to its end, and who made it."""
    if project.file.state:
        yield ok("state", f"in the server at {project.state.where}")
        return
    path = project.data / STATE
    if not path.exists():
        yield look("state", "there is none yet", "it is made from the log at the next start")
        return
    version, wrong = look_at_state(path)
    if wrong and wrong[0] in OF_THE_DISK:
        yield fault("state", f"cannot be read now: {wrong[0]}", "look at the disk and at the rights to its folder")
    elif wrong:
        yield fault("state", f"damaged: {wrong[0]}", MADE_AGAIN)
    elif version > VERSION:
        yield fault("state", f"written by a newer Desireline (format {version})", "update Desireline")
    elif version < VERSION:
        yield look("state", f"of an older format ({version})", "it is brought up to date at the next start")
    else:
        yield ok("state", f"format {version}, whole")
    old = sorted(
        each.name for each in project.data.glob(f"{STATE}.*") if ".damaged-" in each.name or ".version-" in each.name
    )
    if old:
        yield look("state", f"kept from before: {', '.join(old)}", "delete them once all is well")


def state_is_readable(project: Project) -> bool:
    """Whether the state store can be asked without making, mending or changing it."""
    path = project.data / STATE
    return bool(project.file.state) or (path.exists() and look_at_state(path) == (VERSION, ()))


def lake_is_whole(project: Project, _environment: Mapping[str, str]) -> Iterator[Finding]:
    """Whether every file of the lake can be opened."""
    wrong, parts = [], 0
    for table in TABLES:
        for part in project.lake.parts(table):
            parts += 1
            try:
                project.lake.rows(table, part)
            except (duckdb.Error, OSError, DesirelineError):
                if part in project.lake.parts(table):  # a running server may have merged it meanwhile
                    wrong.append(f"{table}/{part}")
    if wrong:
        yield fault("lake", f"{len(wrong)} files cannot be read, such as {wrong[0]}", MADE_AGAIN)
    else:
        yield ok("lake", f"{parts} files, all can be read")


def store_is_sound(project: Project, _environment: Mapping[str, str]) -> Iterator[Finding]:
    """Whether the journeys are sorted, complete and point to people who are there."""
    if not (project.data / "store").exists():
        if project.lake.parts("interactions"):
            yield look("journeys", "there is no store yet", MADE_AGAIN)
        else:
            yield ok("journeys", "nothing came in yet")
        return
    snapshot = project.snapshot()
    if snapshot.interactions > MOST_ROWS_READ_THROUGH:
        yield ok("journeys", f"{snapshot.interactions:,} interactions; too many to read through here (--deep does)")
        return
    wrong = project.store.verify()
    if wrong:
        yield fault("journeys", wrong[0], MADE_AGAIN)
    else:
        yield ok("journeys", f"{snapshot.interactions:,} interactions of {snapshot.people:,} people, sound")
