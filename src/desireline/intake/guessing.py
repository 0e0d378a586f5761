"""The guess of a whole file, and the guess again with what a person answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from desireline.intake.built_in_recipes import built_in_recipe
from desireline.intake.draft import draft
from desireline.intake.guess import Guess, decimal_of, guess_columns, with_answers
from desireline.intake.mail.boxes import guessed_addresses
from desireline.intake.questions import questions_of
from desireline.intake.recipes import Reading
from desireline.intake.samples import Sample, sample
from desireline.intake.sniff import Sniffed, sniff
from desireline.intake.time_formats import TimeFormat


def guess_recipe(
    path: Path, *, project_zone: str = "UTC", currency: str = "EUR", answers: Mapping[str, str] | None = None
) -> Guess:
    """What each column of a file seems to be, a recipe to start from, and what has to be asked.

    `answers` maps a question's `about` to the chosen word: the role of a column, `format:...` for
    a column of times, or, for "file", the column that says when it happened.
    Raises `DesirelineError` when the file is no export.
    """
    sniffed = sniff(path, Reading())
    if sniffed.reading.format == "mbox":
        return _mailbox(path, sniffed, currency=currency)
    found = sample(path, sniffed)
    decimal = decimal_of(found)
    reading = replace(sniffed.reading, decimal="," if decimal == "," else None)
    columns = guess_columns(found)
    questions = questions_of(columns)
    if answers:
        columns = with_answers(columns, {about: word for about, word in answers.items() if about != "file"})
        if "file" in answers:
            columns = tuple(
                replace(column, role="time", sure=True, why="as you said", times=column.times or TimeFormat(("iso",)))
                if column.name == answers["file"]
                else column
                for column in columns
            )
        questions = questions_of(columns)
    recipe = draft(path.name, columns, found, reading)
    if recipe is not None:
        recipe = replace(recipe, zone=project_zone if project_zone != "UTC" else None, currency=currency)
    return Guess(path.name, reading, columns, recipe, questions, sniffed.doubts)


def _mailbox(path: Path, sniffed: Sniffed, *, currency: str) -> Guess:
    """A mailbox needs no guess but which addresses are the company's own."""
    ours = guessed_addresses(path, zipped=sniffed.zipped)
    reading = replace(sniffed.reading, own_addresses=ours)
    recipe = replace(built_in_recipe("mailbox"), reading=reading, currency=currency)
    said = f"{' and '.join(ours)} was taken as your own address" if ours else "no address of your own was found"
    doubt = f"{said}; own_addresses in the recipe says otherwise"
    return Guess(path.name, reading, (), recipe, (), (*sniffed.doubts, doubt))


__all__ = ["Sample", "guess_recipe"]
