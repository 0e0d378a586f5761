"""Whole imports as a person lives them: a ticket export, mended rows, an overlap, an undone import, a crash."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from desireline.intake import (
    discard,
    edit_refused,
    guess_recipe,
    import_file,
    imports,
    preview,
    read_recipe,
    recover,
    refused_rows,
    replay,
    undo_import,
)
from desireline.storage.import_book import ImportBook
from desireline.storage.lake import Lake
from desireline.storage.state import State
from desireline.vocabulary.errors import DesirelineError
from desireline.vocabulary.handles import normalise

NOW = 1_800_000_000_000
TICKETS = """recipe: tickets
source: helpdesk
zone: Europe/Berlin
country_code: "49"
reading: {decimal: ","}
key: Id
every:
  case: {column: Id}
  handles: [{kind: phone, column: Phone}, {kind: email, column: Mail}]
interactions:
  - name: opened
    occurred_at: {column: Created, format: "%d.%m.%Y %H:%M"}
    touchpoint: ticket.opened
    channel: {column: Via, map: {Web: web}, otherwise: other}
    direction: inbound
    asks: true
    value: {column: Amount}
  - name: solved
    when: {Status: [solved]}
    occurred_at: {column: Solved}
    touchpoint: ticket.solved
    direction: outbound
"""
HEADER = "Id;Created;Via;Status;Solved;Phone;Mail;Amount;Note\n"
ANNA = "1;01.03.2026 10:00;Web;solved;2026-03-02T10:00:00Z;0170 1234567;Anna@X.org;1.234,56;hello\n"
BOB = "2;25.10.2026 02:30;Fax;open;;;Bob <bob@y.org>;;\n"
EVE = "3;31.02.2026 02:30;Web;open;;;eve@y.org;12;\n"


@dataclass
class Desk:
    """A project folder and its exports."""

    folder: Path
    lake: Lake
    state: State

    def take_in(self, text: str, *, import_id: str, recipe: str = TICKETS, name: str = "tickets.csv"):
        path = self.folder / name
        path.write_text(text)
        return import_file(
            lake=self.lake,
            state=self.state,
            path=path,
            recipe=read_recipe(recipe, name="r"),
            import_id=import_id,
            received_at=NOW,
        )

    def sql(self, text: str) -> list[tuple[object, ...]]:
        return self.lake.connection().execute(text).fetchall()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, Lake(tmp_path / "data" / "lake"), State(tmp_path / "data" / "state.sqlite"))


def test_one_ticket_becomes_two_interactions_with_one_person(desk: Desk):
    report = desk.take_in(HEADER + ANNA, import_id="one")
    assert (report.rows_read, report.made, report.rows_refused) == (1, 2, 0)
    rows = desk.sql(
        "SELECT touchpoint, occurred_at, handles, channel, value_minor, currency, properties, raw"
        " FROM interactions ORDER BY 1"
    )
    handles = ["email:anna@x.org", "phone:+491701234567"]
    nine_in_utc = 1_772_355_600_000
    assert rows[0] == (
        "ticket.opened",
        nine_in_utc,
        handles,
        "web",
        123_456,
        "EUR",
        '{"Note":"hello"}',
        "tickets.csv:1",
    )
    assert rows[1][:3] == ("ticket.solved", 1_772_445_600_000, handles)


def test_a_local_time_that_exists_twice_takes_the_first_and_says_so_f15(desk: Desk):
    desk.take_in(HEADER + BOB + "4;29.03.2026 02:30;Web;open;;;;;\n", import_id="one")
    assert desk.sql("SELECT occurred_at, time_quality, zone FROM interactions ORDER BY position") == [
        (1_792_888_200_000, "first_of_two", "Europe/Berlin"),
        (1_774_747_800_000, "did_not_exist", "Europe/Berlin"),
    ]


@pytest.mark.parametrize(
    ("created", "at", "quality"),
    [
        ("01.07.2026", "2026-07-01 10:00:00", "date_only"),
        ("01.07.2026 08:30", "2026-07-01 06:30:00", "exact"),
        ("25.10.2026", "2026-10-25 11:00:00", "date_only"),
    ],
)
def test_a_day_without_a_time_of_day_counts_as_noon_when_the_recipe_says_so(
    desk: Desk, created: str, at: str, quality: str
):
    noon = TICKETS.replace('format: "%d.%m.%Y %H:%M"}', 'format: ["%d.%m.%Y %H:%M", "%d.%m.%Y"], day_only_at: "12:00"}')
    desk.take_in(HEADER + f"1;{created};Web;open;;;anna@x.org;;\n", import_id="i1", recipe=noon)
    assert desk.sql("SELECT make_timestamp(occurred_at * 1000)::VARCHAR, time_quality FROM interactions") == [
        (at, quality)
    ]


def test_a_refused_row_is_mended_and_replayed_and_a_second_replay_adds_nothing(desk: Desk):
    desk.take_in(HEADER + ANNA + EVE, import_id="one")
    (refused,) = refused_rows(state=desk.state)
    assert refused.row == 2
    edit_refused(state=desk.state, number=refused.number, raw=refused.raw.replace("31.02", "28.02"), at=NOW)
    report = replay(lake=desk.lake, state=desk.state, numbers=[refused.number], import_id="again", received_at=NOW)
    assert report.made == 1
    assert desk.sql("SELECT source_key, raw, position FROM interactions WHERE import_id = 'again'") == [
        ("3:opened", "tickets.csv:2", 3)
    ]
    assert refused_rows(state=desk.state) == ()
    with pytest.raises(DesirelineError, match="no waiting rows"):
        replay(lake=desk.lake, state=desk.state, numbers=[refused.number], import_id="third", received_at=NOW)
    undo_import(lake=desk.lake, state=desk.state, import_id="again")
    assert [item.status for item in refused_rows(state=desk.state)] == ["waiting"]


def test_a_row_that_is_still_bad_stays_with_its_new_reason(desk: Desk):
    desk.take_in(HEADER + EVE, import_id="one")
    (refused,) = refused_rows(state=desk.state)
    edit_refused(state=desk.state, number=refused.number, raw="3;28.02.2026 10:00;Web", at=NOW)
    report = replay(lake=desk.lake, state=desk.state, numbers=[refused.number], import_id="again", received_at=NOW)
    assert report.made == 0
    assert "3 cells where the header has 9" in refused_rows(state=desk.state)[0].reason


def test_a_discarded_row_does_not_come_back_with_the_same_file(desk: Desk):
    desk.take_in(HEADER + EVE, import_id="one")
    assert discard(state=desk.state, numbers=[refused_rows(state=desk.state)[0].number], at=NOW) == 1
    assert desk.take_in(HEADER + EVE, import_id="two").newly_refused == 0
    assert refused_rows(state=desk.state) == ()


def test_an_overlapping_export_adds_only_what_is_new(desk: Desk):
    desk.take_in(HEADER + ANNA, import_id="march")
    report = desk.take_in(HEADER + ANNA + BOB, import_id="april")
    assert (report.made, report.already_known) == (1, 2)


def test_two_equal_rows_without_a_key_stay_two_and_the_file_again_adds_none(desk: Desk):
    recipe = "recipe: r\nsource: s\ninteractions:\n  - {occurred_at: at, touchpoint: seen}\n"
    text = "at,what\n2026-03-01,a\n2026-03-01,a\n2026-03-01,b\n"
    assert desk.take_in(text, import_id="one", recipe=recipe).made == 3
    again = desk.take_in(text, import_id="two", recipe=recipe)
    assert (again.made, again.already_known) == (0, 3)
    assert desk.take_in(text + "2026-03-01,a\n", import_id="three", recipe=recipe).made == 1


def test_an_import_is_undone_by_its_id_and_can_come_again(desk: Desk):
    desk.take_in(HEADER + ANNA + EVE, import_id="one")
    assert undo_import(lake=desk.lake, state=desk.state, import_id="one") == 2
    assert desk.sql("SELECT count(*) FROM interactions") == [(0,)]
    assert refused_rows(state=desk.state) == ()
    assert [entry["status"] for entry in imports(state=desk.state)] == ["undone"]
    assert desk.take_in(HEADER + ANNA + EVE, import_id="two").made == 2
    with pytest.raises(DesirelineError, match="no import 'zero'"):
        undo_import(lake=desk.lake, state=desk.state, import_id="zero")


def test_a_crash_before_the_part_is_written_leaves_nothing_and_after_it_everything(desk: Desk, monkeypatch):
    def crash(*_args: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(Lake, "take_part", crash)
    with pytest.raises(KeyboardInterrupt):
        desk.take_in(HEADER + ANNA + EVE, import_id="one")
    monkeypatch.undo()
    assert recover(lake=desk.lake, state=desk.state) == ("one",)
    assert imports(state=desk.state) == () and refused_rows(state=desk.state) == ()
    monkeypatch.setattr(ImportBook, "finish", crash)
    with pytest.raises(KeyboardInterrupt):
        desk.take_in(HEADER + ANNA + EVE, import_id="one")
    monkeypatch.undo()
    assert recover(lake=desk.lake, state=desk.state) == ()
    assert [entry["status"] for entry in imports(state=desk.state)] == ["done"]
    assert desk.sql("SELECT count(*) FROM interactions") == [(2,)]


def test_a_preview_takes_nothing_in(desk: Desk):
    (desk.folder / "t.csv").write_text(HEADER + ANNA + EVE)
    table = preview(desk.folder / "t.csv", read_recipe(TICKETS, name="r"))
    assert table.says == "2 rows would make 2 interactions; 1 would be refused."
    assert desk.lake.parts("interactions") == ()


def test_a_german_ticket_export_is_guessed_with_its_hidden_events(tmp_path: Path):
    path = tmp_path / "tickets_2026.csv"
    lines = [f"{n};{n:02d}.03.2026 10:00;E-Mail;kunde{n}@x.org;{n:02d}.03.2026 12:30;{n},50" for n in range(1, 29)]
    path.write_bytes(("Ticketnummer;Erstellt am;Kanal;E-Mail;Gelöst am;Betrag\n" + "\n".join(lines)).encode("latin-1"))
    guess = guess_recipe(path)
    assert {column.name: column.role for column in guess.columns} == {
        "Ticketnummer": "case",
        "Erstellt am": "time",
        "Kanal": "channel",
        "E-Mail": "handle:email",
        "Gelöst am": "time",
        "Betrag": "value",
    }
    assert guess.sure and guess.recipe is not None
    assert [shape.name for shape in guess.recipe.shapes] == ["opened", "solved"]
    assert (guess.reading.encoding, guess.reading.separator, guess.reading.decimal) == ("windows-1252", ";", ",")


def test_a_date_that_can_be_read_two_ways_is_asked_about(tmp_path: Path):
    path = tmp_path / "calls.csv"
    path.write_text("Date,Phone\n01/02/2026,+4917012345678\n03/04/2026,+4917012345679\n")
    guess = guess_recipe(path)
    (question,) = guess.questions
    assert question.about == "Date" and "either way round" in question.asks
    assert [choice for choice, _ in question.choices] == ["format:%d/%m/%Y", "format:%m/%d/%Y"]
    told = guess_recipe(path, answers={"Date": "format:%m/%d/%Y"})
    assert told.sure and told.recipe is not None
    assert told.recipe.shapes[0].occurred_at.formats == ("%m/%d/%Y",)


@pytest.mark.parametrize(
    ("values", "formats"),
    [
        (["1767225600", "1767225601"], "epoch_s"),
        (["1767225600000", "1767225600001"], "epoch_ms"),
        (["1767225600000000", "1767225600000001"], "epoch_us"),
        (["2026-01-01T00:00:00Z", "2026-01-01T00:00:01+02:00"], "iso"),
        (["3/25/2026 1:05 PM", "3/26/2026 11:00 AM"], "%m/%d/%Y %I:%M %p"),
    ],
)
def test_ways_to_write_a_moment_are_found_and_read(values: list[str], formats: str, desk: Desk):
    path = desk.folder / "log.csv"
    path.write_text("time,event\n" + "".join(f'"{value}",seen\n' for value in values))
    guess = guess_recipe(path)
    assert guess.recipe is not None
    assert guess.recipe.shapes[0].occurred_at.formats == (formats,)
    report = import_file(
        lake=desk.lake, state=desk.state, path=path, recipe=guess.recipe, import_id="x", received_at=NOW
    )
    assert report.made == 2


def test_a_qualtrics_export_with_three_header_rows_is_read(desk: Desk):
    text = (
        "RecordedDate,Q1,ResponseId\n"
        '"Recorded Date","How likely?\nTell us",Response ID\n'
        '"{""ImportId"":""recordedDate""}","{""ImportId"":""QID1""}","{""ImportId"":""_recordId""}"\n'
        "2026-03-01 10:00:00,9,R_1\n"
    )
    recipe = "recipe: q\nsource: q\nkey: ResponseId\ninteractions:\n"
    recipe += "  - {occurred_at: RecordedDate, touchpoint: rated, score: {column: Q1}}\n"
    assert desk.take_in(text, import_id="one", recipe=recipe).made == 1
    assert desk.sql("SELECT score, source_key FROM interactions") == [(9.0, "R_1")]


def test_the_sql_spelling_of_handles_is_the_same_as_the_words(desk: Desk):
    cases = {
        "email": ["Anna@X.org", "Bob <BOB@y.org>", "mailto:c@d.de", "no", "a b@c", "<x@y>", "none"],
        "phone": [
            "0170 123 45 67",
            "+49 (0)170 1234567",
            "0049170-1234567",
            "1701234567",
            "491701234567",
            "000",
            "123",
            "tel:0301234 ext. 5",
        ],
        "card": ["4111 1111 1111 1111", "4111-1111-1111-1111", "**** 1111", "123"],
        "social": ["mastodon/@Anna", "@Bob", "x/", "N/A"],
        "crm": ["A-1", "null", "ä"],
    }
    for kind, values in cases.items():
        recipe = (
            f'recipe: r\nsource: {kind}\ncountry_code: "49"\nkey: n\ninteractions:\n'
            f"  - {{occurred_at: at, touchpoint: seen, handles: [{{kind: {kind}, column: h}}]}}\n"
        )
        text = "n;at;h\n" + "".join(f"{n};2026-01-01;{value}\n" for n, value in enumerate(values))
        desk.take_in(text, import_id=kind, recipe=recipe)
        found = dict(desk.sql(f"SELECT source_key, handles FROM interactions WHERE source = '{kind}'"))
        for n, value in enumerate(values):
            spelled = normalise(kind, value, country_code="49")
            assert found[str(n)] == ([spelled] if spelled else None), value


def test_every_mistake_of_a_recipe_is_told_with_its_place():
    with pytest.raises(DesirelineError) as raised:
        read_recipe(
            "recipe: a\nsorce: b\ninteractions:\n  - occurred_at: {colum: x}\n    direction: inbond\n", name="bad.yaml"
        )
    said = str(raised.value)
    for part in (
        "line 2, column 1: unknown word 'sorce'. Did you mean 'source'?",
        "unknown word 'colum'",
        "Did you mean 'inbound'?",
    ):
        assert part in said
