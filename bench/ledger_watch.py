"""When promises come to stand in the ledger, seen from outside: by the files of its parts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

PAUSE_SECONDS = 0.05
"""So often it is looked whether there are new parts; a part knows itself when it was written."""


def arrivals(folder: Path, ending: threading.Event) -> Iterator[tuple[int, float]]:
    """Each opened promise of the map `asked` whose key begins with the moment it was sent, in UTC milliseconds.

    Yields that moment, and the milliseconds until the promise stood in a part. A merged part holds again what was
    seen before.
    """
    from desireline.storage.lake import Lake

    lake, known, counted = Lake(folder / "data" / "lake"), set[str](), set[str]()
    while not ending.wait(PAUSE_SECONDS):
        for part in lake.parts("ledger_rows"):
            path = lake.path("ledger_rows", part)
            if part in known or not path.exists():
                continue
            known.add(part)
            written = path.stat().st_mtime_ns / 1e6
            question = "SELECT key FROM read_parquet(?) WHERE map = 'asked' AND verdict = 'waiting'"
            with lake.bare_connection() as connection:
                fresh = {row[0] for row in connection.execute(question, [str(path)]).fetchall()} - counted
            counted |= fresh
            for key in fresh:
                sent = int(key.partition("-")[0])
                yield sent, written - sent
