"""The command line as a user meets it: what was typed, what came back; and a small help desk to type it at."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from desireline.faces.cli import main

TICKETS = "tickets.csv"
RECIPE = """
recipe: tickets
source: desk
files: ["tickets*.csv"]
zone: UTC
key: Key
interactions:
  - occurred_at: {column: At}
    case: {column: Ticket}
    handles: [{kind: email, column: Mail}]
    touchpoint: {column: What}
    channel: {column: Via}
    direction: {column: Way}
    product: {column: Product}
"""
MAP = """
map: tickets
says: Whoever asks is answered within a day.
begins: {touchpoint: ticket.opened}
ends: {touchpoint: ticket.answered}
quiet_after: 30 days
phases:
  - phase: Ask
    steps:
      - {step: opened, touchpoint: ticket.opened}
      - {step: answered, touchpoint: ticket.answered}
promises:
  - promise: answered-in-a-day
    at: Ask/answered
    says: We answer within a day.
    when: {touchpoint: ticket.opened}
    then: {touchpoint: ticket.answered}
    same: case
    within: 1 day
    keep: 95 %
"""


@dataclass(frozen=True)
class Said:
    """What a command answered: its exit code and both streams."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def typed(*words: str | Path) -> Said:
    """Type a command, in this process; whatever is no exit is a fault of ours and goes up to the test."""
    out, err = io.StringIO(), io.StringIO()
    code: Any = 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["desireline", *map(str, words)])
        patch.setattr(sys, "stdin", io.StringIO())
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        try:
            main()
        except SystemExit as ended:
            code = ended.code or 0
    return Said(int(code), out.getvalue(), err.getvalue())


def tickets(count: int = 40) -> str:
    """A help desk's export: every second ticket is answered in time, one row holds a moment that never was."""
    rows = ["Key,Ticket,At,Mail,What,Via,Way,Product"]
    for number in range(count):
        mail, day = f"person{number}@example.org", number % 25 + 1
        via = "web" if number % 4 else "phone"
        rows.append(f"o{number},T{number},2026-01-{day:02} 10:00,{mail},ticket.opened,{via},inbound,card")
        answered = f"2026-01-{day:02} 12:00" if number % 2 else f"2026-01-{day + 3:02} 12:00"
        rows.append(f"a{number},T{number},{answered},{mail},ticket.answered,email,outbound,card")
    rows.append("o99,T99,2026-02-31 10:00,person1@example.org,ticket.opened,web,inbound,card")
    return "\n".join(rows) + "\n"


def help_desk(folder: Path) -> Path:
    """A project with the tickets taken in by a recipe and one promise judged."""
    assert typed("init", folder).code == 0
    (folder / "recipes" / "tickets.yaml").write_text(RECIPE, encoding="utf-8")
    (folder / "maps" / "tickets.yaml").write_text(MAP, encoding="utf-8")
    (folder / TICKETS).write_text(tickets(), encoding="utf-8")
    assert typed("import", "-p", folder, folder / TICKETS).code == 0
    return folder
