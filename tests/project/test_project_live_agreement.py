"""Batch and live ledger are equal: random journeys come in live, in any order, late, twice, with restarts between.

All of it comes in at the collector's door, but for a file now and then, which is imported while more comes in.
Whenever it is looked at, the ledger that was kept up turn by turn is what the plain judge says of the same
interactions at that moment, and the lake holds each of them once. `DESIRELINE_AGREEMENT=2000` tries that many.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from ruamel.yaml import YAML

from desireline import intake
from desireline.project import Project, digests, new_project, rebuild
from desireline.storage.journey_store import store
from desireline.vocabulary.interaction import BY_COLUMN
from project.door import Door
from project.live_desk import DAY_MS, HOUR_MS, Desk, FakeClock, at_work, iso
from promises.plain_judge import judge as plain_judge
from promises.random_logs import CALENDARS, Case, random_case

CASES = int(os.environ.get("DESIRELINE_AGREEMENT", "6"))
FIRST_SEED = int(os.environ.get("DESIRELINE_AGREEMENT_SEED", "0"))
FIELDS = (
    *("map", "promise", "person", "key", "channel", "opening_id", "opened_at", "due_at", "settled_at", "verdict"),
    *("breach", "lateness_seconds", "settling_id", "breaking_id", "made_good_at", "made_good_id"),
)
KNOWN = {name: calendar for name, calendar in CALENDARS.items() if name != "nights"}
"""Opening hours over midnight are no opening hours of a project file."""
TAKEN = (
    *("touchpoint", "channel", "direction", "topic", "case", "order", "hands", "role", "power", "consent", "text"),
    *("score", "value", "asks", "answers", "currency"),
)
FILE_SHARE = 0.03
"""So many of the messages bring a file along, with some that follow."""
WITHOUT_A_TURN = ("looking at the file", "reading", "making interactions", "looking for repeats", "journey store")
"""What an import does while others have the turn."""


@pytest.mark.long
@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + CASES))
def test_batch_and_live_ledger_are_equal(tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    random = Random(seed)
    if seed % 2:
        monkeypatch.setattr(store, "_MANY_ROWS", 0)
    case = usable_case(seed)
    folder, clock = tmp_path / "live", FakeClock(min(one["occurred_at"] for log in case.logs for one in log))
    maps = make_project(folder, case)
    day = Day(random, clock, list(arrivals(random, case)))
    with ExitStack() as server:
        day.begin(server.enter_context(at_work(folder, clock)))
        while day.coming:
            day.next_message()
            if random.random() < FILE_SHARE:
                day.import_a_file(tmp_path / "files")
            if random.random() < 0.1:
                day.end()
                server.close()
                day.begin(server.enter_context(at_work(folder, clock)))
            elif random.random() < 0.4:
                day.desk.live.turn()
                if random.random() < 0.3:
                    compare(day.desk, maps)
        desk = day.desk
        for _ in range(6):
            clock.move(random.choice((1, 600_000, 5 * HOUR_MS, 3 * DAY_MS, 40 * DAY_MS)))
            desk.live.turn()
            compare(desk, maps)
        rows = interactions_of(desk.project)
        assert {(row["source"], row["source_key"]) for row in rows} == day.sent and len(rows) == len(day.sent)
        before = digests(desk.project)
        assert desk.project.store.verify() == ()
        day.end()
    project = Project(folder, now=clock)
    rebuild(project, progress=lambda _share, _what: None)
    assert digests(project) == before


class Day:
    """What comes in, in the order in which it does, and the desk at which it arrives."""

    def __init__(self, random: Random, clock: FakeClock, coming: list[tuple[int, dict[str, Any]]]) -> None:
        self.random, self.clock, self.coming = random, clock, coming[::-1]
        self.sent: set[tuple[str, str]] = set()
        self.files = 0

    def begin(self, desk: Desk) -> None:
        """Open the door."""
        self.desk, self.door = desk, Door(desk)

    def end(self) -> None:
        """Close the door."""
        self.door.close()

    def next_message(self) -> None:
        """The next message comes in at the door."""
        moment, message = self.coming.pop()
        self.clock.at = max(self.clock.at, moment)
        self.door.hand_in(message["source"], msgspec.json.encode(message["body"]))
        self.sent.add((message["source"], message["body"]["id"]))

    def import_a_file(self, folder: Path) -> None:
        """Some messages of one source come in a file; more come in at the door while it is imported."""
        source, count = self.random.choice("ab"), self.random.randint(1, 12)
        written = [each for each in self.coming[-3 * count :] if each[1]["source"] == source][:count]
        chosen = [message for _, message in written]
        if not chosen:
            return
        self.files += 1
        folder.mkdir(exist_ok=True)
        path = folder / f"{source}-{self.files}.jsonl"
        path.write_bytes(b"".join(msgspec.json.encode(as_row(each["body"])) + b"\n" for each in chosen))
        self.clock.at = max(self.clock.at, *(moment for moment, _ in written))
        self.desk.project.imports.take([(path, recipe_of(source))], progress=self._meanwhile)
        self.sent |= {(source, each["body"]["id"]) for each in chosen}

    def _meanwhile(self, _share: float, doing: str) -> None:
        """What happens at the door while an import works without having the turn."""
        if doing not in WITHOUT_A_TURN:
            return
        while self.coming and self.random.random() < 0.5:
            self.next_message()
        if self.random.random() < 0.5:
            self.desk.live.turn()


def recipe_of(source: str) -> intake.Recipe:
    """How the files of a source are read."""
    fields = "".join(f"    {name}: {{column: {name}}}\n" for name in TAKEN)
    text = f"""
recipe: {source}
source: {source}
reading: {{format: jsonl}}
key: id
interactions:
  - occurred_at: {{column: occurred_at}}
    handles: [{{kind: customer, column: customer}}]
    properties: none
{fields}"""
    return intake.read_recipe(text, name="recipe")


def as_row(body: dict[str, Any]) -> dict[str, Any]:
    """A message as a line of a file, which knows less: what it holds besides is left out."""
    handles = body.get("handles", [{}])
    plain = {name: value for name, value in body.items() if name not in ("handles", "data")}
    return plain | {"customer": handles[0].get("value")}


def usable_case(seed: int) -> Case:
    """A random case whose maps a project can hold: one version each, calendars of a project file."""
    case = random_case(seed, 6, sizes=(3, 8, 14))
    newest: dict[str, dict[str, Any]] = {}
    for _, version in case.versions:
        newest.setdefault(version["map"], json.loads(json.dumps(version).replace('"nights"', '"island"')))
    return case.with_versions(*((0, each) for each in newest.values()))


def make_project(folder: Path, case: Case) -> list[tuple[int, dict[str, Any]]]:
    project = new_project(folder)
    calendars = {
        name: each | {"closed": [date.fromisoformat(day) for day in each.get("closed", ())]}
        for name, each in KNOWN.items()
    }
    with (folder / "desireline.yaml").open("w", encoding="utf-8") as file:
        YAML().dump({"format": 1, "name": "live", "calendar": "default", "calendars": calendars}, file)
    for _, each in case.versions:
        (folder / "maps" / f"{each['map']}.yaml").write_text(json.dumps(each), encoding="utf-8")
    project = Project(folder)
    for source in ("a", "b"):
        project.sources.add(source, dialect="webhook", server_side=True, unsigned=True)
    project.state.close()
    return list(case.versions)


def arrivals(random: Random, case: Case) -> Iterator[tuple[int, dict[str, Any]]]:
    """Every interaction at the moment it arrives: at once, late, much too late; some twice. In order of arrival."""
    found = []
    for number, one in enumerate(one for log in case.logs for one in log):
        message = message_of(number, one)
        for _ in range(random.choice((1, 1, 1, 2))):
            late = random.choice((0, 0, 5_000, random.randrange(2 * DAY_MS), random.randrange(45 * DAY_MS)))
            found.append((one["occurred_at"] + late, random.random(), message))
    return ((moment, message) for moment, _, message in sorted(found, key=lambda each: each[:2]))


def message_of(number: int, one: dict[str, Any]) -> dict[str, Any]:
    """An interaction as a webhook in our own words."""
    words = {name: value for name, value in one.items() if name not in ("id", "source", "position", "person")}
    properties = words.pop("properties", None)
    body = words | {"id": f"i{number}", "occurred_at": iso(words["occurred_at"]), "currency": "EUR"}
    body.setdefault("touchpoint", "something.happened")
    if one.get("person") is not None:
        body["handles"] = [{"kind": "customer", "value": f"p{one['person']}"}]
    return {"source": one["source"], "body": body | ({"data": properties} if properties else {})}


def interactions_of(project: Project) -> list[dict[str, Any]]:
    """What the lake holds, in the words of the plain judge."""
    with project.lake.connection() as connection:
        found = connection.execute(
            "SELECT interactions.*, handles.person FROM interactions LEFT JOIN handles USING (handle)"
        )
        names = [each[0] for each in found.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    return [in_words(row) for row in rows]


def in_words(row: dict[str, Any]) -> dict[str, Any]:
    named = {BY_COLUMN[name].name if name in BY_COLUMN else name: value for name, value in row.items()}
    words = {name: value for name, value in named.items() if value is not None}
    if "properties" in words:
        words["properties"] = json.loads(words["properties"])
    return words


def compare(desk: Desk, maps: list[tuple[int, dict[str, Any]]]) -> None:
    """The ledger in force is what the plain judge says at this moment."""
    expected = plain_judge(interactions_of(desk.project), maps, KNOWN, desk.clock())
    with desk.project.lake.connection() as connection:
        found = connection.execute(f"SELECT {', '.join(FIELDS)} FROM ledger").fetchall()
    live = {row[:2] + row[5:6]: row for row in found}
    plain = {(row["map"], row["promise"], row["opening_id"]): tuple(row[name] for name in FIELDS) for row in expected}
    assert live == plain
