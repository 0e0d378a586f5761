"""F4, F5 and F6: a disk that refuses, is full, or is slow. Nothing refused is ever called stored, and all heals."""

import errno
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest

from desireline.storage.journey_store.columns import column
from desireline.storage.journey_store.files import Files, write_arrays
from desireline.storage.log import Disk, Kind, Log, LogFull, LogLimits, Outcome, Space
from faults.forms import how_many

MOMENT = 1_760_000_000_000
LIMITS = LogLimits(segment_bytes=3_000, retry_seconds=0.05, look_at_disk_seconds=0.01, ballast_bytes=0)
STRACE = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
TESTS = Path(__file__).parents[1]


class Failing(Disk):
    """A disk that refuses its n-th to m-th call that changes something."""

    def __init__(self, calls: range, number: int) -> None:
        self.calls, self.number = calls, number
        self.made = 0
        self.synced_after_failing: list[int] = []
        self._failed: set[int] = set()
        self._turn = threading.Lock()

    def _maybe(self, file: int = -1) -> None:
        with self._turn:
            self.made += 1
            if self.made in self.calls:
                self._failed.add(file)
                raise OSError(self.number, os.strerror(self.number))

    def create(self, path: Path) -> int:
        self._maybe()
        file = Disk.create(self, path)
        self._failed.discard(file)
        return file

    def write(self, file: int, data: bytes) -> None:
        try:
            self._maybe(file)
        except OSError:
            Disk.write(self, file, data[: len(data) // 2])
            raise
        Disk.write(self, file, data)

    def sync(self, file: int) -> None:
        if file in self._failed:
            self.synced_after_failing.append(file)
        self._maybe(file)

    def sync_folder(self, folder: Path) -> None:
        self._maybe()

    def rename(self, old: Path, new: Path) -> None:
        self._maybe()
        Disk.rename(self, old, new)


def append_all(log: Log, count: int) -> tuple[dict[int, bytes], list[LogFull]]:
    """Write entries, each sent again after a moment when it was refused; what was acknowledged and what was refused."""
    acknowledged: dict[int, bytes] = {}
    refused: list[LogFull] = []
    for each in range(count):
        body = b"entry %d " % each * 20
        for _ in range(400):
            try:
                sequence = log.append(Kind.REQUEST, received_at=each, body=body)
            except LogFull as full:
                refused.append(full)
                log.wait(log.last, 0.01)
                continue
            assert sequence not in acknowledged
            acknowledged[sequence] = body
            break
        else:
            raise AssertionError(f"never healed: {log.state}")
    return acknowledged, refused


def bodies(log: Log) -> dict[int, bytes]:
    return {frame.sequence: frame.body for frame in log.read()}


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC], ids=["EIO", "ENOSPC"])
@pytest.mark.parametrize("in_a_row", [1, 2, 5])
def test_F4_a_refused_write_or_sync_is_never_called_stored_and_the_log_goes_on(
    number: int, in_a_row: int, tmp_path: Path
) -> None:
    calls = 40
    for first in random.Random(in_a_row).sample(range(3, 3 + calls), how_many(10, calls)):
        folder = tmp_path / str(first)
        disk = Failing(range(0), number)
        log = Log(folder, now=lambda: MOMENT, limits=LIMITS, disk=disk)
        disk.calls = range(first, first + in_a_row)
        acknowledged, _ = append_all(log, 20)
        assert bodies(log) == acknowledged
        assert disk.synced_after_failing == []
        assert not log.state.read_only
        log.close()
        again = Log(folder, now=lambda: MOMENT, limits=LIMITS)
        assert bodies(again) == acknowledged, "a refused entry came back, or a stored one is gone"
        assert again.state.damage == ()
        assert again.append(Kind.CHANGE, received_at=0) > max(acknowledged)
        again.close()


def test_F4_two_refusals_in_a_row_make_the_log_read_only_and_it_heals_by_itself(tmp_path: Path) -> None:
    disk = Failing(range(0), errno.EIO)
    log = Log(tmp_path, now=lambda: MOMENT, limits=LIMITS, disk=disk)
    kept = log.append(Kind.REQUEST, received_at=0, body=b"before")
    disk.calls = range(1, 10**9)
    for reason in ("disk", "disk", "read only", "read only"):
        with pytest.raises(LogFull) as refused:
            log.append(Kind.REQUEST, received_at=0, body=b"refused")
        assert refused.value.reason == reason
        assert refused.value.retry_after_seconds >= 1
    assert log.state.read_only and "refuse" in log.state.why_read_only
    assert bodies(log) == {kept: b"before"}
    disk.calls = range(0)
    acknowledged, _ = append_all(log, 1)
    assert bodies(log) == {kept: b"before", **acknowledged}
    assert not log.state.read_only
    log.close()


def straced(inject: str, folder: Path, lines: int) -> dict[str, list[str]]:
    """What a real log process says when strace makes the real calls of its threads fail."""
    run = subprocess.run(
        ["strace", "-f", "-o", os.devnull, "-e", "trace=fdatasync", "-e", f"inject=fdatasync:{inject}",
         sys.executable, "-m", "faults.log_process", str(folder)],
        input="".join(f"line {each}\n" for each in range(lines)),
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    said: dict[str, list[str]] = {"stored": [], "refused": [], "read": [], "state": []}
    for line in run.stdout.splitlines():
        word, _, rest = line.partition(" ")
        said[word].append(rest)
    return said


@STRACE
def test_F4_one_failing_fdatasync_of_a_real_process_costs_its_group_only(tmp_path: Path) -> None:
    said = straced("error=EIO:when=4", tmp_path / "log", 8)
    assert len(said["stored"]) == 7 and said["refused"] == ["disk 1"]
    assert said["read"] == [" ".join(said["stored"])]
    log = Log(tmp_path / "log", now=lambda: MOMENT)
    assert [str(each) for each in bodies(log)] == said["stored"]
    assert b"line 3\n" not in bodies(log).values()
    log.close()


@STRACE
def test_F4_a_disk_that_refuses_for_ever_stores_nothing_more(tmp_path: Path) -> None:
    said = straced("error=ENOSPC:when=4+", tmp_path / "log", 8)
    assert said["stored"] == ["1", "2", "3"]
    assert said["refused"][:3] == ["disk 1", "disk 1", "read only 1"] and len(said["refused"]) == 5
    assert said["state"][0].endswith("True")
    log = Log(tmp_path / "log", now=lambda: MOMENT)
    assert list(bodies(log))[:3] == [1, 2, 3]
    log.close()


@contextmanager
def small_file_system(folder: Path, megabytes: int) -> Iterator[Path]:
    """A tmpfs of so many megabytes; skipped where we may not mount one."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no right to mount a small file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def fill_up(log: Log) -> dict[int, bytes]:
    """Write entries that do not compress until the log refuses for the disk's sake, and means it.

    A look of the sealer at the disk may count twice what is written and not yet told; the next look knows better.
    """
    chance, acknowledged = random.Random(1), {}
    while True:
        body = chance.randbytes(60_000)
        try:
            acknowledged[log.append(Kind.REQUEST, received_at=0, body=body)] = body[:20]
        except LogFull as full:
            assert full.reason == "disk" and full.retry_after_seconds >= 1
            if log.state.refusing:
                return acknowledged


def let_lay_ballast(log: Log) -> None:
    """Wait until the ballast is laid, which the sealer does when it comes to it."""
    waiting, tries = threading.Event(), 0
    while log.state.ballast_bytes == 0:
        tries += 1
        assert tries < 3_000
        waiting.wait(0.01)


def check_full_and_healing(log: Log, free: Callable[[], tuple[int, int]], make_room: Callable[[], None]) -> None:
    let_lay_ballast(log)
    acknowledged = fill_up(log)
    free_bytes, total_bytes = free()
    assert free_bytes >= 0.05 * total_bytes, "the last 5 % were used"
    assert len(acknowledged) * 60_000 > 0.5 * total_bytes, "refused too early"
    assert log.state.refusing == "disk" and not log.state.read_only
    assert log.state.ballast_bytes == log.release_ballast() > 0
    assert free()[0] > free_bytes
    make_room()
    started = time.monotonic()
    acknowledged_later, _ = append_all(log, 3)
    assert time.monotonic() - started < 10
    assert {sequence: body[:20] for sequence, body in bodies(log).items()} == {
        **acknowledged,
        **{sequence: body[:20] for sequence, body in acknowledged_later.items()},
    }
    let_lay_ballast(log)
    assert time.monotonic() - started < 10, "the ballast was not laid down again"


def test_F5_a_full_disk_is_refused_before_its_last_twentieth_and_heals(tmp_path: Path) -> None:
    with small_file_system(tmp_path / "small", how_many(24, 64)) as small:
        (small / "other").write_bytes(bytes(4 << 20))
        limits = LogLimits(
            segment_bytes=1 << 20, retry_seconds=0.05, kept_free_bytes=1 << 20, ballast_bytes=1 << 19, seal=False
        )

        def free() -> tuple[int, int]:
            system = os.statvfs(small)
            return system.f_bavail * system.f_frsize, system.f_blocks * system.f_frsize

        with closing(Log(small / "log", now=lambda: MOMENT, limits=limits)) as log:
            check_full_and_healing(log, free, (small / "other").unlink)


def test_F5_the_journey_store_is_told_of_a_full_disk_before_it_writes_through_memory(tmp_path: Path) -> None:
    """A write through memory that finds no room ends the process without a word, so the room is taken before."""
    with small_file_system(tmp_path / "small", 24) as small:
        files, moments = Files(small / "store"), column("occurred_at")
        path = files.column(0, moments.name)
        path.parent.mkdir(parents=True)
        write_arrays(path, [np.arange(100)])
        free = shutil.disk_usage(small).free
        (small / "other").write_bytes(bytes(free - (1 << 20)))
        with pytest.raises(OSError, match="No space left"):
            files.writable_column(0, moments, 1_000_000)
        (small / "other").unlink()
        assert files.writable_column(0, moments, 1_000_000)[:100].tolist() == list(range(100))


class Small(Disk):
    """A disk of limited size, where no file system of its own can be mounted."""

    def __init__(self, folder: Path, size: int) -> None:
        self.folder, self.size = folder, size

    def space(self, folder: Path) -> Space:
        used = sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())
        return Space(max(0, self.size - used), self.size)

    def write(self, file: int, data: bytes) -> None:
        if self.space(self.folder).free_bytes < len(data):
            raise OSError(errno.ENOSPC, "No space left on device")
        Disk.write(self, file, data)

    def sync(self, file: int) -> None: ...


def test_F5_the_same_on_a_disk_whose_size_is_pretended(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(bytes(2 << 20))
    disk = Small(tmp_path, 12 << 20)
    limits = LogLimits(segment_bytes=1 << 20, retry_seconds=0.05, kept_free_bytes=1 << 19, ballast_bytes=1 << 18)
    log = Log(tmp_path / "log", now=lambda: MOMENT, limits=limits, disk=disk)

    def free() -> tuple[int, int]:
        space = disk.space(tmp_path)
        return space.free_bytes, space.total_bytes

    check_full_and_healing(log, free, (tmp_path / "other").unlink)
    log.close()


def test_F5_a_file_that_does_not_fit_is_refused_before_it_is_copied(tmp_path: Path) -> None:
    export = tmp_path / "export.csv"
    export.write_bytes(bytes(1 << 20))
    disk = Small(tmp_path, 2 << 20)
    log = Log(tmp_path / "log", now=lambda: MOMENT, limits=LogLimits(kept_free_bytes=1 << 19), disk=disk)
    with pytest.raises(LogFull, match="nearly full"):
        log.keep_file(export)
    assert not (tmp_path / "log" / "files").exists()
    log.close()


class Slow(Disk):
    """A disk that takes its time for each sync."""

    def __init__(self, delay_seconds: float) -> None:
        self.delay_seconds, self._never = delay_seconds, threading.Event()
        self.syncs = 0

    def sync(self, file: int) -> None:
        self._never.wait(self.delay_seconds)
        self.syncs += 1


def test_F6_on_a_slow_disk_groups_grow_answers_stay_bounded_and_so_does_the_queue(tmp_path: Path) -> None:
    clients, each_sends, disk = 64, how_many(8, 40), Slow(0.2)
    log = Log(tmp_path, now=lambda: MOMENT, limits=LogLimits(ballast_bytes=0), disk=disk)
    waited_syncs: list[int] = []
    queued: list[int] = []

    def client() -> None:
        for _ in range(each_sends):
            before, told = disk.syncs, threading.Semaphore(0)

            def tell(_: Sequence[Outcome], before: int = before, told: threading.Semaphore = told) -> None:
                waited_syncs.append(disk.syncs - before)
                told.release()

            log.submit(Kind.REQUEST, received_at=0, source="", meta=b"", body=bytes(500), token=0, tell=tell)
            assert told.acquire(timeout=60)
            queued.append(log.state.queued_bytes)

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    state = log.state
    log.close()
    assert len(waited_syncs) == clients * each_sends
    assert sorted(waited_syncs)[int(0.99 * len(waited_syncs))] <= 3, "p99 in times of the disk's delay"
    assert state.largest_group >= clients // 2 and state.commits <= clients * each_sends / 20
    assert max(queued) <= clients * 600
    assert state.queued_bytes == 0


def test_F6_a_slow_disk_fills_a_bounded_queue_and_then_refuses_at_once(tmp_path: Path) -> None:
    gate = threading.Event()

    class Stuck(Disk):
        def sync(self, file: int) -> None:
            gate.wait(60)

    told: list[Outcome] = []
    enough = threading.Semaphore(0)

    def tell(outcomes: Sequence[Outcome]) -> None:
        told.extend(outcomes)
        enough.release(len(outcomes))

    limits = LogLimits(queue_bytes=1 << 20, ballast_bytes=0)
    log = Log(tmp_path, now=lambda: MOMENT, limits=limits, disk=Stuck())
    taken, slowest = 0, 0.0
    for _ in range(3_000):
        started = time.monotonic()
        try:
            log.submit(Kind.REQUEST, received_at=0, source="", meta=b"", body=bytes(500), token=0, tell=tell)
            taken += 1
        except LogFull as full:
            assert full.reason == "queue"
        slowest = max(slowest, time.monotonic() - started)
    assert (1 << 20) / 600 < taken < (1 << 20) / 500 and slowest < 10, "nobody waited for the disk"
    gate.set()
    for _ in range(taken):
        assert enough.acquire(timeout=60)
    assert [each.error for each in told] == [None] * taken
    log.close()
