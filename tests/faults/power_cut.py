"""A power-cut simulator: what a disk may hold when the current goes at any moment of a recorded run.

`Recorder` does the real calls and writes them down in one order. `states` cuts that record anywhere and builds what
the disk may hold then. Content: what was synced is there; of later writes none, all, a prefix, or any subset, each
torn at sectors of 512 bytes. Names: in the "ext4" model any sync commits all earlier changes of names (the journal is
in order), in the "strict" model only a sync of the folder does, and of the others any subset may be there.

Limits: no mmap, no lying disks, sectors are whole.
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from desireline.storage.log import Disk

SECTOR_BYTES = 512
Mode = Literal["none", "all", "prefix", "subset"]
Model = Literal["ext4", "strict"]
MODES: tuple[Mode, ...] = ("none", "all", "prefix", "subset")
MODELS: tuple[Model, ...] = ("ext4", "strict")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened: to a file (by its inode), to names, or an acknowledgement."""

    what: Literal["write", "sync", "sync_folder", "names", "acknowledged"]
    inode: int = 0
    offset: int = 0
    data: bytes = b""
    names: tuple[tuple[str, int | None], ...] = ()
    folder: str = ""
    entry: tuple[int, bytes] = (0, b"")


@dataclass(slots=True)
class Recorder(Disk):
    """A disk that writes down what is asked of it. A kind of sync that is switched off is not written down."""

    root: Path
    sync_files: bool = True
    sync_names: bool = True
    steps: list[Step] = field(default_factory=list)
    calls: list[tuple[int, str, str, int]] = field(default_factory=list)
    _turn: threading.RLock = field(default_factory=threading.RLock)
    _inode: dict[str, int] = field(default_factory=dict)
    _open: dict[int, list[int]] = field(default_factory=dict)
    _inodes: int = 0

    def _name(self, path: Path) -> str:
        return str(path.relative_to(self.root))

    def adopt(self) -> None:
        """Take what lies in the root already as synced, so that a run can begin after an earlier cut."""
        for path in sorted(path for path in self.root.rglob("*") if path.is_file()):
            self._inodes += 1
            self._inode[self._name(path)] = self._inodes
            names = ((self._name(path), self._inodes),)
            self.steps.append(Step("names", names=names, folder=self._name(path.parent)))
            self.steps.append(Step("write", self._inodes, 0, path.read_bytes()))
            self.steps.append(Step("sync", self._inodes))
            self.steps.append(Step("sync_folder", folder=self._name(path.parent)))

    def _step(self, step: Step, call: str, name: str) -> None:
        self.steps.append(step)
        self.calls.append((threading.get_native_id(), call, name, len(step.data)))

    def _changed(self, call: str, *changes: tuple[Path, int | None]) -> None:
        names = tuple((self._name(path), inode) for path, inode in changes)
        self._step(Step("names", names=names, folder=self._name(changes[0][0].parent)), call, names[0][0])

    def _named(self, inode: int) -> str:
        return next(name for name, number in self._inode.items() if number == inode)

    def acknowledged(self, sequence: int, body: bytes) -> None:
        with self._turn:
            self.steps.append(Step("acknowledged", entry=(sequence, body)))

    def create(self, path: Path) -> int:
        with self._turn:
            file = Disk.create(self, path)
            self._made(path, file)
            return file

    def open_mark(self, path: Path) -> int:
        with self._turn:
            is_new = not path.exists()
            file = Disk.open_mark(self, path)
            if is_new:
                self._made(path, file)
            else:
                self._open[file] = [self._inode[self._name(path)], 0]
            return file

    def _made(self, path: Path, file: int) -> None:
        self._inodes += 1
        self._inode[self._name(path)] = self._inodes
        self._open[file] = [self._inodes, 0]
        self._step(
            Step("names", names=((self._name(path), self._inodes),), folder=self._name(path.parent)),
            "create",
            self._name(path),
        )

    def write(self, file: int, data: bytes) -> None:
        with self._turn:
            Disk.write(self, file, data)
            inode, offset = self._open[file]
            self._open[file][1] += len(data)
            self._step(Step("write", inode, offset, bytes(data)), "write", self._named(inode))

    def write_over(self, file: int, data: bytes) -> None:
        with self._turn:
            Disk.write_over(self, file, data)
            inode = self._open[file][0]
            self._step(Step("write", inode, 0, bytes(data)), "write_over", self._named(inode))

    def sync(self, file: int) -> None:
        with self._turn:
            if self.sync_files:
                Disk.sync(self, file)
                inode = self._open[file][0]
                self._step(Step("sync", inode), "sync", self._named(inode))

    def sync_old(self, path: Path) -> None:
        with self._turn:
            if self.sync_files:
                file = os.open(path, os.O_RDONLY)
                Disk.sync(self, file)
                os.close(file)
                self._step(Step("sync", self._inode[self._name(path)]), "sync", self._name(path))

    def sync_folder(self, folder: Path) -> None:
        with self._turn:
            if self.sync_names and self.root in (folder, *folder.parents):
                Disk.sync_folder(self, folder)
                self._step(Step("sync_folder", folder=self._name(folder)), "sync_folder", self._name(folder))

    def rename(self, old: Path, new: Path) -> None:
        with self._turn:
            Disk.rename(self, old, new)
            inode = self._inode.pop(self._name(old))
            self._inode[self._name(new)] = inode
            self._changed("rename", (old, None), (new, inode))

    def remove(self, path: Path) -> None:
        with self._turn:
            Disk.remove(self, path)
            del self._inode[self._name(path)]
            self._step(
                Step("names", names=((self._name(path), None),), folder=self._name(path.parent)),
                "remove",
                self._name(path),
            )

    def reserve(self, file: int, size_bytes: int) -> None:
        self.write(file, bytes(size_bytes))


@dataclass(frozen=True, slots=True)
class DiskState:
    """What the disk may hold after a cut, and what had been acknowledged before it."""

    cut_at: int
    mode: Mode
    model: Model
    files: dict[str, bytes]
    acknowledged: dict[int, bytes]

    def write_to(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def states(steps: list[Step], count: int, chance: random.Random) -> Iterator[DiskState]:
    """So many disk states of a recorded run; modes and models take turns, so that each comes equally often."""
    kinds = [(mode, model) for mode in MODES for model in MODELS]
    for number in range(count):
        mode, model = kinds[number % len(kinds)]
        yield state_at(steps[: chance.randrange(len(steps) + 1)], mode, model, chance)


def state_at(steps: list[Step], mode: Mode, model: Model, chance: random.Random) -> DiskState:
    names = _names(steps, mode, model, chance)
    contents = _contents(steps, mode, chance)
    return DiskState(
        len(steps),
        mode,
        model,
        {name: contents.get(inode, b"") for name, inode in names.items()},
        dict(step.entry for step in steps if step.what == "acknowledged"),
    )


def _names(steps: list[Step], mode: Mode, model: Model, chance: random.Random) -> dict[str, int]:
    """Which names the disk holds: those committed, and some of the later changes."""
    committed = [_is_committed(steps, place, model) for place in range(len(steps))]
    pending = [place for place, step in enumerate(steps) if step.what == "names" and not committed[place]]
    chosen = set(_some(pending, mode if model == "strict" or mode != "subset" else "prefix", chance))
    names: dict[str, int] = {}
    for place, step in enumerate(steps):
        if step.what == "names" and (committed[place] or place in chosen):
            for name, inode in step.names:
                names.pop(name, None)
                if inode is not None:
                    names[name] = inode
    return names


def _is_committed(steps: list[Step], place: int, model: Model) -> bool:
    if steps[place].what != "names":
        return False
    if model == "ext4":
        return any(step.what in ("sync", "sync_folder") for step in steps[place + 1 :])
    return any(step.what == "sync_folder" and step.folder == steps[place].folder for step in steps[place + 1 :])


def _contents(steps: list[Step], mode: Mode, chance: random.Random) -> dict[int, bytes]:
    """What the files hold: everything synced, and some of the later writes."""
    synced = {step.inode: place for place, step in enumerate(steps) if step.what == "sync"}
    writes = [(place, step) for place, step in enumerate(steps) if step.what == "write"]
    pending = [place for place, step in writes if place > synced.get(step.inode, -1)]
    chosen = set(_some(pending, mode, chance))
    torn_at = max(chosen, default=-1) if mode == "prefix" else -1
    contents: dict[int, bytearray] = {}
    for place, step in writes:
        if place <= synced.get(step.inode, -1) or (place in chosen and mode == "all"):
            _put(contents, step, lambda _sector: True)
        elif place in chosen:
            last = chance.randrange(len(step.data) // SECTOR_BYTES + 2)
            if mode == "prefix":
                _put(contents, step, (lambda sector, last=last: sector < last) if place == torn_at else lambda _: True)
            else:
                _put(contents, step, lambda _sector: chance.random() < 0.7)
    return {inode: bytes(content) for inode, content in contents.items()}


def _some(pending: list[int], mode: Mode, chance: random.Random) -> list[int]:
    if mode == "all":
        return pending
    if mode == "prefix":
        return pending[: chance.randrange(len(pending) + 1)]
    if mode == "subset":
        return [place for place in pending if chance.random() < 0.5]
    return []


def _put(contents: dict[int, bytearray], step: Step, arrived: Callable[[int], bool]) -> None:
    """Write the sectors of a write that arrived; a file grows to the last one of them, with zeros between."""
    content = contents.setdefault(step.inode, bytearray())
    at, end = step.offset, step.offset + len(step.data)
    first = at // SECTOR_BYTES
    while at < end:
        sector = at // SECTOR_BYTES
        stop = min(end, (sector + 1) * SECTOR_BYTES)
        if arrived(sector - first):
            content.extend(bytes(max(0, stop - len(content))))
            content[at:stop] = step.data[at - step.offset : stop - step.offset]
        at = stop
