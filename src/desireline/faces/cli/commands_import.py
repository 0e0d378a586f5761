"""Files in: import, undo, and the quarantine of refused rows."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from desireline.faces.cli.options import AsJson, ProjectFolder, open_project
from desireline.faces.cli.output import progress, say, show, show_record
from desireline.vocabulary.errors import DesirelineError, Mistake
from desireline.vocabulary.table import Table
from desireline.vocabulary.units import counted

if TYPE_CHECKING:
    from desireline.intake import Guess, Question, Recipe
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
    chosen = [(path, _recipe_for(opened, path, recipe, yes=yes, quiet=json)) for path in files]
    if look:
        for path, each in chosen:
            seen = opened.imports.look(path, each)
            filled = [name for name, values in seen.columns.items() if any(value not in (None, "") for value in values)]
            show(seen if json else seen.only(*filled), as_json=json)
        return
    with progress(quiet=json) as told:
        reports = opened.imports.take(chosen, progress=told)
    for report in reports:
        show_record(report.as_dict(), as_json=json, lines=list(report.lines()))


def imports(project: ProjectFolder = None, json: AsJson = False) -> None:
    """The imports, the latest first."""
    show(open_project(project).imports.table(), as_json=json)


def undo(
    import_id: Annotated[str, typer.Argument(help="The import's id, as `desireline imports` prints it.")],
    project: ProjectFolder = None,
    json: AsJson = False,
) -> None:
    """Take an import back, with all that followed from it."""
    opened = open_project(project)
    with progress(quiet=json) as told:
        gone = opened.imports.undo(import_id, progress=told)
    show_record(
        {"import": import_id, "interactions": gone}, as_json=json, lines=[f"Took {counted(gone, 'interaction')} back."]
    )


def _recipe_for(opened: Project, path: Path, given: Path | None, *, yes: bool, quiet: bool) -> Recipe:
    """The recipe for a file: given, known to the project, or guessed (and asked where unsure)."""
    from desireline.project import read_recipe_file

    if given is not None:
        return read_recipe_file(given)
    known = opened.imports.recipe_for(path)
    if known is not None:
        return known
    guess = opened.imports.guess(path)
    if not quiet:
        show(_guess_table(guess), as_json=False)
    if guess.questions and not yes:
        if not sys.stdin.isatty():
            raise DesirelineError(
                [Mistake(question.asks, where=path.name) for question in guess.questions]
                + [Mistake("Nobody is here to ask.", do="Pass --yes to take the first choices, or --recipe FILE.")]
            )
        guess = opened.imports.guess(path, {question.about: _ask(question) for question in guess.questions})
    if guess.recipe is None:
        raise DesirelineError([Mistake(question.asks, where=path.name) for question in guess.questions])
    saved = opened.imports.save_recipe(guess.recipe)
    if not quiet:
        say(f"Saved the recipe: {saved}")
    return guess.recipe


def _guess_table(guess: Guess) -> Table:
    columns = guess.columns
    return Table(
        says=f"{guess.file}: what each column seems to be.",
        columns={
            "column": [column.name for column in columns],
            "taken as": [column.role for column in columns],
            "how sure": ["sure" if column.sure else "unsure" for column in columns],
            "for example": [", ".join(column.samples[:2]) for column in columns],
            "why": [column.why for column in columns],
        },
        counted="; ".join(guess.doubts),
    )


def _ask(question: Question) -> str:
    """Let a person choose; the first choice is taken on Enter."""
    say(question.asks)
    for number, (_, says) in enumerate(question.choices, 1):
        say(f"  {number}  {says}")
    number = 0
    while not 1 <= number <= len(question.choices):
        number = int(typer.prompt(f"Which, 1 to {len(question.choices)}", default=1, type=int))
    return question.choices[number - 1][0]


@refused_app.command("list")
def refused_list(
    import_id: ImportId = None,
    top: Annotated[int, typer.Option("--top", min=1)] = 40,
    project: ProjectFolder = None,
    json: AsJson = False,
) -> None:
    """Refused rows with their reason."""
    show(open_project(project).imports.refused(import_id=import_id, top=top), as_json=json)


@refused_app.command("edit")
def refused_edit(
    number: Annotated[int, typer.Argument(help="The row's number in quarantine.")],
    text: Annotated[str, typer.Argument(help="The whole row, mended.")],
    project: ProjectFolder = None,
) -> None:
    """Mend a refused row; replay takes it in."""
    open_project(project).imports.edit(number, text)
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
    for report in opened.imports.replay(import_id=import_id, numbers=number):
        show_record(report.as_dict(), as_json=json, lines=list(report.lines()))


@refused_app.command("discard")
def refused_discard(
    number: Annotated[list[int], typer.Argument(help="The rows' numbers.")],
    project: ProjectFolder = None,
) -> None:
    """Put refused rows away for good; they stay listed as discarded."""
    gone = open_project(project).imports.discard(number)
    say(f"Discarded {counted(gone, 'row')}.")


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command("import")(import_files)
    app.command("imports")(imports)
    app.command("undo")(undo)
    app.add_typer(refused_app, name="refused")
