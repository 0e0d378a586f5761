"""Recipes that come with the program: for well-known help desks and survey tools, copied into a project when used."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

from desireline.intake.recipe_file import read_recipe
from desireline.intake.recipes import Recipe
from desireline.vocabulary.errors import DesirelineError, Mistake, nearest

_FOLDER = "recipes_built_in"


@lru_cache(maxsize=1)
def built_in_names() -> tuple[str, ...]:
    """The names of the recipes there are, such as `chatwoot-webhook`."""
    entries = files("desireline.intake").joinpath(_FOLDER).iterdir()
    return tuple(sorted(entry.name.removesuffix(".yaml") for entry in entries if entry.name.endswith(".yaml")))


def built_in_text(name: str) -> str:
    """The recipe as a file to be copied into a project and changed there; an unknown name is a clear error."""
    if name not in built_in_names():
        hint = nearest(name, built_in_names()) or f"There are: {', '.join(built_in_names())}."
        raise DesirelineError(Mistake(f"there is no built-in recipe '{name}'.", do=hint))
    return files("desireline.intake").joinpath(_FOLDER, f"{name}.yaml").read_text(encoding="utf-8")


def built_in_recipe(name: str) -> Recipe:
    """The recipe itself."""
    return read_recipe(built_in_text(name), name=f"{name}.yaml")


def built_in_recipes() -> dict[str, str]:
    """Every built-in recipe with what it is for."""
    return {name: built_in_recipe(name).says for name in built_in_names()}
