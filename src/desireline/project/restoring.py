"""A project again from a backup: every sum checked, everything copied, and what is derived made anew from the log."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from desireline.project.backup import IN_DATA, STATE, appearing
from desireline.project.demo_live import open_demo
from desireline.project.manifest import LOG, FileSum, Manifest, read_manifest
from desireline.project.project import Project
from desireline.project.rebuilding import rebuild
from desireline.storage.durable import sync_file
from desireline.storage.log import write_mark
from desireline.storage.state import State
from desireline.vocabulary.errors import DesirelineError, Mistake, WorkFailed

Progress = Callable[[float, str], None]
_CHUNK_BYTES = 4 << 20


def restore(
    backup: Path,
    folder: Path,
    *,
    progress: Progress,
    silent: bool = False,
    own_state: bool = False,
    now: Callable[[], int] | None = None,
) -> Project:
    """Make a new project folder from a backup; the backup stays as it is and shares no file with it.

    silent: its listeners are stopped, so that a drill tells nobody outside. own_state: its state store lies in its own
    folder, even if the project names a server. Raises `DesirelineError` for a target
    that exists and for a backup of a newer Desireline, `WorkFailed` naming every file that is not what it was.
    """
    manifest = read_manifest(backup)
    if folder.exists():
        raise DesirelineError(Mistake("exists already.", str(folder), do="Name a new folder to restore into."))
    with appearing(folder) as target:
        _copy_checked(backup, target, manifest, progress=lambda share, what: progress(0.4 * share, what))
        write_mark(target / "data" / LOG, manifest.last_sequence)
    project = Project(folder, now=now) if now else open_demo(folder, live=False)
    if own_state:
        project.file = replace(project.file, state="")
    if project.file.state:
        _fill_server(project)
    rebuild(project, progress=lambda share, what: progress(0.4 + 0.6 * share, what))
    if silent:
        for listener in project.telling.outbox.listeners():
            project.telling.change("listener.disable", name=listener.name)
    return project


def _copy_checked(backup: Path, target: Path, manifest: Manifest, *, progress: Progress) -> None:
    wrong: list[Mistake] = []
    done = 0
    for name, promised in manifest.files.items():
        progress(done / max(1, manifest.bytes), "checking and copying the backup")
        why = _copy_one(backup / name, target / _place(name, manifest.base), promised)
        if why:
            wrong.append(Mistake(why, str(backup / name), do="Take another backup."))
        done += promised.bytes
    if wrong:
        raise WorkFailed(wrong)


def _place(name: str, base: str) -> str:
    """Where a file of a backup lies in a project."""
    if name.startswith(f"{LOG}/"):
        return f"data/{name}"
    own = name.removeprefix(f"{base}/")
    return f"data/{own}" if own in (STATE, *IN_DATA) else own


def _copy_one(path: Path, target: Path, promised: FileSum) -> str:
    """Copy as much of a file as belongs to the backup; says what is wrong with it, nothing when it is whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, rest = hashlib.sha256(), promised.bytes
    try:
        with path.open("rb") as source, target.open("xb") as to:
            while rest and (chunk := source.read(min(rest, _CHUNK_BYTES))):
                digest.update(chunk)
                to.write(chunk)
                rest -= len(chunk)
    except FileNotFoundError:
        return "is missing."
    if rest:
        return f"is too short: {rest} bytes are missing."
    if digest.hexdigest() != promised.sha256:
        return "is damaged: its sum is not the one of the backup."
    sync_file(target)
    return ""


def _fill_server(project: Project) -> None:
    """The state store of this project lies in a server: fill it, refused when there is anything in it."""
    copy = project.data / STATE
    if copy.exists():
        with closing(State(copy)) as state:
            project.state.fill_from(state)
        for path in project.data.glob(f"{STATE}*"):
            path.unlink()


def summary(manifest: Manifest) -> Mapping[str, object]:
    """A backup in numbers."""
    return {
        "project": manifest.name,
        "taken_at": manifest.taken_at,
        "last_sequence": manifest.last_sequence,
        "files": len(manifest.files),
        "bytes": manifest.bytes,
    }
