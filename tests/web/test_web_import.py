"""A file goes in through the page: looked at, changed, taken in, mended, taken back."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from desireline.faces.web.app import create_app
from desireline.faces.web.jobs import Jobs, Outcome
from desireline.project.project import Project
from desireline.vocabulary.errors import DesirelineError
from web.conftest import ADDRESS

SAME = {"origin": ADDRESS}
CALLS = (
    "call id,start,caller mail,what\n"
    + "".join(f"c{n},2025-01-{n:02d} 09:00:00,person{n}@bank.example,call.asked\n" for n in range(1, 21))
    + "c21,yesterday at noon,person3@bank.example,call.asked\n"
)


@pytest.fixture
def client(own_bank: Project) -> TestClient:
    return TestClient(create_app(own_bank, port=8765), base_url=ADDRESS, follow_redirects=False)


def send(client: TestClient, text: str | bytes, name: str = "calls.csv") -> str:
    body = text.encode() if isinstance(text, str) else text
    answer = client.post("/import/upload", headers=SAME, files={"file": (name, body)})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def finished(client: TestClient, job: str) -> str:
    """The page of a job once its events say that it is over."""
    with client.stream("GET", f"{job}/events") as events:
        states = re.findall(r'"state": "(\w+)"', "".join(events.iter_text()))
    assert states[-1] in ("done", "failed")
    return str(client.get(job).text)


def taken_in(client: TestClient, text: str, name: str = "calls.csv") -> str:
    place = send(client, text, name)
    answer = client.post(place.replace("/look/", "/take/"), headers=SAME, data={"anew": "yes"})
    assert answer.status_code == 303, answer.text
    return finished(client, str(answer.headers["location"]))


def test_a_file_is_looked_at_before_anything_is_kept(client: TestClient, own_bank: Project) -> None:
    before = own_bank.snapshot().interactions
    text = client.get(send(client, CALLS)).text
    assert "caller mail" in text and "handle:email" in text and "call.asked" in text
    assert own_bank.snapshot().interactions == before


def test_taking_it_in_says_what_came_of_every_row(client: TestClient, own_bank: Project) -> None:
    before = own_bank.snapshot().interactions
    text = taken_in(client, CALLS)
    assert "calls.csv: 21 rows read, 20 interactions made" in text and "Look at the refused rows" in text
    assert own_bank.snapshot().interactions == before + 20
    assert not list((own_bank.data / "uploads").iterdir())
    assert "calls.csv" in client.get("/import").text


def test_the_same_file_again_adds_nothing(client: TestClient, own_bank: Project) -> None:
    taken_in(client, CALLS)
    before = own_bank.snapshot().interactions
    assert "20 interactions were already known" in taken_in(client, CALLS)
    assert own_bank.snapshot().interactions == before


def test_a_saved_recipe_is_taken_for_the_next_file_of_its_kind(client: TestClient) -> None:
    taken_in(client, CALLS)
    text = client.get(send(client, CALLS)).text
    assert "The saved recipe" in text and "Guess the columns anew" in text


def test_a_role_can_be_changed(client: TestClient) -> None:
    place = send(client, CALLS)
    text = client.get(f"{place}?anew=yes&is:what=topic").text
    assert re.search(r'name="is:what".*?<option value="topic" selected>', text, re.S)
    assert 'name="is:what" value="topic"' in text


def test_a_refused_row_is_mended_and_taken_in(client: TestClient, own_bank: Project) -> None:
    taken_in(client, CALLS)
    before = own_bank.snapshot().interactions
    text = client.get("/import/refused").text
    number = re.search(r'name="number" value="(\d+)"', text)
    assert number and "yesterday at noon" in text
    mended = "c21,2025-01-21 09:00:00,person3@bank.example,call.asked"
    words = {"number": number[1], "text": mended, "action": "replay"}
    answer = client.post("/import/refused/change", headers=SAME, data=words)
    finished(client, str(answer.headers["location"]))
    assert own_bank.snapshot().interactions == before + 1
    assert "Nothing lies in quarantine." in client.get("/import/refused").text


def test_a_refused_row_can_be_discarded(client: TestClient) -> None:
    taken_in(client, CALLS)
    number = re.search(r'name="number" value="(\d+)"', client.get("/import/refused").text)
    assert number
    words = {"number": number[1], "action": "discard"}
    assert client.post("/import/refused/change", headers=SAME, data=words).status_code == 303
    assert "Nothing lies in quarantine." in client.get("/import/refused").text


def test_an_import_is_taken_back(client: TestClient, own_bank: Project) -> None:
    before = own_bank.snapshot().interactions
    taken_in(client, CALLS)
    address = re.search(r'action="(/import/undo/calls[^"]*)"', client.get("/import").text)
    assert address
    answer = client.post(address[1], headers=SAME)
    assert "20 interactions were taken back" in finished(client, str(answer.headers["location"]))
    assert own_bank.snapshot().interactions == before


@pytest.mark.parametrize("body", [b"", b"\x00\x01\x02\x03" * 50, b"PAR1 broken", b"\n\n\n"])
def test_a_file_that_is_no_export_is_answered_clearly(client: TestClient, body: bytes) -> None:
    answer = client.get(send(client, body, "odd.csv"))
    assert answer.status_code in (200, 422)
    assert "Traceback" not in answer.text and "<h1>" in answer.text


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/import/look/0123456789abcdef", None),
        ("/import/look/....", None),
        ("/import/jobs/none", None),
        ("/import/refused/change", {"action": "discard"}),
        ("/import/refused/change", {"action": "discard", "number": "x"}),
        ("/import/refused/change", {"action": "explode", "number": "1"}),
        ("/import/refused/change", {"action": "discard", "number": "999999"}),
        ("/import/undo/nothing", {}),
    ],
)
def test_what_is_not_there_is_said_so(client: TestClient, path: str, words: Any) -> None:
    answer = client.get(path) if words is None else client.post(path, headers=SAME, data=words)
    assert answer.status_code in (404, 422) and "Traceback" not in answer.text


def test_a_form_without_a_file_is_refused(client: TestClient, own_bank: Project) -> None:
    answer = client.post("/import/upload", headers=SAME, data={"file": "just text"})
    assert answer.status_code == 422
    answer = client.post("/import/upload", headers=SAME, files={"other": (None, "text")})
    assert answer.status_code == 422
    assert not list(Path(own_bank.data).glob("uploads/*/*"))


def test_a_file_over_the_limit_is_refused_before_it_is_read(client: TestClient) -> None:
    headers = {**SAME, "content-type": "multipart/form-data; boundary=x", "content-length": str(2**40)}
    answer = client.post("/import/upload", headers=headers, content=b"--x--")
    assert answer.status_code == 422 and "desireline import FILE" in answer.text


def test_a_job_that_fails_says_why_and_lets_the_next_one_run() -> None:
    jobs = Jobs()

    def fails(_told: Any) -> Outcome:
        raise DesirelineError("The disk is full. Make room and try again.")

    for work, state, line in (
        (fails, "failed", "The disk is full."),
        (lambda _told: Outcome(("fine",)), "done", "fine"),
    ):
        job = jobs.start("a job", work)
        jobs.wait(job.id, seconds=60)
        found = jobs.get(job.id)
        assert found is not None and found.state == state and found.lines[0].startswith(line)
