"""Looks at what people set up: maps, recipes, sources, listeners, and what waits for somebody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from desireline import intake
from desireline.project.finding import Finding, fault, look, ok
from desireline.storage.engines.kernel_cache import kernels_folder
from desireline.storage.import_book import ImportBook
from desireline.vocabulary.errors import DesirelineError
from desireline.vocabulary.units import counted

if TYPE_CHECKING:
    from desireline.project.project import Project


def maps_and_recipes(project: Project, _environment: Mapping[str, str]) -> Iterator[Finding]:
    """Whether maps and recipes can be read."""
    found = project.map_set()
    for each in found.maps:
        for warning in each.as_dict()["warnings"]:
            yield look("maps", f"{each.name}: {warning}".rstrip("."), "change the map, or leave it")
    yield ok("maps", f"{counted(len(found.maps), 'map')} without a mistake")
    for path in sorted((project.folder / "recipes").glob("*.y*ml")):
        yield from _recipe(path)


def _recipe(path: Path) -> Iterator[Finding]:
    try:
        intake.read_recipe(path.read_text(encoding="utf-8"), name=path.name)
    except DesirelineError as error:
        for mistake in error.mistakes:
            yield fault("recipes", str(mistake), "correct the recipe")


def sources(project: Project, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Whether every source ever sent something and has its secret."""
    rows = project.sources.all()
    with project.lake.connection() as connection:
        heard = {str(row[0]) for row in connection.execute("SELECT DISTINCT source FROM interactions").fetchall()}
    for row in rows:
        name, secret = row["name"], row["secret_env"]
        if row["enabled"] and name not in heard:
            yield look("sources", f"nothing ever came from '{name}'", "send something to it, or disable it")
        if secret and not environment.get(secret):
            yield look("sources", f"'{name}' needs {secret}, which is not set here", "set it where the server runs")
    yield ok("sources", counted(len(rows), "source"))


def listeners(project: Project, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Whether everybody who listens is told."""
    book = project.telling.outbox.book
    rows = book.listeners()
    for row in rows:
        if not row["enabled"]:
            why = row["why_stopped"] or "no reason given"
            yield look("listeners", f"'{row['name']}' is stopped: {why}", f"desireline listener enable {row['name']}")
        elif row["secret_env"] and not environment.get(row["secret_env"]):
            says = f"'{row['name']}' needs {row['secret_env']}, which is not set here"
            yield look("listeners", says, "set it where the server runs")
    dead = sum(int(row["intents"]) for row in book.counts() if row["status"] == "dead")
    if dead:
        do = "desireline listener dead says why; then retry or discard"
        yield look("listeners", f"{counted(dead, 'message')} could not be told", do)
    yield ok("listeners", counted(len(rows), "listener"))


def quarantine(project: Project, _environment: Mapping[str, str]) -> Iterator[Finding]:
    """Whether refused rows wait for somebody."""
    waiting = sum(int(row["rows"]) for row in ImportBook(project.state).reasons(status="waiting"))
    if waiting:
        yield look("quarantine", f"{counted(waiting, 'refused row')} wait", "desireline refused list says why")
    else:
        yield ok("quarantine", "nothing waits")


def kernels(_project: Project, _environment: Mapping[str, str]) -> Iterator[Finding]:
    """Whether the compiled kernels are kept, so that a start takes seconds."""
    folder, kept = kernels_folder()
    if kept:
        yield ok("kernels", f"{counted(kept, 'compiled kernel')} kept in {folder}")
    else:
        yield look("kernels", f"none kept in {folder}", "the first start compiles them, which takes a minute")
