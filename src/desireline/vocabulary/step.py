"""A piece of work that reads some tables and writes others; `project.flow` puts them in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a room. `reads` and `writes` name tables of `vocabulary.tables` or `journey_store`."""

    name: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    run: Callable[..., Any]
