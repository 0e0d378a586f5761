"""A project that takes in over HTTP while a test runs, and what is in it afterwards, counted in the lake."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from collector.running import served
from desireline.faces.collector import Collector, Sources
from desireline.faces.serve import source_of
from desireline.intake import dialects
from desireline.intake.dialects import Received
from desireline.project import Project, new_project
from desireline.project.hub import Hub
from desireline.project.live import Live


@dataclass
class Seen:
    """What the project holds once everything in the log was applied."""

    rows: list[dict[str, Any]]
    stored: int
    quarantined: list[str]
    verdicts: Counter[str] = field(default_factory=Counter)

    @property
    def keys(self) -> Counter[str]:
        """How often each interaction is in the lake, by the id its client gave it."""
        return Counter(row["source_key"] for row in self.rows)

    @property
    def touchpoints(self) -> dict[str, int]:
        return dict(sorted(Counter(row["touchpoint"] for row in self.rows).items()))

    @property
    def numbers(self) -> list[int]:
        """The numbers the test gave its tracked events, sorted; each once when all is well."""
        return sorted(json.loads(row["properties"])["number"] for row in self.of("desk.asked"))

    def of(self, touchpoint: str) -> list[dict[str, Any]]:
        return [row for row in self.rows if row["touchpoint"] == touchpoint]

    def check_each_once(self) -> None:
        """Every interaction is there once, none waits in quarantine, and the log did hold repeats."""
        assert self.quarantined == []
        assert [key for key, times in self.keys.items() if times != 1 or key.startswith("log-")] == []
        assert self.verdicts == {"accepted": len(self.rows), "repeated": self.stored - len(self.rows)}
        assert self.stored > len(self.rows), "nothing was sent twice: the front did not cut"


@dataclass
class WholeProject:
    """A held project and the port its collector listens on."""

    project: Project
    key: str
    port: int
    hub: Hub
    live: Live

    def seen(self) -> Seen:
        """Apply what the log holds and look at it."""
        self.live.turn()
        with self.project.lake.connection() as connection:
            found = connection.execute("SELECT * FROM interactions ORDER BY occurred_at, position, id")
            names = [column[0] for column in found.description]
            rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
        refused = self.project.imports.refused()
        told = Counter(event.values["verdict"] for event in self.hub.since(0)[0] if event.kind == "verdict")
        reasons = [str(reason) for reason in refused["reason"]] if len(refused) else []
        return Seen(rows, len(self.messages()), reasons, told)

    def messages(self) -> list[dialects.Message]:
        """Every message of every request in the log, repeats included."""
        found: list[dialects.Message] = []
        for frame in self.project.record.log.read():
            if frame.source:
                meta = json.loads(frame.meta)
                received = Received(
                    frame.sequence, frame.received_at, frame.source, meta["dialect"], meta["method"], meta["path"],
                    meta["query"], meta["headers"], frame.body,
                )  # fmt: skip
                found += dialects.read(received).messages
        return found


@contextlib.contextmanager
def whole_project(folder: Path, *, dialect: str = "segment", server_side: bool = True) -> Iterator[WholeProject]:
    """A new project with one source, its collector on a free port, until the block ends."""
    project = new_project(folder / "project")
    row = project.sources.add("client", dialect=dialect, server_side=server_side)
    hub = Hub()
    with project.holding("the test"):
        live = Live(project, hub)
        live.begin()
        collector = Collector(project.record.log, Sources([source_of(row)]), now=project.now)
        with served(collector) as port:
            yield WholeProject(project, row["key"], port, hub, live)
    project.state.close()
