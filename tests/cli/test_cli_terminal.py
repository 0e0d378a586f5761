"""Tables on a terminal: drawn in columns where there is room, told row by row where there is none."""

from __future__ import annotations

import io
import re
import sys

import pytest

from desireline.faces.cli.output import show
from desireline.vocabulary.table import Table

RATES = Table(
    says="Least kept: told-when-settled.",
    columns={
        "map": ["fraud-alert", "lost-card"],
        "promise": ["told-when-settled", "blocked-at-once"],
        "keep_rate": ["57.7%", "99.2%"],
        "interval": ["56.3% to 59.1%", "99.0% to 99.4%"],
        "settled": [4611, 6549],
        "broken": [1950, 51],
        "waiting": [85, 0],
        "note": ["", ""],
        "due_at": [None, None],
    },
    counted="kept / (kept + broken)",
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(monkeypatch: pytest.MonkeyPatch, *, columns: int) -> list[str]:
    """The lines a terminal so wide shows, without what makes them bold or dim."""
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    show(RATES, as_json=False)
    return re.sub(r"\x1b\[[0-9;]*m", "", terminal.getvalue()).splitlines()


def test_a_narrow_terminal_is_told_row_by_row_without_what_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown(monkeypatch, columns=40)
    assert lines[:6] == [
        "Least kept: told-when-settled.",
        "",
        "map: fraud-alert",
        "promise: told-when-settled",
        "keep_rate: 57.7%",
        "interval: 56.3% to 59.1%",
    ]
    assert not any(line.startswith(("note", "due_at")) for line in lines)
    assert lines[-1] == "How this is counted: kept / (kept + broken)"


def test_a_wide_terminal_draws_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown(monkeypatch, columns=120)
    assert any("fraud-alert" in line and "57.7%" in line and "1,950" in line for line in lines)
