"""The one way in: whatever changes a project is written to its log of record first, then applied.

Applying is the same for what happens now, for what a crash left unapplied, and for a rebuild from
nothing. Every effect is idempotent or stored in one transaction with the sequence reached, so a
frame applied twice changes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Any

import msgspec

from desireline.project.applying import APPLY, Effects
from desireline.project.taking import take_requests
from desireline.storage.log import Frame, Kind, Log
from desireline.storage.passing import may_pass
from desireline.storage.progress_book import ProgressBook
from desireline.vocabulary.errors import Mistake, WorkFailed

if TYPE_CHECKING:
    from desireline.project.project import Project

Progress = Callable[[float, str], None]
PROJECTION = "record"
"""The name under which the state store keeps how much of the log is applied."""
MOST_FRAMES = 4_000
MOST_BYTES = 16_000_000
"""So many requests are taken in one go, or so many bytes of them."""


class UnknownChange(WorkFailed):
    """The log holds a change that only a later version knows: nothing after it is applied until that is installed."""


class Record:
    """The log of record of one project, and everything that follows from it. Whoever uses it holds the project."""

    def __init__(self, project: Project, log: Log) -> None:
        self.project = project
        self.log = log
        self._progress = ProgressBook(project.state)
        self._left = Effects()

    @property
    def reached(self) -> int:
        """The sequence up to which everything is applied."""
        return self._progress.reached(PROJECTION)

    def change(
        self,
        what: str,
        values: Mapping[str, Any],
        *,
        body: bytes = b"",
        kind: Kind = Kind.CHANGE,
        received_at: int | None = None,
        **here: Any,
    ) -> tuple[Any, Effects]:
        """Write a change down, apply it, and give what it answers, with its own effects.

        What came in before it is applied first; the effects of that are left for the next `catch_up`. When that
        fails, nothing is written down.
        received_at: when it came in, UTC milliseconds; now where it was not prepared earlier.
        here: what only this process knows and the log need not, such as what was prepared of it before.
        Raises the error with which applying it failed; the next opening does not try it again.
        """
        self._apply_until(self.log.last)
        sequence = self.note(what, values, body=body, kind=kind, received_at=received_at)
        self._apply_until(sequence - 1)
        effects = Effects()
        frame = next(self.log.read(sequence - 1, until=sequence))
        try:
            answer = _applied(self.project, frame, effects, here)
        except Exception as error:
            if not _comes_again(error):
                self._progress.reach(PROJECTION, sequence)
            raise
        self._progress.reach(PROJECTION, sequence)
        return answer, effects

    def note(
        self,
        what: str,
        values: Mapping[str, Any],
        *,
        body: bytes = b"",
        kind: Kind = Kind.CHANGE,
        received_at: int | None = None,
    ) -> int:
        """Write a change down and no more; gives its sequence. Enough where whoever asks applies it himself."""
        meta = msgspec.json.encode({"do": what, **values})
        at = self.project.now() if received_at is None else received_at
        return self.log.append(kind, received_at=at, meta=meta, body=body)

    def leave(self, effects: Effects) -> None:
        """Leave effects that could not be followed to the next `catch_up`; following some of them twice is harmless."""
        self._left.add(effects)

    def mark_applied(self) -> None:
        """Everything in the log is applied: it was written down after the fact."""
        self._progress.reach(PROJECTION, self.log.last)

    def catch_up(self, *, most: int | None = None, progress: Progress | None = None) -> Effects:
        """Apply what is in the log and not applied yet; gives its effects, and those that changes left.

        most: so many entries at most, the oldest first. Changes that cannot be applied, as they could not when they
        were made, are passed over and logged.
        """
        last = self.log.last
        self._apply_until(last if most is None else min(last, self.reached + most), progress=progress)
        effects, self._left = self._left, Effects()
        return effects

    def _apply_until(self, until: int, *, progress: Progress | None = None) -> None:
        begun = self.reached
        for kind, run in groupby(self.log.read(begun, until=until), key=lambda frame: frame.kind):
            for several in _portions(run):
                if kind is Kind.REQUEST:
                    self._left.add(take_requests(self.project, several, self._progress, PROJECTION))
                else:
                    for frame in several:
                        self._apply_again(frame)
                if progress is not None:
                    share = (several[-1].sequence - begun) / max(1, until - begun)
                    progress(share, "reading the log of record")

    def _apply_again(self, frame: Frame) -> None:
        """Apply a change nobody waits for: one that cannot be applied must not keep all that follows from coming in."""
        try:
            _applied(self.project, frame, self._left, {})
        except Exception as error:
            if _comes_again(error):
                raise
            says = "an entry of the log of record cannot be applied and is passed over (%s)"
            extra = {"sequence": frame.sequence}
            logging.getLogger("desireline.project").error(says, type(error).__name__, extra=extra)
        self._progress.reach(PROJECTION, frame.sequence)


def _comes_again(error: Exception) -> bool:
    """Whether an entry that could not be applied is tried again, before anything that follows it."""
    return isinstance(error, UnknownChange) or may_pass(error)


def _applied(project: Project, frame: Frame, effects: Effects, here: Mapping[str, Any]) -> Any:
    meta = msgspec.json.decode(frame.meta)
    what = meta.pop("do")
    if what not in APPLY:
        says = f"a later version of Desireline wrote entry {frame.sequence} ('{what}')."
        raise UnknownChange(Mistake(says, "the log of record", do="Install that version; nothing is lost."))
    return APPLY[what](project, frame, meta, effects, here)


def _portions(frames: Iterator[Frame]) -> Iterator[list[Frame]]:
    """Frames in portions that fit into memory."""
    several: list[Frame] = []
    size = 0
    for frame in frames:
        several.append(frame)
        size += len(frame.body)
        if len(several) >= MOST_FRAMES or size >= MOST_BYTES:
            yield several
            several, size = [], 0
    if several:
        yield several
