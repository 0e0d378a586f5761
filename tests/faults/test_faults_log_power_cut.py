"""F2, a power cut at any moment of the log's life: no acknowledged entry is lost, and it opens without help."""

import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import pytest

from desireline.storage.log import Damage, Disk, Kind, Log, check_log
from faults.forms import how_many
from faults.log_recorded import BATCHES, EACH, LIMITS, MOMENT, work
from faults.power_cut import MODELS, MODES, DiskState, Recorder, Step, state_at, states

STRACED = "openat,write,pwrite64,writev,fallocate,ftruncate,fdatasync,fsync,rename,renameat2,unlink,unlinkat,mkdir"


class Unsynced(Disk):
    """The opening of a state is real; only its waiting for the disk is left out."""

    def sync(self, file: int) -> None: ...

    def sync_folder(self, folder: Path) -> None: ...


def record(folder: Path, **switches: bool) -> list[Step]:
    recorder = Recorder(folder, **switches)
    work(recorder)
    assert sum(step.what == "acknowledged" for step in recorder.steps) == BATCHES * EACH
    return recorder.steps


@dataclass(frozen=True, slots=True)
class Opened:
    """What the real recovery made of a state."""

    lost: int
    damage: tuple[Damage, ...]
    reused: bool


def opened(state: DiskState, folder: Path) -> Opened:
    state.write_to(folder)
    log = Log(folder / "log", now=lambda: MOMENT, limits=LIMITS, disk=Unsynced())
    stored = {frame.sequence: frame.body for frame in log.read()}
    following = log.append(Kind.REQUEST, received_at=0, body=b"after the cut")
    assert [frame.sequence for frame in log.read()] == [*stored, following]
    damage = log.state.damage
    log.close()
    again = Log(folder / "log", now=lambda: MOMENT, limits=LIMITS, disk=Unsynced())
    assert {frame.sequence: frame.body for frame in again.read()} == {**stored, following: b"after the cut"}
    again.close()
    lost = sum(stored.get(sequence) != body for sequence, body in state.acknowledged.items())
    return Opened(lost, damage, following <= max([0, *stored, *state.acknowledged]))


def losing(steps: list[Step], folder: Path, count: int, seed: int, *, model: str = "", mode: str = "") -> list[int]:
    """How many acknowledged entries each state lost that lost any."""
    found = []
    for number, state in enumerate(states(steps, count, random.Random(seed))):
        if state.model.startswith(model) and state.mode.startswith(mode):
            lost = opened(state, folder / str(number)).lost
            if lost:
                found.append(lost)
    return found


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> list[Step]:
    return record(tmp_path_factory.mktemp("run"))


def test_the_recorded_run_did_everything_a_log_does(recorded: list[Step]) -> None:
    named = [name for step in recorded for name, _ in step.names]
    assert sum(name.endswith(".log") for name in named) >= 6
    assert sum(name.endswith(".log.zst") for name in named) >= 3
    assert "log/ballast" in named and "log/mark" in named


def test_F2_no_acknowledged_entry_is_lost_in_any_disk_state_and_the_log_opens_without_help(
    recorded: list[Step], tmp_path: Path
) -> None:
    count = how_many(400, 10_000)
    for number, state in enumerate(states(recorded, count, random.Random(how_many(2, 3)))):
        folder = tmp_path / str(number)
        result = opened(state, folder)
        assert (result.lost, result.damage, result.reused) == (0, (), False), (number, state.mode, state.model)
        assert check_log(folder / "log") == ()


def test_F2_a_second_cut_while_the_log_is_opened_after_the_first_loses_nothing_either(
    recorded: list[Step], tmp_path: Path
) -> None:
    chance = random.Random(4)
    for number, state in enumerate(states(recorded, how_many(50, 1_000), chance)):
        root = tmp_path / str(number)
        state.write_to(root)
        recorder = Recorder(root)
        recorder.adopt()
        before = len(recorder.steps)
        log = Log(root / "log", now=lambda: MOMENT, limits=LIMITS, disk=recorder)
        stored = {frame.sequence: frame.body for frame in log.read()}
        for each in range(3):
            body = f"second run {each}".encode()
            recorder.acknowledged(log.append(Kind.REQUEST, received_at=0, body=body), body)
        log.close()
        for again in range(4):
            steps = recorder.steps[: chance.randrange(before, len(recorder.steps) + 1)]
            cut = state_at(steps, MODES[again], chance.choice(MODELS), chance)
            cut.acknowledged.update(state.acknowledged)
            result = opened(cut, tmp_path / f"{number}.{again}")
            assert (result.lost, result.damage, result.reused) == (0, (), False), (number, again, cut.mode, cut.model)
        assert stored.items() >= state.acknowledged.items()


def test_F2_the_simulator_itself_loses_nothing_when_every_write_arrived(recorded: list[Step], tmp_path: Path) -> None:
    steps = record(tmp_path / "run", sync_files=False, sync_names=False)
    assert losing(steps, tmp_path, how_many(80, 800), 1, mode="all") == []


@pytest.mark.parametrize("mode", ["none", "prefix", "subset"])
def test_F2_the_simulator_finds_the_loss_when_files_are_not_synced(mode: str, tmp_path: Path) -> None:
    steps = record(tmp_path / "run", sync_files=False)
    assert len(losing(steps, tmp_path, how_many(80, 800), 1, mode=mode)) >= how_many(8, 80)


def test_F2_the_simulator_finds_the_loss_when_names_are_not_synced(tmp_path: Path) -> None:
    steps = record(tmp_path / "run", sync_names=False)
    assert losing(steps, tmp_path / "ext4", how_many(80, 800), 1, model="ext4") == []
    assert len(losing(steps, tmp_path / "strict", how_many(80, 800), 1, model="strict")) >= how_many(8, 80)


Calls = dict[int, list[tuple[str, str, int]]]


def seen_by_strace(folder: Path, root: Path) -> Calls:
    """What changed under a folder, by thread: (call, name, bytes), from one file of strace for each thread."""
    found: Calls = {}
    for path in folder.glob("trace.*"):
        calls = [call for line in path.read_text(errors="replace").splitlines() if (call := one_call(line, root))]
        if calls:
            found[int(path.suffix[1:])] = calls
    return found


def one_call(line: str, root: Path) -> tuple[str, str, int] | None:
    name, _, arguments = line.partition("(")
    inside = re.findall(re.escape(str(root)) + r'/?([^">,]*)', arguments)
    is_opened = name == "openat" and "O_EXCL" not in arguments
    if not inside or inside[0] == "log/lock" or name == "mkdir" or is_opened or " = -1 " in line:
        return None
    result = int(line.rpartition("= ")[2].split("<")[0])
    kinds = {"openat": "create", "fdatasync": "sync", "fsync": "sync_folder", "pwrite64": "write_over"}
    kind = {**kinds, "unlink": "remove"}.get(name, name)
    return kind, inside[0] or ".", result if kind in ("write", "write_over") else 0


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_F2_what_the_simulator_records_is_what_the_system_saw(tmp_path: Path) -> None:
    root = tmp_path / "run"
    root.mkdir()
    command = ["strace", "-ff", "-y", "-o", str(tmp_path / "trace"), "-e", f"trace={STRACED}"]
    tests = Path(__file__).parents[1]
    ended = subprocess.run(
        [*command, sys.executable, "-m", "faults.log_recorded", str(root)],
        env={**os.environ, "PYTHONPATH": str(tests)},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert ended.returncode == 0, ended.stderr
    recorded: Calls = defaultdict(list)
    for thread, what, name, size in json.loads(ended.stdout):
        if (what, name) != ("create", "log/mark"):
            recorded[thread].append((what, name, size))
    assert seen_by_strace(tmp_path, root) == recorded
    assert len(recorded) == 5, "a writer and a sealer of each opening, and the one that opened"
