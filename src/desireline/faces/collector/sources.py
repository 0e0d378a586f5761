"""Who may send: the sources of a project, each with its write key, its origins and its budget."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Source:
    """One place interactions come from: a site, a shop, a help desk.

    name: how the source is called in the project.
    dialect: the wire protocol it speaks (a name of `desireline.dialects`).
    key: the write key; it lets its holder write, and read nothing.
    origins: sites whose pages may send with this key; none named means any.
    per_second: requests a second over time; 0 means no budget.
    recipe: the recipe that turns its records into interactions, for the dialect `recipe`.
    secrets: what its requests are signed with, two while a secret is being changed; none means none is set.
    unsigned: its webhooks may come without a signature as long as it has no secret.
    server_side: the sender is one of our own servers, whose clock is trusted.
    enabled: a source that is switched off is answered with 404.
    """

    name: str
    dialect: str
    key: str
    origins: tuple[str, ...] = ()
    per_second: float = 0.0
    recipe: str = ""
    secrets: tuple[str, ...] = ()
    unsigned: bool = False
    server_side: bool = False
    enabled: bool = True

    def __repr__(self) -> str:
        return f"Source({self.name!r}, {self.dialect!r})"

    def takes_from(self, origin: str) -> bool:
        """Whether a page of this origin may send. No origin at all is a server, an app or a picture.

        >>> Source("shop", "segment", "k", origins=("https://shop.example",)).takes_from("https://elsewhere.example")
        False
        """
        return not origin or not self.origins or origin.lower() in self.origins


class Sources:
    """The sources by their write key, in memory; changed as a whole, so a reader never sees half a change."""

    def __init__(self, sources: Iterable[Source] = ()) -> None:
        self._by_key: Mapping[str, Source] = MappingProxyType({})
        self.replace(sources)

    def replace(self, sources: Iterable[Source]) -> None:
        """Put these in the place of all others."""
        found: dict[str, Source] = {}
        for source in sources:
            if not source.key or source.key in found:
                raise ValueError(f"The source {source.name!r} needs a write key of its own.")
            found[source.key] = source
        self._by_key = MappingProxyType(found)

    def by_key(self, key: str | None) -> Source | None:
        """The source with this write key, also when it is switched off."""
        return None if key is None else self._by_key.get(key)

    def __iter__(self) -> Iterator[Source]:
        return iter(self._by_key.values())

    def __len__(self) -> int:
        return len(self._by_key)
