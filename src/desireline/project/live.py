"""In motion: what comes in is on its person, in its journey and in its promises within seconds.

One thread takes turns at the project: apply what is new in the log, bring people, store and ledger up
to date for whom it touches, and judge again whoever's promise falls due at this moment. A promise that
falls due is broken then, not when somebody asks.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from desireline import promises
from desireline.project import upkeep
from desireline.project.clock_watch import remember_step
from desireline.project.finding import Finding, look
from desireline.project.hub import Hub
from desireline.project.maps import MapSet
from desireline.project.recovering import recover
from desireline.project.settings_watch import SAVE_IT, SettingsWatch
from desireline.project.steady_clock import STEP_MS
from desireline.project.tidying import tidy
from desireline.storage.passing import may_pass
from desireline.vocabulary.errors import DesirelineError

if TYPE_CHECKING:
    from desireline.project.applying import Effects
    from desireline.project.project import Project
    from desireline.promises import LedgerChange

LONGEST_REST_SECONDS = 1.0
"""So long the thread rests at most between two looks at the clock."""
SHORTEST_REST_SECONDS = 0.25
"""So long it rests at least, so that a flood is taken in portions and the collector has the machine."""
REST_SHARE = 0.5
"""After a turn it rests for this share of what the turn took."""
MOST_ENTRIES_A_TURN = 2_000
"""So many entries of the log are taken in by one turn, so that it ends soon however much has gathered."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn did: messages taken, people judged again, ledger rows written, timers that wait."""

    messages: int
    people: int
    ledger_rows: int
    waiting: int


class Live:
    """The live work of one held project. `turn` does one turn; `start` does them in a thread until `stop`."""

    def __init__(self, project: Project, hub: Hub, *, when_told: Callable[[], None] = lambda: None) -> None:
        self.project = project
        self.hub = hub
        self.watch = promises.Watch()
        self.settings = SettingsWatch(project)
        self.when_told = when_told
        self.failing = ""
        self.map_mistakes = ""
        self.lag_ms = 0
        self.turns = 0
        self.people_judged = 0
        self.last_turn_seconds = 0.0
        self._as_of = 0
        self._begun = False
        self._ready = threading.Event()
        self._maps: tuple[Any, MapSet] | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to work in a thread of its own."""
        self.project.judged.append(self.judged)
        self._thread = threading.Thread(target=self._run, name="live", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the turn at hand."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        if self.judged in self.project.judged:
            self.project.judged.remove(self.judged)

    @property
    def begun(self) -> bool:
        """Whether everything the log held at the start has been applied."""
        return self._begun

    @property
    def ready(self) -> bool:
        """Whether live work is done as it should be."""
        return self._begun and not self.failing

    @property
    def warnings(self) -> list[Finding]:
        """What somebody should look at although live work goes on; the most pressing first."""
        step = self.project.clock.step if self.project.clock is not None else None
        found = [look("clock", step.says, step.to_do)] if step is not None else []
        if self.map_mistakes:
            says = f"a map has a mistake, so promises are judged as before it was saved: {self.map_mistakes}"
            found.append(look("maps", says.rstrip("."), SAVE_IT))
        return found + self.settings.warnings

    @property
    def reached(self) -> int:
        """The last entry of the log that is applied."""
        return self.project.record.reached if self.project.is_held else 0

    def begin(self) -> None:
        """Finish what a crash left, judge everybody as of now, and set the timers of all promises that wait."""
        with self.project.writing("live"):
            recover(self.project)
            maps = self._map_set()
            if self.project.is_live:
                self._as_of = self.project.now()
                upkeep.judge(self.project, maps, None, as_of=self._as_of)
            elif maps.versions:
                upkeep.prepare_columns(self.project, maps)
            self._begun = True
            self._ready.set()

    def wait_until_ready(self, seconds: float) -> bool:
        """Wait until everything the log held at the start is applied, so long at most."""
        return self._ready.wait(seconds)

    def turn(self) -> Turn:
        """Take in what is new, judge whom it touches and whoever's moment has come."""
        project = self.project
        with project.writing("live"):
            self.settings.look()
            if project.clock is not None:
                remember_step(project.data, project.clock)
            effects = project.record.catch_up(most=MOST_ENTRIES_A_TURN)
            now = project.now()
            touched = self._bring_up(effects)
            self._tell_verdicts(effects.verdicts, now)
            if not project.is_live:
                change = upkeep.judge(project, self._map_set(), touched) if touched else None
                return Turn(len(effects.verdicts), len(touched), change.rows if change else 0, len(self.watch))
            due = set(self.watch.due(now).tolist())
            known = self._maps
            maps = self._map_set()
            rows = 0
            set_back, self._as_of = self._as_of - now > STEP_MS, now
            if maps.versions and set_back:
                rows = upkeep.judge(project, maps, None, as_of=now, cause="clock set right").rows
                project.telling.time_was_set_back(now=now)
            elif maps.versions and known is not None and not maps.same_until(now, known[1]):
                rows = upkeep.judge(project, maps, None, as_of=now).rows
            elif maps.versions and (touched or due):
                upkeep.prepare_columns(project, maps)
                rows = upkeep.judge_some(project, maps, touched | due, as_of=now, keys=effects.keys).rows
            if project.telling.tell(now=now):
                self.when_told()
            tidy(project)
            self.turns += 1
            self.people_judged += len(touched | due)
            return Turn(len(effects.verdicts), len(touched | due), rows, len(self.watch))

    def _bring_up(self, effects: Effects) -> set[int]:
        if not effects.changed:
            return set()
        return upkeep.bring_up(self.project, added=effects.added, removed=effects.removed, touched=effects.touched)

    def _run(self) -> None:
        while not self._stopping.is_set():
            began = self.project.now()
            try:
                if not self._begun:
                    self.begin()
                self.turn()
                self.failing = ""
            except DesirelineError as error:
                self._fail(str(error), type(error).__name__)
            except Exception as error:
                self._fail(type(error).__name__, type(error).__name__)
            self.last_turn_seconds = max(0.0, (self.project.now() - began) / 1000)
            self._rest(self.last_turn_seconds)

    def _rest(self, took_seconds: float) -> None:
        """Rest until something comes in, a promise falls due, or a second has passed."""
        self._stopping.wait(max(SHORTEST_REST_SECONDS, min(took_seconds * REST_SHARE, 2.0)))
        if self._stopping.is_set() or self.failing:
            self._stopping.wait(LONGEST_REST_SECONDS if self.failing else 0)
            return
        until_due = LONGEST_REST_SECONDS
        if self.watch.next_moment is not None:
            until_due = max(0.0, (self.watch.next_moment - self.project.now()) / 1000)
        self.project.record.log.wait(self.project.record.reached, min(LONGEST_REST_SECONDS, until_due))

    def _fail(self, why: str, kind: str) -> None:
        """What is wrong may name what people wrote, so it is told on this machine only and not logged."""
        self._begun = False
        if why != self.failing:
            logging.getLogger("desireline.live").error("live work failed and is tried again (%s): see /ready", kind)
        self.failing = why

    def _map_set(self) -> MapSet:
        """The maps, read again only when they or the settings changed; with a mistake in one, all stay as they were."""
        paths = sorted((self.project.folder / "maps").glob("*.y*ml"))
        stamp = (self.project.file, [(path.name, path.stat().st_mtime_ns) for path in paths])
        if self._maps is None or self._maps[0] != stamp:
            before = self._maps[1] if self._maps else MapSet((), (), {})
            self._maps = (stamp, self._read_maps(else_keep=before))
        return self._maps[1]

    def _read_maps(self, *, else_keep: MapSet) -> MapSet:
        try:
            maps = self.project.map_set(keep=True)
        except DesirelineError as error:
            if may_pass(error):
                raise
            self.map_mistakes = str(error)
            logging.getLogger("desireline.live").warning("a map has a mistake: promises are judged as before it")
            return else_keep
        self.map_mistakes = ""
        return maps

    def judged(self, change: LedgerChange, people: set[int] | None) -> None:
        """Whenever people were judged, their timers are set anew and watchers are told what changed."""
        maps = self._map_set()
        snapshot = self.project.snapshot()
        if self.project.is_live:
            moments = promises.wake_moments(
                snapshot, maps.versions, maps.calendars, people, change.judged.as_of, judged=change.judged
            )
            if people is None:
                self.watch = promises.Watch()
            self.watch.update(people or (), moments)
        if people is not None:
            self.hub.publish("promise", change.changes, at=change.judged.as_of)

    def _tell_verdicts(self, verdicts: Sequence[Mapping[str, Any]], now: int) -> None:
        if verdicts:
            self.lag_ms = max(0, now - min(int(each["received_at"]) for each in verdicts))
            self.hub.publish("verdict", verdicts, at=now)
