"""Stepping only through the wake moments, the ledger is at every moment what the plain judge says it is.

`DESIRELINE_AGREEMENT=100000` tries that many random logs, `DESIRELINE_AGREEMENT_SEED` begins at another seed.
"""

from __future__ import annotations

import os
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest

from desireline.promises import MapVersion, Watch, judge, load_map, wake_moments
from desireline.storage.journey_store import Snapshot, snapshot_from_rows
from promises.both_judges import OPEN_HOURS, plain, versions_of
from promises.random_logs import DAY_MS, Case, random_case

COMPILED = os.environ.get("NUMBA_DISABLE_JIT", "0") in ("", "0")
LOGS_OF_A_CASE = 4
CASES = int(os.environ.get("DESIRELINE_AGREEMENT", "120" if COMPILED else "40")) // LOGS_OF_A_CASE
FIRST_SEED = int(os.environ.get("DESIRELINE_AGREEMENT_SEED", "0"))
HOUR = 3_600_000

Row = dict[str, Any]
State = dict[tuple[str, str, int], Row]


def state_of(rows: list[Row]) -> State:
    """Rows by instance, without the journey, which the plain judge does not tell."""
    return {
        (row["map"], row["promise"], row["opening_id"]): {name: row[name] for name in row if name != "journey"}
        for row in rows
    }


def plain_at(case: Case, moment: int) -> State:
    return state_of(plain(replace(case, as_of=moment)))


class Stream:
    """A ledger kept up to date by nothing but wakes, as a live service does."""

    def __init__(self, case: Case, start: int, *, asks_again: bool) -> None:
        self.snapshot, self.versions = snapshot_from_rows(case.interactions, bucket_count=2), versions_of(case)
        self.asks_again, self.watch, self.ledger, self.woken = asks_again, Watch(), State(), 0
        everybody = [int(person) for bucket in self.snapshot.buckets for person in bucket.person]
        self.judge(everybody, start)
        self.watch.update(everybody, self.moments(everybody, start))

    def moments(self, people: list[int], moment: int) -> Any:
        return wake_moments(self.snapshot, self.versions, OPEN_HOURS, people, moment)

    def judge(self, people: list[int], moment: int) -> None:
        judged = judge(self.snapshot, self.versions, moment, calendars=OPEN_HOURS, people=people)
        self.ledger = {key: row for key, row in self.ledger.items() if row["person"] not in set(people)}
        self.ledger |= state_of(list(judged.rows()))

    def wake(self, moment: int) -> None:
        people = self.watch.due(moment).tolist()
        self.woken += len(people)
        self.judge(people, moment)
        if self.asks_again:
            self.watch.update(people, self.moments(people, moment))


def follow(case: Case, start: int, random: Random, *, asks_again: bool) -> int:
    """Step through the wakes, looking at the ledger beside and between them; how many wakes there were."""
    stream, wakes, last = Stream(case, start, asks_again=asks_again), 0, start
    assert stream.ledger == plain_at(case, start)
    while (moment := stream.watch.next_moment) is not None:
        for probe in {moment - 1, random.randint(last, moment - 1)}:
            assert stream.ledger == plain_at(case, probe), f"at {probe}, between wakes at {last} and {moment}"
        stream.wake(moment)
        assert stream.ledger == plain_at(case, moment), f"at the wake of {moment}"
        wakes, last = wakes + 1, moment
    for probe in (last + 1, last + random.randint(1, 30 * DAY_MS), last + 4000 * DAY_MS):
        assert stream.ledger == plain_at(case, probe), f"at {probe}, after the last wake at {last}"
    return wakes


def some_start(case: Case, random: Random) -> int:
    moments = [one["occurred_at"] for one in case.interactions] or [case.as_of]
    return random.choice(moments) + random.choice((0, 0, 0, -1, 1, HOUR))


@pytest.mark.parametrize("asks_again", [False, True])
def test_nothing_changes_between_the_wakes_though_the_future_is_known(asks_again: bool) -> None:
    wakes = 0
    for seed in range(FIRST_SEED, FIRST_SEED + CASES):
        case, random = random_case(seed, LOGS_OF_A_CASE), Random(seed)
        try:
            wakes += follow(case, some_start(case, random), random, asks_again=asks_again)
        except AssertionError as found:
            raise AssertionError(f"seed {seed}: {found}") from found
    assert wakes > CASES


def known_by(case: Case, moment: int) -> Case:
    logs = (tuple(one for one in log if one["occurred_at"] <= moment) for log in case.logs)
    return replace(case, logs=tuple(logs), as_of=moment)


def test_nobody_is_woken_for_nothing() -> None:
    woken = 0
    for seed in range(FIRST_SEED, FIRST_SEED + CASES):
        case, random = random_case(seed, LOGS_OF_A_CASE), Random(seed)
        start = some_start(case, random)
        stream = Stream(known_by(case, start), start, asks_again=False)
        while (moment := stream.watch.next_moment) is not None:
            due = set(stream.watch.due(moment).tolist())
            before = stream.ledger
            stream.judge(sorted(due), moment)
            changed = {row["person"] for key, row in stream.ledger.items() if before[key] != row}
            assert changed == due, f"seed {seed}: woken at {moment}"
            woken += len(due)
    assert woken > CASES


def test_busy_people_with_many_cases_are_woken_at_the_right_moments() -> None:
    for seed in range(max(2, CASES // 50)):
        case, random = random_case(seed, 1, sizes=(60, 90), cases=9), Random(seed)
        follow(known_by(case, case.as_of), case.as_of, random, asks_again=False)


# ----------------------------------------------------------------------------------------------- told as stories


def waking(promise: str, rows: list[Row], as_of: int, quiet: str = "quiet_after: 2 days") -> list[int]:
    text = f"map: help\n{quiet}\npromises:\n- {{promise: p, when: {{touchpoint: asked}}, {promise}}}\n"
    snapshot: Snapshot = snapshot_from_rows([{"person": 1, **row} for row in rows])
    return wake_moments(snapshot, [MapVersion(load_map(text, "help.yaml"))], {}, [1], as_of)[1].tolist()


ASKED, ANSWERED = {"occurred_at": 0, "touchpoint": "asked"}, {"occurred_at": HOUR, "touchpoint": "answered"}
ANSWER = "then: {touchpoint: answered}"


def test_an_open_question_wakes_us_at_its_due_and_an_answered_one_never() -> None:
    promise = f"{ANSWER}, within: 3 hours"
    assert waking(promise, [ASKED], HOUR) == [3 * HOUR]
    assert waking(promise, [ASKED, ANSWERED], 2 * HOUR) == []
    assert waking(promise, [ASKED], 4 * HOUR) == []


def test_without_a_within_every_touch_puts_the_end_of_the_journey_off() -> None:
    again = {"occurred_at": 5 * HOUR, "touchpoint": "asked"}
    assert waking(ANSWER, [ASKED], HOUR) == [2 * DAY_MS]
    assert waking(ANSWER, [ASKED, again], 6 * HOUR) == [5 * HOUR + 2 * DAY_MS]


def test_what_only_has_to_last_wakes_us_when_it_has() -> None:
    never, window = "never: {touchpoint: sold}", "at_most: {count: 0, of: {touchpoint: asked}, within: 7 hours}"
    assert waking(f"{never}, within: 3 hours", [ASKED], HOUR) == [3 * HOUR]
    assert waking(window, [ASKED], HOUR) == [7 * HOUR]
    assert waking(f"{never}, within: 3 hours, {window}", [ASKED], HOUR) == [7 * HOUR]
    assert waking(f"{ANSWER}, within: 3 hours, {window}", [ASKED, ANSWERED], 2 * HOUR) == [7 * HOUR]


def test_what_is_broken_already_wakes_us_when_its_answer_is_missing_too() -> None:
    sold = {"occurred_at": HOUR, "touchpoint": "sold"}
    promise = f"{ANSWER}, within: 3 hours, never: {{touchpoint: sold}}"
    assert waking(promise, [ASKED, sold], HOUR) == [3 * HOUR]
    assert waking("never: {touchpoint: sold}, within: 3 hours", [ASKED, sold], HOUR) == []


def test_a_fact_dated_ahead_wakes_us_at_its_moment_and_at_what_follows_from_it() -> None:
    later = {"occurred_at": 10 * HOUR, "touchpoint": "asked"}
    assert waking(f"{ANSWER}, within: 3 hours", [ASKED, later], HOUR) == [3 * HOUR, 10 * HOUR, 13 * HOUR]


# ------------------------------------------------------------------------------------------------------- the watch


def entries(*pairs: tuple[int, int]) -> Any:
    listed = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return listed[:, 0], listed[:, 1]


def test_the_watch_forgets_what_a_person_waited_for_before() -> None:
    watch = Watch()
    watch.update([1, 2], entries((1, 50), (1, 90), (2, 60)))
    watch.update([1], entries((1, 70)))
    assert (watch.next_moment, watch.due(65).tolist(), watch.due(65).tolist()) == (60, [2], [])
    watch.update([1], entries())
    assert watch.next_moment is None
    assert watch.due(1_000).tolist() == []


def test_asking_for_the_next_moment_changes_nothing_so_that_another_thread_may_ask() -> None:
    many = range(1, 101)
    watch = Watch()
    watch.update(many, entries(*((person, 10 * person) for person in many)))
    watch._settle()
    watch.update(range(1, 100), entries((1, 5_000)))
    before = {name: id(value) for name, value in vars(watch).items()}
    assert watch.next_moment == 1_000
    assert {name: id(value) for name, value in vars(watch).items()} == before
    assert watch.due(1_000).tolist() == [100]
    assert watch.next_moment == 5_000


def test_the_watch_answers_as_a_plain_list_would(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("desireline.promises.watch._FEWEST_UNSETTLED", 20)
    random, watch, waits, now = Random(5), Watch(), dict[int, set[int]](), 0
    for _ in range(600):
        people = random.sample(range(1, 80), k=random.randint(1, 6))
        fresh = {person: {now + random.randint(1, 99) for _ in range(random.randint(0, 3))} for person in people}
        watch.update(people, entries(*((person, moment) for person in people for moment in fresh[person])))
        waits |= fresh
        assert watch.next_moment == min((moment for each in waits.values() for moment in each), default=None)
        now += random.choice((0, 1, 1, 5, 40))
        due = sorted(person for person, moments in waits.items() if any(moment <= now for moment in moments))
        assert watch.due(now).tolist() == due
        waits = {person: {moment for moment in each if moment > now} for person, each in waits.items()}
        assert len(watch) <= sum(len(each) for each in waits.values()) + 4 * 80 + 20
