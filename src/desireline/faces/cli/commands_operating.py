"""Commands for whoever runs a project: back it up, bring it back, look whether all is well."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from desireline.faces.cli.options import AsJson, ProjectFolder, open_project
from desireline.faces.cli.output import progress, show_record


def backup(
    folder: Annotated[Path, typer.Argument(help="A new folder for the backup.")],
    follow: Annotated[bool, typer.Option("--follow", help="Keep it up with the project until Ctrl-C.")] = False,
    every: Annotated[float, typer.Option("--every", min=0.2, help="With --follow: every so many seconds.")] = 5.0,
    project: ProjectFolder = None,
    json: AsJson = False,
) -> None:
    """Back a project up, also while it is served; the folder is complete or not there."""
    from desireline.project import Following, back_up

    opened = open_project(project)
    if not follow:
        _tell(back_up(opened, folder), folder, json=json)
        return
    following = Following(opened, folder)
    with until_stopped() as stopped:
        told = None
        while True:
            manifest = following.bring_up()
            if manifest.last_sequence != told:
                _tell(manifest, folder, json=json)
                told = manifest.last_sequence
            if stopped(every):
                return


def restore(
    backup: Annotated[Path, typer.Argument(help="The backup's folder.")],
    folder: Annotated[Path, typer.Argument(help="A new folder for the project.")],
    silent: Annotated[bool, typer.Option("--silent", help="Stop its listeners: a drill tells nobody.")] = False,
    json: AsJson = False,
) -> None:
    """Make a project again from a backup: every sum is checked, what is derived is made anew."""
    from desireline.project import restore as make_again

    with progress(quiet=json) as told:
        made = make_again(backup, folder, silent=silent, progress=told)
    interactions = made.snapshot().interactions
    record = {"project": str(folder), "name": made.file.name, "interactions": interactions}
    lines = [f"Restored {folder}: {interactions:,} interactions.", f"Next: desireline doctor --project {folder}"]
    show_record(record, as_json=json, lines=lines)


def doctor(
    project: ProjectFolder = None,
    deep: Annotated[bool, typer.Option("--deep", help="Read every byte and compare with a rebuild beside.")] = False,
    json: AsJson = False,
) -> None:
    """Look whether all is well, also while the project is served; exits with 1 when something is broken."""
    from desireline.project import examine, find_project

    with progress(quiet=json) as told:
        found = examine(find_project(project), deep=deep, progress=told)
    faults = sum(each.level == "fault" for each in found)
    looks = sum(each.level == "look" for each in found)
    says = f"{faults} faults, {looks} things to look at." if faults or looks else "All is well."
    record = {"says": says, "findings": [asdict(each) for each in found]}
    show_record(record, as_json=json, lines=[*(each.line() for each in found), says])
    if faults:
        raise typer.Exit(1)


def clock(
    right: Annotated[
        bool, typer.Option("--right", help="This machine's clock is right: the server follows it.")
    ] = False,
    project: ProjectFolder = None,
    json: AsJson = False,
) -> None:
    """Show what time it is for the server, and whether this machine's clock was stepped while it ran."""
    from desireline.project import look_at_clock

    found = look_at_clock(open_project(project), right=right)
    lines = [found["says"], *([f"For the server it is {found['time']}."] if "time" in found else [])]
    show_record(found, as_json=json, lines=lines)


@contextmanager
def until_stopped() -> Iterator[Callable[[float], bool]]:
    """Ctrl-C and SIGTERM end a piece of work between two rounds; waits so many seconds and says whether to end."""
    stopping = threading.Event()
    before = {
        each: signal.signal(each, lambda _signal, _frame: stopping.set()) for each in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield stopping.wait
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _tell(manifest: Any, folder: Path, *, json: bool) -> None:
    from desireline.project import summary

    found = {"backup": str(folder), **summary(manifest)}
    line = f"{folder}: everything up to entry {manifest.last_sequence:,} of the log, {manifest.bytes / 1e6:,.1f} MB."
    show_record(found, as_json=json, lines=[line])


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command("backup")(backup)
    app.command("restore")(restore)
    app.command("doctor")(doctor)
    app.command("clock")(clock)
