"""A backup of a project, taken from beside it while a server goes on writing; whole or not there.

The state store is copied first and the log of record last, so the log of a backup is never behind its state.
What is derived (lake, journeys, ledger) is left out: a restored project makes it again from the log.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from desireline.project.demo_live import CLOCK_FILE
from desireline.project.file import FILE_NAME
from desireline.project.manifest import LOG, MANIFEST, FileSum, Manifest, read_manifest, sum_of
from desireline.storage.durable import sync_file, sync_folder
from desireline.storage.log import Disk, LogShipper, copy_log
from desireline.storage.log.shelf import named
from desireline.storage.state_waiting import StateDamaged
from desireline.vocabulary.errors import DesirelineError, Mistake, WorkFailed

if TYPE_CHECKING:
    from desireline.project.project import Project

STATE = "state.sqlite"
OWN_FILES = (FILE_NAME, "maps/*.y*ml", "recipes/*.y*ml")
"""What people write in a project folder."""
IN_DATA = ("shapes.json", CLOCK_FILE)
"""What lies in `data/` and cannot be made from the log."""
BASE_EVERY_SECONDS = 60.0
"""While a backup is kept up with its project, the state store is copied so often at most."""


def back_up(project: Project, to: Path) -> Manifest:
    """Make a new folder with everything a project is made from, of one moment not before now.

    Sealed segments and kept files are hard links where the disk is the same, links to the newest backup beside
    where that one has them, and copies otherwise, so many backups take little more room than one.
    Raises `DesirelineError` when the folder is there already.
    """
    if to.exists():
        raise DesirelineError(Mistake("exists already.", str(to), do="Name a new folder for the backup."))
    _refuse_without_log(project)
    earlier = _newest_beside(to)
    taken_at = project.now()
    with appearing(to) as folder:
        files = _copy_base(project, folder, "base")
        last = copy_log(project.data / LOG, folder / LOG, disk=_Thrifty(folder / LOG, earlier))
        files |= _log_sums(folder, earlier)
        manifest = Manifest(project.file.name, taken_at, last, "base", files)
        manifest.write(folder)
    return manifest


class Following:
    """A backup in another folder that is kept up with its project: what a lost disk takes is the last few seconds."""

    def __init__(self, project: Project, to: Path) -> None:
        _refuse_without_log(project)
        if to.exists() and any(to.iterdir()):
            read_manifest(to)
        to.mkdir(parents=True, exist_ok=True)
        to.chmod(0o700)
        self.project, self.to = project, to
        self._shipper = LogShipper(project.data / LOG, to / LOG)
        self._base = ""
        self._base_files: dict[str, FileSum] = {}
        self._base_at = 0

    def bring_up(self) -> Manifest:
        """Bring over what is new; when this returns, a restore gives everything that was in the log before."""
        now = self.project.now()
        if not self._base or abs(now - self._base_at) >= BASE_EVERY_SECONDS * 1_000:
            base = f"base-{now}"
            shutil.rmtree(self.to / base, ignore_errors=True)
            self._base_files = _copy_base(self.project, self.to, base)
            self._base, self._base_at = base, now
        last, shipped = self._shipper.ship()
        files = {f"{LOG}/{each.name}": FileSum(each.sha256, each.bytes) for each in shipped}
        manifest = Manifest(self.project.file.name, now, last, self._base, self._base_files | files)
        manifest.write(self.to)
        self._shipper.forget(shipped)
        for folder in self.to.glob("base-*"):
            if folder.name != self._base:
                shutil.rmtree(folder)
        return manifest


@contextmanager
def appearing(to: Path) -> Iterator[Path]:
    """A folder to fill, which appears under its name at once when the block ends well, and never otherwise."""
    to.parent.mkdir(parents=True, exist_ok=True)
    _clear_leftovers(to)
    folder = to.with_name(f".{to.name}.{os.getpid()}.writing")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        yield folder
        for each in (*(path for path in folder.rglob("*") if path.is_dir()), folder):
            sync_folder(each)
        if to.exists():
            raise DesirelineError(Mistake("exists already.", str(to)))
        folder.rename(to)
        sync_folder(to.parent)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def copy_durably(path: Path, target: Path) -> None:
    """Copy a file; on disk when this returns."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, target)
    sync_file(target)


class _Thrifty(Disk):
    """A disk that gives a file of an earlier backup a second name where the log itself lies on another one."""

    def __init__(self, log: Path, earlier: Path | None) -> None:
        self.log, self.earlier = log, earlier

    def link(self, old: Path, new: Path) -> None:
        """Link to the log itself, or else to the same file of the earlier backup."""
        try:
            super().link(old, new)
        except FileNotFoundError:
            raise
        except OSError:
            twin = self.earlier / LOG / new.relative_to(self.log) if self.earlier else None
            if twin is None or not twin.exists() or twin.stat().st_size != old.stat().st_size:
                raise
            super().link(twin, new)


def _refuse_without_log(project: Project) -> None:
    folder = project.data / LOG
    if not folder.exists() or not any(named(path) for path in folder.iterdir()):
        do = "Take something in first, or run: desireline rebuild"
        raise WorkFailed(Mistake("there is nothing to back up: no log of record.", str(project.folder), do=do))


def _copy_base(project: Project, folder: Path, base: str) -> dict[str, FileSum]:
    """Copy the state store and the project's own files; a damaged state store is left out, the log has it all."""
    target = folder / base
    target.mkdir(mode=0o700)
    with suppress(StateDamaged):
        project.state.copy_to(target / STATE)
    for pattern in OWN_FILES:
        for path in project.folder.glob(pattern):
            copy_durably(path, target / path.relative_to(project.folder))
    for name in IN_DATA:
        if (project.data / name).exists():
            copy_durably(project.data / name, target / name)
    sync_folder(target)
    return {path.relative_to(folder).as_posix(): sum_of(path) for path in sorted(target.rglob("*")) if path.is_file()}


def _newest_beside(to: Path) -> Path | None:
    """The newest backup in the same folder."""
    beside = [path.parent for path in to.parent.glob(f"*/{MANIFEST}") if not path.parent.name.startswith(".")]
    return max(beside, key=lambda folder: (folder / MANIFEST).stat().st_mtime_ns, default=None)


def _log_sums(folder: Path, earlier: Path | None) -> dict[str, FileSum]:
    """The sum of every file of the log; of files shared with the earlier backup it is known."""
    known = {}
    if earlier is not None:
        with suppress(DesirelineError):
            known = dict(read_manifest(earlier).files)
    sums = {}
    for path in sorted((folder / LOG).rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.suffix != ".zst" and named(path) is None:
            continue
        shared = earlier is not None and name in known and _same_file(path, earlier / name)
        sums[name] = known[name] if shared else sum_of(path)
    return sums


def _same_file(path: Path, other: Path) -> bool:
    return other.exists() and path.samefile(other)


def _clear_leftovers(to: Path) -> None:
    """Remove what backups into this folder left when they were killed."""
    for path in to.parent.glob(f".{to.name}.*.writing"):
        owner = path.name.rsplit(".", 2)[1]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            shutil.rmtree(path, ignore_errors=True)
