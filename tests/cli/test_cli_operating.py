"""Backing up, bringing back and looking after a project, as typed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cli.command_line import help_desk, typed


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return help_desk(tmp_path_factory.mktemp("cli") / "desk")


def test_a_backup_comes_back_as_the_same_project(desk: Path, tmp_path: Path) -> None:
    made = typed("backup", tmp_path / "backup", "-p", desk, "--json")
    assert made.code == 0 and made.json["last_sequence"] > 0
    back = typed("restore", tmp_path / "backup", tmp_path / "again", "--silent")
    assert back.code == 0 and "80 interactions" in back.out
    assert typed("digest", "-p", tmp_path / "again").out == typed("digest", "-p", desk).out
    again = typed("backup", tmp_path / "backup", "-p", desk)
    assert (again.code, again.err) == (
        2,
        f"{tmp_path / 'backup'}: exists already. Name a new folder for the backup.\n",
    )


def test_what_is_no_backup_is_told(desk: Path, tmp_path: Path) -> None:
    said = typed("restore", desk, tmp_path / "again")
    assert said.code == 2 and "is no backup" in said.err
    assert not (tmp_path / "again").exists()


def test_the_doctor_exits_with_1_for_a_fault_only(desk: Path, tmp_path: Path) -> None:
    well = typed("doctor", "-p", desk)
    assert well.code == 0 and "log: " in well.out
    found = typed("doctor", "-p", desk, "--json").json
    assert {each["level"] for each in found["findings"]} <= {"ok", "look"}
    (desk / "maps" / "odd.yaml").write_text("map: odd\ncolour: red\n")
    ill = typed("doctor", "-p", desk)
    (desk / "maps" / "odd.yaml").unlink()
    assert ill.code == 1 and "unknown word 'colour'" in ill.out and ".." not in ill.out


def test_without_a_server_nobody_keeps_another_time_than_the_machine(desk: Path) -> None:
    said = typed("clock", "--right", "-p", desk)
    assert (said.code, said.out) == (0, "No server runs. It will start with this machine's clock.\n")


def test_the_doctor_takes_no_disk_that_refuses_for_damage(tmp_path: Path) -> None:
    assert typed("init", tmp_path / "desk").code == 0
    (tmp_path / "desk" / "data" / "state.sqlite").mkdir(parents=True)
    told = typed("doctor", "-p", tmp_path / "desk")
    assert told.code == 1
    assert "state: cannot be read now: " in told.out and "look at the disk" in told.out
    assert "damaged" not in told.out


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_followed_backup_ends_well_when_it_is_stopped(desk: Path, tmp_path: Path, ending: signal.Signals) -> None:
    command = [sys.executable, "-m", "desireline.faces.cli", "backup", str(tmp_path / "second"), "-p", str(desk)]
    following = subprocess.Popen(
        [*command, "--follow", "--every", "0.2", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert following.stdout is not None and following.stderr is not None
    first = json.loads(following.stdout.readline())
    following.send_signal(ending)
    assert following.wait(30) == 0
    assert following.stderr.read() == b""
    assert first["last_sequence"] > 0
    assert typed("restore", tmp_path / "second", tmp_path / "again").code == 0


def test_logs_in_an_unknown_format_are_refused(desk: Path) -> None:
    refused = subprocess.run(
        [sys.executable, "-m", "desireline.faces.cli", "serve", "-p", str(desk), "--log-format", "xml"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert refused.returncode == 2 and "'xml' is not known" in refused.stderr
