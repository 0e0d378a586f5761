"""Letters, once and by hand: out of a mailbox or a mailbox file, or over SMTP or LMTP, handed to the collector."""

from __future__ import annotations

import signal
import threading
from typing import Annotated

import typer

from desireline.faces.cli.options import ProjectFolder, open_project
from desireline.vocabulary.errors import DesirelineError

FREE_WORDS = {"allow_extra_args": True, "ignore_unknown_options": True}


def mail(
    context: typer.Context,
    way: Annotated[
        str, typer.Argument(help="imap, mbox, smtp or lmtp; the rest of the line is theirs, see docs/how-to/e-mail.md.")
    ],
    source: Annotated[str, typer.Option("--source", help="The source of dialect email they come in by.")] = "",
    project: ProjectFolder = None,
) -> None:
    """Let letters in by hand, once or until Ctrl-C; a source added with --imap or --smtp needs no such command."""
    from desireline.intake import mail as letters

    words = [way, *context.args]
    if source and "--to" not in words:
        words += ["--to", _address(project, source)]
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    raise typer.Exit(letters.let_in(words, over))


def _address(project: ProjectFolder, source: str) -> str:
    """Where the collector of the running server takes this source's letters."""
    from desireline.project import running_server

    opened = open_project(project)
    key = opened.sources.named(source)["key"]
    server = running_server(opened)
    if server is None:
        raise DesirelineError("no server of this project runs. Start it first: desireline serve")
    return f"http://127.0.0.1:{server.port}/mail/{key}"


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command("mail", context_settings=FREE_WORDS, add_help_option=True)(mail)
