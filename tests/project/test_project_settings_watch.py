"""Settings and recipes that are saved while a server runs hold from then on; with a mistake, all stays as before it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from desireline.project import Project, digests, rebuild
from desireline.project.file import FILE_NAME
from project.live_desk import DAY_MS, HOUR_MS, START_MS, Desk, FakeClock, a_desk, at_work, message

RECIPE = """
recipe: survey
source: survey
key: id
interactions:
  - name: rated
    occurred_at: {column: at}
    touchpoint: survey.rated
    handles: [{kind: email, column: mail}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return a_desk(tmp_path / "desk")


def save(folder: Path, text: str, *, name: str = FILE_NAME) -> None:
    (folder / name).write_text(text, encoding="utf-8")


def turns(desk: Desk) -> None:
    """As many turns as it takes to see that nobody writes any more."""
    desk.live.turn()
    desk.live.turn()


def moments(desk: Desk) -> list[int]:
    with desk.project.lake.connection() as connection:
        rows = connection.execute(
            "SELECT (occurred_at - $start) // 3600000 FROM interactions ORDER BY source_key", {"start": START_MS}
        )
        return [row[0] for row in rows.fetchall()]


def zoneless(key: str) -> dict[str, Any]:
    return message(key, "Page Seen", "anna", START_MS) | {"timestamp": "2026-01-01T12:00:00"}


def warned(desk: Desk) -> str:
    return "\n".join(f"{each.about}: {each.what}" for each in desk.live.warnings)


def test_another_time_zone_holds_for_what_comes_in_from_then_on_now_and_in_a_rebuild(folder: Path) -> None:
    clock = FakeClock(START_MS + DAY_MS)
    with at_work(folder, clock) as desk:
        desk.send(zoneless("m1"))
        desk.live.turn()
        save(folder, "name: desk\ntime_zone: Asia/Kolkata\n")
        desk.live.turn()
        desk.send(zoneless("m2"))
        desk.live.turn()
        desk.send(zoneless("m3"))
        desk.live.turn()
        assert desk.project.file.time_zone == "Asia/Kolkata"
        before, kept = moments(desk), digests(desk.project)
        assert before == [12, 12, 6]
    project = Project(folder, now=clock)
    rebuild(project, progress=lambda _share, _what: None)
    assert digests(project) == kept


def test_a_file_that_somebody_is_still_writing_is_not_read(folder: Path) -> None:
    with at_work(folder, FakeClock(START_MS + DAY_MS)) as desk:
        turns(desk)
        before = desk.project.file
        save(folder, "name: desk\ntime_")
        desk.live.turn()
        assert desk.project.file is before and desk.live.warnings == []
        save(folder, "name: desk\ntime_zone: Asia/Kolkata\n")
        desk.live.turn()
        assert desk.project.file is before
        desk.live.turn()
        assert desk.project.file.time_zone == "Asia/Kolkata" and desk.live.warnings == []


@pytest.mark.parametrize("text", ["tiem_zone: UTC\n", "time_zone: Mars/Base\n", "", "- a\n- b\n"])
def test_with_a_mistake_everything_holds_as_before_it_and_the_mistake_is_told(folder: Path, text: str) -> None:
    with at_work(folder, FakeClock(START_MS + DAY_MS)) as desk:
        before, kept = desk.project.file, (folder / FILE_NAME).read_text()
        last = desk.project.record.log.last
        save(folder, text)
        turns(desk)
        assert desk.project.file == before and desk.project.record.log.last == last
        assert "settings: desireline.yaml has a mistake" in warned(desk)
        desk.send(zoneless("m1"))
        desk.live.turn()
        assert moments(desk) == [12]
        save(folder, kept + "\n")
        turns(desk)
        assert desk.live.warnings == []


def test_where_the_state_lies_holds_from_the_next_start_and_that_is_told(folder: Path) -> None:
    with at_work(folder, FakeClock()) as desk:
        save(folder, "name: desk\nstate: DESK_STATE\ncurrency: CHF\n")
        turns(desk)
        assert desk.project.file.state == "" and desk.project.file.currency == "CHF"
        assert "'state' of desireline.yaml was changed" in warned(desk)
        save(folder, "name: desk\ncurrency: CHF\n")
        turns(desk)
        assert desk.live.warnings == []


CALENDAR = """name: desk
calendar: office
calendars:
  office: {{open: {{mon: ["{hours}"], tue: ["{hours}"], wed: ["{hours}"], thu: ["{hours}"], fri: ["{hours}"]}}}}
"""
PROMISE = """
map: hours
begins: {touchpoint: ticket.opened}
phases: [{phase: Help, sale: after, steps: [{step: asked, touchpoint: ticket.opened}]}]
promises:
  - {promise: quick, when: {touchpoint: ticket.opened}, then: {touchpoint: ticket.answered}, within: 2 working hours}
"""


def test_other_opening_hours_are_a_version_that_promises_made_from_then_on_are_judged_by(tmp_path: Path) -> None:
    folder, clock = a_desk(tmp_path / "desk", maps=()), FakeClock()
    save(folder, CALENDAR.format(hours="09:00-17:00"))
    save(folder, PROMISE, name="maps/hours.yaml")
    with at_work(folder, clock) as desk:
        for number in (1, 2):
            desk.send(message(f"m{number}", "Ticket Opened", "anna", clock(), case=f"c{number}"))
            turns(desk)
            clock.move(HOUR_MS)
            save(folder, CALENDAR.format(hours="06:00-17:00"))
            turns(desk)
        dues = [(each[0] - START_MS) // HOUR_MS for each in desk.ledger("due_at")]
        assert dues == [8, 11]


def test_a_recipe_that_is_saved_reads_its_source_from_then_on_now_and_in_a_rebuild(folder: Path) -> None:
    clock = FakeClock()
    (folder / "recipes").mkdir(exist_ok=True)
    save(folder, RECIPE, name="recipes/survey.yaml")
    project = Project(folder, now=clock)
    project.sources.add("survey", dialect="recipe", recipe="survey")
    project.state.close()
    with at_work(folder, clock) as desk:
        answer(desk, 1)
        turns(desk)
        save(folder, RECIPE.replace("survey.rated", "survey.answered"), name="recipes/survey.yaml")
        turns(desk)
        answer(desk, 2)
        desk.live.turn()
        save(folder, RECIPE.replace("touchpoint", "tuochpoint"), name="recipes/survey.yaml")
        turns(desk)
        answer(desk, 3)
        desk.live.turn()
        assert "recipe survey.yaml has a mistake" in warned(desk)
        with desk.project.lake.connection() as connection:
            seen = connection.execute("SELECT touchpoint FROM interactions ORDER BY source_key").fetchall()
        assert [row[0] for row in seen] == ["survey.rated", "survey.answered", "survey.answered"]
        kept = digests(desk.project)
    project = Project(folder, now=clock)
    rebuild(project, progress=lambda _share, _what: None)
    assert digests(project) == kept


def answer(desk: Desk, number: int) -> None:
    import msgspec

    from desireline.storage.log import Kind

    body = {"id": f"r{number}", "at": "2026-01-01T10:00:00Z", "mail": "anna@example.org"}
    meta = {
        "dialect": "recipe",
        "method": "POST",
        "path": "/hooks/x",
        "query": "",
        "headers": {"content-type": "application/json"},
    }
    desk.project.record.log.append(
        Kind.REQUEST,
        received_at=desk.clock(),
        source="survey",
        meta=msgspec.json.encode(meta),
        body=msgspec.json.encode(body),
    )


def test_another_mail_server_tells_what_is_told_from_then_on(folder: Path) -> None:
    from desireline.outreach import Listener, Message

    with at_work(folder, FakeClock()) as desk:
        channel = desk.project.telling.deliverer(environment={})._channels["email"]
        listener = Listener(name="crm", kind="email", address="crm@desk.example")

        def told() -> str:
            return asyncio.run(channel.send(Message("n", ()), listener, now=0)).says

        assert "no mail server is configured" in told()
        save(
            folder,
            "name: desk\nmail: {host: mail.example, from: us@desk.example, user_env: US, password_env: SECRET}\n",
        )
        turns(desk)
        assert "US is not set" in told()
        assert desk.project.settings["own_addresses"] == "us@desk.example"
