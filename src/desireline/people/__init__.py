"""Who is who: handles seen together become persons, and people are found by any of their handles."""

from desireline.people.directory import Directory
from desireline.people.find import Found
from desireline.people.join_and_part import changes
from desireline.people.resolve import Changes, Handles, Links, Resolution, resolve, warm
from desireline.people.run import HANDLES, RESOLVE_PEOPLE, Updated, find, persons_of, update
from desireline.people.run_directory import keep_directory, kept_directory

__all__ = [
    "HANDLES",
    "RESOLVE_PEOPLE",
    "Changes",
    "Directory",
    "Found",
    "Handles",
    "Links",
    "Resolution",
    "Updated",
    "changes",
    "find",
    "keep_directory",
    "kept_directory",
    "persons_of",
    "resolve",
    "update",
    "warm",
]
