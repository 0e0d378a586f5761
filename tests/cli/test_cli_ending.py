"""How a command ends: exit codes, closed pipes, full disks, foreign encodings, and never a traceback."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from cli.command_line import Said, typed
from desireline.faces.cli import main
from desireline.faces.cli.ending import run


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ending") / "mein prüf Ordner"
    assert typed("init", folder).code == 0
    return folder


def in_a_shell(line: str, **environment: str) -> Said:
    """Run a line as a shell does, with `desireline` in it; streams may be closed or redirected there."""
    program = f'"{sys.executable}" -m desireline.faces.cli'
    ended = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line.replace('desireline', program)}"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        env={key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"} | environment,
    )
    return Said(ended.returncode, ended.stdout, ended.stderr)


@pytest.mark.parametrize("buffered", [{}, {"PYTHONUNBUFFERED": "1"}], ids=["buffered", "unbuffered"])
def test_a_reader_that_went_away_is_no_failure(buffered: dict[str, str]) -> None:
    assert in_a_shell("desireline flow-of-work | (exec <&-; true)", **buffered) == Said(0, "", "")


def test_closed_streams_change_no_exit_code(project: Path) -> None:
    assert in_a_shell(f"desireline imports -p '{project}' >&- 2>&- <&-") == Said(0, "", "")
    assert in_a_shell("desireline flow -p /nowhere 2>&-").code == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_what_cannot_be_printed_is_a_failure_in_words() -> None:
    said = in_a_shell("desireline flow-of-work >/dev/full")
    assert said.code == 3
    assert said.err == "desireline: No space left on device. Make room on that disk, then try again.\n"


def test_letters_a_terminal_cannot_show_are_written_as_escapes(project: Path) -> None:
    assert r"'gr\u00f6\u00dfe'" in in_a_shell(f"desireline flow größe -p '{project}'", PYTHONIOENCODING="ascii").err


def test_json_stays_json_in_every_encoding(project: Path) -> None:
    parse = f"'{sys.executable}' -c 'import json, sys; print(ascii(json.load(sys.stdin)[\"rows\"]))'"
    asked = f"desireline sql \"SELECT 'ä€🙂' AS x\" -p '{project}' --json | {parse}"
    assert in_a_shell(asked, PYTHONIOENCODING="ascii").out == "[{'x': '\\xe4\\u20ac\\U0001f642'}]\n"


def test_the_version_is_told() -> None:
    for word in ("--version", "-V"):
        assert typed(word).out.startswith("Desireline 0.")


FAILURES = [
    (OSError(errno.ENOSPC, "No space left on device", "data/log"), "data/log: No space left on device. Make room"),
    (OSError(errno.EROFS, "Read-only file system", "data/lock"), "data/lock: Read-only file system. That disk may"),
    (OSError(errno.EIO, "Input/output error", "data/lock"), "Look at that place, then try again."),
    (OSError("odd"), "desireline: odd. Look at that place"),
]


@pytest.mark.parametrize(("failure", "told"), FAILURES, ids=lambda each: type(each).__name__)
def test_a_failure_of_the_system_says_what_to_do(
    failure: OSError, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(raising(failure)) == 3
    assert told in capsys.readouterr().err


def test_a_place_that_is_not_ours_names_whose_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refused = PermissionError(errno.EACCES, "Permission denied", str(tmp_path / "not yet" / "there"))
    assert run(raising(refused)) == 3
    assert f"Permission denied. Run it as the user it belongs to ({tmp_path.owner()})" in capsys.readouterr().err


def test_our_own_fault_is_told_in_words_and_its_traces_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert run(raising(ZeroDivisionError("division by zero"))) == 3
    told = capsys.readouterr().err
    (traces,) = tmp_path.iterdir()
    assert "Traceback" not in told and "not yours (ZeroDivisionError)" in told and str(traces) in told
    assert "division by zero" in traces.read_text()


@pytest.mark.parametrize(
    "stopped",
    [KeyboardInterrupt(), typer.Abort(), EOFError(), RuntimeError("Query interrupted")],
    ids=lambda each: type(each).__name__,
)
def test_whoever_stops_a_command_is_told_no_finding(stopped: BaseException, capsys: pytest.CaptureFixture[str]) -> None:
    command = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
    command.command()(raising(stopped))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["desireline"])
        assert run(command) == 130
    assert capsys.readouterr().err.endswith("Stopped.\n")


def test_a_command_may_be_stopped_while_it_gathers_itself(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Stopping:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "desireline.faces.cli.app":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "desireline.faces.cli.app", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Stopping(), *sys.meta_path])
    with pytest.raises(SystemExit) as ended:
        main()
    assert (ended.value.code, capsys.readouterr().err) == (130, "Stopped.\n")


def raising(failure: BaseException) -> Callable[[], Any]:
    def fails() -> None:
        raise failure

    return fails
