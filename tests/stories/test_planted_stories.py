"""The demo as its first visitor meets it: the planted stories are found from the files, on the command line."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from desireline.faces.cli.app import app
from desireline.project.planted import CAUSES

pytestmark = pytest.mark.long
PEOPLE = 400
Ask = Callable[..., Any]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stories") / "bank"
    made = CliRunner().invoke(app, ["demo", str(folder), "--people", str(PEOPLE), "--only-make"])
    assert made.exit_code == 0, made.output
    return folder


@pytest.fixture(scope="session")
def ask(demo: Path) -> Ask:
    def asked(*words: str) -> Any:
        told = CliRunner().invoke(app, [*words, "--project", str(demo), "--json"])
        assert told.exit_code == 0, told.output
        return json.loads(told.stdout)

    return asked


@pytest.fixture(scope="session")
def check(ask: Ask) -> Any:
    return ask("world-check")


def truth(demo: Path, name: str) -> list[dict[str, str]]:
    with (demo / "world" / "truth" / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def customer_of(demo: Path, story: str) -> dict[str, str]:
    number = next(row["person"] for row in truth(demo, "stories.csv") if row["story"] == story)
    return next(row for row in truth(demo, "people.csv") if row["person"] == number)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace(" UTC", "+00:00"))


def began(demo: Path, story: str) -> int:
    return next(int(row["begins_ms"]) for row in truth(demo, "stories.csv") if row["story"] == story)


def test_each_story_s_customer_is_one_person_by_every_handle(demo: Path, ask: Ask) -> None:
    persons = []
    for story in truth(demo, "stories.csv"):
        customer = customer_of(demo, story["story"])
        known_by = [customer[kind].removeprefix("@") for kind in ("crm", "email", "phone", "social", "device")]
        found = {ask("person", handle)["notes"]["person"] for handle in known_by}
        assert len(found) == 1, story
        persons += found
    assert len(set(persons)) == len(persons) == 4


def test_anna_who_sent_2000_instead_of_200_has_it_undone_and_stays(demo: Path, ask: Ask) -> None:
    line = ask("person", customer_of(demo, "transfer")["email"])
    seen = {
        row["touchpoint"]: row
        for row in line["rows"]
        if row["topic"] == "transfer" and "2024-05-15" in row["occurred_at"]
    }
    told, decided = seen["transfer.mistake_reported"], seen["transfer.decided"]
    assert moment(told["occurred_at"]).timestamp() - moment(seen["transfer.made"]["occurred_at"]).timestamp() == 20 * 60
    assert told["channel"] == "phone"
    assert moment(decided["occurred_at"]).timestamp() - moment(told["occurred_at"]).timestamp() == 10 * 60
    kept = ask("ledger", "--promise", "undone-by-who-answers", "--person", str(line["notes"]["person"]))["rows"]
    assert ("kept", told["id"]) in [(row["verdict"], row["opening_id"]) for row in kept]
    assert moment(line["rows"][-1]["occurred_at"]).year == 2025, "she is a customer to the end of the three years"


def test_bruno_s_fraud_alert_ends_with_the_promised_note_and_the_summary(demo: Path, ask: Ask) -> None:
    line = ask("person", customer_of(demo, "fraud")["phone"])
    kept = {
        promise: [row for row in rows if row["verdict"] == "kept"]
        for promise in ("called-at-once", "told-when-settled", "in-the-summary")
        if (rows := ask("ledger", "--promise", promise, "--person", str(line["notes"]["person"]))["rows"])
    }
    by_id = {row["id"]: row for row in line["rows"]}
    walk = []
    opening = next(row["id"] for row in line["rows"] if row["occurred_at"].startswith("2025-02-11 13:40"))
    walk.append(by_id[opening]["touchpoint"])
    called = next(row for row in kept["called-at-once"] if row["opening_id"] == opening)
    walk.append(by_id[called["settling_id"]]["channel"])
    note = next(row for row in kept["told-when-settled"] if row["key"] == called["key"])
    walk += [by_id[note["opening_id"]]["touchpoint"], by_id[note["settling_id"]]["touchpoint"]]
    summary = next(row for row in kept["in-the-summary"] if row["opening_id"] == note["settling_id"])
    walk.append(by_id[summary["settling_id"]]["touchpoint"])
    assert walk == ["fraud.alert_sent", "phone", "fraud.proof_received", "fraud.settled_note", "summary.sent"]


def test_twenty_followers_are_answered_as_soon_as_half_a_million(demo: Path, ask: Ask) -> None:
    answers = []
    for story in ("twenty-followers", "half-a-million-followers"):
        person = ask("person", customer_of(demo, story)["email"])["notes"]["person"]
        rows = ask("ledger", "--promise", "everyone-answered", "--person", str(person))["rows"]
        answers.append(
            [
                (row["verdict"], (row["settled_at"] - row["opened_at"]) / 60_000)
                for row in rows
                if row["opened_at"] == began(demo, story) and row["channel"] == "social"
            ]
        )
    assert answers == [[("kept", 25.0)], [("kept", 25.0)]]


def test_three_promises_to_whoever_loses_a_card_burn_red(demo: Path) -> None:
    told = CliRunner().invoke(app, ["check", "--project", str(demo), "--json"])
    assert told.exit_code == 1
    burning = {row["promise"] for row in json.loads(told.stdout)["findings"] if row["map"] == "lost-card"}
    assert burning == {"told-by-a-person", "new-card-in-days", "once-is-enough"}


def test_contact_grows_by_more_than_a_fifth_every_year(ask: Ask) -> None:
    years = dict.fromkeys(("2023", "2024", "2025"), 0)
    for row in ask("census")["rows"]:
        if row["month"] < "2026":
            years[row["month"][:4]] += row["interactions"]
    growth = [years["2024"] / years["2023"], years["2025"] / years["2024"]]
    assert growth == pytest.approx([1.226, 1.226], abs=0.06)


def test_from_the_files_nearly_every_planted_breach_is_found_and_every_difference_has_its_cause(check: Any) -> None:
    assert check["recall"] > 0.97
    assert check["precision"] > 0.94
    assert check["faults"] == 0
    assert {part for row in check["causes"] for part in row["cause"].split(" and ")} <= set(CAUSES)
    assert {"refused", "withheld", "shared"} <= {row["cause"] for row in check["causes"]}


def test_a_kiosk_s_cookie_and_noreply_join_nobody(check: Any) -> None:
    strangers = {row["handle"]: row["joined"] for row in check["strangers"]}
    assert {"ck-kiosk-01", "noreply@harbour-bank.example"} <= set(strangers)
    assert set(strangers.values()) == {0}, "nor does any mistyped handle"
    pairs = {row["what"]: row for row in check["people"]}
    assert all(row["precision"] == 1.0 for row in pairs.values()), "nobody is joined with a stranger"
    assert pairs["strong handles"]["recall"] == pairs["handles seen with another"]["recall"] == 1.0
