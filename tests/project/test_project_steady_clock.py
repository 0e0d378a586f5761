"""The server's time goes on evenly when the machine's clock is stepped, and follows it when it is believed."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from desireline.project import new_project, open_demo
from desireline.project.steady_clock import STEP_MS, SteadyClock, elapsed_ms
from project.live_desk import DAY_MS, HOUR_MS, MINUTE_MS, SteppedMachine

YEAR_MS = 365 * DAY_MS


class Machine(SteppedMachine):
    """A machine with a server on it."""

    def steady(self) -> SteadyClock:
        return SteadyClock(self.clock, elapsed=self.elapsed)


def test_a_clock_that_is_slewed_is_followed() -> None:
    machine = Machine()
    clock = machine.steady()
    for _ in range(100):
        machine.passed += 1_000
        machine.ahead += 700
        assert clock() == machine.clock() and clock.step is None


@pytest.mark.parametrize("differs", [YEAR_MS, -YEAR_MS, HOUR_MS, -HOUR_MS, STEP_MS + 1])
def test_time_goes_on_when_the_clock_is_stepped_and_the_alarm_goes_when_it_comes_back(
    differs: int, caplog: pytest.LogCaptureFixture
) -> None:
    machine = Machine()
    clock = machine.steady()
    before = clock()
    machine.ahead += differs
    with caplog.at_level(logging.WARNING, logger="desireline.clock"):
        machine.passed += 5_000
        assert clock() == before + 5_000
        assert clock.step is not None and clock.step.differs_ms == differs and clock.steps == 1
        assert "clock stepped" in caplog.text and ("forward" if differs > 0 else "back") in clock.step.says
        machine.ahead -= differs
        machine.passed += 4_000
        assert clock() == before + 9_000 == machine.clock()
    assert clock.step is None and clock.steps == 1 and "back where it was" in caplog.text


@pytest.mark.parametrize(("differs", "wait"), [(5 * MINUTE_MS, 5 * MINUTE_MS), (-HOUR_MS, HOUR_MS), (YEAR_MS, DAY_MS)])
def test_a_step_is_believed_once_it_has_lasted_as_long_as_it_is_wide_or_a_day(differs: int, wait: int) -> None:
    machine = Machine()
    clock = machine.steady()
    machine.ahead += differs
    clock()
    machine.passed += wait - 1
    assert clock() == machine.clock() - differs
    machine.passed += 1
    clock()
    assert clock() == machine.clock() and clock.step is None


def test_a_second_step_is_told_again_and_waits_anew() -> None:
    machine = Machine()
    clock = machine.steady()
    machine.ahead += HOUR_MS
    clock()
    machine.passed += HOUR_MS - 1_000
    machine.ahead += HOUR_MS
    clock()
    machine.passed += 2_000
    clock()
    assert clock.steps == 2 and clock.step is not None and clock.step.differs_ms == 2 * HOUR_MS


def test_somebody_says_that_the_clock_is_right() -> None:
    machine = Machine()
    clock = machine.steady()
    assert clock.believe() == 0
    machine.ahead -= 3 * HOUR_MS
    assert clock.believe() == -3 * HOUR_MS
    assert clock() == machine.clock() and clock.step is None


def test_a_pause_between_two_readings_is_no_step() -> None:
    machine = Machine()

    def paused() -> int:
        machine.passed += MINUTE_MS
        return machine.clock()

    clock = SteadyClock(paused, elapsed=machine.elapsed)
    for _ in range(10):
        clock()
    assert clock.steps == 0


def test_a_clock_behind_what_is_known_to_have_happened_was_set_back() -> None:
    machine = Machine()
    clock = machine.steady()
    clock.not_before(machine.clock() + STEP_MS)
    assert clock.step is None
    clock.not_before(machine.clock() + HOUR_MS)
    assert clock.step is not None and clock.step.differs_ms == -HOUR_MS
    assert clock() == machine.clock() + HOUR_MS


def test_what_has_passed_is_counted_whatever_the_clock_says() -> None:
    before = elapsed_ms()
    assert before > 0 and elapsed_ms() >= before


def test_a_demos_own_time_before_its_files_came_in_is_no_step(tmp_path: Path) -> None:
    project = new_project(tmp_path / "demo")
    project.sources.add("shop", dialect="segment")
    demo = open_demo(project.folder, live=True)
    with demo.steady_time() as clock, demo.writing("serve"):
        assert demo.now() < project.now() - HOUR_MS
        assert clock.step is None
