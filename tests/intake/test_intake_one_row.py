"""A message read in Python becomes what the same row becomes in a file: random rows and recipes, both ways."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from desireline.intake import preview, read_recipe
from desireline.intake.one_row import cell_text, interactions_of_row
from desireline.intake.recipes import HandleTaken, Recipe, Shape, Taken, TimeTaken, When
from desireline.intake.recipes import Test as OneTest

COLUMNS = ("a", "b", "c.d", "e", "f")
TIMES = (
    "2026-03-01T10:00:00Z", "2026-03-29 02:30:00", "2026-10-25 02:30:00", "2026-10-25T02:30:00+01:00", "2026-01-05",
    "2026-01-05 24:00", "2026-06-30 23:59:60", "2026-01-05 10:00:00,5", "2026-01-05 10:00:00 +0200", "1750772853",
    "1750772853123", "1750772853.25", "05.01.2026 10:00", "5.1.2026", "1850-01-01", "2026-02-30", "20260105", "soon",
    "2026-01-05T10:00:00.123456789Z", "2026-07-01 10:00 Europe/Berlin", "2026-07-01T10:00", "46027.5", "infinity",
    "1969-12-31T23:59:59.999Z", "Mon, 05 Jan 2026 10:00:00 +0100", "2020-03-03 13:05:57 UTC",
)  # fmt: skip
NUMBERS = (
    "5", "-5", "1.5", "1,5", "1.234,56", "1,234.56", "€ 12", "(12.50)", "12-", "EUR 7", "1e3", "NaN", "0.0000005",
    "99999999999999999999999", "12.345678901", "1:02:03", "00:90", "- 3", "1'000", "+2", "+", ".", "inf", "2.5", "-2.5",
)  # fmt: skip
WORDS = (
    "open", "Solved", "yes", "No", "ja", "x", "inbound", "OUTBOUND", "  padded ", "Ä öß-Ü.1", "İstanbul", "---", "",
    " ", "a@b.org", "Anna <Anna@X.org>", "mailto:a@b.org", "no mail", "0170 / 123 45 67", "+49 (0)30 1234567", "n/a",
    "1234-5678-9012", "@Name", "a@b.org;c@d.org; ", "Europe/Berlin", "Asia/Kolkata", "Nowhere/Land", "EUR", "JPY",
    "\u00a0nbsp\u00a0", "it's", 'say "hi"',
)  # fmt: skip
OTHERS = (
    None,
    True,
    False,
    0,
    1,
    -7,
    3.5,
    1e-7,
    0.00001,
    1e20,
    1e22,
    10**12,
    [1, "a"],
    [],
    {"d": "deep"},
    {"d": 4, "x": 1},
)
LETTERS = "".join(chr(code) for code in (*range(32, 127), 0xA0, 0xB5, 0xDF, 0x130, 0x3A3, 0x4E2D, 0x1F600, 0x200B))


def any_value(chance: Random) -> Any:
    if chance.random() < 0.1:
        return "".join(chance.choices(LETTERS, k=chance.randrange(12)))
    return chance.choice([*TIMES, *NUMBERS, *WORDS, *OTHERS])


def a_row(chance: Random) -> dict[str, Any]:
    """Mostly a row as it should be: a time in `time`, a number in `number`, anything elsewhere."""
    row = {column: any_value(chance) for column in (*COLUMNS, "c", "rest") if chance.random() < 0.7}
    if chance.random() < 0.95:
        row["time"] = chance.choice(TIMES) if chance.random() < 0.97 else any_value(chance)
    if chance.random() < 0.8:
        row["number"] = chance.choice(NUMBERS) if chance.random() < 0.9 else any_value(chance)
    return row


columns = some.sampled_from(COLUMNS)
several_columns = some.lists(columns, min_size=1, max_size=2, unique=True).map(tuple)
words = some.sampled_from([word for word in WORDS if word.strip() == word and word])


@some.composite
def conditions(draw: Any, *, depth: int = 1) -> When:
    kinds = some.sampled_from(["is", "not", "exists", "starts_with", "contains", "at_least", "above", "below"])
    tests = []
    for kind in draw(some.lists(kinds, max_size=2)):
        if kind == "exists":
            values = (draw(some.sampled_from(["true", "false"])),)
        elif kind in ("at_least", "above", "below"):
            values = (draw(some.sampled_from(["0", "2.5", "1000"])),)
        else:
            values = tuple(draw(some.lists(words, min_size=1, max_size=2)))
        tests.append(OneTest(draw(columns), kind, values))  # type: ignore[arg-type]
    any_of = tuple(draw(some.lists(conditions(depth=0), max_size=2))) if depth else ()
    return When(tuple(tests), any_of)


@some.composite
def taken(draw: Any) -> Taken:
    if draw(some.booleans()) and draw(some.booleans()):
        choices = ((draw(conditions(depth=0)), Taken(from_columns=(draw(columns),))), (When(), Taken("otherwise")))
        return Taken(choose=choices, prefix=draw(some.sampled_from(["", "p."])))
    return Taken(
        from_columns=draw(several_columns),
        map=tuple(draw(some.dictionaries(words, words, max_size=2)).items()),
        otherwise=draw(some.sampled_from([None, None, "other"])),
        empty=draw(some.sampled_from([None, None, "nothing"])),
        prefix=draw(some.sampled_from(["", "ticket."])),
        slug=draw(some.booleans()),
    )


@some.composite
def times(draw: Any) -> TimeTaken:
    formats = some.sampled_from(
        [("iso",), ("iso",), ("epoch_s", "iso"), ("epoch_ms",), ("%d.%m.%Y %H:%M", "%d.%m.%Y"), ("iso", "%d.%m.%Y"),
         ("excel",), ("%Y-%m-%d %H:%M:%S %z", "iso")]
    )  # fmt: skip
    return TimeTaken(
        from_columns=draw(some.sampled_from([("time",), ("time",), ("time",), ("a", "time")])),
        clock_column=draw(some.sampled_from([None, None, None, "f"])),
        formats=draw(formats),
        zone=draw(some.sampled_from([None, None, "America/New_York", "UTC"])),
        zone_column=draw(some.sampled_from([None, None, None, "e"])),
        day_only_at=draw(some.sampled_from(["00:00", "00:00", "12:00", "02:30"])),
    )


@some.composite
def handles(draw: Any) -> HandleTaken:
    kind = draw(some.sampled_from(["email", "phone", "card", "social", "customer", "cookie", "loyalty"]))
    split = draw(some.sampled_from([None, None, ";"]))
    network = "mastodon" if kind == "social" and draw(some.booleans()) else None
    return HandleTaken(kind, draw(columns), network, split, None)


@some.composite
def shapes(draw: Any, name: str) -> Shape:
    fields = {"touchpoint": draw(some.one_of(taken(), some.just(Taken("ticket.opened"))))}
    for field in draw(some.lists(some.sampled_from(["channel", "topic", "currency", "case"]), unique=True, max_size=2)):
        fields[field] = draw(taken())
    numeric = some.sampled_from(["value", "score", "reach", "cost_seconds", "asks", "answers", "direction"])
    for field in draw(some.lists(numeric, unique=True, max_size=2)):
        minor, negate = (draw(some.booleans()), draw(some.booleans())) if field == "value" else (False, False)
        column = "number" if field not in ("asks", "answers", "direction") else draw(columns)
        mapped = draw(some.sampled_from([(), (), (("open", "yes"), ("Solved", "no"))]))
        fields[field] = Taken(from_columns=(column,), map=mapped, minor=minor, negate=negate)
    return Shape(
        name=name,
        when=draw(some.one_of(some.just(When()), conditions())),
        occurred_at=draw(times()),
        sent_at=draw(some.one_of(some.none(), times())),
        fields=fields,
        handles=tuple(draw(some.lists(handles(), max_size=2))),
        others=tuple(draw(some.lists(handles(), max_size=1))),
        properties=draw(some.sampled_from([None, (), (("Name", "b"), ("deep", "c.d"))])),
    )


@some.composite
def recipes(draw: Any) -> Recipe:
    names = ["first", "second"] if draw(some.booleans()) else ["only"]
    return Recipe(
        name="tickets",
        source="desk",
        shapes=tuple(draw(shapes(name)) for name in names),
        zone=draw(some.sampled_from([None, "Europe/Berlin"])),
        country_code=draw(some.sampled_from(["", "49"])),
        key=draw(some.sampled_from([(), (), ("a",), ("a", "b")])),
    )


def as_in_a_file(rows: list[dict[str, Any]], recipe: Recipe, folder: Path) -> tuple[list[dict[str, Any]], Any, int]:
    """What the rows become when they stand in a JSONL file."""
    file = folder / "rows.jsonl"
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    made = preview(file, recipe, rows=10_000, received_at=5, project_zone="Asia/Tokyo")
    names = list(made.columns)
    found = [dict(zip(names, values, strict=True)) for values in zip(*made.columns.values(), strict=True)]
    return found, made.notes["refused"], made.notes["left_out"]


def one_at_a_time(rows: list[dict[str, Any]], recipe: Recipe) -> tuple[list[dict[str, Any]], Any, int]:
    found, refused, left_out = [], Counter[str](), 0
    for number, row in enumerate(rows, start=1):
        made = interactions_of_row(row, recipe, row_key=f"row {number}", zone="Asia/Tokyo", currency="EUR")
        left_out += made.left_out
        if made.refused:
            refused[made.refused] += 1
        for interaction in made.interactions:
            found.append({**interaction, "raw": f"rows.jsonl:{number}"})
    return found, refused, left_out


def plain(reason: str) -> str:
    return "; ".join(sorted(re.sub(r"'[^']*'", "'...'", reason).split("; ")))


def counted(refused: dict[str, int]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for reason, count in refused.items():
        counts[plain(reason)] += count
    return counts


def comparable(interaction: dict[str, Any]) -> dict[str, Any]:
    out = {column: value for column, value in interaction.items() if value is not None and column != "position"}
    if "properties" in out:
        out["properties"] = json.loads(out["properties"])
    if re.match(r"[0-9a-f]{32}#\d|row \d", out["source_key"]):
        out["source_key"] = "made:" + out["source_key"].partition(":")[2]
    return out


def said_without_quotes(rows: list[dict[str, Any]]) -> bool:
    """Reasons quote the text; a quote in it would hide where the quotation ends."""
    return not any("'" in str(value) for row in rows for value in row.values())


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=some.integers(0, 2**32), recipe=recipes())
def test_a_message_becomes_what_the_same_row_becomes_in_a_file(
    tmp_path_factory: pytest.TempPathFactory, seed: int, recipe: Recipe
) -> None:
    rows = [{"f": 1, **a_row(Random(seed + number))} for number in range(25)]
    in_file, refused_there, left_out_there = as_in_a_file(rows, recipe, tmp_path_factory.mktemp("rows"))
    live, refused_here, left_out_here = one_at_a_time(rows, recipe)
    assert [comparable(each) for each in live] == [comparable(each) for each in in_file]
    assert left_out_here == left_out_there
    if said_without_quotes(rows):
        assert counted(refused_here) == counted(refused_there)


RECIPE = """
recipe: tickets
source: desk
zone: Europe/Berlin
key: id
every:
  case: {column: id}
  handles:
    - {kind: email, column: requester.email}
    - {kind: phone, column: phone}
interactions:
  - name: opened
    occurred_at: {column: created}
    touchpoint: ticket.opened
    asks: true
    properties: [priority]
  - name: rated
    when: {rating: {exists: true}}
    occurred_at: {column: rated}
    touchpoint: ticket.rated
    score: {column: rating}
    properties: none
"""


def test_a_ticket_in_one_message_becomes_several_interactions() -> None:
    recipe = read_recipe(RECIPE, name="tickets")
    row = {
        "id": 7, "requester": {"email": "Anna@X.org"}, "phone": "none of your business", "created": "2026-07-01 10:00",
        "rating": 4, "rated": "2026-07-02 10:00", "priority": "high",
    }  # fmt: skip
    made = interactions_of_row(row, recipe, row_key="log-1-0", zone="UTC", currency="EUR")
    opened, rated = made.interactions
    assert (opened["source_key"], rated["source_key"]) == ("7:opened", "7:rated")
    assert opened["handles"] == ["email:anna@x.org"]
    assert opened["occurred_at"] == 1_782_892_800_000
    assert json.loads(opened["properties"]) == {
        "priority": "high",
        "unusable_handles": ["phone:none of your business"],
    }
    assert rated["score"] == 4.0


def test_a_row_nobody_asked_for_is_left_out_and_one_without_time_refused() -> None:
    recipe = read_recipe(RECIPE, name="tickets")
    made = interactions_of_row({"id": 8}, recipe, row_key="x", zone="UTC", currency="EUR")
    assert made.refused == "no time: every time of the row is empty"
    bad = {"id": 8, "created": "yesterday", "rating": "good", "rated": "2026-07-02"}
    made = interactions_of_row(bad, recipe, row_key="x", zone="UTC", currency="EUR")
    assert made.refused == "occurred_at: 'yesterday' is not a moment; score: 'good' is not a number"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        (" ", None),
        (True, "true"),
        (1e22, "1e22"),
        (0.00001, "0.00001"),
        (1e20, "100000000000000000000.0"),
        ([1, {"a": "ä"}], '[1,{"a":"ä"}]'),
    ],
)
def test_values_of_a_message_as_texts_of_cells(value: Any, text: str | None) -> None:
    assert cell_text(value) == text
