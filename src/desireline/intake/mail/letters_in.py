"""The letters of all sources, brought in while a server runs: one thread for each mailbox and each port, so that one
that hangs or fails disturbs no other."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from desireline.intake.mail.condition import Around, Condition
from desireline.intake.mail.fetching import Fetching
from desireline.intake.mail.imap import Mark
from desireline.intake.mail.listening import Listening
from desireline.intake.mail.receiver import Take
from desireline.intake.mail.ways import Mailbox, Receiving, Way

WATCH_EVERY_SECONDS = 5.0
GRACE_SECONDS = 3.0
"""So long a mailbox whose settings changed may take to end before it is cut off."""


class Desk(Protocol):
    """Where letters go and what is known of them; a project."""

    def ways(self) -> Mapping[str, Way]:
        """How the letters of each source come in now; sources without letters, or switched off, are left out."""

    def take(self, source: str, way: Way) -> Take:
        """Takes the letters of a source: returns when one lies in the log, raises when it does not."""

    def mark(self, source: str, mailbox: Mailbox) -> Mark:
        """Remembers how far a mailbox was read."""

    def known(self, source: str) -> Condition | None:
        """What was last written down of a source."""

    def keep(self, condition: Condition) -> None:
        """Write down how it stands."""


@dataclass(frozen=True, slots=True)
class _Worker:
    does: Fetching | Listening
    thread: threading.Thread

    def end(self, seconds: float) -> None:
        """Wait for its end so long, then hang up."""
        self.does.stop()
        self.thread.join(seconds)
        if self.thread.is_alive():
            self.does.cut()
            self.thread.join(1.0)


class LettersIn:
    """Brings letters in from `start` to `stop`; `wake` when sources changed."""

    def __init__(self, desk: Desk, around: Around) -> None:
        self._desk = desk
        self._around = around
        self._workers: dict[str, _Worker] = {}
        self._turn = threading.Lock()
        self._woken = threading.Event()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, in threads of their own."""
        assert self._thread is None, "letters are brought in once"
        self._thread = threading.Thread(target=self._run, name="letters", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Sources changed. Costs nothing; may be called from any thread."""
        self._woken.set()

    def look_now(self, source: str) -> None:
        """Look for the letters of a source at once, whatever is being waited out."""
        worker = self._workers.get(source)
        if worker is not None:
            worker.does.look_now()

    def conditions(self) -> dict[str, Condition]:
        """How it stands with each source whose letters are brought in, by name."""
        with self._turn:
            return {name: worker.does.condition for name, worker in sorted(self._workers.items())}

    def stop(self, *, seconds: float = 5.0) -> None:
        """End: letters at hand are brought into the log; servers that keep us waiting longer are cut off."""
        if self._thread is None:
            return
        self._ending.set()
        self._woken.set()
        self._thread.join()
        workers = list(self._workers.values())
        for worker in workers:
            worker.does.stop()
        until = self._around.monotonic() + seconds
        for worker in workers:
            worker.thread.join(max(0.0, until - self._around.monotonic()))
        for worker in workers:
            worker.end(0.0)

    def _run(self) -> None:
        met = False
        while not self._ending.is_set():
            if self._woken.is_set() or not met:
                self._woken.clear()
                met = self._meet_safely()
            for name, worker in list(self._workers.items()):
                if worker.does.hangs():
                    worker.does.cut()
                if not worker.thread.is_alive():
                    self._forget(name)
                    met = False
            self._woken.wait(WATCH_EVERY_SECONDS)

    def _forget(self, name: str) -> None:
        with self._turn:
            del self._workers[name]

    def _meet_safely(self) -> bool:
        try:
            self._meet(self._desk.ways())
        except Exception as error:
            logging.getLogger("desireline.mail").error("sources of letters could not be read: %s", type(error).__name__)
            return False
        return True

    def _meet(self, ways: Mapping[str, Way]) -> None:
        """End what is wanted no more or in another way, begin what is new."""
        for name, worker in list(self._workers.items()):
            if ways.get(name) != worker.does.way:
                worker.end(GRACE_SECONDS)
                self._forget(name)
        for name, way in ways.items():
            if name not in self._workers and not self._ending.is_set():
                does = self._worker(name, way)
                thread = threading.Thread(target=does.run, name=f"letters of {name}", daemon=True)
                with self._turn:
                    self._workers[name] = _Worker(does, thread)
                thread.start()

    def _worker(self, name: str, way: Way) -> Fetching | Listening:
        known, take = self._desk.known(name), self._desk.take(name, way)
        condition = Condition(name, way.place)
        if known is not None:
            same = replace(known, tries=0) if known.place == way.place else condition
            condition = replace(same, letters=known.letters, letter_at=known.letter_at)
        if isinstance(way, Receiving):
            return Listening(condition, way, take, around=self._around, keep=self._desk.keep)
        mark = self._desk.mark(name, way)
        return Fetching(condition, way, take, mark, around=self._around, keep=self._desk.keep)
