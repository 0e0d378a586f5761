"""Opening a log after anything: finds what counts, keeps aside what does not, and says what is missing.

`look` only reads. `recover` also syncs what an ended process left in memory, moves useless files to `damaged/`
and copies unreadable bytes there. Neither changes a byte of a segment.

What counts: entries in order of their sequence. The first frame of each segment tells up to which sequence the
log counted before it; later frames of older segments were refused after a disk error and stay refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from desireline.storage.log.disk import Disk
from desireline.storage.log.frames import OPENING, Hole, pieces
from desireline.storage.log.looking import opened
from desireline.storage.log.mark import MARK, read_mark
from desireline.storage.log.packed import read_index
from desireline.storage.log.said import Damage
from desireline.storage.log.shelf import SPARSE_BYTES, Segment, named

DAMAGED = "damaged"
FILES = "files"
PART = ".part"
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Found:
    """A log as it lies on disk: its segments that hold something, in order, and everything that is wrong with it.

    `next_sequence` was never given to an entry; the last sequence that counts or counted is `counted`.
    `torn` are bytes at a segment's end that no acknowledged entry needs; `useless` are files without any entry.
    """

    segments: tuple[Segment, ...] = ()
    damage: tuple[Damage, ...] = ()
    torn: tuple[tuple[Path, Hole], ...] = ()
    useless: tuple[Path, ...] = ()
    last: int = 0
    counted: int = 0
    next_sequence: int = 1


@dataclass(frozen=True, slots=True)
class _Gap:
    """A hole in a segment and the entries that are missing there; what counted before it, and its place in `places`."""

    hole: Hole
    first_missing: int
    last_missing: int
    last_before: int
    end_before: int
    places_before: int


@dataclass(slots=True)
class _Scan:
    """One segment, read from begin to end as far as needed."""

    segment: Segment
    gaps: list[_Gap] = field(default_factory=list)
    torn: Hole | None = None
    after: int | None = None
    highest: int = 0
    last_group: int = 0
    size: int = 0


def look(folder: Path, *, applied: int = 0) -> Found:
    """What lies in the folder of a log. Reads plain segments whole, packed ones only at their end.

    `applied` is the last sequence that somebody has applied: like the mark, it tells when the end is gone.
    """
    listed, mark = _listed(folder), read_mark(folder / MARK)
    known = None if mark is None else max(mark, applied)
    scans: list[_Scan] = []
    useless: list[Path] = []
    bound = 1 << 62
    for segment in reversed(listed):
        scan = _packed(segment) if segment.packed else _plain(segment, bound)
        if segment is listed[-1] and known is not None:
            _leave_out_what_never_counted(scan, known)
        if scan.segment.last == 0:
            useless.append(segment.path)
        else:
            scans.append(scan)
        if scan.segment.last or scan.after is not None:
            bound = min(bound, segment.first - 1 if scan.after is None else scan.after)
    scans.reverse()
    return _judged(scans, useless, known, applied)


def _listed(folder: Path) -> list[Segment]:
    """The segments of a folder by sequence; a packed one stands for the plain one it was made from."""
    found: dict[tuple[int, int], Segment] = {}
    for path in _names(folder):
        segment = named(path)
        if segment is not None:
            found[segment.first, segment.seed] = segment
    return [found[key] for key in sorted(found)]


def _names(folder: Path) -> list[Path]:
    """The files of a folder. Read until two readings agree: one can miss a file that is renamed at that moment."""
    names, before = sorted(folder.iterdir()) if folder.is_dir() else [], None
    while names != before:
        names, before = sorted(folder.iterdir()) if folder.is_dir() else [], names
    return names


def _plain(segment: Segment, bound: int) -> _Scan:
    size = segment.path.stat().st_size
    scan = _Scan(segment)
    places: list[tuple[int, int]] = []
    holes: list[Hole] = []
    end = last = group = 0
    with opened(segment.path) as read_at:
        for piece in pieces(read_at, segment.seed, start=0, end=size):
            if isinstance(piece, Hole):
                holes.append(piece)
                continue
            if piece.kind == OPENING:
                scan.after = int(json.loads(piece.meta)["after"])
                continue
            scan.highest = max(scan.highest, piece.sequence)
            if piece.sequence > bound:
                break
            expected = last + 1 if last else segment.first
            for hole in holes or ([Hole(piece.offset, 0)] if piece.sequence > expected else []):
                scan.gaps.append(_Gap(hole, expected, piece.sequence - 1, last, end, len(places)))
            holes.clear()
            if not places or piece.offset - places[-1][1] >= SPARSE_BYTES:
                places.append((piece.sequence - 1, piece.offset))
            end, last, group = piece.offset + piece.size, piece.sequence, piece.group
    if holes:
        scan.torn = Hole(holes[0].offset, size - holes[0].offset)
    scan.segment = replace(segment, after=scan.after or 0, last=last, end=end, places=places)
    scan.last_group, scan.size = group, size
    return scan


def _leave_out_what_never_counted(scan: _Scan, mark: int) -> None:
    """The last group, when it did not arrive whole and nobody is known to have been told, counts up to its hole."""
    for place, gap in enumerate(scan.gaps):
        if gap.first_missing > max(mark, scan.last_group - 1):
            places = scan.segment.places[: gap.places_before]
            scan.segment = replace(scan.segment, last=gap.last_before, end=gap.end_before, places=places)
            scan.torn = Hole(gap.hole.offset, scan.size - gap.hole.offset)
            del scan.gaps[place:]
            return


def _packed(segment: Segment) -> _Scan:
    with opened(segment.path) as read_at:
        index = read_index(read_at, size=segment.path.stat().st_size)
    if index is None:
        return _Scan(segment)
    footer = index.footer
    return _Scan(replace(segment, after=footer.after, last=footer.last), after=footer.after, highest=footer.last)


def _judged(scans: list[_Scan], useless: list[Path], mark: int | None, applied: int) -> Found:
    damage: list[Damage] = []
    last = 0
    for scan in scans:
        before = scan.segment.first - 1 if scan.after is None else scan.after
        if before > last:
            damage.append(_missing(scan.segment, last + 1, before))
        damage.extend(_holes(scan))
        last = scan.segment.last
    if mark is None:
        damage.append(Damage(MARK, 0, 0, says="The mark is damaged: whether the log lost its end cannot be told."))
    elif mark > last:
        damage.append(
            Damage(MARK, 0, 0, last + 1, mark, says="The end of the log is gone: these entries had been stored.")
        )
    counted = max(last, mark or applied)
    highest = max([counted, *(scan.highest for scan in scans)])
    torn = tuple((scan.segment.path, scan.torn) for scan in scans if scan.torn is not None)
    segments = tuple(scan.segment for scan in scans)
    return Found(segments, tuple(damage), torn, tuple(useless), last, counted, highest + 1)


def _missing(segment: Segment, first: int, last: int) -> Damage:
    return Damage(segment.name, 0, 0, first, last, says="Entries that had been stored before this file are gone.")


def _holes(scan: _Scan) -> Iterator[Damage]:
    """The damage inside a segment. Bytes behind its last entry cost nothing, unless later files miss them."""
    for gap in scan.gaps:
        is_missing = gap.first_missing <= gap.last_missing
        yield Damage(
            scan.segment.name,
            gap.hole.offset,
            gap.hole.size,
            gap.first_missing if is_missing else 0,
            gap.last_missing if is_missing else 0,
            kept_in=kept_name(scan.segment.path, gap.hole) if gap.hole.size else "",
            says="Unreadable bytes in the middle of the log; what follows them was read.",
        )


def kept_name(path: Path, hole: Hole) -> str:
    """Under which name unreadable bytes are kept aside."""
    return f"{path.name}.{hole.offset}"


def recover(folder: Path, disk: Disk, *, applied: int = 0) -> Found:
    """Open the folder of a log: make it if needed, sync what was left, keep damage aside."""
    disk.make_folder(folder)
    _finish_packing(folder, disk)
    for path in folder.iterdir():
        segment = named(path)
        if segment is not None and not segment.packed:
            disk.sync_old(path)
    disk.sync_folder(folder)
    found = look(folder, applied=applied)
    for damage in found.damage:
        if damage.kept_in and damage.size_bytes:
            _keep(folder, disk, folder / damage.segment, Hole(damage.offset, damage.size_bytes))
    for path, hole in found.torn:
        _keep(folder, disk, path, hole)
    for path in found.useless:
        _set_aside(folder, disk, path)
    return found


def _finish_packing(folder: Path, disk: Disk) -> None:
    """A packed file in its place was complete before it got its name: the plain one can go, half-made ones too."""
    for path in (*folder.glob(f"*{PART}"), *(folder / FILES).glob(f"*{PART}")):
        disk.remove(path)
    disk.sync_folder(folder)  # the packed file must have its name on disk before the plain one loses its own
    for path in sorted(folder.iterdir()):
        segment = named(path)
        plain = path.with_suffix("")
        if segment is not None and segment.packed and plain.exists():
            disk.remove(plain if _packed(segment).segment.last else path)


def _keep(folder: Path, disk: Disk, path: Path, hole: Hole) -> None:
    """Copy unreadable bytes to `damaged/`, once; on a full disk they stay only where they are."""
    target = folder / DAMAGED / kept_name(path, hole)
    if target.exists():
        return
    with suppress(OSError), opened(path) as read_at:
        disk.make_folder(target.parent)
        copy = disk.create(target)
        try:
            for at in range(hole.offset, hole.offset + hole.size, _CHUNK_BYTES):
                disk.write(copy, read_at(at, min(_CHUNK_BYTES, hole.offset + hole.size - at)))
        finally:
            disk.close(copy)


def _set_aside(folder: Path, disk: Disk, path: Path) -> None:
    """Take a file without any entry out of the way; an empty one is removed. It does no harm where it is."""
    with suppress(OSError):
        if path.stat().st_size == 0:
            disk.remove(path)
            return
        disk.make_folder(folder / DAMAGED)
        disk.rename(path, folder / DAMAGED / path.name)
