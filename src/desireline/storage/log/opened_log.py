"""The log of record: whatever comes in is an entry here first, and everything else is made from it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue

from desireline.storage.log.disk import Disk
from desireline.storage.log.frames import LARGEST_FRAME_BYTES, LONGEST_SOURCE_BYTES, OVERHEAD_BYTES, Frame, Kind
from desireline.storage.log.kept_files import KeptFile, keep_file, kept_file
from desireline.storage.log.mark import MARK, mark_of, take_lock
from desireline.storage.log.reading import entries
from desireline.storage.log.recovery import FILES, Found, recover
from desireline.storage.log.room import Room
from desireline.storage.log.said import Damage, LogLimits, LogState
from desireline.storage.log.sealer import Sealer
from desireline.storage.log.shelf import Segment, Shelf
from desireline.storage.log.waiting import Order, Outcome, Tell, Waiting
from desireline.storage.log.writer import Writer
from desireline.vocabulary.errors import Mistake, WorkFailed

_DEFAULTS = LogLimits()


class Log:
    """The entries of a project in the order they came, each on disk before anybody is told that it was taken.

    One process writes a log at a time; `read_log` reads it from others. Sequences always rise; those of entries that
    were refused while being written are left out.

    >>> log = Log(Path("data/log"), now=wall_clock)                               # doctest: +SKIP
    >>> log.append(Kind.CHANGE, received_at=wall_clock(), body=b"{}")             # doctest: +SKIP
    1
    """

    def __init__(
        self,
        folder: Path,
        *,
        now: Callable[[], int],
        limits: LogLimits = _DEFAULTS,
        disk: Disk | None = None,
        applied: int = 0,
    ) -> None:
        """Open the log of a folder, after any crash, without help. `now` gives UTC milliseconds.

        `applied` is the last sequence that was applied elsewhere: should the log have lost its end, no sequence up to
        it is given a second time. Raises WorkFailed when another process writes it or the disk refuses.
        """
        self.folder, self._disk = Path(folder), disk or Disk()
        self._closed = threading.Event()
        try:
            self._disk.make_folder(self.folder)
            self._lock = take_lock(self.folder)
        except OSError as error:
            raise _not_opened(self.folder, error) from error
        try:
            self._begin(recover(self.folder, self._disk, applied=applied), limits, now)
        except BaseException as error:
            os.close(self._lock)
            if isinstance(error, OSError):
                raise _not_opened(self.folder, error) from error
            raise

    def _begin(self, found: Found, limits: LogLimits, now: Callable[[], int]) -> None:
        """Start the two threads behind what was found."""
        self._damage = {(each.segment, each.offset): each for each in found.damage}
        self._shelf = Shelf(found.segments)
        self._room = Room(self.folder, self._disk, limits)
        self._waiting = Waiting(limits, self._room)
        self._mark = self._disk.open_mark(self.folder / MARK)
        with suppress(OSError):  # on a full disk the older mark stays, which is never wrong
            self._disk.write_over(self._mark, mark_of(found.counted))
        self._sealer = Sealer(
            self._shelf,
            self._disk,
            limits,
            self._room,
            self._waiting,
            writing=lambda: self._writer.writing,
            report=self._found_damage,
        )
        self._writer = Writer(
            self.folder,
            self._waiting,
            self._shelf,
            self._disk,
            limits,
            now=now,
            last=found.last,
            counted=found.counted,
            next_sequence=found.next_sequence,
            mark=self._mark,
            rolled=self._sealer.ring,
        )
        self._writer.start()
        self._sealer.start()

    def submit(
        self, kind: Kind, *, received_at: int, source: str, meta: bytes, body: bytes, token: object, tell: Tell
    ) -> None:
        """Let an entry be written; `tell` hears of it, with `token`, from the writer's thread. Never waits.

        Raises LogFull at once when it cannot be taken now, and WorkFailed when it is too large ever to be.
        """
        name = source.encode("utf-8")
        size = OVERHEAD_BYTES + len(name) + len(meta) + len(body)
        if size > LARGEST_FRAME_BYTES or len(name) > LONGEST_SOURCE_BYTES:
            raise WorkFailed(
                Mistake(f"an entry of {size} bytes is too large for the log.", do="Import it as a file instead.")
            )
        self._waiting.put(Order(int(kind), received_at, name, meta, body, token, tell, size))

    def append(self, kind: Kind, *, received_at: int, source: str = "", meta: bytes = b"{}", body: bytes = b"") -> int:
        """Write an entry and wait until it is on disk; returns its sequence."""
        told: SimpleQueue[Sequence[Outcome]] = SimpleQueue()
        self.submit(kind, received_at=received_at, source=source, meta=meta, body=body, token=None, tell=told.put)
        (outcome,) = told.get()
        if outcome.error is not None:
            raise outcome.error
        return outcome.sequence

    @property
    def last(self) -> int:
        """The sequence of the last entry that is on disk."""
        return self._writer.last

    def wait(self, after: int, timeout: float) -> bool:
        """Wait until there are entries after a sequence, at most `timeout` seconds; whether there are."""
        with self._writer.news:
            return self._writer.news.wait_for(lambda: self.last > after, timeout)

    def read(self, after: int = 0, *, until: int | None = None) -> Iterator[Frame]:
        """The entries on disk after a sequence, in order, up to `until` or the last one at this moment."""
        until = self.last if until is None else min(until, self.last)
        while after < until:
            segment = self._shelf.holding(after)
            if segment is None or segment.first > until:
                return
            try:
                for frame in entries(segment, after=after, until=until, report=self._found_damage):
                    yield frame
                    after = frame.sequence
            except FileNotFoundError:
                if self._shelf.beginning(segment.first).path != segment.path:
                    continue  # it was packed meanwhile: the shelf knows the new file
                self._found_damage(Damage(segment.name, 0, 0, after + 1, segment.last, says="This file is gone."))
            after = max(after, min(segment.last, until))

    def keep_file(self, path: Path) -> KeptFile:
        """Keep a whole file beside the log, packed, under its own sum; on disk when this returns."""
        with self._waiting.room_for(Path(path).stat().st_size):
            return keep_file(self.folder / FILES, Path(path), self._disk)

    def kept_file(self, sha256: str, to: Path) -> Path:
        """Unpack a kept file to a path, checked against its sum."""
        return kept_file(self.folder / FILES, sha256, Path(to))

    def release_ballast(self) -> int:
        """Give the ballast free, so that cleaning up has room on a full disk; returns its bytes."""
        return self._room.release_ballast()

    @property
    def state(self) -> LogState:
        """How the log is now."""
        writer, waiting, segments = self._writer, self._waiting, self._shelf.segments
        waiting.look_at_disk()
        return LogState(
            last=self.last,
            damage=tuple(self._damage.values()),
            read_only=bool(waiting.why_read_only),
            why_read_only=waiting.why_read_only,
            refusing="disk" if self._room.refuses else "",
            bytes=_bytes_of(segments),
            segments=len(segments),
            sealed_segments=sum(each.packed for each in segments),
            queued_frames=len(waiting),
            queued_bytes=waiting.bytes,
            commits=writer.commits,
            failed_commits=writer.failed_commits,
            largest_group=writer.largest_group,
            last_commit_seconds=writer.last_commit_seconds,
            disk_free_bytes=self._room.free_bytes,
            ballast_bytes=self._room.ballast_bytes,
            failed_tells=writer.failed_tells,
            why_not_sealed=self._sealer.why_not,
        )

    def close(self) -> None:
        """Write what waits, stop both threads and let another process write. A second time it does nothing."""
        if self._closed.is_set():
            return
        self._closed.set()
        self._writer.close()
        self._sealer.close()
        self._disk.close(self._mark)
        os.close(self._lock)

    def _found_damage(self, damage: Damage) -> None:
        known = self._damage.setdefault((damage.segment, damage.offset), damage)
        if damage.mended and known is damage:
            self._sealer.mend(damage.segment)


def _not_opened(folder: Path, error: OSError) -> WorkFailed:
    return WorkFailed(
        Mistake(f"the log cannot be opened ({error}).", str(folder), do="Look at the disk and at who may write there.")
    )


def _bytes_of(segments: Sequence[Segment]) -> int:
    """What the segments take on disk; one that is packed at this moment counts with neither of its files."""
    total = 0
    for segment in segments:
        with suppress(FileNotFoundError):
            total += segment.path.stat().st_size
    return total
