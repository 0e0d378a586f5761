"""Compile every kernel into the cache: `python -m desireline.project.warm`, run beside the first work."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from desireline import journeys, people, promises
from desireline.project import upkeep
from desireline.project.project import Project, new_project
from desireline.storage.journey_store.warm import warm as warm_store

_ROWS = """
SELECT number + 1 AS id, 'warm' AS source, number AS position, 'warm' AS import_id, number * 60000 AS occurred_at,
       ['crm:' || number % 7] AS handles, number % 7 + 1 AS handle, 'web' AS channel,
       CASE WHEN number % 2 = 0 THEN 'a' ELSE 'b' END AS touchpoint, 'inbound' AS direction, true AS asks,
       'c' AS about_case, 'd' AS topic, number AS value_minor
FROM range(70) numbers(number)
"""
_MAP = """\
map: warm
begins: {touchpoint: a}
phases:
  - phase: All
    steps:
      - {step: one, touchpoint: a}
      - {step: two, touchpoint: b}
promises:
  - promise: p
    when: {touchpoint: a, channel: web, asks: true, topic: d}
    then: {touchpoint: b, case: c, value: {above: 1}}
    within: 1 day
    same: case
"""


def warm() -> None:
    """Compile the kernels of every room, or find them in the cache; in the order in which the first import asks."""
    people.warm()
    warm_store()
    promises.warm()
    journeys.warm()
    with TemporaryDirectory(prefix="desireline-warm-") as folder:
        _ask_everything(new_project(Path(folder) / "warm"))


def _ask_everything(project: Project) -> None:
    """Bring a small project up to date and ask it what the command line and the pages ask."""
    (project.folder / "maps" / "warm.yaml").write_text(_MAP, encoding="utf-8")
    with project.writing("desireline warm"):
        project.lake.write_part("interactions", "warm", _ROWS)
        upkeep.follow(project, added=["warm"], progress=lambda _share, _what: None)
        upkeep.write_all_journeys(project)
        project.ledger.judge()
    project.ledger.draft()
    questions = project.questions
    questions.census()
    questions.flow("a", broken=True)
    questions.lived_flow("warm")
    questions.journeys(of_map="warm")


if __name__ == "__main__":
    warm()
