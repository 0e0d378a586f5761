"""Writes docs/reference/ and the flow in docs/ARCHITECTURE.md from the code: `make docs`."""

from __future__ import annotations

import re
from pathlib import Path

import typer.main
from typer.core import TyperGroup

from desireline.faces.cli.app import app
from desireline.faces.collector import openapi
from desireline.faces.metrics import COLLECTOR, METRICS
from desireline.project import flow_of_work
from desireline.vocabulary.handles import HANDLE_KINDS
from desireline.vocabulary.interaction import FIELDS, sql_type
from desireline.vocabulary.tables import TABLES
from docs.faults import faults

DOCS = Path(__file__).parent
MADE = "<!-- Made from the code by `make docs`. -->\n"


def pages() -> dict[Path, str]:
    """Every page that is made from the code, by its path."""
    return {
        DOCS / "reference" / "commands.md": commands(),
        DOCS / "reference" / "interactions.md": interactions(),
        DOCS / "reference" / "tables.md": tables(),
        DOCS / "reference" / "collector.json": collector(),
        DOCS / "reference" / "faults.md": faults(),
        DOCS / "reference" / "metrics.md": metrics(),
        DOCS / "ARCHITECTURE.md": architecture(),
    }


def commands() -> str:
    """The page of commands, with every option."""
    group = typer.main.get_command(app)
    lines = [MADE, "# Commands", "", "Every command exits with 0 done, 1 a finding, 2 wrong use, 3 failed.", ""]
    return "\n".join(lines + _commands_of(group, "desireline"))


def _commands_of(group: object, path: str) -> list[str]:
    lines = []
    assert isinstance(group, TyperGroup)
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            lines += _commands_of(command, f"{path} {name}")
            continue
        lines += [f"## {path} {name}", "", (command.help or "").strip(), "", "| option | what it does |", "|---|---|"]
        for parameter in command.params:
            words = ", ".join(f"`{word}`" for word in (*parameter.opts, *parameter.secondary_opts))
            if parameter.param_type_name == "argument":
                words = f"`{(parameter.name or '').upper()}`"
            lines.append(f"| {words} | {getattr(parameter, 'help', None) or ''} |")
        lines.append("")
    return lines


def metrics() -> str:
    """The page of the figures a running server gives to Prometheus."""
    lines = [MADE, "# Figures of a running server", ""]
    lines += [
        "`GET /metrics` on this machine, in the text format of Prometheus. No label says anything about a person.",
        "",
    ]
    lines += ["| figure | kind | what it says |", "|---|---|---|"]
    lines += [f"| `{each.full_name}` | {each.kind} | {each.says} |" for each in METRICS]
    lines += ["", "## Of the collector", "", "| figure | what it says |", "|---|---|"]
    lines += [f"| `desireline_collector_{name}` | {says} |" for name, says in COLLECTOR.items()]
    return "\n".join(lines) + "\n"


def collector() -> str:
    """The description of the collector for machines (OpenAPI)."""
    return openapi.text().decode() + "\n"


def interactions() -> str:
    """The page of an interaction's fields and of the kinds of handles."""
    lines = [MADE, "# The interaction", ""]
    lines += ["| word | column | type | what it says | in patterns |", "|---|---|---|---|---|"]
    lines += [
        f"| `{f.name}` | `{f.column}` | {sql_type(f)} | {f.says} | {'yes' if f.in_patterns else ''} |" for f in FIELDS
    ]
    lines += ["", "## Handles, strongest first", "", "| kind | strong | what it is |", "|---|---|---|"]
    lines += [f"| `{kind.name}` | {'yes' if kind.strong else 'no'} | {kind.says} |" for kind in HANDLE_KINDS]
    return "\n".join(lines) + "\n"


def tables() -> str:
    """The page of the lake's tables."""
    lines = [MADE, "# Tables of the lake", ""]
    lines += ["Ask them with `desireline sql`, or open the Parquet files with anything.", ""]
    for table in TABLES.values():
        lines += [f"## {table.name}", "", f"{table.says} Written by `{table.writer}`.", ""]
        lines += ["| column | type |", "|---|---|"]
        lines += [f"| `{name}` | {kind} |" for name, kind in table.columns.items()] + [""]
    return "\n".join(lines)


def architecture() -> str:
    """The architecture page with the flow of work put in."""
    text = (DOCS / "ARCHITECTURE.md").read_text(encoding="utf-8")
    put = f"<!-- flow: begin -->\n{flow_of_work()}\n<!-- flow: end -->"
    return re.sub(r"<!-- flow: begin -->.*<!-- flow: end -->", lambda _: put, text, flags=re.DOTALL)


if __name__ == "__main__":
    for path, text in pages().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
