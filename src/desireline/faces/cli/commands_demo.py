"""The demo and its world."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from desireline.faces.cli.options import AsJson, ProjectFolder, open_project
from desireline.faces.cli.output import progress, say, show_record


def demo(
    folder: Annotated[Path, typer.Argument(help="The folder of the demo's project.")] = Path("desireline-demo"),
    people: Annotated[int, typer.Option("--people", min=100, help="How many customers the bank has.")] = 20_000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Same seed, same world.")] = 7,
    port: Annotated[int, typer.Option(envvar="PORT", min=0, max=65535, help="0 takes a free one.")] = 8765,
    open_page: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in a browser.")] = True,
    only_make: Annotated[bool, typer.Option("--only-make", help="Make the project, serve no page.")] = False,
    live: Annotated[
        bool, typer.Option("--live", help="Let the bank's customers go on living while you watch.")
    ] = False,
    per_second: Annotated[float, typer.Option("--per-second", min=0.1, help="So many interactions a second.")] = 50.0,
) -> None:
    """Make the demo bank, take its files in, judge its promises, and open the page."""
    from desireline.project import make_demo, open_demo

    if not (folder / "desireline.yaml").exists():
        with progress(quiet=False) as told:
            made = make_demo(folder, people=people, seed=seed, progress=told)
        for line in made.lines():
            say(line)
    if only_make:
        return
    from desireline.faces.logs import set_up
    from desireline.faces.serve import serve

    set_up()
    serve(open_demo(folder, live=live), port=port, open_page=open_page, feed_per_second=per_second if live else 0.0)


def world(
    people: Annotated[int, typer.Option("--people", min=1, help="How many customers.")] = 20_000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Same seed, same bytes.")] = 7,
    to: Annotated[Path, typer.Option("--to", help="The folder to write to.")] = Path("world"),
    json: AsJson = False,
) -> None:
    """Write the bank's export files, and apart from them the truth."""
    from desireline.world import make_world

    with progress(quiet=json) as told:
        report = make_world(people=people, seed=seed, to=to, progress=lambda says, share: told(share, says))
    lines = [f"{to / file.path}: {file.rows:,} rows" for file in report.files]
    lines.append(
        f"{report.people:,} people, {report.interactions:,} interactions in {report.seconds:.1f} s "
        f"({report.interactions_per_second:,.0f} interactions a second in the kernel). Digest {report.digest}"
    )
    show_record(asdict(report), as_json=json, lines=lines)


def world_check(
    world: Annotated[
        Path | None, typer.Option("--world", help="The folder of the world; else 'world' in the project.")
    ] = None,
    project: ProjectFolder = None,
    json: AsJson = False,
) -> None:
    """Compare the ledger with the truth of a made-up world: which planted breaches were found, and why not the rest."""
    from desireline.project import compare_with_truth

    opened = open_project(project)
    with progress(quiet=json) as told:
        found = compare_with_truth(opened, world or opened.folder / "world", progress=told)
    tables = (found.promises, found.causes, found.people, found.strangers)
    lines = [*found.lines(), *(f"\n{table}" for table in tables)]
    show_record(found.as_dict(), as_json=json, lines=lines)
    if found.faults:
        raise typer.Exit(1)


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command("demo")(demo)
    app.command("world")(world)
    app.command("world-check")(world_check)
