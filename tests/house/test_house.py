"""The house stays a house: front doors only, one idea a file, every word documented."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "desireline"
ROOMS = ("intake", "people", "journeys", "promises", "measures", "outreach", "world")
FILES = sorted(path for path in SOURCE.rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def room_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_others_come_in_by_the_front_door(path: Path) -> None:
    side_doors = [
        name
        for name in imported(path)
        for room in ROOMS
        if room_of(path) != room and name.startswith(f"desireline.{room}.")
    ]
    assert side_doors == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_file_holds_one_idea(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 420


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_every_module_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text()))


@pytest.mark.parametrize("room", [room for room in ROOMS if (SOURCE / room).exists()])
def test_only_run_touches_storage_tables(room: str) -> None:
    touching = [
        str(path.relative_to(SOURCE))
        for path in sorted((SOURCE / room).rglob("*.py"))
        if path.name != "run.py"
        and not path.name.startswith("run_")
        and any(name in ("desireline.storage.lake", "desireline.storage.state") for name in imported(path))
    ]
    assert touching == []


def test_no_file_calls_eval_or_exec() -> None:
    calls = [
        f"{path.name}:{node.lineno}"
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("eval", "exec", "compile")
    ]
    assert calls == []
