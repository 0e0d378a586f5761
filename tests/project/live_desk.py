"""A help desk whose interactions come in live, with a clock that stands until it is moved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import msgspec

from desireline.project import Project, new_project
from desireline.project.hub import Hub
from desireline.project.live import Live
from desireline.storage.log import Kind

START_MS = 1_767_225_600_000  # 2026-01-01
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000

MAP = """
map: desk
says: Whoever asks is answered.
begins: {touchpoint: ticket.opened}
ends: {touchpoint: ticket.solved}
quiet_after: 20 days
phases:
  - phase: Help
    sale: after
    steps:
      - {step: asked, touchpoint: ticket.opened}
      - {step: answered, touchpoint: ticket.answered}
promises:
  - promise: answered
    says: You are answered within two hours.
    when: {touchpoint: ticket.opened}
    then: {touchpoint: ticket.answered}
    same: case
    within: 2 hours
    keep: 80 %
  - promise: once
    says: You ask once.
    when: {touchpoint: ticket.opened}
    at_most: {count: 0, of: {touchpoint: ticket.opened}, within: 3 days}
    same: case
"""


class FakeClock:
    """A clock that stands until it is moved."""

    def __init__(self, at: int = START_MS) -> None:
        self.at = at

    def __call__(self) -> int:
        return self.at

    def move(self, ms: int) -> None:
        """Let time pass."""
        self.at += ms


class SteppedMachine:
    """A machine whose clock can be stepped: `ahead` is moved by hand, `passed` by time."""

    def __init__(self, at: int = START_MS) -> None:
        self.passed, self.ahead = 0, at

    def clock(self) -> int:
        """What its clock says."""
        return self.passed + self.ahead

    def elapsed(self) -> int:
        """What has passed, whatever its clock says."""
        return self.passed


def message(key: str, event: str, user: str, at: int, **properties: Any) -> dict[str, Any]:
    """One tracked event, as Segment's clients write it."""
    return {
        "type": "track",
        "messageId": key,
        "event": event,
        "userId": user,
        "timestamp": iso(at),
        "properties": properties,
    }


def iso(at: int) -> str:
    """A moment as clients write it."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Desk:
    """An open live project: send to it, let time pass, let it work."""

    def __init__(self, folder: Path, clock: Callable[[], int], project: Project, live: Live, hub: Hub) -> None:
        self.folder, self.clock, self.project, self.live, self.hub = folder, clock, project, live, hub

    def send(self, *messages: dict[str, Any], source: str = "shop") -> int:
        """Put a batch into the log, as the collector does; gives its sequence."""
        body = msgspec.json.encode({"batch": list(messages), "sentAt": iso(self.clock())})
        return self.send_body(body, source=source)

    def send_body(self, body: bytes, *, source: str = "shop") -> int:
        """Put any body into the log."""
        meta = {"dialect": "segment", "method": "POST", "path": "/v1/batch", "query": "", "headers": {}}
        return self.project.record.log.append(
            Kind.REQUEST, received_at=self.clock(), source=source, meta=msgspec.json.encode(meta), body=body
        )

    def ledger(self, *columns: str) -> list[tuple[Any, ...]]:
        """The ledger in force, ordered."""
        names = ", ".join(columns or ("promise", "key", "verdict", "breach"))
        with self.project.lake.connection() as connection:
            return connection.execute(f"SELECT {names} FROM ledger ORDER BY ALL").fetchall()

    def interactions(self) -> int:
        """How many interactions the lake holds."""
        with self.project.lake.connection() as connection:
            return int(connection.execute("SELECT count(*) FROM interactions").fetchall()[0][0])


def a_desk(folder: Path, *, server_side: bool = True, maps: Sequence[str] = (MAP,)) -> Path:
    """A new project with a map and one source."""
    project = new_project(folder)
    for number, text in enumerate(maps):
        (folder / "maps" / f"map{number}.yaml").write_text(text, encoding="utf-8")
    project.sources.add("shop", server_side=server_side)
    project.state.close()
    return folder


@contextmanager
def at_work(folder: Path, clock: FakeClock | SteppedMachine) -> Iterator[Desk]:
    """Hold a project as a server does, its turns taken by the test; a machine that can be stepped gets steady time."""
    project = Project(folder, now=clock.clock if isinstance(clock, SteppedMachine) else clock)
    hub = Hub()
    with ExitStack() as held:
        if isinstance(clock, SteppedMachine):
            clock = held.enter_context(project.steady_time(elapsed=clock.elapsed))
        held.enter_context(project.holding("the test"))
        live = Live(project, hub)
        project.judged.append(live.judged)
        live.begin()
        yield Desk(folder, clock, project, live, hub)
    project.state.close()
