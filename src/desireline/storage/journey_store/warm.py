"""Compile every kernel of the journey store ahead of time, so that nobody waits for a compiler."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from desireline.storage.journey_store.identities import Identities
from desireline.storage.journey_store.store import JourneyStore
from desireline.storage.lake import Lake
from desireline.vocabulary.tables import INTERACTIONS

_ROWS = """
SELECT number + {first} AS id, 'warm' AS source, number AS position, '{part}' AS import_id, {at} AS occurred_at,
       number % 5 + 1 AS handle, 'web' AS channel, 'visit' AS touchpoint, true AS asks,
       'card' AS topic, 3.5 AS score, '{{"size": "large"}}' AS properties
FROM range(60) numbers(number)
"""


def warm() -> None:
    """Build a small store and change it in every way there is."""
    with TemporaryDirectory(prefix="desireline-warm-") as folder:
        lake = Lake(Path(folder) / "lake")
        _write(lake, part="first", first=1, at="1000 - number")
        store = JourneyStore(Path(folder) / "store", lake)
        store.build(Identities.of([1, 2], [1, 1]))
        _write(lake, part="late", first=1001, at="500 + number")
        store.add_parts(["late"])
        store.reassign([3], [1])
        store.reassign([3], [3])
        store.ensure_columns(["properties.size"])
        store.remove_parts(["late"])
        store.compact()
        store.digest()
        store.verify()


def _write(lake: Lake, *, part: str, first: int, at: str) -> None:
    lake.write_part(INTERACTIONS.name, part, _ROWS.format(part=part, first=first, at=at))
