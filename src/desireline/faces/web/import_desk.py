"""What the import page does with a project: look at a file, take it in, mend what was refused, take back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from desireline.faces.web.jobs import Job, Jobs, Outcome
from desireline.faces.web.upload import Upload, find_upload, forget_upload
from desireline.vocabulary.errors import DesirelineError
from desireline.vocabulary.handles import HANDLE_KINDS
from desireline.vocabulary.interaction import PATTERN_NAMES
from desireline.vocabulary.table import Table

_NEVER_A_ROLE = ("source", "asks", "answers", "value_to", "score_kind", "score_scale")
ROLES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("time", ("time", "clock", "zone")),
    ("the person", tuple(f"handle:{kind.name}" for kind in HANDLE_KINDS)),
    ("what happened", tuple(name for name in PATTERN_NAMES if name not in _NEVER_A_ROLE)),
    ("the rest", ("key", "property", "nothing")),
)
"""What a column may be taken for, in groups."""


@dataclass(frozen=True, slots=True)
class Looked:
    """A file as it was understood: its guess (or the saved recipe that fits) and the first interactions."""

    upload: Upload
    guess: Any
    recipe: Any
    saved: str
    preview: Table | None
    mistakes: tuple[str, ...] = ()


class ImportDesk:
    """The imports of one project, for its pages."""

    def __init__(self, project: Any) -> None:
        self.project = project
        self.jobs = Jobs()

    @property
    def folder(self) -> Path:
        """Where uploaded files lie until they are imported."""
        return Path(self.project.data) / "uploads"

    def upload(self, upload_id: str) -> Upload:
        """An uploaded file."""
        return find_upload(self.folder, upload_id)

    def look(self, upload: Upload, answers: Mapping[str, str], *, anew: bool) -> Looked:
        """What a file seems to hold, with the answers given so far; a saved recipe is taken unless asked anew."""
        imports = self.project.imports
        saved = None if anew or answers else imports.recipe_for(upload.path)
        guess = None if saved is not None else self._guess(upload.path, answers)
        recipe = saved if guess is None else guess.recipe
        preview: Table | None = None
        mistakes: tuple[str, ...] = ()
        if recipe is not None:
            try:
                preview = imports.look(upload.path, recipe, rows=8)
            except DesirelineError as error:
                mistakes = tuple(str(mistake) for mistake in error.mistakes)
        return Looked(upload, guess, recipe, saved.name if saved else "", preview, mistakes)

    def take(self, upload: Upload, answers: Mapping[str, str], *, anew: bool) -> Job:
        """Take a file in, in the background."""
        looked = self.look(upload, answers, anew=anew)
        if looked.recipe is None:
            raise DesirelineError("It is not clear when things happened in this file. Choose the column with the time.")

        def work(told: Any) -> Outcome:
            imports = self.project.imports
            if not looked.saved:
                imports.save_recipe(looked.recipe)
            report = imports.take([(upload.path, looked.recipe)], progress=told)[0]
            forget_upload(upload)
            return Outcome(report.lines(), report.import_id, report.rows_refused + report.conflicts)

        return self.jobs.start(f"Importing {upload.name}", work)

    def imports(self) -> list[dict[str, Any]]:
        """All imports, the latest first."""
        from desireline import intake

        return list(reversed([dict(row) for row in intake.imports(state=self.project.state)]))

    def undo(self, import_id: str) -> Job:
        """Take an import back, in the background."""
        if import_id not in {row["import_id"] for row in self.imports()}:
            raise DesirelineError(f"There is no import '{import_id}'.")

        def work(told: Any) -> Outcome:
            gone = self.project.imports.undo(import_id, progress=told)
            return Outcome((f"{gone:,} interactions were taken back.",))

        return self.jobs.start(f"Taking back {import_id}", work)

    def edit(self, number: int, text: str) -> None:
        """Mend a refused row."""
        self.project.imports.edit(number, text)

    def discard(self, numbers: Sequence[int]) -> None:
        """Give refused rows up."""
        self.project.imports.discard(numbers)

    def replay(self, numbers: Sequence[int] | None, import_id: str | None) -> Job:
        """Try refused rows again, in the background."""

        def work(_told: Any) -> Outcome:
            reports = self.project.imports.replay(numbers=numbers, import_id=import_id)
            lines = [line for report in reports for line in report.lines()]
            return Outcome(lines, reports[0].import_id, sum(report.rows_refused for report in reports))

        return self.jobs.start("Trying refused rows again", work)

    def _guess(self, path: Path, answers: Mapping[str, str]) -> Any:
        from desireline import intake

        file = self.project.file
        return intake.guess_recipe(path, project_zone=file.time_zone, currency=file.currency, answers=answers or None)
