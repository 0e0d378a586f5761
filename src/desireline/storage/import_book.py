"""The book of imports and the quarantine, in the state store: what came in, what was refused, what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Table, delete, func, insert, select, update

from desireline.storage.bulk_rows import AT_ONCE, among, insert_or_nothing
from desireline.storage.state import State
from desireline.storage.state_tables import IMPORTS, REFUSALS

Row = dict[str, Any]


class ImportBook:
    """The imports and refusals of a project. Rows come and go as mappings of column to value."""

    def __init__(self, state: State) -> None:
        self.state = state

    def begin(self, entry: Mapping[str, Any], refusals: Sequence[Mapping[str, Any]]) -> int:
        """Write an import down as being written, with its refused rows; says how many of these are new."""
        with self.state.writing() as connection:
            connection.execute(insert(IMPORTS).values(**entry, status="writing"))
            return self.keep_refusals(refusals)

    def keep_refusals(self, refusals: Sequence[Mapping[str, Any]]) -> int:
        """Put refused rows into the quarantine, each with the same columns; says how many of them are new."""
        with self.state.writing() as connection:
            return insert_or_nothing(connection, REFUSALS, refusals)

    def restore(self, entry: Mapping[str, Any], refusals: Sequence[Mapping[str, Any]]) -> None:
        """Write an import and its refused rows down as they were."""
        rows = [{name: value for name, value in row.items() if name != "number"} for row in refusals]
        with self.state.writing() as connection:
            connection.execute(insert(IMPORTS).values(**entry))
            self.keep_refusals(rows)

    def finish(self, import_id: str) -> None:
        """The import's part is in the lake: it counts from now on."""
        self._set_import(import_id, status="done")

    def forget(self, import_id: str) -> None:
        """Take back an import that never came to its end, with its refused rows."""
        with self.state.writing() as connection:
            connection.execute(delete(REFUSALS).where(REFUSALS.c.import_id == import_id))
            connection.execute(delete(IMPORTS).where(IMPORTS.c.import_id == import_id))

    def undo(self, import_id: str) -> None:
        """Mark an import as undone and take its waiting refusals away."""
        with self.state.writing() as connection:
            connection.execute(delete(REFUSALS).where(REFUSALS.c.import_id == import_id))
            connection.execute(
                update(REFUSALS).where(REFUSALS.c.replayed_by == import_id).values(status="waiting", replayed_by=None)
            )
            connection.execute(update(IMPORTS).where(IMPORTS.c.import_id == import_id).values(status="undone"))

    def _set_import(self, import_id: str, **values: Any) -> None:
        with self.state.writing() as connection:
            connection.execute(update(IMPORTS).where(IMPORTS.c.import_id == import_id).values(**values))

    def imports(self, **equal: Any) -> list[Row]:
        """The imports, oldest first, of which every named column has the given value."""
        return self._rows(IMPORTS, equal, order=[IMPORTS.c.received_at, IMPORTS.c.import_id])

    def refusals(self, *, limit: int | None = None, offset: int = 0, **equal: Any) -> list[Row]:
        """The refused rows in the order they came, of which every named column has the given value."""
        return self._rows(REFUSALS, equal, order=[REFUSALS.c.number], limit=limit, offset=offset)

    def reasons(self, **equal: Any) -> list[Row]:
        """How many rows were refused for each reason, the most frequent first."""
        query = select(REFUSALS.c.reason, func.count().label("rows")).group_by(REFUSALS.c.reason)
        with self.state.reading() as connection:
            found = connection.execute(_where(query, REFUSALS, equal).order_by(func.count().desc()))
            return [dict(row) for row in found.mappings()]

    def change_refusals(self, numbers: Iterable[int], **values: Any) -> int:
        """Set columns of some refused rows; says how many there were."""
        wanted, changed = sorted(set(numbers)), 0
        with self.state.writing() as connection:
            for start in range(0, len(wanted), AT_ONCE):
                some = among(connection, REFUSALS.c.number, wanted[start : start + AT_ONCE])
                changed += connection.execute(update(REFUSALS).where(some).values(**values)).rowcount
        return changed

    def _rows(
        self, table: Table, equal: Mapping[str, Any], *, order: Sequence[Any], limit: int | None = None, offset: int = 0
    ) -> list[Row]:
        query = _where(select(table), table, equal).order_by(*order).limit(limit).offset(offset)
        with self.state.reading() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]


def _where(query: Any, table: Table, equal: Mapping[str, Any]) -> Any:
    for column, value in equal.items():
        query = query.where(table.c[column] == value)
    return query
