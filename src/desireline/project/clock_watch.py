"""What a server's time is, and somebody's word that this machine's clock is right although it was stepped."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from desireline.project.handing_over import running_server
from desireline.storage.durable import replacing
from desireline.vocabulary.units import SECOND_MS, lateness_text, moment_text

if TYPE_CHECKING:
    from desireline.project.project import Project
    from desireline.project.steady_clock import SteadyClock

FILE_NAME = "clock.json"
"""What lies in the project's data while a step of the clock waits, so that a new start does not believe it unasked."""
BOOT = Path("/proc/sys/kernel/random/boot_id")


def look_at_clock(project: Project, *, right: bool = False) -> dict[str, Any]:
    """What the server's time is, and whether this machine's clock was stepped.

    right: somebody says that the clock is right; the server's time becomes that, and at its next turn everybody is
    judged as of then. Their word is an entry of the log.
    """
    if (server := running_server(project)) is not None:
        return dict(server.do("clock", {"right": right}))
    clock, moved_ms = project.clock, 0
    if clock is None:
        return {"says": "No server runs. It will start with this machine's clock.", "stepped": False}
    project.now()
    if right and clock.step is not None:
        with project.writing("desireline clock"):
            project.record.change("clock", {"differs_ms": clock.step.differs_ms})
            moved_ms = clock.believe()
    now, step = project.now(), clock.step
    if moved_ms:
        way = "forward" if moved_ms > 0 else "back"
        says = f"The server's time moved {way} by {lateness_text(abs(moved_ms) // SECOND_MS)}."
    else:
        says = f"{step.says}: {step.to_do}." if step is not None else "This machine's clock goes evenly."
    return {"says": says, "stepped": step is not None, "time": moment_text(now)}


def remember_step(data: Path, clock: SteadyClock) -> None:
    """Write down what time it really is while a step waits, for a new start before the machine starts anew."""
    clock()
    path, run = data / FILE_NAME, _run_of_the_machine()
    if clock.step is None or not run:
        path.unlink(missing_ok=True)
        return
    known = {"run": run, "began_at": clock.began_at}
    if _read(path) != known:
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(known), encoding="utf-8")


def remembered(data: Path) -> int | None:
    """What was written down of the time since the machine started; `None` when no step waits."""
    known = _read(data / FILE_NAME)
    return int(known["began_at"]) if known and known["run"] == _run_of_the_machine() else None


def _read(path: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        return dict(json.loads(path.read_text(encoding="utf-8")))
    return {}


def _run_of_the_machine() -> str:
    """Another for each start of the machine; empty where it does not say."""
    with suppress(OSError):
        return BOOT.read_text(encoding="ascii").strip()
    return ""
