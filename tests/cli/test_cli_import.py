"""Files in, asked where unsure, again, mended, and taken back."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cli.command_line import TICKETS, help_desk, typed

UNSURE = "Id;Created;Mail;Via\n" + "".join(
    f"{number};0{number % 9 + 1}/0{number % 7 + 1}/2026 10:{number:02};person{number}@example.org;web\n"
    for number in range(30)
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    assert typed("init", tmp_path / "project").code == 0
    (tmp_path / "visits.csv").write_text(UNSURE, encoding="utf-8")
    return tmp_path / "project"


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    return help_desk(tmp_path / "desk")


def test_unsure_and_nobody_to_ask_takes_nothing_in(project: Path) -> None:
    said = typed("import", project.parent / "visits.csv", "-p", project)
    assert said.code == 2
    assert "How are the moments in 'Created' written" in said.err and "Nobody is here to ask. Pass --yes" in said.err
    assert typed("imports", "-p", project, "--json").json["rows"] == []
    assert list((project / "recipes").iterdir()) == []


def test_yes_takes_the_guesses_and_saves_them_as_a_recipe(project: Path) -> None:
    said = typed("import", "--yes", project.parent / "visits.csv", "-p", project)
    assert said.code == 0
    assert "Saved the recipe" in said.out and "30 rows read, 30 interactions made" in said.out
    again = typed("import", project.parent / "visits.csv", "-p", project)
    assert again.code == 0
    assert "what each column seems to be" not in again.out
    assert "30 interactions were already known." in again.out


def answered_at_a_terminal(words: list[str | Path], answer: str) -> tuple[int, str]:
    """Run the installed command at a terminal of its own and type `answer` when it asks."""
    mine, theirs = pty.openpty()
    command = [Path(sys.executable).with_name("desireline"), *words]
    told, typed_in, until = "", False, time.monotonic() + 60
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True) as running:
        os.close(theirs)
        while time.monotonic() < until:
            if not select.select([mine], [], [], 1)[0]:
                continue
            try:
                told += os.read(mine, 4096).decode(errors="replace")
            except OSError:
                break
            if not typed_in and "Which, 1 to" in told:
                os.write(mine, answer.encode())
                typed_in = True
        os.close(mine)
        return running.wait(timeout=30), told


@pytest.mark.parametrize("answer", ["1\n", "2\n"])
def test_a_person_is_asked_which_way_round(project: Path, answer: str) -> None:
    code, told = answered_at_a_terminal(["import", project.parent / "visits.csv", "-p", project], answer)
    assert code == 0, told
    assert "How are the moments in 'Created' written" in told and "Saved the recipe" in told
    recipe = (project / "recipes" / "visits.yaml").read_text(encoding="utf-8")
    assert ("%d/%m/%Y" in recipe) is (answer == "1\n")


def test_the_same_file_again_adds_nothing(desk: Path) -> None:
    before = typed("digest", "-p", desk, "--json").json["digest"]
    again = typed("import", desk / TICKETS, "-p", desk, "--json").json
    assert (again["made"], again["already_known"], again["newly_refused"]) == (0, 80, 0)
    assert typed("digest", "-p", desk, "--json").json["digest"] == before


def test_an_undone_import_leaves_the_store_as_it_was(desk: Path) -> None:
    before = typed("digest", "-p", desk, "--json").json["digest"]
    ledger = typed("judge", "-p", desk, "--json").json["rows"]
    more = desk / "tickets-more.csv"
    more.write_text(
        "Key,Ticket,At,Mail,What,Via,Way,Product\n"
        "a0b,T0,2026-01-01 11:00,person0@example.org,ticket.answered,email,outbound,card\n"
        "o77,T77,2026-01-02 11:00,new@example.org,ticket.opened,web,inbound,loan\n",
        encoding="utf-8",
    )
    made = typed("import", more, "-p", desk, "--json").json
    assert made["made"] == 2
    assert typed("digest", "-p", desk, "--json").json["digest"] != before
    said = typed("undo", made["import_id"], "-p", desk)
    assert said.out == "Took 2 interactions back.\n"
    assert typed("digest", "-p", desk, "--json").json["digest"] == before
    assert typed("keep-rates", "-p", desk, "--json").json["rows"] == ledger


def test_a_refused_row_is_mended_and_taken_in(desk: Path) -> None:
    (row,) = typed("refused", "list", "-p", desk, "--json").json["rows"]
    assert row["reason"] == "occurred_at: '2026-02-31 10:00' is not a moment"
    mended = row["raw"].replace("2026-02-31", "2026-01-28")
    assert typed("refused", "edit", str(row["number"]), mended, "-p", desk).code == 0
    replayed = typed("refused", "replay", "-p", desk)
    assert replayed.code == 0 and "1 interactions made" in replayed.out
    assert typed("refused", "list", "-p", desk, "--json").json["rows"] == []
    assert typed("ledger", "-p", desk, "--verdict", "waiting", "--json").json["rows"][0]["key"] == "T99"


def test_a_discarded_row_waits_no_more(desk: Path) -> None:
    (row,) = typed("refused", "list", "-p", desk, "--json").json["rows"]
    assert typed("refused", "discard", str(row["number"]), "-p", desk).out == "Discarded 1 row.\n"
    assert typed("refused", "list", "-p", desk, "--json").json["rows"] == []


def test_a_look_takes_nothing_in(desk: Path) -> None:
    before = typed("digest", "-p", desk, "--json").json["digest"]
    said = typed("import", "--look", desk / TICKETS, "-p", desk)
    assert said.code == 0 and "would make 80 interactions; 1 would be refused" in said.out
    assert typed("digest", "-p", desk, "--json").json["digest"] == before


def test_rebuilding_gives_the_same_store(desk: Path) -> None:
    before = typed("digest", "-p", desk, "--json").json["digest"]
    all_before = typed("digest", "-p", desk, "--json").json["digests"]
    rebuilt = typed("rebuild", "-p", desk, "--json").json
    assert (rebuilt["digest"], rebuilt["digests"]) == (before, all_before)
