"""Generate the world's rows, block of people by block of people, on the machine's threads."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from desireline.storage.engines import run
from desireline.world.clock import Clock, Numbers
from desireline.world.lives import lives
from desireline.world.record import OPENING, PERSON, RECORD, TIME, new_life, written

BLOCK_PEOPLE = 1_000
ROWS_A_PERSON, PLANTS_A_PERSON, SPARE = 150, 30, 2_000


class Happened(NamedTuple):
    """Everything that happened: rows in order of (person, time, written) and the planted verdicts."""

    rows: Numbers
    plants: Numbers
    kernel_seconds: float


def happen(*, clock: Clock, seed: int, people: int, progress: Callable[[str, float], None]) -> Happened:
    """Live the lives of so many people. `kernel_seconds` is the time spent in the kernel, summed over blocks."""
    blocks = [(first, min(first + BLOCK_PEOPLE, people + 1)) for first in range(1, people + 1, BLOCK_PEOPLE)]
    done: list[int] = []

    def work(block: tuple[int, int]) -> Happened:
        partial = _block(clock=clock, seed=seed, block=block)
        done.append(1)
        progress("living three years", len(done) / len(blocks))
        return partial

    return _joined(run(work, blocks))


def _block(*, clock: Clock, seed: int, block: tuple[int, int]) -> Happened:
    people, factor, seconds = block[1] - block[0], 1, 0.0
    while True:
        life = new_life(
            clock,
            rows=factor * ROWS_A_PERSON * people + SPARE,
            plants=factor * PLANTS_A_PERSON * people + SPARE,
        )
        began = time.perf_counter()
        lives(life, seed, block[0], block[1])
        seconds += time.perf_counter() - began
        done = written(life)
        if done is not None:
            return _sorted(Happened(*done, seconds))
        factor *= 2


def _sorted(happened: Happened) -> Happened:
    order = np.lexsort((np.arange(len(happened.rows)), happened.rows[:, TIME], happened.rows[:, PERSON]))
    new_place = np.empty(len(order), np.int64)
    new_place[order] = np.arange(len(order))
    plants = happened.plants.copy()
    plants[:, OPENING] = new_place[plants[:, OPENING]]
    return Happened(
        happened.rows[order], plants[np.argsort(plants[:, OPENING], kind="stable")], happened.kernel_seconds
    )


def _joined(blocks: object) -> Happened:
    partials = list(blocks)  # type: ignore[call-overload]
    before = 0
    for partial in partials:
        partial.plants[:, OPENING] += before
        before += len(partial.rows)
    rows = np.concatenate([partial.rows for partial in partials])
    plants = np.concatenate([partial.plants for partial in partials])
    assert len(rows) == 0 or int(rows[:, RECORD].max()) < 2**31
    return Happened(rows, plants, sum(partial.kernel_seconds for partial in partials))
