"""Where the state store of a project lies: in its data folder, or in a PostgreSQL server."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from desireline.project.file import FILE_NAME, ProjectFile
from desireline.storage.state import State
from desireline.vocabulary.errors import DesirelineError, Mistake


def open_state(file: ProjectFile, data: Path, *, environment: Mapping[str, str] = os.environ) -> State:
    """Open the state store of a project: `state.sqlite`, or at the address in the variable the file names."""
    if not file.state:
        return State(data / "state.sqlite")
    address = environment.get(file.state, "")
    if not address:
        do = f"Set it, such as {file.state}=postgresql://desireline@db.example/desireline, or take 'state' out."
        raise DesirelineError(
            Mistake(f"environment variable '{file.state}' (setting 'state') is not set.", FILE_NAME, do=do)
        )
    if "://" not in address:
        raise DesirelineError(Mistake(f"environment variable '{file.state}' holds no address of a server.", FILE_NAME))
    return State(address, schema=schema_of(file.name))


def schema_of(name: str) -> str:
    """The schema of a project in a server that several share, when the address names none.

    >>> schema_of("My Bank 2")
    'my_bank_2'
    """
    letters = re.sub("[^a-z0-9]+", "_", name.lower()).strip("_")
    return f"project_{letters}"[:50] if not letters or letters[0].isdigit() else letters[:50]
