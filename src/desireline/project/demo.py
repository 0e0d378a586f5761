"""The demo: a bank is made, its export files are taken in as a company's would be, its promises are judged."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from desireline.project.project import Project, copy_files
from desireline.world import BANK, make_world

Progress = Callable[[float, str], None]
WORLD = "world"


@dataclass(frozen=True, slots=True)
class DemoMade:
    """What was made: the world's people and interactions, and what came of taking its files in."""

    folder: Path
    people: int
    files: int
    rows_read: int
    interactions: int
    rows_refused: int

    def lines(self) -> list[str]:
        """In words, one a line."""
        return [
            f"A bank with {self.people:,} customers: {self.files} export files with {self.rows_read:,} rows became "
            f"{self.interactions:,} interactions.",
            f"{self.rows_refused:,} broken rows lie in quarantine with their reasons: desireline refused list.",
        ]


def make_demo(folder: Path, *, people: int, seed: int, progress: Progress) -> DemoMade:
    """Make the demo project; kernels are compiled beside the work, in a process of their own.

    The project appears in `folder` when all is done: an interrupted demo leaves nothing that looks finished.
    """
    building = folder.with_name(f"{folder.name}.building")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    warming = warm_beside()
    try:
        progress(0.02, "making the bank's world")
        world = make_world(
            people=people,
            seed=seed,
            to=building / WORLD,
            progress=lambda says, share: progress(0.02 + 0.28 * share, says),
        )
        copy_files([BANK.project], building)
        copy_files(BANK.maps, building / "maps")
        copy_files(BANK.recipes, building / "recipes")
        project = Project(building)
        files = sorted((building / WORLD / "exports").iterdir())
        reports = project.imports.take_known(files, progress=_part(progress, 0.3, 0.7))
        project.state.close()
    finally:
        warming.wait()
    if folder.exists() and not any(folder.iterdir()):
        folder.rmdir()
    building.rename(folder)
    return DemoMade(
        folder=folder,
        people=world.people,
        files=len(files),
        rows_read=sum(report.rows_read for report in reports),
        interactions=sum(report.made for report in reports),
        rows_refused=sum(report.rows_refused for report in reports),
    )


def warm_beside() -> subprocess.Popen[bytes]:
    """Compile every kernel into the cache in a process beside this one, so that nobody waits for a compiler."""
    return subprocess.Popen([sys.executable, "-m", "desireline.project.warm"], stdin=subprocess.DEVNULL)


def _part(progress: Progress, start: float, share: float) -> Progress:
    return lambda done, what: progress(start + share * done, what)
