"""Files in: guess or follow a recipe, take in, and bring everything that follows up to date."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from desireline import intake
from desireline.project import upkeep
from desireline.project.applying import IMPORT_NUMBERS, Effects
from desireline.project.clock import now_ms
from desireline.project.handing_over import report_of, running_server, take_there
from desireline.project.taking import LIVE
from desireline.storage.import_book import ImportBook
from desireline.storage.log import Kind
from desireline.storage.progress_book import ProgressBook
from desireline.vocabulary.errors import DesirelineError, Mistake
from desireline.vocabulary.table import Table
from desireline.vocabulary.units import counted, moment_text

if TYPE_CHECKING:
    from desireline.project.project import Project

Progress = Callable[[float, str], None]
IMPORTING = "desireline import"
"""What the lock on the project says while files are taken in."""


def silent(_share: float, _what: str) -> None:
    """Progress that nobody watches."""


class Imports:
    """The imports of one project, their recipes, and the quarantine of refused rows."""

    def __init__(self, project: Project) -> None:
        self.project = project

    def guess(self, path: Path, answers: Mapping[str, str] | None = None) -> intake.Guess:
        """What each column of a file seems to be, how sure that is, and a recipe from it.

        answers: what a person chose for each question, by what the question is about.
        """
        file = self.project.file
        return intake.guess_recipe(path, project_zone=file.time_zone, currency=file.currency, answers=answers)

    def recipe_for(self, path: Path) -> intake.Recipe | None:
        """The saved recipe whose `files` fit this file's name; several that fit are a clear error."""
        fitting = [
            recipe for recipe in self.recipes() if any(fnmatch.fnmatch(path.name, pattern) for pattern in recipe.files)
        ]
        if len(fitting) > 1:
            names = ", ".join(recipe.name for recipe in fitting)
            raise DesirelineError(f"several recipes fit {path.name}: {names}. Choose one with --recipe.")
        return fitting[0] if fitting else None

    def recipes(self) -> list[intake.Recipe]:
        """Every saved recipe, all their mistakes told at once."""
        found: list[intake.Recipe] = []
        mistakes: list[Mistake] = []
        for path in sorted((self.project.folder / "recipes").glob("*.yaml")):
            try:
                found.append(read_recipe_file(path))
            except DesirelineError as error:
                mistakes.extend(error.mistakes)
        if mistakes:
            raise DesirelineError(mistakes)
        return found

    def save_recipe(self, recipe: intake.Recipe) -> Path:
        """Keep a recipe for the next file of its kind; a recipe of that name with other words keeps its place."""
        folder = self.project.folder / "recipes"
        folder.mkdir(exist_ok=True)
        text = intake.write_recipe(recipe)
        number = 1
        path = folder / f"{recipe.name}.yaml"
        while path.exists() and path.read_text(encoding="utf-8") != text:
            number += 1
            path = folder / f"{recipe.name}-{number}.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    def look(self, path: Path, recipe: intake.Recipe, *, rows: int = 20) -> Table:
        """The first interactions a file would make; nothing is taken in."""
        file = self.project.file
        return intake.preview(
            path, recipe, rows=rows, received_at=now_ms(), project_zone=file.time_zone, currency=file.currency
        )

    def take(
        self, files: Sequence[tuple[Path, intake.Recipe]], *, progress: Progress = silent
    ) -> list[intake.ImportReport]:
        """Take files in, then bring people, store and ledger up to date once; live work goes on meanwhile."""
        if (server := running_server(self.project)) is not None:
            return take_there(server, files, progress)
        reports: list[intake.ImportReport] = []
        share = 0.6 / max(1, len(files))
        effects = Effects()
        with self.project.at_long_work(IMPORTING):
            try:
                for number, (path, recipe) in enumerate(files):
                    report, followed = self._take_one(path, recipe, told=_part(progress, number * share, share))
                    reports.append(report)
                    effects.add(followed)
            finally:
                upkeep.follow_in_turns(self.project, effects, who=IMPORTING, progress=_part(progress, 0.6, 0.4))
        progress(1.0, "done")
        return reports

    def take_known(self, files: Sequence[Path], *, progress: Progress = silent) -> list[intake.ImportReport]:
        """Take files in, each by the saved recipe that fits its name; a file without one is a clear error."""
        chosen = [(path, self.recipe_for(path)) for path in files]
        missing = [path.name for path, recipe in chosen if recipe is None]
        if missing:
            raise DesirelineError(f"no saved recipe fits {', '.join(missing)}. Guess one with: desireline import FILE")
        return self.take([(path, recipe) for path, recipe in chosen if recipe is not None], progress=progress)

    def undo(self, import_id: str, *, progress: Progress = silent) -> int:
        """Take an import back with all that followed from it; says how many interactions went."""
        if (server := running_server(self.project)) is not None:
            return int(server.do("undo", {"import_id": import_id}, progress))
        with self.project.at_long_work("desireline undo"), self.project.writing("desireline undo"):
            gone, effects = self.project.record.change("undo", {"import_id": import_id})
            upkeep.follow_effects(self.project, effects, progress=progress)
        return int(gone)

    def table(self) -> Table:
        """The imports, the latest first."""
        rows = intake.imports(state=self.project.state)
        names = ("import_id", "file", "source", "rows_read", "made", "known", "refused", "conflicts", "status")
        columns: dict[str, list[Any]] = {name: [row[name] for row in rows] for name in names}
        columns["at"] = [moment_text(row["received_at"]) for row in rows]
        made = sum(row["made"] for row in rows if row["status"] == "done")
        says = f"{counted(len(rows), 'import')} made {counted(made, 'interaction')}." if rows else "No imports yet."
        return Table(says=says, columns=columns, counted="rows read and interactions made by each import")

    def refused(self, *, import_id: str | None = None, top: int = 40) -> Table:
        """Rows waiting in quarantine, with the reason for each."""
        rows = intake.refused_rows(state=self.project.state, import_id=import_id, limit=top)
        names = ("number", "import_id", "file", "row", "reason", "raw")
        columns: dict[str, list[Any]] = {name: [getattr(row, name) for row in rows] for name in names}
        says = "No refused rows wait."
        if rows:
            says = f"{counted(len(rows), 'refused row')} shown. Mend one: desireline refused edit NUMBER 'whole row'."
        return Table(says=says, columns=columns, counted="one line for each refused row that waits in quarantine")

    def edit(self, number: int, text: str) -> None:
        """Mend a refused row."""
        if (server := running_server(self.project)) is not None:
            server.do("edit", {"number": number, "text": text})
            return
        with self.project.writing("desireline refused edit"):
            digest = self._digests([number])[0]
            self.project.record.change("edit", {"digest": digest}, body=text.encode("utf-8", "replace"))

    def discard(self, numbers: Sequence[int]) -> int:
        """Give refused rows up; says how many."""
        if (server := running_server(self.project)) is not None:
            return int(server.do("discard", {"numbers": list(numbers)}))
        with self.project.writing("desireline refused discard"):
            gone, _ = self.project.record.change("discard", {"digests": self._digests(numbers)})
        return int(gone)

    def replay(
        self, *, numbers: Sequence[int] | None = None, import_id: str | None = None
    ) -> list[intake.ImportReport]:
        """Try refused rows again, as they are or as mended: those named, those of one import, or all."""
        if (server := running_server(self.project)) is not None:
            chosen_numbers = None if numbers is None else list(numbers)
            done = server.do("replay", {"numbers": chosen_numbers, "import_id": import_id})
            return [report_of(each) for each in done]
        waiting = intake.refused_rows(state=self.project.state, import_id=import_id)
        wanted = [row for row in waiting if numbers is None or row.number in numbers]
        if not wanted:
            raise DesirelineError("no refused rows wait here. See: desireline refused list")
        of_import: dict[str, list[int]] = {}
        for row in wanted:
            of_import.setdefault(row.import_id, []).append(row.number)
        effects = Effects()
        reports = []
        replaying = "desireline refused replay"
        with self.project.at_long_work(replaying), self.project.writing(replaying):
            for name, chosen in of_import.items():
                report, followed = self._replay_one(name, chosen)
                reports.append(report)
                effects.add(followed)
            upkeep.follow_effects(self.project, effects, progress=silent)
        return reports

    def _replay_one(self, import_id: str, numbers: Sequence[int]) -> tuple[intake.ImportReport, Effects]:
        digests = self._digests(numbers)
        if import_id == LIVE:
            return self.project.record.change("replay live", {"digests": digests})
        file = self.project.file
        values = {
            "import_id": self._new_id("replay"),
            "digests": digests,
            "zone": file.time_zone,
            "currency": file.currency,
        }
        return self.project.record.change("replay", values)

    def _digests(self, numbers: Sequence[int]) -> list[str]:
        """What names refused rows for ever; their numbers are this state store's own."""
        book = ImportBook(self.project.state)
        digests = []
        for number in numbers:
            intake.one_refusal(state=self.project.state, number=number)
            digests.append(book.refusals(number=number)[0]["digest"])
        return digests

    def _take_one(self, path: Path, recipe: intake.Recipe, *, told: Progress) -> tuple[intake.ImportReport, Effects]:
        project, file, before = self.project, self.project.file, _stamp(path)
        import_id, received_at = self._new_id(recipe.source), project.now()
        with intake.drafted_import(
            lake=project.lake,
            path=path,
            recipe=recipe,
            import_id=import_id,
            received_at=received_at,
            project_zone=file.time_zone,
            currency=file.currency,
            progress=told,
        ) as drafted:
            told(0.75, "keeping the file")
            kept = project.record.log.keep_file(path)
            if _stamp(path) != before:
                raise DesirelineError(f"{path.name} was changed while it was read. Import it again once it is whole.")
            values = {
                "import_id": import_id,
                "file": path.name,
                "sha256": kept.sha256,
                "size": kept.size_bytes,
                "recipe": intake.write_recipe(recipe),
                "zone": file.time_zone,
                "currency": file.currency,
            }
            with self._published(import_id):
                taken = project.record.change(
                    "import", values, kind=Kind.IMPORT, received_at=received_at, drafted=drafted
                )
        told(1.0, "done")
        return taken

    @contextmanager
    def _published(self, import_id: str) -> Iterator[None]:
        """The turn in which an import comes to count; people and store are brought up to it later."""
        with self.project.writing(IMPORTING):
            self.project.underway.add(import_id)
            try:
                yield
            except BaseException:
                self.project.underway.discard(import_id)
                raise

    def _new_id(self, name: str) -> str:
        """A short id: the name and the next number, which no import had before, also none that failed."""
        plain = "".join(letter if letter.isalnum() else "-" for letter in name.lower()).strip("-") or "import"
        state = self.project.state
        with state.writing():
            book = ProgressBook(state)
            number = max(len(intake.imports(state=state)), book.reached(IMPORT_NUMBERS)) + 1
            book.reach(IMPORT_NUMBERS, number)
        return f"{plain}-{number:04d}"


def _stamp(path: Path) -> tuple[int, int, int]:
    """What tells that a file is still as it was."""
    try:
        told = path.stat()
    except OSError as error:
        raise DesirelineError(Mistake(f"cannot be read: {error}.", where=str(path))) from None
    return told.st_size, told.st_mtime_ns, told.st_ino


def read_recipe_file(path: Path) -> intake.Recipe:
    """A recipe from its file, with every mistake told at once."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DesirelineError(Mistake(f"cannot be read: {error}.", where=str(path))) from None
    return intake.read_recipe(text, name=path.name)


def _part(progress: Progress, start: float, share: float) -> Progress:
    return lambda done, what: progress(start + share * done, what)
