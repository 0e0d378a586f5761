"""The one place that wires: a project folder, its rooms, and the order of their work."""

from desireline.project.demo import DemoMade, make_demo, warm_beside
from desireline.project.front import Opened
from desireline.project.imports import read_recipe_file
from desireline.project.planted import PlantedCheck, compare_with_truth, project_of_truth
from desireline.project.project import Project, find_project, new_project
from desireline.project.steps import flow_of_work
from desireline.project.upkeep import rebuild, write_all_journeys

__all__ = [
    "DemoMade",
    "Opened",
    "PlantedCheck",
    "Project",
    "compare_with_truth",
    "find_project",
    "flow_of_work",
    "make_demo",
    "new_project",
    "project_of_truth",
    "read_recipe_file",
    "rebuild",
    "warm_beside",
    "write_all_journeys",
]
