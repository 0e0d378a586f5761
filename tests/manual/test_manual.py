"""The manual matches the code."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
import typer.main

from desireline.faces.cli.app import app

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from docs.reference import pages  # noqa: E402

TEXTS = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("path", list(pages()), ids=lambda path: path.name)
def test_pages_made_from_the_code_are_up_to_date(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == pages()[path], "run `make docs`"


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_in_the_manual_exists(path: Path) -> None:
    known = set(typer.main.get_command(app).commands)
    named = set(re.findall(r"(?m)(?:^|`|\$ )desireline ([a-z][a-z-]+)", path.read_text(encoding="utf-8")))
    assert named - known == set()


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, ahead = set(), [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        if page not in reached:
            reached.add(page)
            links = re.findall(r"\]\(([^)#:]+\.md)", page.read_text(encoding="utf-8"))
            ahead += [(page.parent / link).resolve() for link in links]
    assert set(TEXTS) - reached == set()


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_in_the_manual_leads_somewhere(path: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []
