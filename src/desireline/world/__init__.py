"""The world: seeded synthetic customers of a made-up bank, with known truth. A hotel, a restaurant and a wellness
app are worlds of a later issue."""

from __future__ import annotations

from pathlib import Path

from desireline.world.bank_files import BankFiles, bank_files
from desireline.world.feed import Customer, Feed
from desireline.world.moments import END_MS
from desireline.world.report import Progress, WorldFile, WorldReport

BANK = bank_files()
"""The bank's project file, maps and recipes (package data)."""


def make_world(*, people: int, seed: int, to: Path, progress: Progress = lambda says, share: None) -> WorldReport:
    """Make the bank's world of so many people and write its exports and its truth below `to`.

    The same seed and number of people give the same bytes in every text file everywhere. `progress` is told
    what is being done and which share of it is finished, 0 to 1. Kernels are loaded only when a world is made.
    """
    progress("getting ready", 0.0)
    from desireline.world.run import write_world

    return write_world(people=people, seed=seed, to=to, progress=progress)


__all__ = [
    "BANK",
    "END_MS",
    "BankFiles",
    "Customer",
    "Feed",
    "Progress",
    "WorldFile",
    "WorldReport",
    "bank_files",
    "make_world",
]
