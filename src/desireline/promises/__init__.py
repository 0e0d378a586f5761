"""The journeys people were promised: maps, judging, the ledger, keep-rates, checks and first drafts."""

from desireline.promises.calendars import Calendar, read_calendars
from desireline.promises.judge import judge, warm
from desireline.promises.judged import Judged
from desireline.promises.map_file import load_map, load_maps
from desireline.promises.maps import Map, Phase, Promise, Step
from desireline.promises.masks import rows_matching
from desireline.promises.patterns import Pattern, pattern_of
from desireline.promises.versions import MapVersion, in_order

__all__ = [
    "Calendar",
    "Judged",
    "Map",
    "MapVersion",
    "Pattern",
    "Phase",
    "Promise",
    "Step",
    "in_order",
    "judge",
    "load_map",
    "load_maps",
    "pattern_of",
    "read_calendars",
    "rows_matching",
    "warm",
]
