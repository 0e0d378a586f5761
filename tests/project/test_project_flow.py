"""The order of work follows from the tables alone."""

from __future__ import annotations

import itertools

import pytest

from desireline.project.flow import flow_text, in_order
from desireline.vocabulary.step import Step


def step(name: str, reads: str, writes: str) -> Step:
    return Step(name, tuple(reads.split()), tuple(writes.split()), run=print)


STEPS = (
    step("import", "", "interactions"),
    step("resolve", "interactions", "handles links"),
    step("keep store", "interactions handles", "journey_store"),
    step("judge", "journey_store ledger_rows", "ledger_rows"),
)


def test_any_given_order_becomes_the_order_of_work() -> None:
    for given in itertools.permutations(STEPS):
        assert [s.name for s in in_order(given)] == ["import", "resolve", "keep store", "judge"]


def test_two_writers_of_one_table_are_refused() -> None:
    with pytest.raises(ValueError, match="'interactions' is written by import and by again"):
        in_order([*STEPS, step("again", "", "interactions")])


def test_a_circle_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="wait for one another: a, b"):
        in_order([step("a", "y", "x"), step("b", "x", "y")])


def test_the_flow_prints_as_a_table() -> None:
    assert "| judge | journey_store, ledger_rows | ledger_rows |" in flow_text(STEPS)
