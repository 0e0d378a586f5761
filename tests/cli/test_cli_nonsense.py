"""Nonsense typed at the command line: told in words, with the nearest known word, and never with a traceback."""

from __future__ import annotations

import errno
import json
import os
import socket
from pathlib import Path

import pytest

from cli.command_line import MAP, help_desk, typed
from desireline.project.lock import writing

MISSPELT = [
    (["flow", "ticket.opend"], "Did you mean 'ticket.opened'?"),
    (["flow", "--channel", "fone"], "Did you mean 'phone'?"),
    (["flow", "--segment", "produkt=card"], "Did you mean 'product'?"),
    (["flow", "--segment", "product"], "Write product=credit-card."),
    (["flow", "--since", "tomorrow"], "Write 2026-01-31."),
    (["flow", "--by", "colour"], "colour"),
    (["flow", "--anchor", "middle"], "starts, contains or ends"),
    (["flow", "--gap", "soon"], "such as '5 minutes'"),
    (["flow", "--gap", "3 dais"], "Did you mean 'days'?"),
    (["flow", "--steps", "99"], "--steps"),
    (["funnel", "ticket.opened", "ticket.anwsered"], "Did you mean 'ticket.answered'?"),
    (["funnel", "ticket.opened", "ticket.answered", "--within", "soon"], "such as '5 minutes'"),
    (["journeys", "--map", "ticket"], "Did you mean 'tickets'?"),
    (["ledger", "--promise", "answered-in-day"], "Did you mean 'answered-in-a-day'?"),
    (["ledger", "--map", "ticket"], "Did you mean 'tickets'?"),
    (["ledger", "--verdict", "brokn"], "Did you mean 'broken'?"),
    (["ledger", "--breach", "latish"], "late"),
    (["keep-rates", "--by", "chanel"], "Did you mean 'channel'?"),
    (["keep-rates", "--by", "product", "--by", "topic"], "Choose one of them."),
    (["judge", "--as-of", "yesterday"], "Write 2026-01-31."),
    (["person", "nobody@nowhere.example"], "nobody is known by"),
    (["draft", "--start", "ticket.opend"], "ticket.opend"),
    (["undo", "tickets-7"], "'desireline imports' lists them"),
    (["import", "no-such-file.csv"], "there is no such file"),
    (["import", "."], "is a folder"),
    (["import", "--recipe", "no-such-recipe.yaml", "tickets.csv"], "no-such-recipe.yaml"),
    (["refused", "edit", "99", "x"], "there is no refused row 99"),
    (["refused", "discard", "99"], "there is no refused row 99"),
    (["refused", "replay", "--row", "99"], "no refused rows wait"),
    (["sql", "SELECT chanel FROM interactions"], "Did you mean 'channel'?"),
    (["sql", "DROP TABLE interactions"], "only one SELECT"),
    (["sql", "SELECT"], "sql"),
    (["no-such-command"], "No such command"),
    (["judge", "--no-such-option"], "No such option"),
]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return help_desk(tmp_path_factory.mktemp("nonsense") / "desk")


@pytest.mark.parametrize(("words", "told"), MISSPELT, ids=lambda each: " ".join(each) if isinstance(each, list) else "")
def test_a_wrong_word_is_told(desk: Path, words: list[str], told: str) -> None:
    said = typed(*words, "-p", desk)
    assert said.code == 2
    assert told in said.err
    assert said.out == ""


@pytest.mark.parametrize("words", [["judge"], ["flow"], ["serve"], ["imports"], ["digest"], ["import", "x.csv"]])
def test_a_folder_that_is_no_project(tmp_path: Path, words: list[str]) -> None:
    said = typed(*words, "-p", tmp_path / "nowhere")
    assert said.code == 2
    assert "has no desireline.yaml. Make one with: desireline init" in said.err


def test_outside_every_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "there is no project here" in typed("judge").err


def test_inside_a_project_its_folder_needs_no_name(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk / "maps")
    assert typed("maps", "--json").json["rows"][0]["map"] == "tickets"


EMPTY_ANSWERS = {
    "flow": "No journey took this path.",
    "transitions": "No journey has two steps.",
    "variants": "No journeys began in what was asked for.",
    "retention": "Nobody was seen.",
    "census": "There were no interactions.",
    "journeys": "No journeys began in what was asked for.",
    "judge": "No promises yet",
    "keep-rates": "No promises yet",
    "ledger": "No promise instance fits.",
    "maps": "No maps yet.",
    "imports": "No imports yet.",
    "refused list": "No refused rows wait.",
}


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("empty") / "project"
    assert typed("init", folder).code == 0
    return folder


@pytest.mark.parametrize("command", EMPTY_ANSWERS)
def test_an_empty_project_says_so(empty: Path, command: str) -> None:
    said = typed(*command.split(), "-p", empty)
    assert said.code == 0
    assert said.out.startswith(EMPTY_ANSWERS[command])
    assert typed(*command.split(), "-p", empty, "--json").json["rows"] == []


def test_nothing_to_check_is_no_success(empty: Path) -> None:
    said = typed("check", "-p", empty)
    assert said.code == 2
    assert "there is no map, so nothing can be checked" in said.err


def test_a_project_is_not_made_twice(empty: Path) -> None:
    assert typed("init", empty).code == 2


def test_a_project_with_a_misspelt_zone_is_not_made(tmp_path: Path) -> None:
    said = typed("init", tmp_path / "new", "--time-zone", "Europe/Berln")
    assert said.code == 2
    assert "Did you mean 'Europe/Berlin'?" in said.err
    assert not (tmp_path / "new" / "desireline.yaml").exists()


def test_a_project_that_finds_no_room_is_not_half_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(path: Path, *_: object, **__: object) -> None:
        path.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(Path, "write_text", no_room)
        assert typed("init", tmp_path / "new").code == 3
    assert typed("init", tmp_path / "new").code == 0


def test_every_mistake_of_a_map_is_told_with_its_line(tmp_path: Path) -> None:
    desk = help_desk(tmp_path / "desk")
    (desk / "maps" / "tickets.yaml").write_text(
        MAP.replace("within: 1 day", "within: 1 dya").replace("same: case", "smae: case"), encoding="utf-8"
    )
    for command in ("maps", "judge", "check", "keep-rates"):
        said = typed(command, "-p", desk)
        assert said.code == 2
        assert "'smae'" in said.err and "Did you mean 'same'?" in said.err
        assert "'dya'" in said.err and "tickets.yaml line" in said.err


def test_two_at_once_are_told_who_works(desk: Path) -> None:
    with writing(desk / "data", who="desireline import"):
        said = typed("judge", "-p", desk)
    assert said.code == 3
    assert "desireline import" in said.err and "is working on this project" in said.err


def test_work_is_not_given_to_a_server_that_is_stuck(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desireline.project.handing_over.ANSWER_SECONDS", 0.2)
    announced = desk / "data" / "server.json"
    with socket.create_server(("127.0.0.1", 0)) as stuck, writing(desk / "data", who="desireline serve"):
        port = stuck.getsockname()[1]
        announced.write_text(json.dumps({"port": port, "token": "t", "process": os.getpid()}), encoding="utf-8")
        said = typed("source", "add", "shop", "-p", desk)
        announced.unlink()
    assert said.code == 3
    assert f"port {port}: does not answer (TimeoutError). Look at its output" in said.err


def test_a_file_that_cannot_be_written_is_a_failure_in_words(desk: Path, tmp_path: Path) -> None:
    target = tmp_path / "no-such-folder" / "map.yaml"
    said = typed("draft", "-p", desk, "--to", target)
    assert (said.code, said.err) == (
        3,
        f"{target}: No such file or directory. Make the folder first, or name another.\n",
    )


def test_letters_need_a_running_server_and_a_source(tmp_path: Path) -> None:
    assert typed("init", tmp_path / "p").code == 0
    said = typed("mail", "smtp", "--source", "letters", "-p", tmp_path / "p")
    assert said.code == 2 and "no source 'letters'" in said.err
    assert typed("source", "add", "letters", "--dialect", "email", "--unsigned", "-p", tmp_path / "p").code == 0
    said = typed("mail", "smtp", "--source", "letters", "-p", tmp_path / "p")
    assert said.code == 2 and "desireline serve" in said.err
