"""Room on the disk: new entries are refused before it is full, and a ballast can be given free to clean up."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from desireline.storage.log.disk import Disk
from desireline.storage.log.said import LogFull, LogLimits

BALLAST = "ballast"
_BALLAST_SHARE = 0.02


class Room:
    """How much may still be written, from a look at the disk every tenth of a second."""

    def __init__(self, folder: Path, disk: Disk, limits: LogLimits) -> None:
        self._folder, self._disk, self._limits = folder, disk, limits
        self._budget_bytes = 0
        self._look_again_at = 0.0
        self.free_bytes = 0
        self.kept_bytes = 0
        self.total_bytes = 0
        self.look(waiting_bytes=0)

    def look(self, *, waiting_bytes: int) -> None:
        """Ask the disk; `waiting_bytes` are promised already."""
        space = self._disk.space(self._folder)
        self.free_bytes, self.total_bytes = space.free_bytes, space.total_bytes
        self.kept_bytes = max(int(self._limits.kept_free_share * space.total_bytes), self._limits.kept_free_bytes)
        self._budget_bytes = self.free_bytes - self.kept_bytes - waiting_bytes
        self._look_again_at = self._disk.elapsed() + self._limits.look_at_disk_seconds

    def take(self, size_bytes: int, *, waiting_bytes: int) -> None:
        """Promise room for an entry, or refuse it with `LogFull`."""
        if self._disk.elapsed() >= self._look_again_at:
            self.look(waiting_bytes=waiting_bytes)
        if size_bytes > self._budget_bytes:
            raise self.full()
        self._budget_bytes -= size_bytes

    def full(self) -> LogFull:
        """The refusal, with how much is left and how much must stay."""
        return LogFull(
            f"the disk is nearly full: {self.free_bytes >> 20} MB are free, {self.kept_bytes >> 20} MB must stay so.",
            reason="disk",
            retry_after_seconds=10,
            do="Make room on the disk; the log takes entries again by itself.",
        )

    @property
    def refuses(self) -> bool:
        """Whether a small entry would be refused now, by the last look."""
        return self._budget_bytes <= 0

    @property
    def ballast_bytes(self) -> int:
        """The size of the ballast, 0 when it was given free."""
        path = self._folder / BALLAST
        return path.stat().st_size if path.exists() else 0

    def take_ballast(self) -> None:
        """Lay the ballast down when there is none and there is more than enough room."""
        size = min(self._limits.ballast_bytes, int(_BALLAST_SHARE * self.total_bytes))
        path = self._folder / BALLAST
        if size == 0 or path.exists() or self.free_bytes < self.kept_bytes + 2 * size:
            return
        file = self._disk.create(path)
        try:
            self._disk.reserve(file, size)
        except OSError:
            with suppress(OSError):
                self._disk.remove(path)
        finally:
            self._disk.close(file)

    def release_ballast(self) -> int:
        """Give the ballast free; returns its bytes."""
        size = self.ballast_bytes
        if size:
            self._disk.remove(self._folder / BALLAST)
        return size
