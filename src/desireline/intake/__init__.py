"""Intake: every interaction taken in. Files become interactions; what cannot be read waits in quarantine."""

from desireline.intake.built_in_recipes import built_in_names, built_in_recipe, built_in_recipes, built_in_text
from desireline.intake.guess import Column, Guess, Question
from desireline.intake.guessing import guess_recipe
from desireline.intake.mail import (
    Around,
    Condition,
    LettersIn,
    Mailbox,
    Reached,
    Receiving,
    Way,
    changed_way,
    read_way,
    way_of,
)
from desireline.intake.recipe_file import read_recipe, write_recipe
from desireline.intake.recipes import Recipe
from desireline.intake.refusals import Refusal
from desireline.intake.report import ImportReport
from desireline.intake.run import STEP, imports, preview, replay, undo_import
from desireline.intake.run_import import DraftedImport, drafted_import, import_file, publish, recover
from desireline.intake.run_quarantine import discard, edit_refused, one_refusal, refused_rows

__all__ = [
    "STEP",
    "Around",
    "Column",
    "Condition",
    "DraftedImport",
    "Guess",
    "ImportReport",
    "LettersIn",
    "Mailbox",
    "Question",
    "Reached",
    "Receiving",
    "Recipe",
    "Refusal",
    "Way",
    "built_in_names",
    "built_in_recipe",
    "built_in_recipes",
    "built_in_text",
    "changed_way",
    "discard",
    "drafted_import",
    "edit_refused",
    "guess_recipe",
    "import_file",
    "imports",
    "one_refusal",
    "preview",
    "publish",
    "read_recipe",
    "read_way",
    "recover",
    "refused_rows",
    "replay",
    "undo_import",
    "way_of",
    "write_recipe",
]
