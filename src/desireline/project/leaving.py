"""What a process leaves behind when it lets a project go, so that the next need not look at everything again.

Both notes are copies of what can be found out: without them, or when anything differs from them, it is found out.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from desireline.people import Directory, keep_directory, kept_directory
from desireline.storage.durable import replacing

if TYPE_CHECKING:
    from pathlib import Path

    from desireline.project.project import Project

FOLDER = "left"


def leave_behind(project: Project) -> None:
    """Note how the store's files are now, and keep the directory of people. A full disk leaves the older notes."""
    with suppress(OSError):
        if project.directory is not None:
            keep_directory(project.lake, project.directory, _folder(project) / "directory.bin")
        with replacing(_folder(project) / "store.json", durable=False) as temporary:
            temporary.write_text(json.dumps(_store_files(project)), encoding="utf-8")


def store_is_as_left(project: Project) -> bool:
    """Whether no file of the journey store was touched since a process that wrote it let the project go."""
    with suppress(OSError, ValueError):
        files = _store_files(project)
        return bool(files) and files == json.loads((_folder(project) / "store.json").read_text(encoding="utf-8"))
    return False


def directory_as_left(project: Project) -> Directory | None:
    """The directory of people as it was kept, when it tells of the lake as it is."""
    return kept_directory(project.lake, _folder(project) / "directory.bin")


def _store_files(project: Project) -> dict[str, Any]:
    """Size and moment of every file of the journey store."""
    found = {}
    for path in sorted(project.store.folder.rglob("*")):
        told = path.stat()
        if path.is_file() and path.name != "lock":
            found[str(path.relative_to(project.store.folder))] = [told.st_size, told.st_mtime_ns]
    return found


def _folder(project: Project) -> Path:
    return project.data / FOLDER
