"""Logs of these tests: small segments, a disk that need not be waited for, and somebody who is told."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from desireline.storage.log import Disk, Kind, Log, LogLimits, Outcome

SMALL = LogLimits(segment_bytes=4_000, retry_seconds=0.02, ballast_bytes=0)
PLAIN = LogLimits(segment_bytes=4_000, ballast_bytes=0, seal=False)
MOMENT = 1_760_000_000_000


class Unsynced(Disk):
    """A disk that need not be waited for."""

    def sync(self, file: int) -> None: ...

    def sync_folder(self, folder: Path) -> None: ...


class Told:
    """Collects what the log tells."""

    def __init__(self, expected: int) -> None:
        self.outcomes: list[Outcome] = []
        self.groups: list[int] = []
        self._expected, self._all = expected, threading.Event()

    def __call__(self, outcomes: Sequence[Outcome]) -> None:
        self.outcomes.extend(outcomes)
        self.groups.append(len(outcomes))
        if len(self.outcomes) >= self._expected:
            self._all.set()

    def wait(self) -> list[Outcome]:
        assert self._all.wait(30), f"only {len(self.outcomes)} of {self._expected} told"
        return self.outcomes


@contextmanager
def opened(folder: Path, limits: LogLimits = SMALL, disk: Disk | None = None) -> Iterator[Log]:
    log = Log(folder, now=lambda: MOMENT, limits=limits, disk=disk or Unsynced())
    try:
        yield log
    finally:
        log.close()


def fill(log: Log, count: int, *, size: int = 200) -> list[int]:
    return [
        log.append(Kind.REQUEST, received_at=MOMENT + each, source="web", meta=b'{"n":1}', body=b"%d " % each * size)
        for each in range(count)
    ]


def until_sealed(log: Log, at_least: int) -> None:
    """Let the sealer work until so many segments are packed."""
    waiting = threading.Event()
    for _ in range(3_000):
        if log.state.sealed_segments >= at_least:
            return
        waiting.wait(0.01)
    raise AssertionError(f"not sealed: {log.state}")


def segments(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if ".log" in path.name)
