"""Whole files kept beside the log under their own sum, so that an import can be read again for ever."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import zstandard

from desireline.storage.log.disk import Disk
from desireline.storage.log.recovery import PART
from desireline.vocabulary.errors import Mistake, WorkFailed

_CHUNK_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file that is kept: the SHA-256 of its content by which it is found again, its size and its packed size."""

    sha256: str
    size_bytes: int
    packed_bytes: int


def keep_file(folder: Path, path: Path, disk: Disk) -> KeptFile:
    """Copy a file to `folder`/<sum>.zst, packed; on disk when this returns. The same content is kept once."""
    disk.make_folder(folder)
    part = folder / f"{os.getpid()}-{disk.seed():08x}{PART}"
    out = disk.create(part)
    try:
        sha256, size, packed = _packed(path, lambda data: disk.write(out, data))
        target = folder / f"{sha256}.zst"
        if not target.exists():
            disk.sync(out)
            disk.rename(part, target)
        disk.sync_folder(folder)
    finally:
        disk.close(out)
        with suppress(FileNotFoundError):
            disk.remove(part)
    return KeptFile(sha256, size, packed)


def kept_file(folder: Path, sha256: str, to: Path) -> Path:
    """Unpack a kept file to `to`; a file that is not what was kept is refused."""
    packed = folder / f"{sha256}.zst"
    if not packed.exists():
        raise WorkFailed(Mistake("is not among the kept files.", sha256, do="Look at the folder files/ of the log."))
    part = to.with_name(to.name + PART)
    try:
        with part.open("wb") as target:
            if not unpacks(packed, write=target.write):
                raise WorkFailed(Mistake("is damaged.", str(packed), do="Bring it back from a backup."))
        part.replace(to)
    finally:
        part.unlink(missing_ok=True)
    return to


def unpacks(packed: Path, *, write: Callable[[bytes], object]) -> bool:
    """Unpack a kept file through `write`; whether it was what its name says."""
    digest = hashlib.sha256()
    try:
        with packed.open("rb") as source:
            for chunk in zstandard.ZstdDecompressor().read_to_iter(source, write_size=_CHUNK_BYTES):
                digest.update(chunk)
                write(chunk)
    except zstandard.ZstdError:
        return False
    return digest.hexdigest() == packed.stem


def _packed(path: Path, write: Callable[[bytes], None]) -> tuple[str, int, int]:
    """Pack a file; returns the sum, size and packed size of its content."""
    digest = hashlib.sha256()
    size = packed = 0
    packer = zstandard.ZstdCompressor(level=1, write_checksum=True, threads=1).compressobj()
    with path.open("rb", buffering=0) as source:
        while chunk := source.read(_CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
            data = packer.compress(chunk)
            packed += len(data)
            write(data)
    data = packer.flush()
    write(data)
    return digest.hexdigest(), size, packed + len(data)
