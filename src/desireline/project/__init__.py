"""The one place that wires: a project folder, its rooms, and the order of their work."""

from desireline.project.backup import Following, back_up
from desireline.project.clock_watch import look_at_clock
from desireline.project.demo import DemoMade, make_demo, warm_beside
from desireline.project.demo_live import DemoFeed, open_demo
from desireline.project.doctor import examine
from desireline.project.finding import Finding
from desireline.project.front import Opened
from desireline.project.handing_over import WORK, announced, may, running_server
from desireline.project.hub import Event, Hub
from desireline.project.imports import read_recipe_file
from desireline.project.live import Live
from desireline.project.planted import PlantedCheck, compare_with_truth, project_of_truth
from desireline.project.project import Project, find_project, new_project
from desireline.project.rebuilding import digests, rebuild
from desireline.project.restoring import restore, summary
from desireline.project.steady_clock import elapsed_ms
from desireline.project.steps import flow_of_work
from desireline.project.upkeep import write_all_journeys

__all__ = [
    "WORK",
    "DemoFeed",
    "DemoMade",
    "Event",
    "Finding",
    "Following",
    "Hub",
    "Live",
    "Opened",
    "PlantedCheck",
    "Project",
    "announced",
    "back_up",
    "compare_with_truth",
    "digests",
    "elapsed_ms",
    "examine",
    "find_project",
    "flow_of_work",
    "look_at_clock",
    "make_demo",
    "may",
    "new_project",
    "open_demo",
    "project_of_truth",
    "read_recipe_file",
    "rebuild",
    "restore",
    "running_server",
    "summary",
    "warm_beside",
    "write_all_journeys",
]
