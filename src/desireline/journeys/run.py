"""The steps of the room: journeys stitched by gaps and by every map, written to the lake."""

from __future__ import annotations

from collections.abc import Sequence

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
    key = f"about_{journeys.rule.key}" if isinstance(journeys.rule, MapRule) and journeys.rule.key else ""
    connection = lake.connection() if key else lake.bare_connection()
    try:
        connection.register("found", journeys.columns())
        for name, words in _words(snapshot).items():
            texts = ", ".join("'" + word.replace("'", "''") + "'" for word in words)
            connection.execute(f"CREATE TEMPORARY TYPE {name} AS ENUM ({texts})")
        connection.execute("SET VARIABLE map = ?", [journeys.map])
        return lake.write_part("journeys", part, _select(key), connection)
    finally:
        connection.close()


def _words(snapshot: Snapshot) -> dict[str, list[str]]:
    return {
        "channels": list(snapshot.words("channel")) or [""],
        "touchpoints": list(snapshot.words("touchpoint")) or [""],
        "endings": list(ENDINGS),
    }


def _select(key: str) -> str:
    opening = f'LEFT JOIN (SELECT id, "{key}" AS key FROM interactions) AS opening ON opening.id = found.journey'
    return f"""
        SELECT found.journey, getvariable('map') AS map, found.person, {"opening.key" if key else "NULL"} AS key,
            started_at, ended_at, {_text("endings", "ended")}, steps, channel_hops, repeat_contacts, converted,
            {_text("channels", "first_channel")}, {_text("touchpoints", "last_touchpoint")}
        FROM found {opening if key else ""}
    """


def _text(words: str, column: str) -> str:
    """The word of a code; none where nothing was given (-1)."""
    return f"enum_range(NULL::{words})[found.{column} + 1]::VARCHAR AS {column}"


STEPS = (Step("stitch journeys", reads=("journey_store", "interactions"), writes=("journeys",), run=write_journeys),)
