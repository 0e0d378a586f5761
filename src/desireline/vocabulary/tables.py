"""Every shared table of the lake: what it holds, its columns, and the one room that writes it."""

from __future__ import annotations

from dataclasses import dataclass

from desireline.vocabulary.interaction import FIELDS, sql_type


@dataclass(frozen=True, slots=True)
class SharedTable:
    """One table of the lake. `columns` maps a column to its SQL type; exactly one step writes it.

    last_of: the column of which only the last row counts, in order of the parts' names; empty: every row counts.
    """

    name: str
    says: str
    writer: str
    columns: dict[str, str]
    last_of: str = ""


INTERACTIONS = SharedTable(
    "interactions",
    "Every interaction taken in, one row each; never rewritten.",
    "intake",
    {field.column: sql_type(field) for field in FIELDS},
)
HANDLES = SharedTable(
    "handles",
    "Who a handle belongs to: the indirection that lets people join and part without rewriting interactions.",
    "people",
    {
        "handle": "BIGINT",
        "kind": "VARCHAR",
        "value": "VARCHAR",
        "strong": "BOOLEAN",
        "shared": "BOOLEAN",
        "reason": "VARCHAR",
        "person": "BIGINT",
    },
    last_of="handle",
)
LINKS = SharedTable(
    "links",
    "Two handles seen together on one interaction: the evidence people are joined by.",
    "people",
    {
        "handle_a": "BIGINT",
        "handle_b": "BIGINT",
        "seen": "BIGINT",
        "first_id": "BIGINT",
        "evidence": "VARCHAR",
        "since": "BIGINT",
        "withdrawn": "BIGINT",
    },
)
JOURNEYS = SharedTable(
    "journeys",
    "The journeys people lived, one row each.",
    "journeys",
    {
        "journey": "BIGINT",
        "map": "VARCHAR",
        "person": "BIGINT",
        "key": "VARCHAR",
        "started_at": "BIGINT",
        "ended_at": "BIGINT",
        "ended": "VARCHAR",
        "steps": "BIGINT",
        "channel_hops": "BIGINT",
        "repeat_contacts": "BIGINT",
        "converted": "BOOLEAN",
        "first_channel": "VARCHAR",
        "last_touchpoint": "VARCHAR",
    },
)
LEDGER = SharedTable(
    "ledger_rows",
    "The promise ledger's history: one row per instance each time its judgement changed. "
    "The view `ledger` holds the row in force of each instance.",
    "promises",
    {
        "map": "VARCHAR",
        "map_version": "BIGINT",
        "promise": "VARCHAR",
        "person": "BIGINT",
        "journey": "BIGINT",
        "key": "VARCHAR",
        "channel": "VARCHAR",
        "opening_id": "BIGINT",
        "opened_at": "BIGINT",
        "due_at": "BIGINT",
        "settled_at": "BIGINT",
        "verdict": "VARCHAR",
        "breach": "VARCHAR",
        "breaches": "VARCHAR",
        "lateness_seconds": "BIGINT",
        "settling_id": "BIGINT",
        "breaking_id": "BIGINT",
        "made_good_at": "BIGINT",
        "made_good_id": "BIGINT",
        "judged_at": "BIGINT",
        "cause": "VARCHAR",
        "number": "BIGINT",
    },
)

TABLES: dict[str, SharedTable] = {table.name: table for table in (INTERACTIONS, HANDLES, LINKS, JOURNEYS, LEDGER)}
