"""The one screen of a small real bank: its numbers are those of the story, everywhere they stand."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from starlette.testclient import TestClient

from desireline.faces.web.reading import Reading
from desireline.faces.web.url_state import ScreenState
from desireline.faces.web.what_is_shown import ARRIVED, START, LivedFlow, Passage, StepShown
from desireline.project.project import Project
from web.small_bank import NASTY, PEOPLE, called, channel_of, late

ALL = ScreenState()
NUMBERS = range(1, PEOPLE + 1)


@pytest.fixture(scope="module")
def reading(small_bank: Project) -> Reading:
    return Reading(small_bank)


def test_the_promises_stand_in_the_order_of_the_journey_with_their_counts(reading: Reading) -> None:
    blocked, call = reading.designed_over_lived("lost-card", ALL).promises
    assert (blocked.promise, blocked.kept, blocked.broken, blocked.state) == ("blocked-at-once", 30, 10, "burns")
    assert dict(blocked.breaches) == {"late": 10}
    assert (call.promise, call.kept, call.broken, call.waiting, call.overdue) == ("a-call", 35, 3, 2, 3)
    assert call.state == "no limit"


def test_the_flow_is_that_of_the_story(reading: Reading) -> None:
    flow = reading.designed_over_lived("lost-card", ALL).flow
    assert flow.journeys == flow.people == PEOPLE
    assert flow.between("report", "blocked") == PEOPLE
    assert flow.between("blocked", "called") == sum(called(number) for number in NUMBERS)
    assert flow.between("report", "blocked", "phone") == sum(channel_of(number) == "phone" for number in NUMBERS)
    assert flow.into(ARRIVED) == 29 and flow.other_touches("called") == 27


def test_a_segment_counts_promises_opened_there_and_journeys_that_hold_one(reading: Reading) -> None:
    shown = reading.designed_over_lived("lost-card", ScreenState(segment_column="channel", segment_value="app"))
    mine = [number for number in NUMBERS if channel_of(number) == "app"]
    assert shown.promises[0].kept == sum(not late(number) for number in mine)
    assert shown.flow.out_of(START) == len(mine)


def test_the_time_chosen_holds_for_promises_and_flow(reading: Reading) -> None:
    shown = reading.designed_over_lived("lost-card", ScreenState(first_month="2025-02", last_month="2025-02"))
    mine = [number for number in NUMBERS if number >= 31]
    assert shown.promises[0].kept + shown.promises[0].broken == len(mine) == shown.flow.journeys


def test_only_broken_shows_the_flow_of_people_let_down(reading: Reading) -> None:
    shown = reading.designed_over_lived("lost-card", ScreenState(only_broken=True))
    let_down = [number for number in NUMBERS if late(number) or (not called(number) and number < PEOPLE - 1)]
    assert shown.flow.people == len(let_down)
    assert shown.promises[0].broken == 10


def test_a_list_of_people_has_as_many_rows_as_the_number_that_opens_it(reading: Reading) -> None:
    for promise in reading.designed_over_lived("lost-card", ALL).promises:
        for verdict in ("kept", "broken", "waiting", "withdrawn", "overdue"):
            found = reading.promise_people("lost-card", promise.promise, ALL, verdict=verdict, page=1)
            assert found.total == getattr(promise, verdict) == len(found.rows)


def test_those_who_wait_longest_stand_first(reading: Reading) -> None:
    waiting = reading.promise_people("lost-card", "a-call", ALL, verdict="overdue", page=1).rows
    assert [row.name for row in waiting] == [f"person{number}@bank.example" for number in (10, 20, 30)]


def test_the_people_of_the_flow_are_those_it_counts(reading: Reading) -> None:
    assert reading.people_of_flow("lost-card", ALL, 1, step="called").total == 35
    assert reading.people_of_flow("lost-card", ALL, 1, left="first-use", to="ends").total == 29
    assert reading.people_of_flow("lost-card", ALL, 1, step="blocked", to="first-use", left=None).total == 2


def test_a_persons_line_holds_touches_promises_and_handles(reading: Reading) -> None:
    found = reading.find("person4@", 1).rows
    line = reading.person(found[0].person)
    assert line is not None and line.name == "person4@bank.example"
    assert [touch.touchpoint for touch in line.touches][-2:] == ["card.blocked", "card.reported_lost"]
    assert {mark.promise: mark.verdict for mark in line.promises} == {"blocked-at-once": "broken", "a-call": "kept"}
    assert reading.person(12345) is None


def test_a_flow_that_loses_somebody_is_never_drawn() -> None:
    steps = (StepShown("a", "a", ""),)
    with pytest.raises(AssertionError, match="loses people"):
        LivedFlow(steps, (Passage(START, "a", "app", 3), Passage("a", ARRIVED, "app", 2)), ("app",), 3, 3)


def test_the_page_says_what_burns_and_links_every_number(bank_client: TestClient) -> None:
    text = bank_client.get("/").text
    assert "One promise burns: “Your card is blocked within five minutes” was broken 10 times of 40." in text
    assert "Mostly it came too late (10 of 10)." in text
    for address in re.findall(r'href="(/[^"#]*)"', text):
        assert bank_client.get(address.replace("&amp;", "&")).status_code == 200, address


def test_warm_pages_come_from_memory(small_bank: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    reading = Reading(small_bank)
    first = reading.designed_over_lived("lost-card", ALL)
    monkeypatch.setattr("desireline.faces.web.flow_reading.lived_flow", None)
    assert reading.designed_over_lived("lost-card", ALL) is first


def test_a_changed_map_is_read_anew(own_bank: Project) -> None:
    reading = Reading(own_bank)
    assert reading.designed_over_lived("lost-card", ALL).says == "Whoever loses a card is safe at once."
    path = own_bank.folder / "maps" / "lost-card.yaml"
    path.write_text(path.read_text("utf-8").replace("is safe at once.", "is safe."), encoding="utf-8")
    assert reading.designed_over_lived("lost-card", ALL).says == "Whoever loses a card is safe."


def test_exports_hold_the_numbers_of_the_page(bank_client: TestClient) -> None:
    rows = list(csv.DictReader(io.StringIO(bank_client.get("/maps/lost-card.csv?segment=channel:app").text)))
    began = [row for row in rows if row["from"] == "(start)" and row["to"] == "report"]
    assert [(row["channel"], row["count"]) for row in began] == [("app", "32")]
    body = json.loads(bank_client.get("/maps/lost-card.json").text)
    assert body["promises"][0]["keep_rate"]["value"] == 0.75 and body["journeys"] == PEOPLE


def test_the_picture_stands_alone_and_becomes_a_png_with_its_text(bank_client: TestClient) -> None:
    picture = bank_client.get("/maps/lost-card.svg?theme=dark")
    assert picture.text.startswith("<svg") and "var(--" not in picture.text and "light-dark" not in picture.text
    assert "sha256-" in picture.headers["content-security-policy"]
    answer = bank_client.get("/maps/lost-card.png")
    assert answer.content.startswith(b"\x89PNG") and len(answer.content) > 20_000
    assert bank_client.get("/maps/lost-card.svg?theme=pink").status_code == 422


def test_words_of_customers_stay_words_on_the_persons_page(bank_client: TestClient) -> None:
    answer = bank_client.get("/people?find=person1@bank.example")
    assert answer.status_code == 200 and NASTY not in answer.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in answer.text


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/maps/nothing", 404),
        ("/maps/lost-card/promises/nothing", 404),
        ("/maps/lost-card/promises/a-call?verdict=kpet", 422),
        ("/maps/lost-card/promises/a-call?page=0", 422),
        ("/maps/lost-card/people", 422),
        ("/maps/lost-card/people?last=blocked&how=lef", 422),
        ("/maps/lost-card/people?at=nowhere", 422),
        ("/people/abc", 404),
        ("/people/1", 404),
        ("/people?fnd=x", 422),
        ("/maps.xlsx", 404),
    ],
)
def test_a_wrong_address_is_answered_with_what_to_do(bank_client: TestClient, address: str, status: int) -> None:
    answer = bank_client.get(address)
    assert answer.status_code == status
    assert "Traceback" not in answer.text and "<h1>" in answer.text


def test_an_empty_project_shows_a_faint_sample_and_the_next_step(tmp_path_factory: pytest.TempPathFactory) -> None:
    from desireline.faces.web.app import create_app
    from desireline.project.project import new_project
    from web.conftest import ADDRESS

    project = new_project(tmp_path_factory.mktemp("empty") / "new")
    client = TestClient(create_app(project, port=8765), base_url=ADDRESS)
    text = client.get("/").text
    assert (
        "Bring in your first file" in text
        and 'href="/import"' in text
        and 'href="/connect"' in text
        and "desireline import calls.csv" in text
    )
    assert (
        client.get("/maps").status_code == client.get("/people").status_code == client.get("/import").status_code == 200
    )
