"""Listeners as typed: every command of the manual's page does what the page says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from cli.command_line import MAP, help_desk, typed

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "tell-whoever-listens.md").read_text(encoding="utf-8")
COMMANDS = [shlex.split(line, comments=True) for line in re.findall(r"(?m)^desireline (listener .*)$", PAGE)]


def test_every_command_on_the_page_is_taken(tmp_path: Path) -> None:
    desk = help_desk(tmp_path / "desk")
    (desk / "maps" / "lost-card.yaml").write_text(MAP.replace("map: tickets", "map: lost-card"), encoding="utf-8")
    answers = {" ".join(words[:3]): typed(*words, "-p", desk) for words in COMMANDS}
    assert len(answers) == 10
    assert {each.code for each in answers.values()} == {0}
    assert "help-desk  webhook  https://desk.harbour.example/promises" in answers["listener list"].out
    left = typed("listener", "list", "-p", desk, "--json").json["rows"]
    assert [(each["name"], each["maps"], each["kinds"]) for each in left] == [
        ("help-desk", "lost-card", "promise.broken, promise.made_good")
    ]


def test_pace_and_purpose_are_checked(tmp_path: Path) -> None:
    assert typed("init", tmp_path / "p").code == 0
    add = ["listener", "add", "lead", "lead@harbour.example", "-p", str(tmp_path / "p")]
    assert typed(*add, "--per-second", "0.5", "--purpose", "marketing").code == 0
    slow, odd = typed(*add, "--per-second", "0"), typed(*add, "--purpose", "sales")
    assert (slow.code, odd.code) == (2, 2)
    assert "must be between 0.001 and 100" in slow.err and "'sales' is not a purpose" in odd.err


def test_a_misspelt_map_or_promise_would_never_be_told(tmp_path: Path) -> None:
    desk = help_desk(tmp_path / "desk")
    said = typed(
        *("listener", "add", "lead", "lead@harbour.example", "-p", desk),
        *("--map", "tikets", "--promise", "answered-in-a-day", "--promise", "seen"),
    )
    assert said.code == 2
    assert said.err == (
        "there is no map 'tikets'. Did you mean 'tickets'?\nthere is no promise 'seen'. See: desireline maps\n"
    )
    assert typed("listener", "list", "-p", desk, "--json").json["rows"] == []
