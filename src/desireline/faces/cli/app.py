"""The commands gathered."""

from __future__ import annotations

import sys
from importlib import metadata
from typing import Annotated

import typer

from desireline.faces.cli import (
    commands_demo,
    commands_import,
    commands_listeners,
    commands_mail,
    commands_operating,
    commands_project,
    commands_promises,
    commands_questions,
    commands_sources,
)
from desireline.faces.cli.ending import run
from desireline.faces.cli.output import say

app = typer.Typer(
    help="The journey you promised beside the journey people lived.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)


def _tell_version(asked: bool) -> None:
    if asked:
        say(f"Desireline {metadata.version('desireline')}")
        raise typer.Exit


@app.callback()
def _before_every_command(
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_tell_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """The journey you promised beside the journey people lived."""


for group in (
    commands_demo,
    commands_import,
    commands_sources,
    commands_listeners,
    commands_mail,
    commands_questions,
    commands_promises,
    commands_project,
    commands_operating,
):
    group.add_to(app)


def main() -> None:
    """Run the command line; every failure is told without a traceback."""
    sys.exit(run(app))
