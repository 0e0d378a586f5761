"""Letters that the server fetches by itself: killed at any moment, a mailbox that hangs, one that is gone and back."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from desireline.project import Project
from faults.forms import how_many
from faults.running import Server
from intake.mail_servers import WHY_NOT, Mailbox, dovecot
from intake.served_letters import a_bank, keys, letter, mailbox_words, served, until

LETTERS = 25
TESTS = Path(__file__).parent.parent


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    if WHY_NOT:
        pytest.skip(WHY_NOT)
    monkeypatch.setenv("MAIL_PASSWORD", "secret")
    with dovecot() as running:
        yield running


def a_project(folder: Path, **sources: dict[str, object]) -> Path:
    project = Project(a_bank(folder))
    for name, words in sources.items():
        project.sources.add(name, dialect="email", mail=words)
    project.state.close()
    return folder


def deliver(mailbox: Mailbox, numbers: range) -> set[str]:
    """Put letters into the mailbox; their ids."""
    for number in numbers:
        mailbox.deliver(letter(number), name=f"1.{number:05}.x")
    return {f"m{number}@x" for number in numbers}


def until_there(project: Project, *ids: str) -> None:
    """Wait until these letters are in the lake."""
    until(lambda: set(ids) <= set(keys(project)))


def test_F1_killed_between_fetching_storing_and_marking_no_letter_is_lost_and_none_counts_twice(
    mailbox: Mailbox, tmp_path: Path
) -> None:
    folder, expected = a_project(tmp_path / "bank", help=mailbox_words(mailbox)), set[str]()
    chance = random.Random(7)
    kills = [("fetched", 1), ("stored", 7), ("marked", 1), ("stored", 12)]
    kills += [(chance.choice(("fetched", "stored")), chance.randint(1, LETTERS)) for _ in range(how_many(0, 20))]
    for kill, (point, at_letter) in enumerate(kills):
        expected |= deliver(mailbox, range(kill * LETTERS, (kill + 1) * LETTERS))
        command = [sys.executable, str(TESTS / "faults" / "killed_while_fetching.py"), str(folder), point]
        environment = {**os.environ, "PYTHONPATH": str(TESTS)}
        ended = subprocess.run([*command, str(at_letter)], env=environment, capture_output=True, timeout=300)
        assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    with served(folder) as serving:
        until_there(serving.project, *expected)
        until(lambda: serving.live.reached == serving.log.last)
        assert set(keys(serving.project)) == expected
        assert set(keys(serving.project).values()) == {1}
        assert len(serving.project.imports.refused()) == 0
        assert serving.log.last > len(expected) + 2, "some were fetched again, and dropped as known"


def test_F1_a_server_killed_while_letters_come_in_goes_on_where_it_was(mailbox: Mailbox, tmp_path: Path) -> None:
    server, expected = Server(a_project(tmp_path / "bank", help=mailbox_words(mailbox))), set[str]()
    for kill in range(how_many(2, 10)):
        expected |= deliver(mailbox, range(kill * LETTERS, (kill + 1) * LETTERS))
        server.start()
        until_taken(server.folder, more_than=kill * LETTERS)
        server.kill()
    server.start()
    project = Project(server.folder)
    until_there(project, *expected)
    assert set(keys(project).values()) == {1}
    assert server.stop() == 0
    project.state.close()


def until_taken(folder: Path, *, more_than: int) -> None:
    """Wait until so many letters are known to be taken to whoever looks from outside."""
    project = Project(folder)
    until(lambda: any(each.letters > more_than for each in project.letters.conditions().values()))
    project.state.close()


def test_F25_a_mailbox_that_hangs_disturbs_neither_the_other_nor_the_end(mailbox: Mailbox, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hanging = mailbox_words(mailbox, port=silent.getsockname()[1])
        server = Server(a_project(tmp_path / "bank", hangs=hanging, help=mailbox_words(mailbox))).start()
        server.wait_for("/ready")
        connection, _ = silent.accept()
        project = Project(server.folder)
        for number in range(3):
            until_there(project, *deliver(mailbox, range(number, number + 1)))
        assert server.stop() == 0
        project.state.close()
        connection.close()


def test_F25_a_mailbox_that_is_gone_is_told_and_found_again_by_itself(mailbox: Mailbox, tmp_path: Path) -> None:
    server = Server(a_project(tmp_path / "bank", help=mailbox_words(mailbox))).start()
    server.wait_for("/ready")
    project = Project(server.folder)
    until_there(project, *deliver(mailbox, range(1)))
    mailbox.stop()
    until(lambda: any("'help'" in line for line in json.loads(server.get("/ready")[1])["warnings"]))
    assert server.get("/ready")[0] == 200, "what senders bring is taken all the same"
    more = deliver(mailbox, range(1, 2))
    mailbox.start()
    until_there(project, *more)
    until(lambda: json.loads(server.get("/ready")[1])["warnings"] == [])
    assert server.stop() == 0
    assert keys(project) == {"m0@x": 1, "m1@x": 1}
    project.state.close()
