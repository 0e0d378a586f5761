"""While everything derived is made again from the log, nobody who sends is told that its key is unknown."""

from __future__ import annotations

from pathlib import Path

from desireline.project import Project
from desireline.project.recovering import make_again, silent
from project.live_desk import FakeClock, a_desk


def test_whoever_keeps_the_sources_never_sees_fewer_or_older_ones(tmp_path: Path) -> None:
    project = Project(a_desk(tmp_path / "desk"), now=FakeClock())
    project.sources.add("second")
    key = project.sources.change("second", new_key=True)["key"]
    told: list[list[str]] = []
    with project.holding("the test"), project.writing("the test"):
        project.sources.changed.append(lambda: told.append([each["key"] for each in project.sources.all()]))
        make_again(project, progress=silent)
    project.state.close()
    assert told, "those who keep sources look again when they are there"
    assert all(len(keys) == 2 and key in keys for keys in told)
