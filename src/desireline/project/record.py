"""The one way in: whatever changes a project is written to its log of record first, then applied.

Applying is the same for what happens now, for what a crash left unapplied, and for a rebuild from
nothing. Every effect is idempotent or stored in one transaction with the sequence reached, so a
frame applied twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Any

import msgspec

from desireline.project.applying import APPLY, Effects
from desireline.project.taking import take_requests
from desireline.storage.log import Frame, Kind, Log
from desireline.storage.progress_book import ProgressBook
from desireline.vocabulary.errors import DesirelineError

if TYPE_CHECKING:
    from desireline.project.project import Project

Progress = Callable[[float, str], None]
PROJECTION = "record"
"""The name under which the state store keeps how much of the log is applied."""
MOST_FRAMES = 4_000
MOST_BYTES = 16_000_000
"""So many requests are taken in one go, or so many bytes of them."""


class Record:
    """The log of record of one project, and everything that follows from it. Whoever uses it holds the project."""

    def __init__(self, project: Project, log: Log) -> None:
        self.project = project
        self.log = log
        self._progress = ProgressBook(project.state)

    @property
    def reached(self) -> int:
        """The sequence up to which everything is applied."""
        return self._progress.reached(PROJECTION)

    def change(
        self, what: str, values: Mapping[str, Any], *, body: bytes = b"", kind: Kind = Kind.CHANGE, **here: Any
    ) -> tuple[Any, Effects]:
        """Write a change down, apply everything up to it, and give what it answers, with all effects.

        here: what only this process knows and the log need not, such as progress to tell or the file at hand.
        Raises the error with which applying it failed; the next opening does not try it again.
        """
        meta = msgspec.json.encode({"do": what, **values})
        sequence = self.log.append(kind, received_at=self.project.now(), meta=meta, body=body)
        effects = Effects()
        wanted: list[Any] = []
        self._apply_to(sequence, effects, here={sequence: here}, wanted=wanted)
        return wanted[0] if wanted else None, effects

    def note(self, what: str, values: Mapping[str, Any], *, body: bytes = b"", kind: Kind = Kind.CHANGE) -> None:
        """Write down a change that is applied already and whose order among others means nothing."""
        meta = msgspec.json.encode({"do": what, **values})
        self.log.append(kind, received_at=self.project.now(), meta=meta, body=body)

    def mark_applied(self) -> None:
        """Everything in the log is applied: it was written down after the fact."""
        self._progress.reach(PROJECTION, self.log.last)

    def catch_up(self, *, until: int | None = None, progress: Progress | None = None) -> Effects:
        """Apply what is in the log and not applied yet; errors of changes that failed before are passed over."""
        effects = Effects()
        self._apply_to(self.log.last if until is None else until, effects, here={}, wanted=[], progress=progress)
        return effects

    def _apply_to(
        self,
        until: int,
        effects: Effects,
        *,
        here: Mapping[int, Mapping[str, Any]],
        wanted: list[Any],
        progress: Progress | None = None,
    ) -> None:
        begun = self.reached
        frames = self.log.read(begun, until=until)
        for kind, run in groupby(frames, key=lambda frame: frame.kind):
            for several in _portions(run):
                if kind is Kind.REQUEST:
                    effects.add(take_requests(self.project, several, self._progress, PROJECTION))
                else:
                    for frame in several:
                        self._apply_one(frame, effects, here.get(frame.sequence), wanted)
                if progress is not None:
                    share = (several[-1].sequence - begun) / max(1, until - begun)
                    progress(share, "reading the log of record")

    def _apply_one(self, frame: Frame, effects: Effects, here: Mapping[str, Any] | None, wanted: list[Any]) -> None:
        meta = msgspec.json.decode(frame.meta)
        apply = APPLY[meta.pop("do")]
        try:
            answer = apply(self.project, frame, meta, effects, here or {})
            if here is not None:
                wanted.append(answer)
        except DesirelineError as error:
            if here is not None:
                self._progress.reach(PROJECTION, frame.sequence)
                raise
            effects.failed.append((frame.sequence, str(error)))
        self._progress.reach(PROJECTION, frame.sequence)


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
