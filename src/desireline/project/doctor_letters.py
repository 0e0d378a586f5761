"""Looks at the mailboxes and ports that letters come in by."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from desireline.intake import Condition, Mailbox
from desireline.project.finding import Finding, fault, look, ok
from desireline.project.handing_over import running_server
from desireline.project.letters import none_come
from desireline.vocabulary.units import counted, lateness_text

if TYPE_CHECKING:
    from desireline.project.project import Project

SILENT_MS = 15 * 60_000
"""A mailbox that a running server has not looked into for so long is not looked into any more."""


def letters(project: Project, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Whether letters come in from every mailbox and at every port that they should."""
    ways, conditions = project.letters.ways(), project.letters.conditions()
    served = running_server(project) is not None
    for name, way in ways.items():
        if isinstance(way, Mailbox):
            yield from _password(name, way, environment)
        yield from _condition(conditions[name], project.now(), served=served and isinstance(way, Mailbox))
    if ways:
        yield ok("letters", f"{counted(len(ways), 'source')} whose letters the server brings in")
    else:
        yield ok("letters", "no mailbox is fetched")


def _condition(condition: Condition, now: int, *, served: bool) -> Iterator[Finding]:
    name = condition.source
    if condition.is_failing:
        yield fault("letters", none_come(condition), condition.do)
    elif served and condition.looked_at is not None and now - condition.looked_at > SILENT_MS:
        ago = lateness_text((now - condition.looked_at) // 1000)
        yield look("letters", f"'{name}' was last looked into {ago} ago", "start the server again, and report this")


def _password(name: str, mailbox: Mailbox, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Whether the password is where it should be, and nobody else can read it."""
    if mailbox.password_env:
        if not environment.get(mailbox.password_env):
            says = f"'{name}' needs {mailbox.password_env}, which is not set here"
            yield look("letters", says, "set it where the server runs")
        return
    file = Path(mailbox.password_file)
    try:
        mode = file.stat().st_mode
    except OSError as error:
        yield look("letters", f"'{name}' needs {file}, which cannot be read here ({type(error).__name__})", "make it")
        return
    if mode & (stat.S_IRGRP | stat.S_IROTH):
        yield look("letters", f"the password of '{name}' can be read by other users", f"chmod 600 {file}")
