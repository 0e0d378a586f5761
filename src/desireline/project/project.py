"""An open project: a thin front, each call goes to a room's front door."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from desireline.project.clock import day_ms, now_ms
from desireline.project.file import FILE_NAME, ProjectFile, project_file_text, read_project_file
from desireline.project.lock import writing
from desireline.project.maps import MapSet, read_maps
from desireline.project.settings import SETTINGS, LoggedVersions, settings_of
from desireline.project.state_place import open_state
from desireline.project.steady_clock import SteadyClock, elapsed_ms
from desireline.project.turns import Turns
from desireline.storage.journey_store import JourneyStore, Snapshot
from desireline.storage.lake import Lake
from desireline.storage.progress_book import ProgressBook
from desireline.storage.state import State
from desireline.storage.state_waiting import StateDamaged
from desireline.storage.versions import Versions
from desireline.vocabulary.errors import DesirelineError

if TYPE_CHECKING:
    from desireline.people import Directory
    from desireline.project.imports import Imports
    from desireline.project.ledger import Ledger
    from desireline.project.letters import Letters
    from desireline.project.questions import Questions
    from desireline.project.record import Record
    from desireline.project.schema_drift import SchemaDrift
    from desireline.project.sources import Sources
    from desireline.project.telling import Telling
    from desireline.promises import LedgerChange
    from desireline.storage.log import Log

Judged = Callable[["LedgerChange", "set[int] | None"], None]
"""Told after each judging: what changed in the ledger, and whom was judged (`None`: everybody)."""


class Project:
    """One project folder, opened. Several threads may read; one process at a time writes.

    underway: parts of the lake that long work is bringing to people and store by itself.

    `questions`, `ledger` and `imports` hold what can be asked and done; the lake, the store and the state
    are opened when first needed.
    """

    def __init__(self, folder: Path | str, *, now: Callable[[], int] = now_ms, is_apart: bool = False) -> None:
        """`is_apart`: its time is no machine's, as a demo's; entries of the log from before may bear later times."""
        self.folder = Path(folder)
        self.now = now
        self._is_apart = is_apart
        self.clock: SteadyClock | None = None
        if not (self.folder / FILE_NAME).exists():
            raise DesirelineError(
                f"{self.folder} is no project: it has no {FILE_NAME}. Make one with: desireline init {self.folder}"
            )
        self.file: ProjectFile = read_project_file(self.folder / FILE_NAME)
        self.lake = Lake(self.data / "lake")
        self.directory: Directory | None = None
        self.judged: list[Judged] = []
        self.underway: set[str] = set()
        self._turn = Turns()
        self._long_work = threading.RLock()
        self._record: Record | None = None
        self._has_been_live = False

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
        """The state store: imports, quarantine, sources; a file, or in the server the project file names."""
        return open_state(self.file, self.data)

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

    @cached_property
    def sources(self) -> Sources:
        """Where interactions come from as they happen."""
        from desireline.project.sources import Sources

        return Sources(self)

    @cached_property
    def letters(self) -> Letters:
        """The letters that the server fetches or takes by itself."""
        from desireline.project.letters import Letters

        return Letters(self)

    @cached_property
    def telling(self) -> Telling:
        """Who is told when a promise breaks."""
        from desireline.project.telling import Telling

        return Telling(self)

    @cached_property
    def drift(self) -> SchemaDrift:
        """What changed in the shape of the events that sources send."""
        from desireline.project.schema_drift import SchemaDrift

        return SchemaDrift(self.data / "shapes.json")

    @property
    def record(self) -> Record:
        """The log of record and what is applied of it; only while the project is held."""
        assert self._record is not None, "the log of record is open only while the project is held for writing"
        return self._record

    @property
    def is_held(self) -> bool:
        """Whether this process holds the project for writing."""
        return self._record is not None

    def snapshot(self) -> Snapshot:
        """The journey store as of now."""
        return self.store.snapshot()

    def map_set(self, *, keep: bool = False) -> MapSet:
        """Every map and its versions; `keep` writes changed maps down as new versions."""
        folder = self.data / "versions"
        saved = LoggedVersions(folder, self.record) if keep else Versions(folder)
        return read_maps(self.folder / "maps", saved, self.file, now=self.now(), keep=keep)

    @contextmanager
    def writing(self, who: str, *, recovering: bool = True) -> Iterator[None]:
        """One turn at writing: the block runs alone, in this process and among processes.

        Raises `WorkFailed` naming the holder when another process holds the project. What a crash left
        unapplied is applied first.
        """
        from desireline.project.recovering import recover

        with self._turn:
            if self._record is not None:
                yield
                return
            with self.holding(who):
                if recovering:
                    recover(self)
                yield

    @contextmanager
    def at_long_work(self, who: str) -> Iterator[None]:
        """Long work that takes its turns itself, with `writing`, so that live work goes on in between; one at a time.

        Where nobody has anything to do in between, since this process does nothing else, the block is one turn.
        """
        with self._long_work:
            if self.is_held:
                yield
            else:
                with self.writing(who):
                    yield

    @contextmanager
    def holding(self, who: str) -> Iterator[None]:
        """Hold the project for long, as a server does; its threads take turns with `writing`."""
        from desireline.project.leaving import leave_behind
        from desireline.project.record import Record
        from desireline.storage.log import Log

        with ExitStack() as held:
            with self._turn:
                held.enter_context(writing(self.data, who=who))
                log = Log(self.data / "log", now=self.now, applied=self._applied_so_far())
                held.callback(log.close)
                self._record = Record(self, log)
                held.callback(self._let_go)
                held.callback(lambda: self.drift.keep())
                held.callback(leave_behind, self)
                self._see_whether_the_clock_was_set_back(log)
            yield

    @contextmanager
    def steady_time(self, *, elapsed: Callable[[], int] = elapsed_ms) -> Iterator[SteadyClock]:
        """For as long as the block runs, time goes on evenly although the machine's clock is stepped, as for servers.

        elapsed: milliseconds that passed since some moment, whatever that clock says.
        """
        from desireline.project.clock_watch import remembered

        machine = self.now
        self.now = self.clock = SteadyClock(machine, elapsed=elapsed, began_at=remembered(self.data))
        try:
            yield self.clock
        finally:
            self.now, self.clock = machine, None

    def _applied_so_far(self) -> int:
        """The last entry of the log that the state store has heard of.

        A damaged file of the state store is kept beside; all of it is made again from the log.
        """
        try:
            return ProgressBook(self.state).reached("record")
        except StateDamaged:
            for path in self.data.glob("state.sqlite*"):
                if not path.name.endswith(".lock") and ".damaged" not in path.name:
                    path.rename(path.with_name(f"{path.name}.damaged-{self.now()}"))
            self.__dict__.pop("state", None)
            return 0

    def _see_whether_the_clock_was_set_back(self, log: Log) -> None:
        if self.clock is not None and not self._is_apart:
            for frame in log.read(max(0, log.last - 1)):
                self.clock.not_before(frame.received_at)

    def _let_go(self) -> None:
        with self._turn:
            self._record = None

    @property
    def is_live(self) -> bool:
        """Whether anything ever came in as it happened; from then on the clock of the project is the wall clock."""
        if not self._has_been_live:
            self._has_been_live = any(part.startswith("live-") for part in self.lake.parts("interactions"))
        return self._has_been_live

    def as_of(self, text: str | None = None) -> int:
        """A day as a moment; without one the latest interaction's, or now once interactions come in live.

        What is dated later than now, such as a visit that is planned, does not let promises fall due before their time.
        """
        if text:
            return day_ms(text)
        return self.now() if self.is_live else self.snapshot().as_of

    @property
    def settings(self) -> Mapping[str, str]:
        """What readers of live messages need of the project file, as the log of record last heard of it."""
        saved = Versions(self.data / "versions").of(SETTINGS)
        return dict(json.loads(saved[-1].text)) if saved else settings_of(self.file)

    def people_of(self, parts: Sequence[str]) -> set[int]:
        """The persons that some imports speak of."""
        from desireline.project.upkeep import people_of

        return people_of(self, parts)

    def temporary(self) -> Path:
        """A folder for files that are gone after use."""
        folder = self.data / "temporary"
        folder.mkdir(parents=True, exist_ok=True)
        return folder


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
    text = project_file_text(folder.resolve().name, time_zone=time_zone, currency=currency)
    try:
        path.write_text(text, encoding="utf-8")
        return Project(folder)
    except (DesirelineError, OSError):
        path.unlink(missing_ok=True)
        raise


def copy_files(sources: Sequence[Any], to: Path) -> None:
    """Copy text files that come with the package into a project, leaving what is there."""
    to.mkdir(parents=True, exist_ok=True)
    for source in sources:
        target = to / source.name
        if not target.exists():
            target.write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
