"""The plain judge and the real one, each as a function of a random case."""

from __future__ import annotations

import json
from typing import Any

from desireline.promises import Judged, MapVersion, in_order, judge, load_map, read_calendars
from desireline.storage.identity import text_hash
from desireline.storage.journey_store import EMPTY_KEY, Snapshot, snapshot_from_rows
from promises.plain_judge import judge as plain_judge
from promises.random_logs import CALENDARS, Case

Row = dict[str, Any]
OPEN_HOURS = read_calendars(CALENDARS)


def plain(case: Case) -> list[Row]:
    """The rows of the plain judge, log by log, since no two logs share a person."""
    rows = [row for log in case.logs for row in plain_judge(list(log), list(case.versions), CALENDARS, case.as_of)]
    return [row | {"key": EMPTY_KEY if row["key"] is None else text_hash(row["key"])} for row in rows]


def real(case: Case) -> list[Row]:
    """The rows of the real judge, all logs at once."""
    return list(judged(case).rows())


def judged(case: Case) -> Judged:
    snapshot = snapshot_from_rows(case.interactions, bucket_count=2)
    return judge(snapshot, versions_of(case), case.as_of, calendars=OPEN_HOURS)


def rows_of(snapshot: Snapshot, versions: tuple[MapVersion, ...], as_of: int) -> list[Row]:
    return list(judge(snapshot, versions, as_of, calendars=OPEN_HOURS).rows())


def versions_of(case: Case) -> tuple[MapVersion, ...]:
    """The versions of the case's maps, read as map files are."""
    names = sorted({made["map"] for _, made in case.versions})
    saved = [
        (valid_from, load_map(json.dumps(made), "trial.yaml", CALENDARS, project_calendar="default"))
        for valid_from, made in case.versions
    ]
    return tuple(version for name in names for version in in_order([one for one in saved if one[1].name == name]))
