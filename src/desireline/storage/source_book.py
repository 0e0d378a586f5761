"""The book of sources: who may send to the collector, with which key, from where and how fast."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert, select, update

from desireline.storage.state import State
from desireline.storage.state_tables import SOURCES
from desireline.vocabulary.errors import DesirelineError, nearest

Row = dict[str, Any]


class SourceBook:
    """The sources of a project. Rows come and go as mappings of column to value."""

    def __init__(self, state: State) -> None:
        self.state = state

    def add(self, entry: Mapping[str, Any]) -> None:
        """Write a new source down; a name or a key that another one has is refused."""
        with self.state.writing() as connection:
            self._refuse_taken(entry)
            connection.execute(insert(SOURCES).values(**entry))

    def change(self, name: str, **values: Any) -> None:
        """Set columns of one source; raises `DesirelineError` when there is none of that name."""
        with self.state.writing() as connection:
            if self.by_name(name) is None:
                hint = nearest(name, [source["name"] for source in self.sources()])
                raise DesirelineError(f"there is no source '{name}'. {hint}".strip())
            self._refuse_taken({**values, "name": values.get("name", name)}, but=name)
            connection.execute(update(SOURCES).where(SOURCES.c.name == name).values(**values))

    def sources(self, **equal: Any) -> list[Row]:
        """The sources in the order of their names, of which every named column has the given value."""
        query = select(SOURCES).order_by(SOURCES.c.name)
        for column, value in equal.items():
            query = query.where(SOURCES.c[column] == value)
        with self.state.reading() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def by_key(self, key: str) -> Row | None:
        """The source of a write key, enabled or not; None when nobody has it."""
        return next(iter(self.sources(key=key)), None)

    def by_name(self, name: str) -> Row | None:
        """The source of a name; None when there is none."""
        return next(iter(self.sources(name=name)), None)

    def _refuse_taken(self, entry: Mapping[str, Any], *, but: str | None = None) -> None:
        named = self.by_name(entry["name"])
        if named is not None and named["name"] != but:
            raise DesirelineError(f"there is a source '{entry['name']}' already. Choose another name, or change it.")
        holder = self.by_key(entry["key"]) if entry.get("key") is not None else None
        if holder is not None and holder["name"] != but:
            raise DesirelineError(f"source '{holder['name']}' has this write key already. Make another one.")
