"""The words everybody uses."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import desireline.vocabulary as vocabulary
from desireline.vocabulary.errors import DesirelineError, Mistake, WorkFailed
from desireline.vocabulary.estimate import Estimate, keep_rate, wilson
from desireline.vocabulary.interaction import BY_COLUMN, BY_NAME, FIELDS
from desireline.vocabulary.table import Table
from desireline.vocabulary.tables import TABLES
from desireline.vocabulary.units import Duration, lateness_text, moment_text


@pytest.mark.parametrize("module", [module.name for module in pkgutil.iter_modules(vocabulary.__path__)])
def test_every_example_in_the_vocabulary_runs(module: str) -> None:
    result = doctest.testmod(importlib.import_module(f"desireline.vocabulary.{module}"))
    assert result.failed == 0


def test_every_field_has_one_name_and_one_column() -> None:
    assert len(BY_NAME) == len(BY_COLUMN) == len(FIELDS)
    assert all(field.says for field in FIELDS)


def test_every_table_says_what_it_holds_and_who_writes_it() -> None:
    assert all(table.says and table.writer and table.columns for table in TABLES.values())


def test_the_wilson_interval_is_that_of_the_textbook() -> None:
    low, high = wilson(kept=81, count=263)
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)  # Brown, Cai & DasGupta's worked case


def test_the_wilson_interval_stays_inside_zero_and_one() -> None:
    assert wilson(kept=0, count=5)[0] == pytest.approx(0.0, abs=1e-12)
    assert wilson(kept=5, count=5)[1] == pytest.approx(1.0)


@pytest.mark.parametrize(("kept", "count"), [(0, 0), (3, 2), (-1, 2)])
def test_a_share_of_nothing_is_refused(kept: int, count: int) -> None:
    with pytest.raises(ValueError, match=r"empty|between"):
        wilson(kept=kept, count=count)


def test_fewer_than_thirty_settled_promises_say_not_enough_yet() -> None:
    assert keep_rate(kept=28, broken=1, what="answered").value is None
    assert keep_rate(kept=29, broken=1, what="answered").value == pytest.approx(29 / 30)


def test_an_estimate_carries_everything_to_json() -> None:
    carried = Estimate("keep-rate", 0.5, low=0.4, high=0.6, count=100, method="Wilson").as_dict()
    assert carried["count"] == 100
    assert carried["low"] == 0.4
    assert carried["why_missing"] == ""


@pytest.mark.parametrize(
    ("text", "kind", "amount"),
    [
        ("5 minutes", "elapsed", 300_000),
        ("1 minute", "elapsed", 60_000),
        ("2 weeks", "elapsed", 14 * 86_400_000),
        ("8 working hours", "working_hours", 8 * 3_600_000),
        ("1 working day", "working_days", 1),
    ],
)
def test_durations_are_read_as_people_write_them(text: str, kind: str, amount: int) -> None:
    duration = Duration.parse(text)
    assert (duration.kind, duration.amount) == (kind, amount)


@pytest.mark.parametrize("text", ["", "five minutes", "5", "5 fortnights", "2 working weeks", "-1 day", "1.5 hours"])
def test_what_is_no_duration_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(DesirelineError, match=r"duration|unit|working weeks"):
        Duration.parse(text)


@pytest.mark.parametrize("text", ["99999999999999 days", "5219 weeks", "40000 working days"])
def test_nothing_is_promised_for_more_than_a_hundred_years(text: str) -> None:
    with pytest.raises(DesirelineError, match="longer than a hundred years"):
        Duration.parse(text)


def test_a_misspelt_unit_gets_the_nearest_one() -> None:
    with pytest.raises(DesirelineError, match="Did you mean 'minutes'"):
        Duration.parse("5 minuts")


def test_moments_and_lateness_are_read_by_people() -> None:
    assert moment_text(None) == ""
    assert moment_text(1_700_000_000_000) == "2023-11-14 22:13:20 UTC"
    assert [lateness_text(s) for s in (0, 59, 61, 3_600, 90_000)] == ["0 s", "59 s", "1 min 1 s", "1 h", "1 d 1 h"]


def test_an_error_tells_every_mistake_with_its_place() -> None:
    error = DesirelineError(
        [Mistake("unknown word 'x'.", where="a.yaml", line=3, column=5), Mistake("empty.", do="Add one.")]
    )
    assert str(error) == "a.yaml line 3, column 5: unknown word 'x'.\nempty. Add one."
    assert (error.exit_code, WorkFailed("disk full").exit_code) == (2, 3)


def make_table() -> Table:
    return Table("Two channels.", {"channel": ["web", "=cmd()"], "count": [1200, 3]}, counted="one row each", as_of=0)


def test_a_table_prints_its_sentence_its_columns_and_its_rule() -> None:
    assert str(make_table()).splitlines() == [
        "Two channels.",
        "",
        "channel  count",
        "web      1,200",
        "=cmd()       3",
        "",
        "How this is counted: one row each",
    ]


def test_a_table_draws_itself_with_everything_escaped() -> None:
    table = Table("<b>says</b>", {"<i>": ["<script>"]}, picture="<svg></svg>")
    drawn = table._repr_html_()
    assert "<script>" not in drawn
    assert "<svg></svg>" in drawn
    assert "&lt;i&gt;" in drawn


def test_a_long_table_says_how_many_rows_it_does_not_show() -> None:
    table = Table("", {"n": list(range(25))})
    assert "5 more rows" in str(table)
    assert "5 more rows" in table._repr_html_()


def test_no_exported_text_runs_as_a_formula() -> None:
    assert "'=cmd()" in make_table().to_csv()
    assert "\r\nweb,1200\r\n" in make_table().to_csv()


def test_a_table_of_unequal_columns_is_refused() -> None:
    with pytest.raises(ValueError, match="differ in length"):
        Table("", {"a": [1], "b": []})


def test_a_table_becomes_json_with_its_rule() -> None:
    assert '"counted": "one row each"' in make_table().to_json()
