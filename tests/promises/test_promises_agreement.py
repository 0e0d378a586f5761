"""The real judge agrees with the plain one on random small logs with every kind of promise.

`DESIRELINE_AGREEMENT=100000` compares that many logs instead of the usual two thousand, and
`DESIRELINE_AGREEMENT_SEED` begins at another seed.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from random import Random
from typing import Any

import pytest

from desireline.promises import row_classes
from desireline.vocabulary.promise import BREACHES, VERDICTS
from promises.both_judges import judged, plain, real
from promises.disagreement import differences, smallest, story
from promises.plain_judge import openings_of_nobody
from promises.random_logs import BASES_MS, DAY_MS, Case, random_case, random_map

COMPILED = os.environ.get("NUMBA_DISABLE_JIT", "0") in ("", "0")
LOGS = int(os.environ.get("DESIRELINE_AGREEMENT", "2000" if COMPILED else "400"))
FIRST_SEED = int(os.environ.get("DESIRELINE_AGREEMENT_SEED", "0"))
LOGS_OF_A_CASE = 16


def test_the_judges_agree_on_random_logs() -> None:
    compared = 0
    for seed in range(FIRST_SEED, FIRST_SEED + LOGS // LOGS_OF_A_CASE):
        case = random_case(seed, LOGS_OF_A_CASE)
        if differences(case, plain, real):
            raise AssertionError(f"seed {seed}\n{story(smallest(case, plain, real), plain, real)}")
        compared += len(case.logs)
    assert compared == LOGS // LOGS_OF_A_CASE * LOGS_OF_A_CASE


def test_the_judges_agree_on_busy_people_with_many_cases() -> None:
    for seed in range(LOGS // 100):
        case = random_case(seed, 2, sizes=(60, 120, 200), cases=9)
        if differences(case, plain, real):
            raise AssertionError(f"seed {seed}\n{story(smallest(case, plain, real), plain, real)}")


@pytest.mark.parametrize("seed", range(3))
def test_the_judges_agree_on_forty_maps_at_once(seed: int) -> None:
    random, case = Random(seed), random_case(seed, 40)
    others = [(0, random_map(random) | {"map": f"map {number}"}) for number in range(39)]
    case = case.with_versions(*case.versions, *others)
    assert sum(len(made["promises"]) for _, made in case.versions) > 64
    assert not differences(case, plain, real)


@pytest.mark.skipif(COMPILED, reason="how many rows are few is compiled in; busy people stand for it there")
def test_the_judges_agree_when_no_rows_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    asking = [
        module for name, module in sys.modules.items() if name.startswith("desireline.") and hasattr(module, "FEW")
    ]
    assert asking
    for module in asking:
        monkeypatch.setattr(module, "FEW", 0)
    for seed in range(FIRST_SEED, FIRST_SEED + LOGS // LOGS_OF_A_CASE):
        assert not differences(random_case(seed, LOGS_OF_A_CASE), plain, real), f"seed {seed}"


def test_the_judges_count_the_same_openings_of_nobody() -> None:
    for seed in range(25):
        case = random_case(seed, LOGS_OF_A_CASE)
        expected = openings_of_nobody(case.interactions, list(case.versions), case.as_of)
        assert sum(judged(case).unknown) == expected, f"seed {seed}"


@pytest.mark.parametrize("within", ["300 working hours", "200 working days"])
def test_the_judges_agree_on_a_due_years_away(within: str) -> None:
    nights = {"promise": "p", "says": "We promise.", "when": {"touchpoint": "a"}, "never": {"touchpoint": "b"}}
    seldom = {"map": "trial", "says": "x", "calendar": "seldom", "promises": [nights | {"within": within}]}
    opening = {"id": 1, "person": 1, "occurred_at": BASES_MS[0], "source": "a", "position": 0, "touchpoint": "a"}
    case = Case(((0, seldom),), ((opening,),), BASES_MS[0])
    assert plain(case)[0]["due_at"] > BASES_MS[0] + 3 * 365 * DAY_MS
    assert not differences(case, plain, real)


def test_the_random_logs_hold_every_verdict_and_every_kind_of_breach() -> None:
    rows = [row for seed in range(200) for row in plain(random_case(seed, LOGS_OF_A_CASE))]
    assert set(VERDICTS) <= Counter(row["verdict"] for row in rows).keys()
    assert set(BREACHES) <= Counter(row["breach"] for row in rows).keys()
    assert any(row["made_good_id"] for row in rows)
    assert any(len(row["breaches"]) > 2 for row in rows)
    assert any(row["lateness_seconds"] and row["breach"] in ("wrong_channel", "wrong_hands") for row in rows)


def test_a_judge_that_forgives_lateness_is_caught_and_the_log_made_small() -> None:
    def forgiving(case: Case) -> list[dict[str, Any]]:
        return [row | {"verdict": "kept"} if row["breach"] == "late" else row for row in plain(case)]

    case = next(one for one in map(late_case, range(100)) if differences(one, plain, forgiving))
    small = smallest(case, plain, forgiving)
    assert len(small.interactions) == 2
    assert "verdict: broken plain, kept real" in story(small, plain, forgiving)


def late_case(seed: int) -> Case:
    return random_case(seed, LOGS_OF_A_CASE)


def test_the_judges_agree_where_interactions_have_too_many_kinds_to_foresee(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_classes, "_MOST_CLASSES", 1)
    for seed in range(LOGS // 200):
        assert not differences(random_case(seed, LOGS_OF_A_CASE), plain, real), f"seed {seed}"
