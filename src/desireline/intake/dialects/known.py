"""The dialects there are: built-in ones and those of other packages, registered the same way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.metadata import entry_points

from desireline.intake.dialects.received import Dialect

GROUP = "desireline.dialects"
"""The entry-point group; each entry names a `Dialect`."""
BUILT_IN: dict[str, str] = {
    "segment": "desireline.intake.dialects.segment:DIALECT",
    "posthog": "desireline.intake.dialects.posthog:DIALECT",
    "cloudevents": "desireline.intake.dialects.cloudevents:DIALECT",
    "webhook": "desireline.intake.dialects.webhook:DIALECT",
    "recipe": "desireline.intake.dialects.recipe:DIALECT",
    "email": "desireline.intake.dialects.email:DIALECT",
}
"""What this version brings, for when the installed metadata is older; a test compares it with pyproject.toml."""


class Dialects(Mapping[str, Dialect]):
    """Every dialect by its name; the entry points are read once, a dialect is loaded when first asked for."""

    def __init__(self) -> None:
        self._places: dict[str, str] | None = None
        self._loaded: dict[str, Dialect] = {}

    def _known(self) -> dict[str, str]:
        if self._places is None:
            self._places = {entry.name: entry.value for entry in entry_points(group=GROUP)} | BUILT_IN
        return self._places

    def __getitem__(self, name: str) -> Dialect:
        if name not in self._loaded:
            module, _, attribute = self._known()[name].partition(":")
            loaded = getattr(import_module(module), attribute)
            if not isinstance(loaded, Dialect):
                raise TypeError(f"{module}:{attribute} is registered as the dialect '{name}' but is no Dialect.")
            self._loaded[name] = loaded
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._known()))

    def __len__(self) -> int:
        return len(self._known())


DIALECTS = Dialects()
