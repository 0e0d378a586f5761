"""F2, a power cut at any moment of the log's life: no acknowledged entry is lost, and it opens without help."""

import random
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from desireline.storage.log import Damage, Disk, Kind, Log, LogLimits, check_log
from faults.forms import how_many
from faults.power_cut import DiskState, Recorder, Step, states

BATCHES, EACH = 40, 5
MOMENT = 1_760_000_000_000
LIMITS = LogLimits(segment_bytes=12_000, retry_seconds=0.05, ballast_bytes=20_000)


class Unsynced(Disk):
    """The opening of a state is real; only its waiting for the disk is left out."""

    def sync(self, file: int) -> None: ...

    def sync_folder(self, folder: Path) -> None: ...


def work(recorder: Recorder, *, seed: int = 1, batches: int = BATCHES) -> None:
    """A run of the real writer and sealer, with a restart in its middle and a kept file."""
    chance = random.Random(seed)
    for part in range(2):
        log = Log(recorder.root / "log", now=lambda: MOMENT, limits=LIMITS, disk=recorder)
        for batch in range(batches // 2):
            told = threading.Semaphore(0)
            for each in range(EACH):
                body = f"{part}.{batch}.{each}.".encode() + chance.randbytes(chance.choice((0, 30, 700)))

                def tell(outcomes, body=body, told=told):  # type: ignore[no-untyped-def]
                    recorder.acknowledged(outcomes[0].sequence, body)
                    told.release()

                log.submit(Kind.REQUEST, received_at=0, source="web", meta=b"", body=body, token=0, tell=tell)
            for _ in range(EACH):
                assert told.acquire(timeout=30)
            if batch % 7 == 3:
                let_seal(log)
        log.close()


def let_seal(log: Log) -> None:
    """Wait until everything but the newest segment is packed."""
    waiting = threading.Event()
    while log.state.segments - log.state.sealed_segments > 1:
        waiting.wait(0.002)


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
