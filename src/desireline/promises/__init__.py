"""The journeys people were promised: maps, judging, the ledger, keep-rates, checks and first drafts."""

from desireline.promises.calendars import Calendar, read_calendars
from desireline.promises.check import Finding, check
from desireline.promises.draft import draft
from desireline.promises.judge import judge, warm
from desireline.promises.judged import Judged
from desireline.promises.keep_rates import Instances, KeepRate, instances_of, keep_rates
from desireline.promises.map_file import load_map, load_maps
from desireline.promises.maps import Map, Phase, Promise, Step
from desireline.promises.masks import rows_matching
from desireline.promises.patterns import Pattern, pattern_of
from desireline.promises.run import (
    STEPS,
    LedgerChange,
    instances_in_force,
    judge_all,
    judge_changed,
    ledger_rows,
    merge_ledger_parts,
)
from desireline.promises.versions import MapVersion, in_order
from desireline.promises.watch import Watch, wake_moments

__all__ = [
    "STEPS",
    "Calendar",
    "Finding",
    "Instances",
    "Judged",
    "KeepRate",
    "LedgerChange",
    "Map",
    "MapVersion",
    "Pattern",
    "Phase",
    "Promise",
    "Step",
    "Watch",
    "check",
    "draft",
    "in_order",
    "instances_in_force",
    "instances_of",
    "judge",
    "judge_all",
    "judge_changed",
    "keep_rates",
    "ledger_rows",
    "load_map",
    "load_maps",
    "merge_ledger_parts",
    "pattern_of",
    "read_calendars",
    "rows_matching",
    "wake_moments",
    "warm",
]
