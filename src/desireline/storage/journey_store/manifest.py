"""The manifest: the one small file that says what the journey store is at this moment."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from desireline.storage.durable import replacing
from desireline.storage.journey_store.columns import Column, Kind, column
from desireline.vocabulary.errors import Mistake, WorkFailed

FORMAT = 1
NAME = "manifest.json"


@dataclass(frozen=True, slots=True)
class Manifest:
    """One version of the journey store; replacing the file is what makes a change visible.

    generation: the folder all arrays lie in; `compact` and `build` begin a new one.
    kinds: the columns and how each lies on disk. words: how many texts of each dictionary count.
    parts: the lake's parts by number; `removed` numbers are undone. A stream has one number, named by the whole
    stretch taken in; `streams` says how many rows that were. tails: rows used in each
    bucket's files, slack and left slots included; the last bucket is nobody's.
    directories: the version of each bucket's directory. overlay: the version of the list of
    handles whose person changed since the generation began (0: none).
    boot: empty once everything is on disk; else the machine's run in which it was written.
    """

    generation: int = 0
    version: int = 0
    engine: str = ""
    bucket_count: int = 1
    as_of: int = 0
    rows: int = 0
    kinds: dict[str, Kind] = field(default_factory=dict)
    words: dict[str, int] = field(default_factory=dict)
    parts: list[str] = field(default_factory=list)
    streams: dict[str, int] = field(default_factory=dict)
    removed: list[int] = field(default_factory=list)
    tails: list[int] = field(default_factory=list)
    directories: list[int] = field(default_factory=list)
    overlay: int = 0
    boot: str = ""
    format: int = FORMAT

    def columns(self) -> tuple[Column, ...]:
        """The columns the store has, hidden ones included."""
        return tuple(column(name, kind) for name, kind in self.kinds.items())

    def live_parts(self) -> tuple[str, ...]:
        """The lake's parts whose interactions the store holds."""
        return tuple(part for number, part in enumerate(self.parts) if number not in self.removed)

    def next(self, **changes: Any) -> Manifest:
        """The following version."""
        return replace(self, version=self.version + 1, **changes)


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest in force; none where no store was built yet, or a power cut tore it."""
    try:
        raw = json.loads((folder / NAME).read_text())
    except (FileNotFoundError, ValueError):
        return None
    if raw.get("format") != FORMAT:
        raise WorkFailed(
            Mistake(f"the journey store has format {raw.get('format')}, not {FORMAT}.", str(folder), do="Rebuild it.")
        )
    return Manifest(**raw)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Put a manifest in force, in one step; one that says all is on disk is itself on disk afterwards."""
    with replacing(folder / NAME, durable=not manifest.boot) as temporary:
        temporary.write_text(json.dumps(asdict(manifest)))
