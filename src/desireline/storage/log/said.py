"""What the log says about itself: its limits, the damage it found, why it refuses, and how it is."""

from __future__ import annotations

from dataclasses import dataclass

from desireline.vocabulary.errors import Mistake, WorkFailed


@dataclass(frozen=True, slots=True)
class LogLimits:
    """Every bound of the log. Sizes in bytes, times in seconds."""

    queue_bytes: int = 32 << 20
    segment_bytes: int = 64 << 20
    segment_seconds: float = 3_600.0
    kept_free_share: float = 0.05
    kept_free_bytes: int = 4 << 20
    ballast_bytes: int = 8 << 20
    look_at_disk_seconds: float = 0.1
    retry_seconds: float = 2.0
    seal: bool = True


@dataclass(frozen=True, slots=True)
class Damage:
    """A place of the log that could not be read, and which entries are missing because of it (0 to 0: none).

    `kept_in` names the file in `damaged/` where the unreadable bytes lie. What is `mended` cost nothing,
    but a disk that damages one page may damage more.
    """

    segment: str
    offset: int
    size_bytes: int
    first_missing: int = 0
    last_missing: int = 0
    kept_in: str = ""
    says: str = ""
    mended: bool = False


@dataclass(frozen=True, slots=True)
class LogState:
    """How the log is, for /ready, metrics and the doctor."""

    last: int
    damage: tuple[Damage, ...]
    read_only: bool
    why_read_only: str
    refusing: str
    bytes: int
    segments: int
    sealed_segments: int
    queued_frames: int
    queued_bytes: int
    commits: int
    failed_commits: int
    largest_group: int
    last_commit_seconds: float
    disk_free_bytes: int
    ballast_bytes: int
    failed_tells: int
    why_not_sealed: str


class LogFull(WorkFailed):
    """The log cannot take this now; nothing of it counts. Ask again after `retry_after_seconds`.

    `reason` is "queue" (more is waiting than may), "disk" (nearly full, or it refused a write) or "read only".
    """

    def __init__(self, what: str, *, reason: str, retry_after_seconds: int, do: str = "") -> None:
        super().__init__(Mistake(what, "the log", do=do))
        self.reason = reason
        self.retry_after_seconds = retry_after_seconds
