"""Imports come and are undone; the lake says who is who, and people are found."""

import json
from pathlib import Path

import duckdb
import pytest

from desireline.people import find, update
from desireline.storage.identity import handle_id
from desireline.storage.lake import Lake
from desireline.vocabulary.errors import DesirelineError


def take_in(lake: Lake, part: str, *rows: list[str]) -> None:
    """One import: each row the handles of one interaction."""
    values = json.dumps([{"handles": row} for row in rows])
    with lake.connection() as connection:
        connection.execute("SET VARIABLE given = ?", [values])
        lake.write_part(
            "interactions",
            part,
            "SELECT row_number() OVER () AS id, 1000 AS occurred_at, j.handles AS handles FROM "
            "(SELECT unnest(from_json(getvariable('given'), '[{\"handles\": [\"VARCHAR\"]}]')) AS j)",
            connection,
        )


def who(lake: Lake, text: str) -> int:
    kind, _, value = text.partition(":")
    with lake.connection() as connection:
        found = connection.execute("SELECT person FROM handles WHERE handle = ?", [handle_id(kind, value)]).fetchone()
    assert found
    return int(found[0])


def table(lake: Lake, name: str) -> list[tuple[object, ...]]:
    with lake.connection() as connection:
        return connection.execute(f"SELECT * FROM {name} ORDER BY ALL").fetchall()


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def test_anna_who_wrote_and_phoned_is_one_person_and_her_cookie_goes_with_her(lake: Lake) -> None:
    take_in(lake, "mail", ["crm:1", "email:anna@x.org"], ["email:anna@x.org", "cookie:c1"], ["email:ben@x.org"])
    take_in(lake, "calls", ["crm:1", "phone:+491701"])
    changed = update(lake).changes
    anna = min(handle_id("crm", "1"), handle_id("email", "anna@x.org"), handle_id("phone", "+491701"))
    assert {who(lake, one) for one in ("crm:1", "email:anna@x.org", "phone:+491701", "cookie:c1")} == {anna}
    assert who(lake, "email:ben@x.org") == handle_id("email", "ben@x.org")
    assert len(changed) == 3 and set(changed.new_person.tolist()) == {anna}
    assert len(update(lake).changes) == 0


@pytest.mark.parametrize("keeps_directory", [False, True])
def test_an_import_undone_leaves_no_trace(lake: Lake, keeps_directory: bool) -> None:
    take_in(lake, "mail", ["crm:1", "email:anna@x.org"], ["crm:2", "email:ben@x.org"])
    first = update(lake)
    before = table(lake, "handles"), table(lake, "links")
    take_in(lake, "wrong", ["crm:1", "crm:2"], ["crm:2", "phone:+4930999"])
    second = update(lake, first.directory if keeps_directory else None)
    assert who(lake, "email:anna@x.org") == who(lake, "email:ben@x.org")
    lake.remove_part("interactions", "wrong")
    third = update(lake, second.directory if keeps_directory else None)
    assert (table(lake, "handles"), table(lake, "links")) == before
    there = zip(second.changes.handles, second.changes.old_person, second.changes.new_person, strict=True)
    back = zip(third.changes.handles, third.changes.new_person, third.changes.old_person, strict=True)
    assert set(there) == set(back)


def test_day_by_day_with_the_directory_ends_as_all_at_once(lake: Lake, tmp_path: Path) -> None:
    days = {
        f"day{day}": [[f"crm:{day % 7}", f"email:{day % 5}@x.org"], [f"email:{day % 5}@x.org", f"cookie:{day % 3}"]]
        for day in range(12)
    }
    kept = None
    for day, rows in days.items():
        take_in(lake, day, *rows)
        kept = update(lake, kept).directory
    at_once = Lake(tmp_path / "at_once")
    for day, rows in days.items():
        take_in(at_once, day, *rows)
    update(at_once)
    assert table(lake, "handles") == table(at_once, "handles")


def test_noreply_and_placeholders_join_nobody_and_say_why(lake: Lake) -> None:
    take_in(
        lake,
        "mail",
        ["crm:1", "email:noreply@bank.example"],
        ["crm:2", "email:noreply@bank.example"],
        ["crm:1", "email:test@test.com"],
        ["crm:2", "email:test@test.com"],
        ["crm:3", "phone:+490000000", "cookie:00000000-0000"],
        ["crm:4", "phone:+490000000", "cookie:00000000-0000"],
    )
    update(lake)
    assert len({who(lake, f"crm:{n}") for n in range(1, 5)}) == 4
    with lake.connection() as connection:
        reasons = dict(connection.execute("SELECT value, reason FROM handles WHERE shared").fetchall())
    assert reasons == {
        "noreply@bank.example": "a sender that nobody reads, not a person",
        "test@test.com": "a placeholder address, not a person",
        "+490000000": "a number made up of one digit",
        "00000000-0000": "a number of zeros",
    }


def test_an_interaction_of_a_whole_mailing_list_joins_nobody(lake: Lake) -> None:
    take_in(lake, "list", [f"email:{n}@x.org" for n in range(17)], [f"email:{n}@y.org" for n in range(16)])
    update(lake)
    assert len({who(lake, f"email:{n}@x.org") for n in range(17)}) == 17
    assert len({who(lake, f"email:{n}@y.org") for n in range(16)}) == 1


def test_anna_is_found_by_anything_she_is_known_by(lake: Lake) -> None:
    take_in(lake, "mail", ["crm:4711", "email:anna.berg@x.org", "phone:+491701234567", "loyalty:L9"])
    take_in(lake, "more", ["email:hanna.berg@x.org"], ["email:berg@anna.org"])
    update(lake)
    anna = who(lake, "crm:4711")
    for text in ("crm:4711", "4711", "Anna.Berg@x.org", " email:anna.berg@X.org", "0170 123 45 67", "L9", str(anna)):
        assert find(lake, text)[0].person == anna, text
    first, *others = find(lake, "anna.berg")
    assert (first.person, first.name, first.nearness) == (anna, "a...g@x.org", 2)
    assert first.handles == ("crm:4711", "email:anna.berg@x.org", "phone:+491701234567", "loyalty:L9")
    assert [one.handles for one in others] == [("email:hanna.berg@x.org",)]


def test_who_finds_nobody_is_told_the_nearest(lake: Lake) -> None:
    take_in(lake, "mail", ["email:anna.berg@x.org"])
    update(lake)
    with pytest.raises(DesirelineError, match=r"nobody is known by 'ana.berg@x.org'.*anna.berg@x.org"):
        find(lake, "ana.berg@x.org")
    with pytest.raises(DesirelineError, match="Try an e-mail address"):
        find(lake, "zzzz")
    with pytest.raises(DesirelineError, match="nothing to find"):
        find(lake, "  ")


def test_an_empty_lake_has_nobody(lake: Lake) -> None:
    assert len(update(lake).changes) == 0
    with pytest.raises(DesirelineError):
        find(lake, "anna")


def test_a_crash_before_the_links_are_written_is_mended_by_the_next_update(lake: Lake) -> None:
    take_in(lake, "mail", ["crm:1", "email:anna@x.org"])
    update(lake)
    lake.remove_part("links", "mail")
    assert len(update(lake).changes) == 0
    assert lake.parts("links") == ("mail",)
    assert isinstance(lake.connection(), duckdb.DuckDBPyConnection)
