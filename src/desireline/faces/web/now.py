"""The project at one moment, as pages read it; anything remembered belongs to one such moment."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any, TypeVar

import duckdb
import numpy as np

from desireline.promises import Map
from desireline.storage.journey_store import Snapshot

MOST_KEPT = 256
"""So many answers are kept in memory; the one not asked for the longest goes first."""
_TABLES = ("interactions", "handles", "links", "ledger_rows")
_IN_MEMORY = ("ledger_in_memory", "handles_in_memory")
"""What many pages look up by person is laid out once, in order of person."""
Kept = TypeVar("Kept")


class Now:
    """One state of the project: its journey store, its maps, its lake, and the answers found so far.

    Many threads may ask at once; an answer is found by one of them while the others who want it wait.

    before: the state read before, of which unchanged maps are taken over. number: of the latest event of live work
    when it was read.
    """

    def __init__(self, project: Any, *, before: Now | None = None, number: int = 0) -> None:
        self.number = number
        self.stamp = stamp_of(project)
        self.settled_stamp = settled_stamp_of(project)
        self.as_of: int = project.as_of()
        self.snapshot: Snapshot = project.snapshot()
        self._maps_stamp = _maps_stamp(project)
        same_maps = before is not None and before._maps_stamp == self._maps_stamp
        self.maps: tuple[Map, ...] = before.maps if before and same_maps else tuple(project.map_set().maps)
        self._connection: duckdb.DuckDBPyConnection = project.lake.connection()
        for question in _IN_MEMORY:
            self._connection.execute(question_text(question))
        self._kept: OrderedDict[tuple[Any, ...], Any] = OrderedDict()
        self._turns: dict[tuple[Any, ...], threading.RLock] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        """Let go of the lake."""
        self._connection.close()

    def once(self, key: tuple[Any, ...], find: Callable[[], Kept]) -> Kept:
        """The answer kept under a key, or found now and kept."""
        with self._lock:
            turn = self._turns.setdefault(key, threading.RLock())
        with turn:
            with self._lock:
                if key in self._kept:
                    self._kept.move_to_end(key)
                    found: Kept = self._kept[key]
                    return found
            made = find()
            with self._lock:
                self._kept[key] = made
                while len(self._kept) > MOST_KEPT:
                    gone, _ = self._kept.popitem(last=False)
                    self._turns.pop(gone, None)
            return made

    def arrays(self, question: str, values: Mapping[str, Any] | None = None, **words: str) -> dict[str, Any]:
        """The answer to one of this folder's SQL questions as arrays; `words` name columns of our own registry."""
        found = self._asked(question, values, words).fetchnumpy()
        return {
            name: column.filled(np.nan) if np.ma.isMaskedArray(column) else column for name, column in found.items()
        }

    def rows(self, question: str, values: Mapping[str, Any] | None = None, **words: str) -> list[dict[str, Any]]:
        """The answer to one of this folder's SQL questions as rows."""
        answer = self._asked(question, values, words)
        names = [column[0] for column in answer.description or ()]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]

    def _asked(
        self, question: str, values: Mapping[str, Any] | None, words: Mapping[str, str]
    ) -> duckdb.DuckDBPyConnection:
        text = question_text(question)
        for name, word in words.items():
            text = text.replace(f"{{{name}}}", '"' + word.replace('"', '""') + '"')
        return self._connection.cursor().execute(text, dict(values) if values else None)


def stamp_of(project: Any) -> tuple[Any, ...]:
    """Changes whenever anything that pages show has changed: parts of the lake, a map, or the settings."""
    parts: list[tuple[str, int]] = []
    for table in _TABLES:
        folder = project.lake.folder / table
        if folder.is_dir():
            parts += [
                (f"{table}/{path.name}", path.stat().st_mtime_ns)
                for path in sorted(folder.iterdir())
                if path.suffix == ".parquet"
            ]
    store = project.data / "store"
    if store.is_dir():
        parts += [
            (f"store/{path.name}", path.stat().st_mtime_ns)
            for path in sorted(store.iterdir())
            if path.suffix == ".json"
        ]
    return (*parts, *_maps_stamp(project))


def settled_stamp_of(project: Any) -> tuple[Any, ...]:
    """Changes when a file was taken in or taken back or a map or the settings changed, not with what comes in live."""
    folder = project.lake.folder / "interactions"
    imports = sorted(name for name in project.lake.parts("interactions") if not name.startswith("live-"))
    parts = [(name, (folder / f"{name}.parquet").stat().st_mtime_ns) for name in imports]
    return (*parts, *_maps_stamp(project))


def _maps_stamp(project: Any) -> tuple[tuple[str, int], ...]:
    folder = project.folder / "maps"
    maps = sorted(folder.glob("*.y*ml")) if folder.is_dir() else []
    return (*((path.name, path.stat().st_mtime_ns) for path in maps), (repr(project.file), 0))


def question_text(name: str) -> str:
    """The text of one of this folder's SQL questions."""
    return files("desireline.faces.web").joinpath(f"{name}.sql").read_text(encoding="utf-8")
