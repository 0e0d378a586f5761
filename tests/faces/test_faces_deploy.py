"""The systemd unit and the container file: what they start exists, runs without rights, and holds no secret."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from desireline.faces.cli.app import app

DEPLOY = Path(__file__).parents[2] / "deploy"
UNIT, CONTAINER = DEPLOY / "desireline.service", DEPLOY / "Containerfile"
INSTRUCTIONS = {"FROM", "ENV", "WORKDIR", "COPY", "RUN", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK"}
INSTRUCTIONS |= {"ENTRYPOINT", "CMD"}


def instructions() -> list[tuple[str, str]]:
    lines = [line for line in CONTAINER.read_text().splitlines() if line and not line.startswith("#")]
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in lines]


def started(words: list[str]) -> None:
    """Every word of a command that begins with a dash is an option of that command."""
    command = typer.main.get_command(app).commands[words[0]]  # type: ignore[attr-defined]
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    assert {word for word in words[1:] if word.startswith("-")} <= known


def test_what_the_unit_starts_exists() -> None:
    command = re.search(r"^ExecStart=(.*)$", UNIT.read_text(), re.MULTILINE)
    assert command is not None
    started(shlex.split(command[1])[1:])


@pytest.mark.parametrize(
    "line", ["User=desireline", "ProtectSystem=strict", "NoNewPrivileges=yes", "CapabilityBoundingSet=", "MemoryMax=4G"]
)
def test_the_unit_runs_without_rights(line: str) -> None:
    assert line in UNIT.read_text().splitlines()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/desireline/bin/desireline", sys.executable))
    told = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    about_us = [line for line in told.stderr.splitlines() if "desireline" in line]
    assert (told.returncode, about_us) == (0, [])


def test_the_container_file_is_made_of_known_instructions_and_pinned_images() -> None:
    found = instructions()
    assert {name for name, _ in found} <= INSTRUCTIONS
    images = [rest.split()[0] for name, rest in found if name == "FROM"]
    assert images and all(re.search(r":\d[\w.-]+$", image) for image in images)
    for name, rest in found:
        if name == "COPY" and not rest.startswith("--from"):
            *sources, _target = rest.split()
            assert all((DEPLOY.parent / source).exists() for source in sources)


def test_the_container_runs_as_nobody_and_starts_what_exists() -> None:
    found = instructions()
    last_stage = found[max(at for at, (name, _) in enumerate(found) if name == "FROM") :]
    assert "10001:10001" in [rest for name, rest in last_stage if name == "USER"]
    assert not any("apt-get" in rest or "gcc" in rest for name, rest in last_stage if name == "RUN")
    started(json.loads(dict(last_stage)["CMD"]))
    assert "/health" in dict(last_stage)["HEALTHCHECK"]


def test_no_secret_stands_in_either() -> None:
    text = UNIT.read_text() + CONTAINER.read_text()
    assert re.findall(r"(?i)(password|token|secret)\s*=", text) == []
