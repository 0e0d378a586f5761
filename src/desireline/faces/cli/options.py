"""Options that many commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from desireline.project import Project

ProjectFolder = Annotated[
    Path | None,
    typer.Option(
        "--project",
        "-p",
        envvar="DESIRELINE_PROJECT",
        help="The project's folder; else the one you stand in.",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Since = Annotated[str | None, typer.Option("--since", help="From this day on: 2026-01-31.")]
Until = Annotated[str | None, typer.Option("--until", help="Before this day.")]
Channel = Annotated[list[str] | None, typer.Option("--channel", help="Only this channel; may be given again.")]
Segment = Annotated[
    list[str] | None, typer.Option("--segment", help="Only people who have column=value; may be given again.")
]
Broken = Annotated[bool, typer.Option("--broken", help="Only people with a broken promise.")]


def open_project(folder: Path | None) -> Project:
    """Open the project in `folder`, or the one around the folder one stands in; a live demo by its own clock."""
    from desireline.project import find_project, open_demo

    return open_demo(find_project(folder), live=False)
