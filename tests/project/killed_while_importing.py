"""Imports a file while messages come in, and dies at a step. Run by the test of kills.

Arguments: project folder, the file, how many steps it lives. Each message is told on standard output once it lies in
the log. A step is a file that takes its name, is deleted or synced.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import desireline.storage.durable as durable
from desireline.storage.journey_store import store
from project.live_desk import START_MS, FakeClock, at_work, message

WITHOUT_A_TURN = ("looking at the file", "making interactions", "looking for repeats", "journey store")


class Life:
    """So many steps, then death; without an end until it is `begun`."""

    def __init__(self, steps: int) -> None:
        self.left, self.begun = steps, False

    def counted(self, real: Callable[..., Any]) -> Callable[..., Any]:
        """The same, a step before it."""

        def called(*given: Any, **named: Any) -> Any:
            if self.begun:
                self.left -= 1
                if self.left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
            return real(*given, **named)

        return called


def main(folder: Path, file: Path, steps: int) -> None:
    """Live so long."""
    life, numbers, clock = Life(steps), count(), FakeClock(START_MS + 1_000_000)
    for name in ("replace", "rename", "unlink"):
        setattr(Path, name, life.counted(getattr(Path, name)))
    durable.sync_file = life.counted(durable.sync_file)
    store._MANY_ROWS = 0
    with at_work(folder, clock) as desk:

        def comes_in(_share: float = 0.0, doing: str = WITHOUT_A_TURN[0]) -> None:
            if doing not in WITHOUT_A_TURN:
                return
            key = f"m{next(numbers)}"
            clock.move(1_000)
            desk.send(message(key, "Ticket Opened", f"u{len(key)}", clock(), case=key))
            sys.stdout.write(f"{key}\n")
            sys.stdout.flush()
            desk.live.turn()

        comes_in()
        life.begun = True
        recipe = desk.project.imports.guess(file).recipe
        assert recipe is not None
        desk.project.imports.take([(file, recipe)], progress=comes_in)
        comes_in()
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
