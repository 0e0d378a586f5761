"""Every command on a small help desk: what it says, that its JSON parses, and how it exits."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
import typer.main

from cli.command_line import TICKETS, help_desk, typed
from desireline.faces.cli.app import app

QUESTIONS = {
    "flow": ["flow"],
    "transitions": ["transitions"],
    "variants": ["variants", "--gap", "never"],
    "funnel": ["funnel", "ticket.opened", "ticket.answered"],
    "retention": ["retention"],
    "census": ["census", "--channel", "web"],
    "journeys": ["journeys", "--map", "tickets"],
    "person": ["person", "person1@example.org"],
    "judge": ["judge"],
    "keep-rates": ["keep-rates", "--by", "channel"],
    "ledger": ["ledger", "--verdict", "broken"],
    "maps": ["maps"],
    "imports": ["imports"],
    "refused": ["refused", "list"],
    "sql": ["sql", "SELECT channel, count(*) AS interactions FROM interactions GROUP BY channel"],
    "import": ["import", "--look", TICKETS],
}
RECORDS = {"digest": ["digest"], "check": ["check"], "rebuild": ["rebuild"]}
TRIED_ELSEWHERE = {
    "init",
    "listener",
    "mail",
    "source",
    "undo",
    "draft",
    "flow-of-work",
    "serve",
    "demo",
    "world",
    "world-check",
    "clock",
    "backup",
    "restore",
    "doctor",
}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return help_desk(tmp_path_factory.mktemp("cli") / "desk")


def at(desk: Path, words: list[str]) -> list[str | Path]:
    return [*(desk / word if word == TICKETS else word for word in words), "-p", desk]


def test_no_command_is_left_untried() -> None:
    commands = set(typer.main.get_command(app).commands)
    assert commands == {*QUESTIONS, *RECORDS, *TRIED_ELSEWHERE}


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_answers_people_and_machines(desk: Path, name: str) -> None:
    people, machines = typed(*at(desk, QUESTIONS[name])), typed(*at(desk, QUESTIONS[name]), "--json")
    assert (people.code, machines.code) == (0, 0)
    body = machines.json
    assert body["rows"] and set(body) == {"says", "counted", "as_of", "notes", "rows"}
    assert body["says"] in people.out
    assert people.err == machines.err == ""


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_parses(desk: Path, name: str) -> None:
    assert typed(*at(desk, RECORDS[name]), "--json").json


def test_people_read_moments_and_machines_read_numbers(desk: Path) -> None:
    assert "2026-01-" in typed("ledger", "-p", desk).out
    opened = typed("ledger", "-p", desk, "--json").json["rows"][0]["opened_at"]
    assert isinstance(opened, int) and str(opened) not in typed("ledger", "-p", desk).out


def test_a_person_is_named_by_the_same_number_everywhere(desk: Path) -> None:
    row = typed("ledger", "-p", desk, "--json", "--top", "1").json["rows"][0]
    assert f" {row['person']}" in typed("ledger", "-p", desk, "--top", "1").out
    assert typed("person", str(row["person"]), "-p", desk).code == 0


def test_the_worst_promise_is_told_first(desk: Path) -> None:
    assert typed("judge", "-p", desk).out.startswith("Kept: answered-in-a-day, 50.0% of 40; judged as of 2026-01-28")
    by_channel = typed("keep-rates", "-p", desk, "--by", "channel", "--json").json["rows"]
    assert [(row["channel"], row["settled"]) for row in by_channel] == [("phone", 10), ("web", 30)]
    assert by_channel[0]["keep_rate"] is None and "not enough yet" in by_channel[0]["note"]
    by_product = typed("keep-rates", "-p", desk, "--by", "product").out
    assert "card" in by_product


def test_check_exits_1_when_a_promise_is_not_kept(desk: Path) -> None:
    found = typed("check", "-p", desk)
    assert found.code == 1
    assert "tickets.yaml line 13: tickets / answered-in-a-day: kept 50.0% of 40" in found.out
    assert typed("check", "-p", desk, "--json").json["findings"][0]["promise"] == "answered-in-a-day"


def test_the_ledger_as_csv_has_every_instance(desk: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(typed("ledger", "-p", desk, "--csv").out)))
    assert len(rows) == 40
    assert {row["verdict"] for row in rows} == {"kept", "broken"}


@pytest.mark.parametrize("words", [["flow"], ["person", "person1@example.org"]])
def test_pictures_parse_as_xml(desk: Path, words: list[str]) -> None:
    picture = typed(*words, "-p", desk, "--svg").out
    assert ElementTree.fromstring(picture).tag.endswith("svg")


def test_a_draft_loads_as_a_map(desk: Path) -> None:
    file = desk / "maps" / "as-lived.yaml"
    assert typed("draft", "-p", desk, "--name", "as-lived", "--to", file).code == 0
    again = typed("draft", "-p", desk, "--to", file)
    maps = [row["map"] for row in typed("maps", "-p", desk, "--json").json["rows"]]
    file.unlink()
    assert maps == ["as-lived", "tickets"]
    assert (again.code, again.err) == (2, f"{file}: exists already. Choose another name.\n")


def test_the_flow_of_work_names_the_steps() -> None:
    assert "| judge |" in typed("flow-of-work").out


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys; sys.argv = ['desireline', '--help']\n"
        "from desireline.faces.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(sorted({'numba', 'duckdb', 'numpy', 'starlette', 'sqlalchemy', 'jinja2'} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.splitlines()[-1] == "[]"


def test_the_installed_command_pipes(desk: Path) -> None:
    command = [Path(sys.executable).with_name("desireline"), "census", "-p", desk]
    piped = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (piped.returncode, piped.stderr) == (0, "")
    assert piped.stdout.startswith("80 interactions of 40 people")
