"""Room on the disk: new entries are refused before it is full, and a ballast can be given free to clean up."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from desireline.storage.log.disk import Disk
from desireline.storage.log.frames import LARGEST_FRAME_BYTES
from desireline.storage.log.said import LogFull, LogLimits

BALLAST = "ballast"
_BALLAST_SHARE = 0.02
_ROUNDING_BYTES = 64 << 10
"""What files take beyond their bytes, because the disk deals in pages."""


class Room:
    """How much may still be written, from a look at the disk every tenth of a second."""

    def __init__(self, folder: Path, disk: Disk, limits: LogLimits) -> None:
        self._folder, self._disk, self._limits = folder, disk, limits
        self._budget_bytes = 0
        self._refused_bytes = LARGEST_FRAME_BYTES
        self._promised_bytes = 0
        self._look_again_at = 0.0
        self.free_bytes = 0
        self.kept_bytes = 0
        self.total_bytes = 0
        self.look(waiting_bytes=0)

    def look(self, *, waiting_bytes: int) -> None:
        """Ask the disk; `waiting_bytes` are promised already."""
        space = self._disk.space(self._folder)
        self.free_bytes, self.total_bytes = space.free_bytes, space.total_bytes
        share = int(self._limits.kept_free_share * space.total_bytes)
        self.kept_bytes = max(share, self._limits.kept_free_bytes) + _ROUNDING_BYTES
        self._budget_bytes = self.free_bytes - self.kept_bytes - waiting_bytes - self._promised_bytes
        self._look_again_at = self._disk.elapsed() + self._limits.look_at_disk_seconds

    def take(self, size_bytes: int, *, waiting_bytes: int) -> None:
        """Promise room for an entry, or refuse it with `LogFull`."""
        if self._disk.elapsed() >= self._look_again_at:
            self.look(waiting_bytes=waiting_bytes)
        if size_bytes > self._budget_bytes:
            self._refused_bytes = min(size_bytes, self._refused_bytes)
            raise self.full()
        self._budget_bytes -= size_bytes

    def promise(self, size_bytes: int, *, leaving_bytes: int) -> None:
        """Promise room to something large until it is given back, or refuse it with `LogFull`."""
        if size_bytes + leaving_bytes > self._budget_bytes:
            raise self.full()
        self._promised_bytes += size_bytes
        self._budget_bytes -= size_bytes

    def give_back(self, size_bytes: int) -> None:
        """What was promised is written, or is not needed."""
        self._promised_bytes -= size_bytes

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
        """Whether an entry that was refused would be refused again, by the last look."""
        return self._budget_bytes < self._refused_bytes

    @property
    def ballast_bytes(self) -> int:
        """The size of the ballast, 0 when it was given free."""
        path = self._folder / BALLAST
        return path.stat().st_size if path.exists() else 0

    @property
    def ballast_wanted_bytes(self) -> int:
        """How large a ballast is missing, 0 for none."""
        if (self._folder / BALLAST).exists():
            return 0
        return min(self._limits.ballast_bytes, int(_BALLAST_SHARE * self.total_bytes))

    def lay_ballast(self, size_bytes: int) -> None:
        """Lay the ballast down."""
        path = self._folder / BALLAST
        file = self._disk.create(path)
        try:
            self._disk.reserve(file, size_bytes)
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
