"""What a backup says of itself: when it was made, how far its log goes, and the sum of every file in it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from desireline.storage.durable import replacing
from desireline.storage.state import VERSION as STATE_VERSION
from desireline.vocabulary.errors import DesirelineError, Mistake

FORMAT = 1
MANIFEST = "manifest.json"
LOG = "log"


@dataclass(frozen=True, slots=True)
class FileSum:
    """The first `bytes` bytes of a file and their SHA-256; what may follow belongs to no backup yet."""

    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """A whole backup.

    taken_at: UTC milliseconds. last_sequence: the last entry of the log that is surely in it. base: the folder of
    the project's own files and of its state store. files: the sum of each file, by its path in the backup.
    """

    name: str
    taken_at: int
    last_sequence: int
    base: str
    files: Mapping[str, FileSum]
    state_version: int = STATE_VERSION
    format: int = FORMAT

    @property
    def bytes(self) -> int:
        """How large it is, files shared with other backups counted too."""
        return sum(each.bytes for each in self.files.values())

    def write(self, folder: Path) -> None:
        """Put it into a backup; on disk when this returns, the older one or the new one at every moment."""
        with replacing(folder / MANIFEST) as path:
            path.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a backup; one that is missing, newer or not ours is a clear error."""
    path = folder / MANIFEST
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        manifest_format = int(body["format"])
    except FileNotFoundError:
        raise DesirelineError(Mistake("is no backup: it has no manifest.json.", str(folder))) from None
    except (OSError, ValueError, KeyError, TypeError):
        raise DesirelineError(Mistake("cannot be read.", str(path), do="Take another backup.")) from None
    if manifest_format > FORMAT or int(body.get("state_version", 0)) > STATE_VERSION:
        says = f"was made by a newer Desireline (format {manifest_format}, this one knows {FORMAT})."
        raise DesirelineError(Mistake(says, str(folder), do="Update Desireline, then restore."))
    try:
        return _checked(body)
    except (KeyError, TypeError, ValueError):
        raise DesirelineError(Mistake("is not the manifest of a backup.", str(path))) from None


def _checked(body: Mapping[str, Any]) -> Manifest:
    files = {str(path): FileSum(str(each["sha256"]), int(each["bytes"])) for path, each in body["files"].items()}
    base = str(body["base"])
    for path in files:
        parts = PurePosixPath(path).parts
        if path.startswith("/") or ".." in parts or parts[0] not in (LOG, base):
            raise ValueError(path)
    return Manifest(
        name=str(body["name"]),
        taken_at=int(body["taken_at"]),
        last_sequence=int(body["last_sequence"]),
        base=base,
        files=files,
        state_version=int(body["state_version"]),
        format=int(body["format"]),
    )


def sum_of(path: Path) -> FileSum:
    """The sum of a whole file."""
    with path.open("rb") as file:
        return FileSum(hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size)
