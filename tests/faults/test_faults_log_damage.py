"""F1 and F3: kills at any moment, and damaged files. What was acknowledged is there, and damage is told."""

import multiprocessing
import random
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from desireline.storage.log import Damage, Disk, Frame, Kind, Log, LogLimits, check_log, copy_log, read_log
from desireline.vocabulary.errors import DesirelineError
from faults.forms import how_many
from faults.log_process import serve

CLIENTS = 16
WHILE_OPENING = 0.3
"""So many of the kills may hit the server before it ever answered."""
MOMENT = 1_760_000_000_000
QUIET = LogLimits(segment_bytes=20_000, ballast_bytes=0, seal=False)


class Unsynced(Disk):
    """A disk that need not be waited for."""

    def sync(self, file: int) -> None: ...

    def sync_folder(self, folder: Path) -> None: ...


@dataclass(slots=True)
class Clients:
    """Sixteen clients that each wait for their answer and send the same id again when the server died."""

    folder: Path
    chance: random.Random
    acknowledged: dict[bytes, int] = field(default_factory=dict)
    waiting: set[bytes] = field(default_factory=set)
    made: int = 0

    def until_killed(self) -> None:
        """One life of the server, ended at a random moment: opening, writing, rolling or sealing."""
        forks = multiprocessing.get_context("forkserver")
        here, there = forks.Pipe()
        server = forks.Process(target=serve, args=(str(self.folder), there), daemon=True)
        server.start()
        there.close()
        for identity in sorted(self.waiting):
            here.send(identity)
        if self.chance.random() >= WHILE_OPENING:
            assert self.talk(here, time.monotonic() + 60, enough=len(self.acknowledged) + 1), "it never answered"
        ends = time.monotonic() + self.chance.choice((0.02, 0.2, 0.6)) * self.chance.random()
        self.talk(here, ends, enough=len(self.acknowledged) + self.chance.randrange(1, 600))
        server.kill()
        server.join()
        self.hear_the_rest(here)

    def talk(self, pipe: Connection, ends: float, *, enough: int) -> bool:
        """Send and hear until a moment, or until so many are acknowledged; whether they are."""
        while time.monotonic() < ends and len(self.acknowledged) < enough:
            while len(self.waiting) < CLIENTS:
                self.made += 1
                self.waiting.add(b"client-%d" % self.made)
                pipe.send(b"client-%d" % self.made)
            if pipe.poll(max(0.0, ends - time.monotonic())):
                self.note(pipe.recv())
        return len(self.acknowledged) >= enough

    def hear_the_rest(self, pipe: Connection) -> None:
        """Answers that were under way when the server died count too."""
        try:
            while pipe.poll(0):
                self.note(pipe.recv())
        except (EOFError, ConnectionResetError):
            pipe.close()

    def note(self, answers: list[tuple[bytes, int]]) -> None:
        for identity, sequence in answers:
            self.acknowledged[identity] = sequence
            self.waiting.discard(identity)


def test_F1_kills_at_any_moment_lose_no_acknowledged_entry(tmp_path: Path) -> None:
    clients = Clients(tmp_path / "log", random.Random(1))
    kills = how_many(60, 1_000)
    for _ in range(kills):
        clients.until_killed()
    started = time.monotonic()
    log = Log(clients.folder, now=lambda: MOMENT)
    assert time.monotonic() - started < 5
    stored = {frame.sequence: frame.body.rstrip() for frame in log.read()}
    assert list(stored) == sorted(stored)
    lost = [each for each, sequence in clients.acknowledged.items() if stored.get(sequence) != each]
    assert (lost, log.state.damage) == ([], ())
    assert len(clients.acknowledged) > kills
    log.close()
    assert check_log(clients.folder) == ()
    assert {frame.sequence for frame in read_log(clients.folder)} == set(stored)


def test_F1_a_large_log_is_open_again_in_a_few_seconds(tmp_path: Path) -> None:
    count = how_many(40_000, 1_000_000)
    log = Log(tmp_path, now=lambda: MOMENT, limits=LogLimits(segment_bytes=count * 600 // 12, ballast_bytes=0))
    told = threading.Semaphore(5_000)
    for each in range(count):
        assert told.acquire(timeout=60)
        log.submit(
            Kind.REQUEST,
            received_at=each,
            source="web",
            meta=b'{"path":"/v1/batch"}',
            body=b'{"type":"track","userId":"%d"}' % each + b" " * 450,
            token=each,
            tell=lambda outcomes: told.release(len(outcomes)),
        )
    log.close()
    started = time.monotonic()
    log = Log(tmp_path, now=lambda: MOMENT)
    assert time.monotonic() - started < 5
    assert log.last == count
    log.close()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[int, Frame]]:
    """A log with packed and plain segments, and its entries."""
    folder = tmp_path_factory.mktemp("whole") / "log"
    chance = random.Random(1)
    for limits in (LogLimits(segment_bytes=20_000, ballast_bytes=0), QUIET):
        log = Log(folder, now=lambda: MOMENT, limits=limits)
        for each in range(150):
            body = chance.randbytes(chance.randrange(600))
            log.append(Kind.REQUEST, received_at=each, source="web", meta=b'{"path":"/v1/batch"}', body=body)
        while limits.seal and log.state.segments - log.state.sealed_segments > 1:
            log.wait(log.last, 0.01)
        log.close()
    return folder, {frame.sequence: frame for frame in read_log(folder)}


def damaged(path: Path, how: str, chance: random.Random) -> bool:
    """Damage a file; False when that changed nothing (zeros over zeros)."""
    before = path.read_bytes()
    content = bytearray(before)
    if how == "flip":
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    elif how == "page":
        at = chance.randrange(len(content)) // 4096 * 4096
        content[at : at + 4096] = bytes(len(content[at : at + 4096]))
    else:
        del content[chance.randrange(len(content)) :]
    path.write_bytes(content)
    return bytes(content) != before


def opened_again(folder: Path) -> tuple[dict[int, Frame], tuple[Damage, ...]]:
    log = Log(folder, now=lambda: MOMENT, limits=QUIET, disk=Unsynced())
    found = {frame.sequence: frame for frame in log.read()}
    following = log.append(Kind.REQUEST, received_at=0, body=b"after")
    assert following > 300, "a sequence was used again"
    assert {frame.sequence for frame in log.read()} == {*found, following}
    damage = log.state.damage
    log.close()
    return found, damage


def trials(whole: tuple[Path, dict[int, Frame]], how: str, count: int, folder: Path) -> Iterator[tuple[Path, int]]:
    """Copies of the log, each damaged at one place and opened again: its folder, and how many entries were lost."""
    source, entries = whole
    chance = random.Random(how)
    for trial in range(count):
        copy = folder / str(trial)
        shutil.copytree(source, copy)
        path = chance.choice(sorted(path for path in copy.iterdir() if ".log" in path.name))
        if not damaged(path, how, chance):
            continue
        told = check_log(copy)
        found, damage = opened_again(copy)
        assert told, f"{how} in {path.name} was not found"
        assert found.items() <= entries.items(), "what came back is not what was stored"
        lost = set(entries) - set(found)
        missing = {each for one in damage for each in range(one.first_missing, one.last_missing + 1)} - {0}
        assert lost <= missing, f"lost in silence: {sorted(lost - missing)}"
        assert found.keys() >= {each for each in entries if each not in missing}
        if lost:
            assert check_log(copy), "the alarm must stay"
        yield copy, len(lost)
        shutil.rmtree(copy)


def test_F3_every_flipped_bit_is_found_and_costs_one_entry_at_most(
    whole: tuple[Path, dict[int, Frame]], tmp_path: Path
) -> None:
    lost = [lost for _, lost in trials(whole, "flip", how_many(120, 1_000), tmp_path)]
    assert max(lost) == 1 and len(lost) >= how_many(120, 1_000)
    assert lost.count(0) >= len(lost) // 4, "packed segments mend themselves"


@pytest.mark.parametrize("how", ["page", "cut"])
def test_F3_every_zeroed_page_and_every_cut_tail_is_found_and_told(
    how: str, whole: tuple[Path, dict[int, Frame]], tmp_path: Path
) -> None:
    lost = [lost for _, lost in trials(whole, how, how_many(60, 1_000), tmp_path)]
    assert len(lost) >= how_many(50, 900) and max(lost) > 1


def test_F3_a_log_without_one_of_its_files_says_what_is_missing(
    whole: tuple[Path, dict[int, Frame]], tmp_path: Path
) -> None:
    source, entries = whole
    files = sorted(path.name for path in source.iterdir() if ".log" in path.name)
    for name in files:
        copy = tmp_path / name
        shutil.copytree(source, copy)
        (copy / name).unlink()
        found, damage = opened_again(copy)
        (one,) = damage
        assert set(entries) - set(found) == set(range(one.first_missing, one.last_missing + 1)) != set()


def test_F3_unreadable_bytes_in_the_middle_are_kept_aside_and_the_file_stays(
    whole: tuple[Path, dict[int, Frame]], tmp_path: Path
) -> None:
    copy = tmp_path / "log"
    shutil.copytree(whole[0], copy)
    path = next(path for path in sorted(copy.iterdir()) if path.suffix == ".log")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    _, (damage,) = opened_again(copy)
    assert path.read_bytes() == content
    kept = (copy / "damaged" / damage.kept_in).read_bytes()
    assert content[damage.offset : damage.offset + damage.size_bytes] == kept
    assert damage.first_missing == damage.last_missing > 0


def test_F9_a_copy_taken_while_entries_come_in_opens_and_holds_everything_acknowledged_before(tmp_path: Path) -> None:
    log = Log(tmp_path / "log", now=lambda: MOMENT, limits=LogLimits(segment_bytes=20_000, ballast_bytes=0))
    export = tmp_path / "export.csv"
    export.write_bytes(b"time,person\n" * 1_000)
    kept = log.keep_file(export)
    stop = threading.Event()

    def write() -> None:
        each = 0
        while not stop.is_set():
            each += 1
            log.append(Kind.REQUEST, received_at=each, body=b"entry %d " % each * 30)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(how_many(25, 200)):
            before = log.last
            assert log.wait(before, 30)
            copy = tmp_path / f"copy-{number}"
            last = copy_log(tmp_path / "log", copy)
            assert last >= before
            restored = Log(copy, now=lambda: MOMENT, limits=QUIET, disk=Unsynced())
            found = [frame.sequence for frame in restored.read()]
            assert found[:last] == list(range(1, last + 1)) and found == list(range(1, len(found) + 1))
            assert restored.state.damage == ()
            assert restored.kept_file(kept.sha256, tmp_path / "back.csv").read_bytes() == export.read_bytes()
            restored.close()
            assert check_log(copy) == ()
            shutil.rmtree(copy)
    finally:
        stop.set()
        writer.join()
        log.close()
    with pytest.raises(DesirelineError, match="not empty"):
        copy_log(tmp_path / "log", tmp_path / "log")
