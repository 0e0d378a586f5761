"""The commands gathered, and errors told as people can use them."""

from __future__ import annotations

import os
import sys

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
from desireline.faces.cli.output import show_error
from desireline.vocabulary.errors import DesirelineError, Mistake, WorkFailed

app = typer.Typer(
    help="The journey you promised beside the journey people lived.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

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
    """Run the command line; a mistake is told without a traceback."""
    try:
        app()
    except DesirelineError as error:
        show_error(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.stderr.write("Stopped.\n")
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        show_error(WorkFailed(Mistake(f"{error.strerror or error}.", where=str(error.filename or "desireline"))))
        sys.exit(WorkFailed.exit_code)
