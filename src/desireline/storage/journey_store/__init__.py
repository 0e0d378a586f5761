"""The journey store: every interaction sorted by person and time, in arrays the kernels read."""

from desireline.storage.journey_store.from_rows import snapshot_from_rows
from desireline.storage.journey_store.identities import Identities
from desireline.storage.journey_store.snapshot import (
    EMPTY_CODE,
    EMPTY_KEY,
    EMPTY_NUMBER,
    NOBODY,
    Bucket,
    Snapshot,
)
from desireline.storage.journey_store.store import JourneyStore

__all__ = [
    "EMPTY_CODE",
    "EMPTY_KEY",
    "EMPTY_NUMBER",
    "NOBODY",
    "Bucket",
    "Identities",
    "JourneyStore",
    "Snapshot",
    "snapshot_from_rows",
]
