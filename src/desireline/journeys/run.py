"""The steps of the room: journeys stitched by gaps and by every map, written to the lake."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from desireline.journeys.spans import ENDINGS, GapRule, JourneyRule, MapRule
from desireline.journeys.stitch import Journeys, stitch
from desireline.storage.journey_store import Snapshot
from desireline.storage.lake import Lake
from desireline.vocabulary.step import Step

PART_OF_GAPS = "by-gaps"


def write_journeys(lake: Lake, snapshot: Snapshot, rules: Sequence[JourneyRule] = (GapRule(),)) -> dict[str, int]:
    """Stitch the journeys of each rule and write the table `journeys`; returns how many of each.

    One part per rule, named by its map, or "by-gaps"; parts of maps that are gone are taken away.
    """
    written = {}
    for rule in rules:
        name = f"map-{rule.map}" if isinstance(rule, MapRule) else PART_OF_GAPS
        written[name] = write_part(lake, name, snapshot, stitch(snapshot, rule=rule))
    for part in lake.parts("journeys"):
        if part not in written:
            lake.remove_part("journeys", part)
    return written


def write_part(lake: Lake, part: str, snapshot: Snapshot, journeys: Journeys) -> int:
    """Write journeys as one part of the table; texts are put in by DuckDB, from their codes."""
    connection = lake.connection()
    try:
        connection.register("found", _arrays(journeys))
        for name, words in _words(snapshot).items():
            connection.register(name, {"code": np.arange(len(words), dtype=np.int16), "word": np.array(words, object)})
        keyed = isinstance(journeys.rule, MapRule) and journeys.rule.key
        key = f"about_{journeys.rule.key}" if keyed and isinstance(journeys.rule, MapRule) else ""
        connection.execute("SET VARIABLE map = ?", [journeys.map])
        return lake.write_part("journeys", part, _select(key), connection)
    finally:
        connection.close()


def _arrays(journeys: Journeys) -> dict[str, Any]:
    return journeys.columns()


def _words(snapshot: Snapshot) -> dict[str, list[str]]:
    return {
        "channels": list(snapshot.words("channel")) or [""],
        "touchpoints": list(snapshot.words("touchpoint")) or [""],
        "endings": list(ENDINGS),
    }


def _select(key: str) -> str:
    named = f'"{key}"' if key else "NULL"
    opening = (
        f"LEFT JOIN (SELECT id, {named} AS key FROM interactions) AS opening ON opening.id = found.journey"
        if key
        else ""
    )
    return f"""
        SELECT found.journey, getvariable('map') AS map, found.person, {"opening.key" if key else "NULL"} AS key,
            started_at, ended_at, endings.word AS ended, steps, channel_hops, repeat_contacts, converted,
            channels.word AS first_channel, touchpoints.word AS last_touchpoint
        FROM found
        LEFT JOIN endings ON endings.code = found.ended
        LEFT JOIN channels ON channels.code = found.first_channel
        LEFT JOIN touchpoints ON touchpoints.code = found.last_touchpoint
        {opening}
    """


STEPS = (Step("stitch journeys", reads=("journey_store", "interactions"), writes=("journeys",), run=write_journeys),)
