"""Files in: import, undo, and the quarantine of refused rows."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from desireline.faces.cli.options import AsJson, ProjectFolder, open_project
from desireline.faces.cli.output import progress, say, show, show_record

if TYPE_CHECKING:
    from desireline.project import Project

refused_app = typer.Typer(help="Rows that were refused: list, edit, replay, discard.", no_args_is_help=True)

ImportId = Annotated[str | None, typer.Option("--import", help="Only rows of this import.")]


def import_files(
    files: Annotated[list[Path], typer.Argument(help="CSV, JSONL, Parquet or XLSX, also gzipped.")],
    recipe: Annotated[Path | None, typer.Option("--recipe", help="How rows become interactions.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Take the guesses, also where unsure; for scripts.")] = False,
    look: Annotated[bool, typer.Option("--look", help="Only print what would be made of the file.")] = False,
    project: ProjectFolder = None,
    json: AsJson = False,
) -> None:
    """Take export files in: guess the columns or follow a recipe, and say what came of it."""
    opened = open_project(project)
    chosen = [_recipe_for(opened, path, recipe, yes=yes, quiet=json) for path in files]
    if look:
        for path, name in zip(files, chosen, strict=True):
            show(opened.look(path, name), as_json=json)
        return
    with progress(quiet=json) as told:
        reports = opened.import_files(list(zip(files, chosen, strict=True)), progress=told)
    for report in reports:
        show_record(report.as_dict(), as_json=json, lines=report.lines())


def imports(project: ProjectFolder = None, json: AsJson = False) -> None:
    """The imports, the latest first."""
    show(open_project(project).import_list(), as_json=json)


def undo(
    import_id: Annotated[str, typer.Argument(help="The import's id, as `desireline imports` prints it.")],
    project: ProjectFolder = None,
    json: AsJson = False,
) -> None:
    """Take an import back, with all that followed from it."""
    opened = open_project(project)
    with progress(quiet=json) as told:
        gone = opened.undo_import(import_id, progress=told)
    show_record({"import": import_id, "interactions": gone}, as_json=json, lines=[f"Took {gone:,} interactions back."])


def _recipe_for(opened: Project, path: Path, recipe: Path | None, *, yes: bool, quiet: bool) -> str:
    """The recipe text for a file: given, known to the project, or guessed (and asked where unsure)."""
    if recipe is not None:
        return opened.recipe_text(recipe)
    known = opened.recipe_of(path)
    if known is not None:
        return known
    guess = opened.guess(path)
    if not quiet:
        show(guess.table(), as_json=False)
    if guess.questions and not yes:
        if not sys.stdin.isatty():
            raise typer.BadParameter(
                f"{path.name}: unsure of {len(guess.questions)} columns and nobody to ask. "
                "Pass --yes to take the guesses, or --recipe."
            )
        guess = guess.answered({question.name: _ask(question) for question in guess.questions})
    saved = opened.save_recipe(guess)
    if not quiet:
        say(f"Saved the recipe as {saved}.")
    return opened.recipe_text(saved)


def _ask(question: object) -> str:
    return str(typer.prompt(str(question)))


@refused_app.command("list")
def refused_list(
    import_id: ImportId = None,
    top: Annotated[int, typer.Option("--top", min=1)] = 40,
    project: ProjectFolder = None,
    json: AsJson = False,
) -> None:
    """Refused rows with their reason."""
    show(open_project(project).quarantine.rows(import_id=import_id, top=top), as_json=json)


@refused_app.command("edit")
def refused_edit(
    number: Annotated[int, typer.Argument(help="The row's number in quarantine.")],
    text: Annotated[str, typer.Argument(help="The whole row, mended.")],
    project: ProjectFolder = None,
) -> None:
    """Mend a refused row; replay takes it in."""
    open_project(project).quarantine.edit(number, text)
    say(f"Row {number} is mended. Next: desireline refused replay")


@refused_app.command("replay")
def refused_replay(
    import_id: ImportId = None,
    number: Annotated[list[int] | None, typer.Option("--row", help="Only this row; may be given again.")] = None,
    project: ProjectFolder = None,
    json: AsJson = False,
) -> None:
    """Try refused rows again, as they are or as mended."""
    opened = open_project(project)
    report = opened.quarantine.replay(import_id=import_id, numbers=number)
    show_record(report.as_dict(), as_json=json, lines=report.lines())


@refused_app.command("discard")
def refused_discard(
    number: Annotated[list[int], typer.Argument(help="The rows' numbers.")],
    project: ProjectFolder = None,
) -> None:
    """Put refused rows away for good; they stay listed as discarded."""
    gone = open_project(project).quarantine.discard(number)
    say(f"Discarded {gone} rows.")


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command("import")(import_files)
    app.command("imports")(imports)
    app.command("undo")(undo)
    app.add_typer(refused_app, name="refused")
