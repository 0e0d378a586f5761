"""What people edit while a server runs, the project file and the recipes of its sources, holds without a new start."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from desireline import intake
from desireline.project.file import FILE_NAME, read_project_file
from desireline.project.finding import Finding, look
from desireline.project.settings import keep_settings
from desireline.project.sources import recipe_name
from desireline.vocabulary.errors import DesirelineError, Mistake

if TYPE_CHECKING:
    from desireline.project.project import Project

Stamp = tuple[tuple[str, int, int], ...]
"""Of each file its name, when it was changed last, nanoseconds, and its length."""
SAVE_IT = "correct it and save it; it holds within seconds"
_LOG = logging.getLogger("desireline.live")


class SettingsWatch:
    """Looks whether those files changed. With a mistake in one, what it says holds as before it was saved."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.warnings: list[Finding] = []
        self._seen: Stamp | None = None
        self._read: Stamp | None = None

    def look(self) -> None:
        """Take over what was saved; the project is held.

        A file is read once two looks have found the same, so that nothing is read which somebody is still writing.
        """
        stamp = _stamp(self.project.folder)
        settled, self._seen = stamp == self._seen, stamp
        if not settled or stamp == self._read:
            return
        self.warnings = [*self._take_settings(), *self._take_recipes()]
        self._read = stamp
        for each in self.warnings:
            _LOG.warning("%s cannot be taken over as they were saved: see /ready", each.about)

    def _take_settings(self) -> Iterator[Finding]:
        project, before = self.project, self.project.file
        try:
            saved = _read_settings(project.folder / FILE_NAME)
        except DesirelineError as error:
            says = f"{FILE_NAME} has a mistake, so everything holds as before it was saved: {error}"
            yield look("settings", says.rstrip("."), SAVE_IT)
            return
        now = replace(saved, state=before.state)
        if now != before:
            project.file = now
            try:
                keep_settings(project)
            except Exception:
                project.file = before
                raise
            project.sources.forget()
            _LOG.info("the settings changed and hold from now on")
        if saved.state != before.state:
            says = f"'state' of {FILE_NAME} was changed; this server keeps its state where it was when it started"
            yield look("settings", says, "start it again, or take the change back")

    def _take_recipes(self) -> Iterator[Finding]:
        """Have sources read by their recipe as it was saved last; each change is an entry of the log."""
        rows = [row for row in self.project.sources.all() if row["recipe"]]
        used = {recipe_name(row["recipe"]) for row in rows}
        saved: dict[str, str] = {}
        for path in sorted((self.project.folder / "recipes").glob("*.y*ml")) if used else ():
            try:
                text = path.read_text(encoding="utf-8")
                name = recipe_name(text)
            except (DesirelineError, UnicodeDecodeError) as error:
                if path.stem in used:
                    says = f"recipe {path.name} has a mistake, so its sources are read as before it was saved: {error}"
                    yield look("recipes", says.rstrip("."), SAVE_IT)
                continue
            if path.stem == name or name not in saved:
                saved[name] = text
        for row in rows:
            self._take_recipe(row, saved)

    def _take_recipe(self, row: Mapping[str, Any], saved: Mapping[str, str]) -> None:
        text = saved.get(recipe_name(row["recipe"]), row["recipe"])
        if intake.read_recipe(text, name="recipe") != intake.read_recipe(row["recipe"], name="recipe"):
            self.project.record.change("source", {**row, "recipe": text})
            self.project.sources.forget()
            _LOG.info("a recipe changed and holds from now on", extra={"source": row["name"]})


def _read_settings(path: Path) -> Any:
    """The project file as it is now; an emptied one is a mistake, for nobody means to forget every setting."""
    saved = read_project_file(path)
    if not path.read_text(encoding="utf-8").strip():
        raise DesirelineError(Mistake("is empty.", where=path.name, do="Bring back what it said."))
    return saved


def _stamp(folder: Path) -> Stamp:
    found = []
    for path in (folder / FILE_NAME, *sorted((folder / "recipes").glob("*.y*ml"))):
        try:
            known = path.stat()
        except OSError:
            continue
        found.append((path.name, known.st_mtime_ns, known.st_size))
    return tuple(found)
