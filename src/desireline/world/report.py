"""What is told about a world that was made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Progress = Callable[[str, float], None]
"""Is told what is being done, and which share of it is finished, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class WorldFile:
    """One export file: its path, the lines of data in it and its size."""

    path: Path
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class WorldReport:
    """What was made: how many people and interactions, which files, how fast, and what it all amounts to.

    `digest` is the SHA-256 of the canonical content (every row in order of person and time, then every
    planted verdict); `interactions_per_second` is the kernel's rate on one core.
    """

    people: int
    seed: int
    interactions: int
    promises: int
    files: tuple[WorldFile, ...]
    broken_rows: int
    seconds: float
    interactions_per_second: float
    digest: str
