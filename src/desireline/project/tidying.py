"""Keeping small parts few: what came in second by second is merged now and then, with nothing changed for readers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desireline.people import HANDLES
from desireline.project.clock import now_ms
from desireline.promises import merge_ledger_parts
from desireline.storage.merging import merge_handles, merge_live_parts

if TYPE_CHECKING:
    from desireline.project.project import Project


def tidy(project: Project) -> None:
    """Merge small parts where enough have gathered; cheap when there is nothing to do, none while the store grows.

    Files know the machine's own time only, so it is that clock by which merged ones are deleted.
    """
    if project.store.is_growing:
        return
    merge_live_parts(project.lake, project.store, now=now_ms())
    merge_handles(project.lake, prefix=HANDLES, now=now_ms())
    merge_ledger_parts(project.lake, now=now_ms())
    if project.store.needs_compaction:
        project.store.compact()
