"""What a server's time is, and somebody's word that this machine's clock is right although it was stepped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from desireline.project.handing_over import running_server
from desireline.vocabulary.units import SECOND_MS, lateness_text, moment_text

if TYPE_CHECKING:
    from desireline.project.project import Project


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
    clock()
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
