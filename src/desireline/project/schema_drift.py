"""What changed in the shape of the events that sources send: new names, new properties, other kinds of value.

Raw values are kept whatever their shape; this only tells people what to look at. It is a help, not a
record: what is remembered lies in one small file, and without it every event counts as new once.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import asdict
from pathlib import Path
from typing import Any

from desireline.intake import dialects
from desireline.storage.durable import replacing
from desireline.vocabulary.table import Table
from desireline.vocabulary.units import counted

MOST_KEPT = 500


class SchemaDrift:
    """The shapes of events by source, and the latest changes of them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._shapes: dict[str, dialects.Shapes] = {}
        self._recent: deque[dict[str, Any]] = deque(maxlen=MOST_KEPT)
        self._changed = False
        self._read()

    def learn(self, source: str, message: dialects.Message, *, at: int) -> None:
        """Take the shape of one message in; `at` is when it came, UTC milliseconds."""
        shapes = self._shapes.setdefault(source, dialects.Shapes())
        for drift in shapes.learn(*dialects.told_of(message)):
            self._recent.append({"at": at, "source": source, **asdict(drift)})
            self._changed = True

    def recent(self, *, most: int = MOST_KEPT) -> list[dict[str, Any]]:
        """The latest changes, the newest first."""
        return list(reversed(self._recent))[:most]

    def table(self) -> Table:
        """The latest changes as a table."""
        rows = self.recent()
        names = ("at", "source", "event", "change", "name", "was", "now", "sample")
        says = f"{counted(len(rows), 'change')} in what sources send." if rows else "No source sends anything new."
        return Table(
            says=says,
            columns={name: [row.get(name) for row in rows] for name in names},
            counted="new event names, new, renamed and vanished properties, and values of another kind than before",
        )

    def keep(self) -> None:
        """Write what is remembered to its file, when it changed."""
        if not self._changed:
            return
        body = {
            "shapes": {source: shapes.as_json() for source, shapes in self._shapes.items()},
            "recent": list(self._recent),
        }
        with replacing(self.path, durable=False) as temporary:
            temporary.write_text(json.dumps(body), encoding="utf-8")
        self._changed = False

    def _read(self) -> None:
        try:
            body = json.loads(self.path.read_text(encoding="utf-8"))
            self._shapes = {name: dialects.Shapes.from_json(each) for name, each in body["shapes"].items()}
            self._recent.extend(body["recent"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            self._shapes = {}
