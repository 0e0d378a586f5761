"""The collector: takes interactions in over HTTP from the clients people already have."""

from desireline.faces.collector.app import Collector
from desireline.faces.collector.counters import Counters
from desireline.faces.collector.limits import Limits
from desireline.faces.collector.routes import ROUTES, claims
from desireline.faces.collector.serving import make_quick, serve_collector, server_of
from desireline.faces.collector.sources import Source, Sources

__all__ = [
    "ROUTES",
    "Collector",
    "Counters",
    "Limits",
    "Source",
    "Sources",
    "claims",
    "make_quick",
    "serve_collector",
    "server_of",
]
