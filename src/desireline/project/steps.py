"""Every step of the rooms, gathered; the flow prints and orders them."""

from __future__ import annotations

from desireline import intake, journeys, people, promises
from desireline.project.flow import flow_text
from desireline.project.upkeep import KEEP_STORE
from desireline.vocabulary.step import Step


def steps() -> tuple[Step, ...]:
    """The steps of every room, and the store's upkeep."""
    return (intake.STEP, people.RESOLVE_PEOPLE, KEEP_STORE, *journeys.STEPS, *promises.STEPS)


def flow_of_work() -> str:
    """The steps in order, with what they read and write."""
    return flow_text(steps())
