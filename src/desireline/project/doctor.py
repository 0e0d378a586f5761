"""Is everything well with a project? A list of findings, each with what to do; nothing is changed by asking."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from desireline.project import doctor_data, doctor_letters, doctor_log, doctor_work
from desireline.project.backup import back_up
from desireline.project.demo_live import open_demo
from desireline.project.file import FILE_NAME
from desireline.project.finding import Finding, fault, look, ok
from desireline.project.handing_over import running_server
from desireline.project.project import Project
from desireline.project.rebuilding import digests
from desireline.project.restoring import restore
from desireline.vocabulary.errors import DesirelineError

Progress = Callable[[float, str], None]
Check = Callable[[Project, Mapping[str, str]], Iterator[Finding]]
CHECKS: Mapping[str, Check] = {
    "state": doctor_data.state_is_whole,
    "log": doctor_log.log_is_whole,
    "disk": doctor_log.room_on_disk,
    "server": doctor_log.server_is_well,
    "lake": doctor_data.lake_is_whole,
    "journeys": doctor_data.store_is_sound,
    "maps": doctor_work.maps_and_recipes,
    "sources": doctor_work.sources,
    "letters": doctor_letters.letters,
    "listeners": doctor_work.listeners,
    "quarantine": doctor_work.quarantine,
    "kernels": doctor_work.kernels,
}
"""Every look, in order; each tells one thing at least."""
OF_THE_STATE = ("sources", "letters", "listeners", "quarantine")
"""Looks into the state store, left out when opening it would change it."""


def examine(
    folder: Path, *, progress: Progress, deep: bool = False, environment: Mapping[str, str] = os.environ
) -> list[Finding]:
    """Look at a project, stopped or running.

    deep: read every byte of the log and make everything derived again in a temporary folder, to compare digests;
    that folder takes as much room as the project.
    """
    try:
        project = open_demo(folder, live=False)
    except DesirelineError as error:
        return [fault("settings", mistake.what, mistake.do, where=mistake.where) for mistake in error.mistakes]
    found = [ok("settings", f"{FILE_NAME} has no mistake"), *doctor_data.sqlite_in_use_is_safe()]
    readable = doctor_data.state_is_readable(project)
    for number, (about, check) in enumerate(CHECKS.items()):
        if readable or about not in OF_THE_STATE:
            progress(number / len(CHECKS) * (0.3 if deep else 1.0), about)
            found += _told(about, check, project, environment)
    if deep and readable:
        found += _told_deep(project, progress=lambda share, what: progress(0.3 + 0.7 * share, what))
    return found


def _told(about: str, check: Check, project: Project, environment: Mapping[str, str]) -> list[Finding]:
    """What one look tells; one that cannot be finished is a fault of its own and hinders no other."""
    try:
        return list(check(project, environment))
    except DesirelineError as error:
        return [fault(about, mistake.what, mistake.do, where=mistake.where) for mistake in error.mistakes]
    except OSError as error:
        do = "look at the disk, and at whose files these are"
        return [fault(about, f"this cannot be read: {error.strerror or error}", do, where=str(error.filename or ""))]
    except Exception as error:
        return [fault(about, f"this cannot be looked at ({type(error).__name__})", "desireline rebuild")]


def _told_deep(project: Project, *, progress: Progress) -> list[Finding]:
    """Every byte of the log, and a rebuild beside the project."""
    with tempfile.TemporaryDirectory(prefix="desireline-doctor-") as beside:
        try:
            return list(_compared(project, Path(beside), progress))
        except DesirelineError as error:
            return [fault("rebuild", mistake.what, mistake.do, where=mistake.where) for mistake in error.mistakes]


def _compared(project: Project, beside: Path, progress: Progress) -> Iterator[Finding]:
    before = digests(project)
    back_up(project, beside / "backup")
    busy = running_server(project) is not None
    yield from doctor_log.every_byte(beside / "backup" / "log")
    again = restore(beside / "backup", beside / "again", progress=progress, now=project.now, own_state=True)
    now, made = digests(project), digests(again)
    if busy and now != before:
        yield look("rebuild", "things came in meanwhile, so nothing can be compared", "ask again in a quieter moment")
        return
    judged_by_the_clock = {"ledger"} if project.is_live else set()
    differs = sorted(name for name in made if made[name] != before.get(name) and name not in judged_by_the_clock)
    if differs:
        do = "stop the server, run: desireline rebuild; then report this with the version of Desireline"
        yield fault("rebuild", f"made anew from the log, these differ: {', '.join(differs)}", do)
    else:
        yield ok("rebuild", "made anew from the log, everything is the same")
    again.state.close()
