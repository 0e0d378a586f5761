"""Questions about the journeys people lived."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from desireline.faces.cli.options import AsJson, Broken, Channel, ProjectFolder, Segment, Since, Until, open_project
from desireline.faces.cli.output import say, show

Top = Annotated[int, typer.Option("--top", min=1, help="So many rows; the rest is summed up as (other).")]
Gap = Annotated[str | None, typer.Option("--gap", help="A journey ends after so long a silence: '30 days'.")]


def standalone(picture: str) -> str:
    """A picture as a file of its own."""
    from desireline.journeys import standalone as alone

    return alone(picture)


def flow(
    start: Annotated[str | None, typer.Argument(help="Touchpoint to start from; card.* for several.")] = None,
    steps: Annotated[int, typer.Option("--steps", min=2, max=12, help="Columns of the flow.")] = 6,
    top: Top = 8,
    by: Annotated[str, typer.Option("--by", help="touchpoint or channel.")] = "touchpoint",
    anchor: Annotated[
        str, typer.Option("--anchor", help="Paths from where journeys 'starts', 'contains' or 'ends' with START.")
    ] = "starts",
    picture: Annotated[bool, typer.Option("--svg", help="Print the picture as SVG.")] = False,
    gap: Gap = None,
    since: Since = None,
    until: Until = None,
    channel: Channel = None,
    segment: Segment = None,
    broken: Broken = False,
    project: ProjectFolder = None,
    json: AsJson = False,
) -> None:
    """Where people went from a step: every path, leavers and (other) included."""
    which: dict[str, Any] = {
        "since": since,
        "until": until,
        "channels": channel,
        "segment": segment,
        "broken": broken,
        "gap": gap,
    }
    found = open_project(project).questions.flow(start, steps=steps, top=top, by=by, anchor=anchor, **which)
    if picture:
        say(standalone(found._repr_svg_()))
    else:
        show(found.table(), as_json=json)


def transitions(
    gap: Gap = None,
    since: Since = None,
    until: Until = None,
    channel: Channel = None,
    segment: Segment = None,
    broken: Broken = False,
    project: ProjectFolder = None,
    json: AsJson = False,
) -> None:
    """From which step to which, how often, and the median time between."""
    which: dict[str, Any] = {
        "since": since,
        "until": until,
        "channels": channel,
        "segment": segment,
        "broken": broken,
        "gap": gap,
    }
    show(open_project(project).questions.transitions(**which), as_json=json)


def variants(
    top: Top = 20,
    gap: Gap = None,
    since: Since = None,
    until: Until = None,
    channel: Channel = None,
    segment: Segment = None,
    broken: Broken = False,
    project: ProjectFolder = None,
    json: AsJson = False,
) -> None:
    """The most frequent whole journeys, step by step."""
    which: dict[str, Any] = {
        "since": since,
        "until": until,
        "channels": channel,
        "segment": segment,
        "broken": broken,
        "gap": gap,
    }
    found = open_project(project).questions.variants(top=top, **which).table
    show(found if json else found.only("journeys", "share", "steps", "variant"), as_json=json)


def funnel(
    steps: Annotated[list[str], typer.Argument(help="Touchpoints in order; card.* for several.")],
    within: Annotated[str, typer.Option("--within", help="All of it within this time.")] = "14 days",
    by_channel: Annotated[bool, typer.Option(help="Break down by the channel of the first step.")] = True,
    since: Since = None,
    until: Until = None,
    segment: Segment = None,
    broken: Broken = False,
    project: ProjectFolder = None,
    json: AsJson = False,
) -> None:
    """How many people took these steps in this order."""
    which: dict[str, Any] = {"since": since, "until": until, "segment": segment, "broken": broken}
    show(open_project(project).questions.funnel(steps, within=within, by_channel=by_channel, **which), as_json=json)


def retention(
    since: Since = None,
    until: Until = None,
    channel: Channel = None,
    segment: Segment = None,
    project: ProjectFolder = None,
    json: AsJson = False,
) -> None:
    """Of the people first seen in a month, how many came back in the months after."""
    which: dict[str, Any] = {"since": since, "until": until, "channels": channel, "segment": segment}
    show(open_project(project).questions.retention(**which), as_json=json)


def census(
    since: Since = None,
    until: Until = None,
    channel: Channel = None,
    segment: Segment = None,
    project: ProjectFolder = None,
    json: AsJson = False,
) -> None:
    """Interactions and people, by month and channel."""
    which: dict[str, Any] = {"since": since, "until": until, "channels": channel, "segment": segment}
    show(open_project(project).questions.census(**which), as_json=json)


def journeys(
    of_map: Annotated[str | None, typer.Option("--map", help="Journeys of this map; else by gaps.")] = None,
    gap: Gap = None,
    project: ProjectFolder = None,
    json: AsJson = False,
) -> None:
    """Each journey: begun, ended and how, steps, channel hops, repeated contacts."""
    show(open_project(project).questions.journeys(of_map=of_map, gap=gap), as_json=json)


def person(
    find: Annotated[str, typer.Argument(help="A handle, part of one, or a person's number.")],
    picture: Annotated[bool, typer.Option("--svg", help="Print the line of years as SVG.")] = False,
    project: ProjectFolder = None,
    json: AsJson = False,
) -> None:
    """A person's line of years: every interaction, journey and promise."""
    found = open_project(project).questions.person(find)
    if picture:
        say(standalone(found._repr_svg_()))
    else:
        years = found.table()
        show(years if json else years.only(*(name for name in years.columns if name != "id")), as_json=json)


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    for command in (flow, transitions, variants, funnel, retention, census, journeys, person):
        app.command(command.__name__)(command)
