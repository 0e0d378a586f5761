"""The demo bank: the same everywhere, its stories told, its promises planted as the judge will find them."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from pathlib import Path

import duckdb
import numpy as np
import pytest

from desireline.intake.recipe_file import read_recipe
from desireline.promises import judge, load_map, read_calendars
from desireline.storage.engines import compiled
from desireline.storage.identity import handle_id, interaction_id
from desireline.storage.journey_store import snapshot_from_rows
from desireline.vocabulary.errors import DesirelineError
from desireline.vocabulary.tables import INTERACTIONS
from desireline.world import BANK, WorldReport, make_world
from desireline.world.bank_files import calendars
from desireline.world.clock import clock_of
from desireline.world.generate import happen
from desireline.world.kinds import CHANNELS, KINDS, SOURCES
from desireline.world.layouts import LAYOUTS
from desireline.world.moments import END_MS
from desireline.world.people import people_of
from desireline.world.planted import PROMISES
from desireline.world.record import CHANNEL, KIND, PERSON, TIME
from desireline.world.run import digest_of
from desireline.world.sheets import DISTORTIONS
from desireline.world.streams import draw, many, stream

SEED = 7
PEOPLE = 60
DIGEST = "ac1a8eaf401e6ea307ca9fe292f1f831d307dbc3d8a8943a2a8ad64b18fff212"
EXPORTS_SHA256 = "dedd652fe1210e64559e72c956e3ef32abb095922b7aa5a389a2efd76a9bc639"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, WorldReport]:
    to = tmp_path_factory.mktemp("world")
    return to, make_world(people=PEOPLE, seed=SEED, to=to)


def planted(to: Path) -> list[dict[str, str]]:
    with (to / "truth" / "promises.csv").open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def truth(to: Path, question: str) -> list[tuple[object, ...]]:
    text = question.replace("INTERACTIONS", f"'{to}/truth/interactions.parquet'").replace(
        "ROWS", f"'{to}/truth/rows.parquet'"
    )
    return duckdb.connect().execute(text).fetchall()


def test_the_same_seed_gives_the_same_bytes_on_every_platform(world: tuple[Path, WorldReport]) -> None:
    _, report = world
    exports = hashlib.sha256("".join(file.sha256 for file in report.files).encode()).hexdigest()
    assert report.digest == DIGEST
    assert exports == EXPORTS_SHA256


def test_another_seed_gives_another_world() -> None:
    nothing = clock_of(calendars())
    worlds = [digest_of(happen(clock=nothing, seed=seed, people=3, progress=lambda *_: None)) for seed in (7, 8, 7)]
    assert worlds[0] == worlds[2] != worlds[1]


def test_threads_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desireline.world.generate.BLOCK_PEOPLE", 4)
    digests = []
    for threads in ("1", "3"):
        monkeypatch.setenv("DESIRELINE_THREADS", threads)
        digests.append(digest_of(happen(clock=clock_of(calendars()), seed=7, people=13, progress=lambda *_: None)))
    monkeypatch.setattr("desireline.world.generate.BLOCK_PEOPLE", 1_000)
    digests.append(digest_of(happen(clock=clock_of(calendars()), seed=7, people=13, progress=lambda *_: None)))
    assert len(set(digests)) == 1


def test_a_book_that_is_too_small_is_written_again_in_a_larger_one(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = clock_of(calendars())
    roomy = digest_of(happen(clock=clock, seed=7, people=8, progress=lambda *_: None))
    monkeypatch.setattr("desireline.world.generate.ROWS_A_PERSON", 5)
    monkeypatch.setattr("desireline.world.generate.PLANTS_A_PERSON", 1)
    monkeypatch.setattr("desireline.world.generate.SPARE", 10)
    assert roomy == digest_of(happen(clock=clock, seed=7, people=8, progress=lambda *_: None))


def test_many_draws_at_once_are_the_draws_of_each_stream() -> None:
    people = np.array([1, 2, 500, 119_999])
    together = many(seed=2**40 + 7, numbers=people, mechanism=33, place=4).tolist()
    assert together == [draw(stream(2**40 + 7, person, 33, 0), 4) for person in people.tolist()]


def test_every_interaction_is_in_the_truth_and_in_its_export(world: tuple[Path, WorldReport]) -> None:
    to, report = world
    assert truth(to, "SELECT count(*), count(DISTINCT id), count(DISTINCT handle) FROM INTERACTIONS") == [
        (report.interactions, report.interactions, PEOPLE)
    ]
    lines = dict(truth(to, "SELECT file, max(line) FROM ROWS GROUP BY file"))
    for file in report.files:
        assert 0 < lines[file.path.name] <= file.rows, "every interaction lies in a line of its file"
    assert truth(to, "SELECT count(*) FROM ROWS WHERE line = 0") == [(0,)]


def test_the_truth_has_the_columns_of_the_lake(world: tuple[Path, WorldReport]) -> None:
    to, _ = world
    described = truth(to, "DESCRIBE SELECT * FROM INTERACTIONS")
    assert {str(name): str(kind) for name, kind, *_ in described} == INTERACTIONS.columns
    source, key, number, handle = truth(
        to, "SELECT source, source_key, id, handle FROM INTERACTIONS WHERE handles = ['world:3']"
    )[0]
    assert number == interaction_id(str(source), str(key))
    assert handle == handle_id("world", "3")


def test_eight_channels_and_growing_contact() -> None:
    happened = happen(clock=clock_of(calendars()), seed=3, people=150 if compiled() else 30, progress=lambda *_: None)
    used = {CHANNELS[code] for code in np.unique(happened.rows[:, CHANNEL])}
    assert used == set(CHANNELS)
    years = np.bincount((END_MS - happened.rows[:, TIME]) // (365 * 86_400_000))[2::-1]
    assert years[0] < years[1] < years[2]
    assert 1.3 < years[2] / years[0] < 1.7, "22.6 % a year is a factor of 1.5 in two years"


def test_no_name_of_the_bank_stands_only_in_the_code(world: tuple[Path, WorldReport]) -> None:
    maps = [load_map(file.read_text(encoding="utf-8"), file.name, ["service"]) for file in BANK.maps]
    in_maps = {(each.name, promise.name) for each in maps for promise in each.promises}
    assert in_maps == {(each.map, each.promise) for each in PROMISES}
    to, _ = world
    assert {(row["map"], row["promise"]) for row in planted(to)} <= in_maps


def test_each_export_has_its_recipe_that_knows_every_word_in_it(world: tuple[Path, WorldReport]) -> None:
    texts = {file.name: file.read_text(encoding="utf-8") for file in BANK.recipes}
    assert set(texts) == {f"{source}.yaml" for source in SOURCES}
    for name, text in texts.items():
        assert read_recipe(text, name=name).source == name.removesuffix(".yaml")
    to, _ = world
    for source, touchpoint in truth(to, "SELECT DISTINCT source, touchpoint FROM INTERACTIONS"):
        assert f" {touchpoint}\n" in texts[f"{source}.yaml"], f"{source} must know {touchpoint}"


def verdicts_of_the_judge(to: Path) -> dict[tuple[str, str, int], tuple[str, str, int]]:
    question = (
        "SELECT handle AS person, id, source, position, occurred_at, channel, touchpoint, direction, asks, answers, "
        'topic, about_case AS "case", about_order AS "order", power, consent FROM INTERACTIONS'
    )
    cursor = duckdb.connect().execute(question.replace("INTERACTIONS", f"'{to}/truth/interactions.parquet'"))
    names = [column[0] for column in cursor.description or ()]
    rows = [{n: v for n, v in zip(names, row, strict=True) if v is not None} for row in cursor.fetchall()]
    maps = [
        load_map(file.read_text(encoding="utf-8"), file.name, ["service"], project_calendar="service")
        for file in BANK.maps
    ]
    judged = judge(snapshot_from_rows(rows), maps, calendars=read_calendars(calendars()))
    return {
        (row["map"], row["promise"], row["opening_id"]): (
            row["verdict"], row["breach"] or "", int(row["made_good_at"] is not None)
        )
        for row in judged.rows()
    }  # fmt: skip


def planted_verdicts(to: Path) -> dict[tuple[str, str, int], tuple[str, str, int]]:
    return {
        (row["map"], row["promise"], int(row["opening_id"])): (row["verdict"], row["breach"], int(row["made_good"]))
        for row in planted(to)
    }


def test_the_judge_finds_every_planted_breach_and_invents_none(world: tuple[Path, WorldReport]) -> None:
    to, _ = world
    assert verdicts_of_the_judge(to) == planted_verdicts(to)


@pytest.mark.long
@pytest.mark.parametrize("seed", [11, 12])
def test_the_judge_and_the_planted_verdicts_agree_on_larger_worlds(tmp_path: Path, seed: int) -> None:
    make_world(people=700, seed=seed, to=tmp_path)
    assert verdicts_of_the_judge(tmp_path) == planted_verdicts(tmp_path)


def test_a_plain_reading_of_the_truth_agrees_where_a_promise_is_only_a_deadline(
    world: tuple[Path, WorldReport],
) -> None:
    to, _ = world
    found = truth(
        to,
        """
        SELECT asked.id, min(answer.occurred_at) FILTER (answer.occurred_at <= asked.occurred_at + 900000) IS NOT NULL
        FROM INTERACTIONS AS asked
        LEFT JOIN INTERACTIONS AS answer
          ON answer.about_case = asked.about_case AND answer.touchpoint = 'fraud.called' AND answer.channel = 'phone'
         AND answer.occurred_at >= asked.occurred_at
        WHERE asked.touchpoint = 'fraud.alert_sent'
        GROUP BY asked.id
        """,
    )
    said = {
        int(row["opening_id"]): row["verdict"] == "kept" for row in planted(to) if row["promise"] == "called-at-once"
    }
    assert dict(found) == said
    assert len(said) > 5


def test_three_promises_burn_and_the_others_are_kept_well(tmp_path: Path) -> None:
    people = 1_000 if compiled() else 40
    make_world(people=people, seed=SEED, to=tmp_path)
    counts: dict[str, Counter[str]] = {}
    for row in planted(tmp_path):
        counts.setdefault(row["promise"], Counter())[row["verdict"]] += 1
    rates = {name: count["kept"] / (count["kept"] + count["broken"]) for name, count in counts.items()}
    burning = {"complaint-solved", "told-by-a-person", "told-when-settled"}
    if compiled():
        assert {name for name, rate in rates.items() if rate < 0.8} == burning
    assert rates["everyone-answered"] > 0.85
    assert {row["breach"] for row in planted(tmp_path)} >= {"", "late", "missing"}


def test_the_named_customers_live_their_stories(world: tuple[Path, WorldReport]) -> None:
    to, _ = world
    undone = truth(
        to,
        """
        SELECT made.value_minor, told.channel, told.occurred_at - made.occurred_at,
               undone.occurred_at - told.occurred_at, undone.power
        FROM INTERACTIONS AS made
        JOIN INTERACTIONS AS told ON told.about_case = made.about_case AND told.touchpoint = 'transfer.mistake_reported'
        JOIN INTERACTIONS AS undone ON undone.about_case = made.about_case AND undone.touchpoint = 'transfer.decided'
        WHERE made.handles = ['world:1'] AND made.touchpoint = 'transfer.made' AND made.value_minor = 200000
        """,
    )
    assert (200_000, "phone", 20 * 60_000, 10 * 60_000, "may_undo") in undone
    fraud = truth(
        to,
        """
        SELECT list(touchpoint ORDER BY occurred_at), list(channel ORDER BY occurred_at) FROM INTERACTIONS
        WHERE handles = ['world:2'] AND about_case = (
            SELECT about_case FROM INTERACTIONS
            WHERE handles = ['world:2'] AND touchpoint = 'fraud.alert_sent' AND occurred_at = 1739281200000)
          AND touchpoint LIKE '%.%' AND touchpoint <> 'call.ended' AND touchpoint <> 'product.bought'
        """,
    )
    assert fraud == [
        (
            ["fraud.alert_sent", "fraud.called", "fraud.proof_received", "fraud.settled_note", "summary.sent"],
            ["sms", "phone", "app", "email", "email"],
        )
    ]


def test_twenty_followers_are_answered_as_soon_as_half_a_million(world: tuple[Path, WorldReport]) -> None:
    to, _ = world
    waits = truth(
        to,
        """
        SELECT asked.reach, answer.occurred_at - asked.occurred_at FROM INTERACTIONS AS asked
        JOIN INTERACTIONS AS answer ON answer.about_case = asked.about_case AND answer.answers
        WHERE asked.occurred_at = 1750149000000 AND asked.channel = 'social' AND asked.asks ORDER BY asked.reach
        """,
    )
    assert waits == [(20, 25 * 60_000), (500_000, 25 * 60_000)]


def test_followers_are_independent_of_segment() -> None:
    people = people_of(seed=SEED, people=20_000)
    means = [np.median(people.followers[people.segment == segment]) for segment in range(5)]
    assert max(means) - min(means) <= 15


def test_files_hold_what_real_files_hold(world: tuple[Path, WorldReport]) -> None:
    to, report = world
    exports = to / "exports"
    assert (exports / "mail_gateway.csv").read_bytes().decode("latin-1").count("Öffnungszeiten") > 0
    assert "ck-kiosk-01" in (exports / "web_analytics.jsonl").read_text(encoding="utf-8")
    assert (exports / "complaint_desk.csv").read_bytes()[:3] == b"\xef\xbb\xbf"
    lines = (exports / "app_events.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == report.files[1].rows > len(set(lines)), "some lines were exported twice"
    moments = [line.split('"at":"')[1][:10] for line in lines]
    assert moments != sorted(moments), "some lines came late"


def test_every_broken_row_is_named_and_lies_where_the_truth_says(tmp_path: Path) -> None:
    people = 300 if compiled() else 60
    report = make_world(people=people, seed=SEED, to=tmp_path)
    with (tmp_path / "truth" / "broken_rows.csv").open(encoding="utf-8") as lines:
        broken = list(csv.DictReader(lines))
    assert len(broken) == report.broken_rows > 0
    heads = {layout.file: 1 if layout.head else 0 for layout in LAYOUTS}
    encodings = {layout.file: layout.encoding for layout in LAYOUTS}
    for row in broken:
        text = (tmp_path / "exports" / row["file"]).read_bytes().decode(encodings[row["file"]])
        line = text.split("\n")[heads[row["file"]] + int(row["line"]) - 1]
        assert row["file"] == "branch_diary.csv" or row["source_key"] in line
        assert any(word in line for word in ("31.02.2024", "0000-00-00", "####", "yesterday", "not a time"))


def test_distortions_are_rare_and_spare_the_stories(world: tuple[Path, WorldReport]) -> None:
    to, report = world
    counts = dict(truth(to, "SELECT distortion, count(*) FROM ROWS GROUP BY distortion"))
    assert set(counts) <= set(DISTORTIONS)
    assert counts[""] > 0.97 * report.interactions
    assert truth(to, "SELECT count(*) FROM ROWS WHERE person <= 4 AND distortion LIKE 'broken%'") == [(0,)]


def test_every_kind_of_interaction_happens() -> None:
    happened = happen(
        clock=clock_of(calendars()), seed=SEED, people=400 if compiled() else 60, progress=lambda *_: None
    )
    missing = {KINDS[code].touchpoint for code in set(range(len(KINDS))) - set(happened.rows[:, KIND].tolist())}
    assert missing <= (set() if compiled() else {"transfer.kept", "card.replacement_declined", "complaint.withdrawn"})
    assert happened.rows[:, TIME].max() == END_MS
    assert np.all(np.diff(happened.rows[:, PERSON]) >= 0)


def test_a_world_of_nobody_is_refused_with_every_mistake(tmp_path: Path) -> None:
    with pytest.raises(DesirelineError) as refused:
        make_world(people=0, seed=-1, to=tmp_path)
    assert [mistake.where for mistake in refused.value.mistakes] == ["--people", "--seed"]
    assert list(tmp_path.iterdir()) == []


def test_progress_is_told(tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    make_world(people=2, seed=1, to=tmp_path, progress=lambda says, share: told.append((says, share)))
    assert [says for says, _ in told[:2]] == ["getting ready", "living three years"]
    assert told[-1] == ("writing the truth", 1.0)
    assert all(0 <= share <= 1 for _, share in told)
