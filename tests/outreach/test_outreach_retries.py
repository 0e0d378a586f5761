"""Waits, pace, budget and breaker: figures anybody can check."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desireline.outreach.retries import Breaker, Budget, Limits, Pace, asked_wait, wait_before_next

LIMITS = Limits()


@given(st.integers(1, 60), st.floats(0, 1), st.none() | st.integers(0, 10**12))
def test_a_wait_grows_but_never_beyond_its_limits(attempts: int, chance: float, asked: int | None) -> None:
    wait = wait_before_next(attempts, chance=chance, limits=LIMITS, asked=asked)
    assert LIMITS.first_wait // 2 <= wait <= max(LIMITS.longest_wait, LIMITS.longest_asked_wait)
    assert wait >= min(asked or 0, LIMITS.longest_asked_wait)


@pytest.mark.parametrize(
    ("text", "wait"),
    [
        ("0", 0),
        ("120", 120_000),
        (" 7 ", 7_000),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 60_000),
        ("Wed, 21 Oct 2015 07:20:00 GMT", 0),
        ("", None),
        ("-5", None),
        ("1e9", None),
        ("99999999999999999999", None),
        ("soon", None),
        ("\xb2", None),
        ("Mon, 1 Jan 99999999999 00:00:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str, wait: int | None) -> None:
    assert asked_wait(text, now=1_445_412_420_000) == wait


def test_the_breaker_opens_after_five_failures_in_a_row_and_one_success_closes_it() -> None:
    breaker = Breaker(LIMITS)
    for each in range(4):
        breaker = breaker.failed(started=each, now=each + 1, chance=0.0)
        assert breaker.says(each + 1) == "closed"
    breaker = breaker.failed(started=4, now=5, chance=1.0)
    assert breaker.says(6) == "open"
    assert breaker.open_until == 5 + LIMITS.open_first
    assert breaker.says(breaker.open_until) == "trying"
    again = breaker.failed(started=40_000, now=40_001, chance=1.0)
    assert again.open_until - 40_001 == 2 * LIMITS.open_first
    assert again.succeeded().says(40_002) == "closed"


@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 9_000)), min_size=40, max_size=40))
def test_a_listener_that_only_fails_is_left_alone_within_thirty_seconds(tries: list[tuple[int, int]]) -> None:
    """Tries begin at most ten seconds apart, as long as any wait; each takes as long as the time-out at most."""
    breaker, now, begun = Breaker(LIMITS), 0, None
    for lasts, gap in tries:
        begun = now if begun is None else begun
        breaker = breaker.failed(started=now, now=now + lasts, chance=1.0)
        now += lasts
        if breaker.says(now) == "open":
            break
        now += min(gap, max(0, LIMITS.failing_to_open - (now - begun) - 1))
    assert breaker.says(now) == "open"
    assert now - (begun or 0) <= 30_000


def test_tries_again_are_a_tenth_of_first_tries_and_one_every_half_minute() -> None:
    budget = Budget.full(LIMITS, 0)
    again = 0
    for _ in range(1_000):
        budget = budget.tried(first=True)
        if budget.allows_again():
            budget, again = budget.tried(first=False), again + 1
    assert 100 <= again <= 101
    quiet = Budget(LIMITS, 0.0, 0)
    assert not quiet.at(29_999).allows_again()
    assert quiet.at(quiet.allowed_at()).allows_again()
    assert quiet.at(10**9).saved == 1.0


def test_a_pace_has_no_rush_after_a_pause() -> None:
    pace = Pace(every=100).sent(0)
    assert pace.free_at == 100
    assert pace.sent(50_000).free_at == 50_100
    assert pace.pause(9_000).pause(2_000).free_at == 9_000
