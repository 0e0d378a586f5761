"""One bank, a few customers, and what the questions say about them."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from desireline.journeys import (
    GapRule,
    Lane,
    MapRule,
    Which,
    flow,
    flow_people,
    funnel,
    funnel_people,
    journeys_table,
    lived_flow,
    relationship,
    retention,
    standalone,
    stitch,
    transitions,
    variants,
    warm,
    write_journeys,
)
from desireline.journeys.flow_picture import flow_picture
from desireline.journeys.svg import channel_fill
from desireline.storage.journey_store import snapshot_from_rows
from desireline.storage.lake import Lake
from desireline.vocabulary.errors import DesirelineError

DAY = 86_400_000
ANNA, BEN, CARA = 11, 22, 33


def interaction(person, day, touchpoint, channel, **more):
    return {"person": person, "occurred_at": int(day * DAY), "touchpoint": touchpoint, "channel": channel, **more}


@pytest.fixture
def bank():
    rows = [
        interaction(ANNA, 0, "card.lost", "phone", topic="card", direction="inbound", asks=True),
        interaction(ANNA, 0.1, "card.blocked", "sms", topic="card", direction="outbound"),
        interaction(ANNA, 2, "card.lost", "phone", topic="card", direction="inbound", asks=True),
        interaction(ANNA, 5, "card.used", "branch", value=1200),
        interaction(BEN, 40, "card.lost", "web", topic="card", direction="inbound"),
        interaction(BEN, 41, "newsletter", "email", direction="outbound"),
        interaction(BEN, 43, "card.blocked", "sms", topic="card", direction="outbound"),
        interaction(CARA, 70, "card.lost", "phone", topic="card", direction="inbound"),
        interaction(None, 71, "page.seen", "web"),
    ]
    return snapshot_from_rows(rows, bucket_count=2)


def is_picture(svg):
    assert ElementTree.fromstring(svg).tag.endswith("svg")
    assert "style=" not in svg and "<style" not in svg and "<script" not in svg
    return True


def test_anna_had_to_call_twice(bank):
    found = stitch(bank, converts="card.used")
    anna = found.person.tolist().index(ANNA)
    assert (found.steps[anna], found.channel_hops[anna], found.repeat_contacts[anna]) == (4, 3, 1)
    assert found.converted.tolist().count(True) == 1
    says = journeys_table(bank, found).says
    assert "3 journeys of 3 people" in says and "1 (33%) somebody had to come back" in says


def test_flow_funnel_and_list_of_people_give_the_same_number(bank):
    for which in (Which(), Which(from_ms=39 * DAY), Which(channels=("phone",)), Which(people=[ANNA, BEN])):
        drawn = flow(bank, start="card.lost", which=which)
        people = flow_people(bank, drawn, column=0, label="card.lost")
        table = funnel(bank, ["card.lost"], which=which, by_channel=False)
        assert drawn.people == len(people) == table["people"][0]
        assert people.tolist() == funnel_people(bank, ["card.lost"], reached=1, which=which).tolist()


def test_leavers_and_loops_are_drawn(bank):
    drawn = flow(bank, start="card.lost", steps=3)
    first = drawn.node(0, "card.lost")
    assert (first.ended, first.people) == (1, 3)
    assert drawn.node(2, "card.lost").again == 1
    assert any(link.target == "(end)" for link in drawn.links)
    picture = flow_picture(drawn, link_to=lambda column, label, to: f"/people?step={column}&label={label}")
    assert is_picture(picture) and 'href="/people?step=0&amp;label=card.lost"' in picture and "(end) 1" in picture


def test_flow_stops_where_it_is_told(bank):
    drawn = flow(bank, start="card.lost", ends="card.blocked")
    assert {link.target for link in drawn.links} <= {"card.blocked", "newsletter", "(end)"}


def test_how_people_came_to_a_step(bank):
    drawn = flow(bank, start="card.blocked", anchor="ends", steps=2)
    assert {(link.source, link.target) for link in drawn.links} == {
        ("card.lost", "card.blocked"),
        ("newsletter", "card.blocked"),
        ("(begin)", "card.lost"),
    }
    assert flow_people(bank, drawn, column=0, label="newsletter", to="card.blocked").tolist() == [BEN]
    assert flow_people(bank, drawn, column=0, label="card.lost").tolist() == [ANNA]
    assert flow_people(bank, drawn, column=0, label="card.lost", to="(begin)").tolist() == [ANNA]
    assert "came to card.blocked" in drawn.says and is_picture(drawn._repr_svg_())


def test_a_flow_by_channel_or_topic(bank):
    assert flow(bank, by="channel").node(0, "phone").people == 2
    assert flow(bank, by="topic").node(0, "card").people == 3


def test_segments_pick_people_journeys_or_interactions(bank):
    value = {"topic": "card"}
    assert flow(bank, which=Which(where=value)).node(0, "card.lost").people == 3
    lengths = {
        name: int(stitch(bank, which=Which(where=value, where_in=name)).steps.sum())
        for name in ("people", "journeys", "interactions")
    }
    assert lengths == {"people": 8, "journeys": 8, "interactions": 6}
    assert len(stitch(bank, which=Which(where={"channel": "email"}, where_in="journeys"))) == 1
    assert len(stitch(bank, which=Which(where={"asks": "yes"}))) == 1
    assert len(stitch(bank, which=Which(where={"value": 1200}))) == 1
    assert len(stitch(bank, which=Which(touchpoints=("card.*",), people=[BEN]))) == 1


def test_the_lost_card_lived_beside_the_design(bank):
    def rows_of(name):
        return lambda bucket: np.asarray(bucket.column("touchpoint") == bank.code("touchpoint", name), np.uint8)

    lived = lived_flow(
        bank,
        begins=rows_of("card.lost"),
        ends=rows_of("card.used"),
        quiet_ms=10 * DAY,
        map_name="lost-card",
        lanes=[Lane("report", "card.lost"), Lane("block", mask_of=rows_of("card.blocked")), Lane("use", "card.used")],
    )
    assert dict(lived.ended) == {"open": 1, "quiet": 1, "ends": 1}
    assert lived.step("block").left == 1 and lived.step("report").repeats == 1
    assert lived.step("report").other_after == {"email": 1}
    back = next(link for link in lived.links if (link.source, link.target) == ("block", "report"))
    assert not back.forward and back.journeys == 1
    assert "1 reached the end" in lived.says and "back from block to report" in lived.says
    assert is_picture(lived._repr_svg_()) and "lost-card" in lived.counted
    assert "fell_silent" in str(lived) and lived._repr_html_().startswith("<figure>")
    assert len(lived.links_table()) == len(lived.links)


def test_annas_line_of_years(bank):
    anna = relationship(bank, ANNA)
    assert [each["touchpoint"] for each in anna.interactions] == ["card.lost", "card.blocked", "card.lost", "card.used"]
    assert anna.channels == ("phone", "branch", "sms") and len(anna.journeys) == 1
    assert is_picture(anna._repr_svg_()) and "4 interactions in 1 journeys on 3 channels" in anna.says
    assert "card.used" in str(anna) and "<table>" in anna._repr_html_()
    with pytest.raises(DesirelineError, match="no person 99"):
        relationship(bank, 99)


def test_a_very_busy_line_of_years_groups_its_marks():
    rows = [interaction(ANNA, at / 100, "app.opened", "app") for at in range(3_100)]
    picture = relationship(snapshot_from_rows(rows), ANNA)._repr_svg_()
    assert picture.count("<circle") < 1_000 and "more</title>" in picture


def test_who_came_back():
    rows = [interaction(ANNA, day, "visit", "web") for day in (0, 40, 100)] + [interaction(BEN, 3, "visit", "web")]
    table = retention(snapshot_from_rows(rows))
    assert list(table["cohort"]) == ["1970-01"] * 4
    assert list(table["people"]) == [2, 1, 0, 1] and list(table["share"]) == [1.0, 0.5, 0.0, 0.5]
    assert table.says == "Of 2 people, 1 (50%) were seen again in month 3 after their first."
    assert is_picture(table.picture)


def test_journeys_are_written_to_the_lake_with_their_key(bank, tmp_path):
    lake = Lake(tmp_path / "lake")
    rule = MapRule("lost-card", lambda bucket: np.asarray(bucket.column("touchpoint") >= 0, np.uint8), key="case")
    assert write_journeys(lake, bank, [GapRule(), rule]) == {"by-gaps": 3, "map-lost-card": 3}
    rows = list(lake.sql("SELECT map, ended, first_channel, steps FROM journeys ORDER BY map, started_at").rows())
    assert rows[0] == {"map": "", "ended": "quiet", "first_channel": "phone", "steps": 4}
    assert write_journeys(lake, bank) == {"by-gaps": 3}
    assert lake.parts("journeys") == ("by-gaps",)


def test_unknown_words_are_refused_with_the_nearest_one(bank):
    questions = [
        (lambda: flow(bank, start="card.lsot"), "Did you mean 'card.lost'"),
        (lambda: flow(bank, by="chanel"), "Did you mean 'channel'"),
        (lambda: flow(bank, anchor="middle"), "'middle' is no anchor"),
        (lambda: flow(bank, which=Which(where={"topci": "card"})), "Did you mean 'topic'"),
        (lambda: flow(bank, which=Which(channels=("fone",))), "Did you mean 'phone'"),
        (lambda: funnel(bank, []), "a funnel of 0 steps"),
        (lambda: funnel_people(bank, ["card.lost"], reached=2), "no step 2"),
        (lambda: stitch(bank, rule=GapRule(30, ("card.usd",))), "Did you mean 'card.used'"),
        (lambda: MapRule("m", lambda bucket: np.zeros(0, np.uint8), key="cases"), "Did you mean 'case'"),
        (lambda: stitch(bank, which=Which(where={"asks": "maybe"})), "neither yes nor no"),
        (lambda: flow_people(bank, flow(bank), column=9, label="x"), "no column 9"),
        (lambda: flow_people(bank, flow(bank), column=0, label="card.lots"), "Did you mean 'card.lost'"),
    ]
    for ask, says in questions:
        with pytest.raises(DesirelineError, match=says):
            ask()


def test_nothing_is_asked_of_an_empty_log():
    empty = snapshot_from_rows([])
    assert flow(empty).says == "No journey took this path."
    assert len(stitch(empty)) == 0 and len(transitions(empty)) == 0 and len(variants(empty).table) == 0
    assert retention(empty).says == "Nobody was seen."


def test_tables_print_and_draw(bank):
    assert "How this is counted" in str(flow(bank)) and "<svg" in flow(bank)._repr_html_()
    assert "card.lost" in str(flow(bank).steps_table())
    assert "<table>" in variants(bank)._repr_html_() and "different ways" in str(variants(bank))
    assert is_picture(funnel(bank, ["card.lost", "card.blocked"]).picture)
    assert standalone(f'<rect fill="{channel_fill("letter", ["letter"])}"/>') == '<rect fill="#5677a6"/>'


def test_warming_up_asks_every_question_once():
    assert warm() >= 0
