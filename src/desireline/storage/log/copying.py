"""A copy of a log for a backup, taken while entries go on coming in."""

from __future__ import annotations

from pathlib import Path

from desireline.storage.log.disk import Disk
from desireline.storage.log.looking import opened
from desireline.storage.log.mark import MARK, mark_of, read_mark
from desireline.storage.log.recovery import FILES, PART, look
from desireline.storage.log.shelf import named
from desireline.vocabulary.errors import DesirelineError, Mistake

_CHUNK_BYTES = 4 << 20


def copy_log(folder: Path | str, to: Path | str, *, disk: Disk | None = None) -> int:
    """Copy a log to a new folder, also while somebody writes it; returns the last sequence that is surely in the copy.

    What never changes again (sealed segments, kept files) is linked where that is possible, the rest is copied. Copying
    the folder with other programs can catch it between two files; this cannot. The copy opens as any log does.
    """
    source, target, disk = Path(folder), Path(to), disk or Disk()
    if target.exists() and any(target.iterdir()):
        raise DesirelineError(Mistake("is not empty.", str(target), do="Name a new folder for the copy."))
    disk.make_folder(target)
    last = read_mark(source / MARK) or look(source).last
    copied: set[Path] = set()
    while not _copied_all(source, target, disk, copied, last):
        pass
    for path in sorted((source / FILES).glob("*.zst")):
        disk.make_folder(target / FILES)
        link_or_copy(path, target / FILES / path.name, disk)
    if (source / FILES).exists():
        disk.sync_folder(target / FILES)
    write_mark(target, last, disk=disk)
    return last


def write_mark(folder: Path, last: int, *, disk: Disk | None = None) -> None:
    """Say in a copy of a log up to which sequence it surely goes; on disk when this returns."""
    disk = disk or Disk()
    mark = disk.open_mark(folder / MARK)
    disk.write_over(mark, mark_of(last))
    disk.sync(mark)
    disk.close(mark)
    disk.sync_folder(folder)


def _copied_all(source: Path, target: Path, disk: Disk, copied: set[Path], last: int) -> bool:
    """Copy the segments up to a sequence that are not copied yet; whether there was none, also none packed meanwhile.

    Later ones are left out: the copy of the segment before them ends where it ended when it was copied.
    """
    before = len(copied)
    for path in sorted(source.iterdir()):
        segment = named(path)
        if segment is None or segment.first > last or path in copied:
            continue
        try:
            if segment.packed:
                link_or_copy(path, target / path.name, disk)
            else:
                _copy(path, target / path.name, disk)
        except FileNotFoundError:
            return False
        copied.add(path)
    return len(copied) == before


def link_or_copy(path: Path, target: Path, disk: Disk) -> None:
    """Give a file that never changes again a second name, or copy it where the disk is another one."""
    try:
        disk.link(path, target)
    except FileNotFoundError:
        raise
    except OSError:
        _copy(path, target, disk)


def _copy(path: Path, target: Path, disk: Disk) -> None:
    with opened(path) as read_at:
        part = target.with_name(target.name + PART)
        file = disk.create(part)
        try:
            at = 0
            while chunk := read_at(at, _CHUNK_BYTES):
                disk.write(file, chunk)
                at += len(chunk)
            disk.sync(file)
        finally:
            disk.close(file)
    disk.rename(part, target)
