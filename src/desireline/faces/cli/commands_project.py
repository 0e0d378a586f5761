"""Commands about the project itself: make one, ask it in SQL, serve its pages, keep its store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from desireline.faces.cli.options import AsJson, ProjectFolder, open_project
from desireline.faces.cli.output import progress, say, show, show_record


def init(
    folder: Annotated[Path, typer.Argument(help="The folder of the new project.")],
    time_zone: Annotated[str, typer.Option(help="Zone of times that come without one.")] = "UTC",
    currency: Annotated[str, typer.Option(help="Currency of amounts that come without one.")] = "EUR",
) -> None:
    """Make a new, empty project."""
    from desireline.project import new_project

    new_project(folder, time_zone=time_zone, currency=currency)
    say(f"Made {folder.resolve()}. Next: desireline import --project {folder} FILE")


def sql(
    question: Annotated[str, typer.Argument(help="One SELECT over the lake's tables.")],
    rows: Annotated[int, typer.Option("--rows", min=1, help="At most so many rows.")] = 1_000,
    seconds: Annotated[float, typer.Option("--seconds", min=0.1, help="Stop after so long.")] = 30.0,
    project: ProjectFolder = None,
    json: AsJson = False,
) -> None:
    """Ask the lake in SQL; nothing can be changed by it."""
    show(open_project(project).lake.sql(question, limit=rows, seconds=seconds), as_json=json)


def digest(project: ProjectFolder = None, json: AsJson = False) -> None:
    """Print a digest of everything that is derived: equal for equal content, however it came about."""
    from desireline.project import digests

    found = digests(open_project(project))
    show_record(_digest_record(found), as_json=json, lines=[f"{name:14}{value}" for name, value in found.items()])


def rebuild(project: ProjectFolder = None, json: AsJson = False) -> None:
    """Make everything that is derived anew from the log of record: lake, people, journeys, ledger."""
    from desireline.project import digests
    from desireline.project import rebuild as build_anew

    opened = open_project(project)
    with progress(quiet=json) as told:
        build_anew(opened, progress=told)
    found = digests(opened)
    lines = ["Built anew from the log of record.", *(f"{name:14}{value}" for name, value in found.items())]
    show_record(_digest_record(found), as_json=json, lines=lines)


def _digest_record(found: dict[str, str]) -> dict[str, Any]:
    return {"digest": found["store"], "digests": found}


def flow_of_work() -> None:
    """Print the steps of the work, in order, with the tables they read and write."""
    from desireline.project import flow_of_work as steps

    say(steps())


def serve(
    project: ProjectFolder = None,
    port: Annotated[int, typer.Option(envvar="PORT", min=0, max=65535, help="0 takes a free one.")] = 8765,
    open_page: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in a browser.")] = False,
    listen: Annotated[
        str, typer.Option("--listen", help="A second ADDRESS:PORT that only takes interactions in.", show_default=False)
    ] = "",
    behind_proxy: Annotated[
        bool, typer.Option("--behind-proxy", help="A proxy with TLS stands before --listen.")
    ] = False,
    public_address: Annotated[
        str, typer.Option("--public-address", help="Where clients reach that: https://collect.example.")
    ] = "",
    log_format: Annotated[str, typer.Option("--log-format", help="auto, json or plain.")] = "auto",
) -> None:
    """Take interactions in as they happen and show the pages, on this machine only."""
    from desireline.faces.listening import outside_address
    from desireline.faces.logs import set_up

    set_up(log_format=log_format)
    outside = outside_address(listen, behind_proxy=behind_proxy) if listen else None
    opened = open_project(project)
    from desireline.faces.serve import serve as serve_project

    serve_project(opened, port=port, open_page=open_page, outside=outside, public_address=public_address)


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command("init")(init)
    app.command("serve")(serve)
    app.command("sql")(sql)
    app.command("rebuild")(rebuild)
    app.command("digest")(digest)
    app.command("flow-of-work")(flow_of_work)
