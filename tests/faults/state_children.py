"""Children that work on a state store until they are killed: one warm process forks them, so that a kill costs little.

Run as a program it reads orders, one JSON a line, and answers each with how the child ended.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from desireline.storage.progress_book import ProgressBook
from desireline.storage.seen_book import SeenBook
from desireline.storage.state import State

ROWS_AT_ONCE = 50
"""How many rows a child writes with each step of its progress."""


Begun = Callable[[], None]


def open_it(where: Path | str, begun: Begun) -> None:
    """Open a state store, which migrates it where it is older."""
    begun()
    State(where).close()


def write_on(where: Path | str, begun: Begun) -> None:
    """Write rows together with the progress they make, for ever; as the projector does."""
    state = State(where)
    seen, progress = SeenBook(state), ProgressBook(state)
    progress.reached("live")
    begun()
    while True:
        with state.writing():
            step = progress.reached("live") + 1
            seen.add([(step * 1_000 + row, row, step) for row in range(ROWS_AT_ONCE)])
            progress.reach("live", step)


WORKS: dict[str, Callable[[Path | str, Begun], None]] = {"open": open_it, "write": write_on}


class Children:
    """Starts children one after the other."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def work(self, work: str, where: Path | str, *, kill_after_seconds: float) -> float | None:
        """Let a child work, and kill it so long after it began; the seconds it took, None when it was killed."""
        order = {"work": work, "where": str(where), "file": isinstance(where, Path), "seconds": kill_after_seconds}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        ended = self._process.stdout.readline().strip()
        assert ended == "killed" or ended.startswith("done "), ended
        return None if ended == "killed" else float(ended.removeprefix("done "))


@contextmanager
def children() -> Iterator[Children]:
    """The process that forks children, while the block runs."""
    command = [sys.executable, str(Path(__file__))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Children(process)
        assert process.stdin is not None
        process.stdin.close()


def _carry_out(order: dict[str, Any]) -> str:
    hears, tells = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            where = Path(order["where"]) if order["file"] else order["where"]
            WORKS[order["work"]](where, lambda: os.close(tells))
        except BaseException as error:
            print(f"failed: {error!r}", flush=True)
            os._exit(1)
        os._exit(0)
    os.close(tells)
    os.read(hears, 1)
    os.close(hears)
    began = time.monotonic()
    with os.fdopen(os.pidfd_open(child)) as alive:
        select.select([alive], [], [], order["seconds"])
    seconds = time.monotonic() - began
    os.kill(child, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return {-signal.SIGKILL: "killed", 0: f"done {seconds}"}.get(status, "")


if __name__ == "__main__":
    import pg8000  # noqa: F401  the children need it at once

    for line in sys.stdin:
        if ended := _carry_out(json.loads(line)):
            print(ended, flush=True)
