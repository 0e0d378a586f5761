"""An open project: a thin front, each call goes to a room's front door."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from desireline.project.clock import day_ms, now_ms
from desireline.project.file import FILE_NAME, ProjectFile, project_file_text, read_project_file
from desireline.project.lock import writing
from desireline.project.maps import MapSet, read_maps
from desireline.storage.journey_store import JourneyStore, Snapshot
from desireline.storage.lake import Lake
from desireline.storage.state import State
from desireline.storage.versions import Versions
from desireline.vocabulary.errors import DesirelineError

if TYPE_CHECKING:
    from desireline.people import Directory
    from desireline.project.imports import Imports
    from desireline.project.ledger import Ledger
    from desireline.project.questions import Questions


class Project:
    """One project folder, opened. Several threads may read; one process at a time writes.

    `questions`, `ledger` and `imports` hold what can be asked and done; the lake, the store and the state
    are opened when first needed.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        if not (self.folder / FILE_NAME).exists():
            raise DesirelineError(
                f"{self.folder} is no project: it has no {FILE_NAME}. Make one with: desireline init {self.folder}"
            )
        self.file: ProjectFile = read_project_file(self.folder / FILE_NAME)
        self.lake = Lake(self.data / "lake")
        self.directory: Directory | None = None

    @property
    def data(self) -> Path:
        """The folder of everything that is never edited by hand."""
        return self.folder / "data"

    @cached_property
    def store(self) -> JourneyStore:
        """The journey store."""
        return JourneyStore(self.data / "store", self.lake)

    @cached_property
    def state(self) -> State:
        """The state store: imports and quarantine."""
        return State(self.data / "state.sqlite")

    @cached_property
    def questions(self) -> Questions:
        """What can be asked about the journeys people lived."""
        from desireline.project.questions import Questions

        return Questions(self)

    @cached_property
    def ledger(self) -> Ledger:
        """What can be asked about the promises."""
        from desireline.project.ledger import Ledger

        return Ledger(self)

    @cached_property
    def imports(self) -> Imports:
        """Files in, undo, quarantine."""
        from desireline.project.imports import Imports

        return Imports(self)

    def snapshot(self) -> Snapshot:
        """The journey store as of now."""
        return self.store.snapshot()

    def map_set(self, *, keep: bool = False) -> MapSet:
        """Every map and its versions; `keep` writes changed maps down as new versions."""
        return read_maps(self.folder / "maps", Versions(self.data / "versions"), self.file, now=now_ms(), keep=keep)

    @contextmanager
    def writing(self, who: str) -> Iterator[None]:
        """Hold the project's lock while the block runs; `who` is named to whoever finds it taken."""
        with writing(self.data, who=who):
            yield

    def as_of(self, text: str | None = None) -> int:
        """A day as a moment; without one the latest interaction's."""
        return day_ms(text) if text else self.snapshot().as_of


def find_project(folder: Path | None) -> Path:
    """The folder given, or the nearest one around the working directory that holds a project."""
    if folder is not None:
        return folder
    here = Path.cwd()
    for around in (here, *here.parents):
        if (around / FILE_NAME).exists():
            return around
    raise DesirelineError(
        "there is no project here. Make one with 'desireline init FOLDER', or name one with --project."
    )


def new_project(folder: Path, *, time_zone: str = "UTC", currency: str = "EUR") -> Project:
    """Make a new, empty project; a folder that already is one is refused."""
    path = folder / FILE_NAME
    if path.exists():
        raise DesirelineError(f"{folder} is a project already.")
    (folder / "maps").mkdir(parents=True, exist_ok=True)
    (folder / "recipes").mkdir(exist_ok=True)
    path.write_text(project_file_text(folder.resolve().name, time_zone=time_zone, currency=currency), encoding="utf-8")
    try:
        return Project(folder)
    except DesirelineError:
        path.unlink()
        raise


def copy_files(sources: Sequence[Any], to: Path) -> None:
    """Copy text files that come with the package into a project, leaving what is there."""
    to.mkdir(parents=True, exist_ok=True)
    for source in sources:
        target = to / source.name
        if not target.exists():
            target.write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
