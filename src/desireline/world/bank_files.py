"""The bank's own files, shipped with the package: project file, maps and recipes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any


@dataclass(frozen=True, slots=True)
class BankFiles:
    """Where the bank's designed files lie, as package data."""

    project: Traversable
    maps: tuple[Traversable, ...]
    recipes: tuple[Traversable, ...]


def bank_files() -> BankFiles:
    """The project file, the maps and the recipes of the demo bank, each in order of name."""
    bank = files("desireline.world").joinpath("bank")
    return BankFiles(bank.joinpath("desireline.yaml"), _yaml(bank, "maps"), _yaml(bank, "recipes"))


def _yaml(bank: Traversable, folder: str) -> tuple[Traversable, ...]:
    found = [file for file in bank.joinpath(folder).iterdir() if file.name.endswith(".yaml")]
    return tuple(sorted(found, key=lambda file: file.name))


def calendars() -> Mapping[str, Any]:
    """The bank's calendars as its project file says them."""
    from ruamel.yaml import YAML

    said: Mapping[str, Any] = YAML(typ="safe").load(bank_files().project.read_text(encoding="utf-8"))["calendars"]
    return said
