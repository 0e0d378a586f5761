"""A second copy of a log that is kept up with it, every few seconds: only what is new goes over."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from desireline.storage.log.copying import link_or_copy
from desireline.storage.log.disk import Disk
from desireline.storage.log.looking import opened
from desireline.storage.log.mark import MARK, read_mark
from desireline.storage.log.recovery import FILES, look
from desireline.storage.log.shelf import named

_CHUNK_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Shipped:
    """One file of the copy as far as it is on the other disk: its first `bytes` bytes and their SHA-256."""

    name: str
    sha256: str
    bytes: int


class LogShipper:
    """Keeps the copy of one log up with it, from any process. What was shipped before a stop is taken up again.

    >>> shipper = LogShipper(Path("data/log"), Path("/second/disk/log"))   # doctest: +SKIP
    >>> last, files = shipper.ship()                                       # doctest: +SKIP
    >>> shipper.forget(files)                                              # doctest: +SKIP
    """

    def __init__(self, folder: Path, to: Path, *, disk: Disk | None = None) -> None:
        self.folder, self.to, self._disk = folder, to, disk or Disk()
        self._grown: dict[str, tuple[Any, int]] = {}
        self._whole: dict[str, Shipped] = {}

    def ship(self) -> tuple[int, list[Shipped]]:
        """Bring over what is new; the last sequence that surely came over, and every file as it is there now."""
        self._disk.make_folder(self.to / FILES)
        last = read_mark(self.folder / MARK) or look(self.folder).last
        while (files := self._segments()) is None:
            pass
        for path in sorted((self.folder / FILES).glob("*.zst")):
            files.append(self._ship_whole(path, f"{FILES}/{path.name}"))
        for each in (self.to / FILES, self.to):
            self._disk.sync_folder(each)
        return last, files

    def forget(self, files: Sequence[Shipped]) -> None:
        """Remove from the copy what is none of these files: plain segments that were packed meanwhile."""
        names = {each.name for each in files}
        for path in self.to.iterdir():
            if named(path) is not None and path.name not in names:
                self._disk.remove(path)
                self._grown.pop(path.name, None)

    def _segments(self) -> list[Shipped] | None:
        """Ship every segment that is there; None when one was packed meanwhile, so that it must be looked again."""
        files = []
        for path in sorted(self.folder.iterdir()):
            segment = named(path)
            if segment is None:
                continue
            try:
                files.append(self._ship_whole(path, path.name) if segment.packed else self._ship_new(path))
            except FileNotFoundError:
                if path.exists():
                    raise
                return None
        return files

    def _ship_whole(self, path: Path, name: str) -> Shipped:
        """Ship a file that never changes again, once; and again should the copy be gone."""
        target = self.to / name
        if name not in self._whole or not target.exists():
            if not target.exists() or target.stat().st_size != path.stat().st_size:
                with suppress(FileNotFoundError):
                    self._disk.remove(target)
                link_or_copy(path, target, self._disk)
            with target.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            self._whole[name] = Shipped(name, digest, target.stat().st_size)
        return self._whole[name]

    def _ship_new(self, path: Path) -> Shipped:
        """Ship what came at the end of a segment since the last time; all of it should the copy be gone."""
        target = self.to / path.name
        known = self._grown.get(path.name) if target.exists() else None
        digest, at = known or self._taken_up(path)
        digest = digest.copy()  # what is known stays true should this fail half way
        if at == 0:
            with suppress(FileNotFoundError):
                self._disk.remove(target)
            self._disk.close(self._disk.create(target))
        with opened(path) as read_at, target.open("r+b") as file:
            file.seek(at)
            while chunk := read_at(at, _CHUNK_BYTES):
                file.write(chunk)
                digest.update(chunk)
                at += len(chunk)
            file.flush()
            self._disk.sync(file.fileno())
        self._grown[path.name] = (digest, at)
        return Shipped(path.name, digest.hexdigest(), at)

    def _taken_up(self, path: Path) -> tuple[Any, int]:
        """How far a segment was shipped before a stop: as far as both files are the same from their beginning."""
        target, digest, at = self.to / path.name, hashlib.sha256(), 0
        if not target.exists() or target.stat().st_size > path.stat().st_size:
            return digest, 0
        with opened(path) as ours, opened(target) as theirs:
            while chunk := theirs(at, _CHUNK_BYTES):
                if ours(at, len(chunk)) != chunk:
                    return hashlib.sha256(), 0
                digest.update(chunk)
                at += len(chunk)
        return digest, at
