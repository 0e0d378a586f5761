"""Listeners: who is told when a promise breaks, and what could not be told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from desireline.faces.cli.options import AsJson, ProjectFolder, open_project
from desireline.faces.cli.output import say, show
from desireline.vocabulary.errors import DesirelineError, Mistake, nearest

if TYPE_CHECKING:
    from desireline.project import Project

listener_app = typer.Typer(help="Who is told when a promise breaks: list, add, remove, test.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The listener's name.")]
Several = list[str] | None
Notice = Annotated[Several, typer.Option("--notice", help="Only this message, by its id; may be given again.")]


@listener_app.command("list")
def list_listeners(project: ProjectFolder = None, json: AsJson = False) -> None:
    """Everybody who is told something."""
    show(open_project(project).telling.listeners(), as_json=json)


@listener_app.command("add")
def add(
    name: Name,
    address: Annotated[str, typer.Argument(help="A URL for a webhook, or an e-mail address.")],
    secret_env: Annotated[str, typer.Option("--secret-env", help="The environment name of a webhook's secret.")] = "",
    of_map: Annotated[Several, typer.Option("--map", help="Only this map; may be given again.")] = None,
    promise: Annotated[Several, typer.Option("--promise", help="Only this promise; may be given again.")] = None,
    kind: Annotated[Several, typer.Option("--kind", help="promise.broken, promise.kept, promise.due_soon, ...")] = None,
    allow_private: Annotated[bool, typer.Option("--allow-private", help="It lies in your own network.")] = False,
    with_handles: Annotated[bool, typer.Option("--with-handles", help="Tell how the person is known, too.")] = False,
    per_second: Annotated[float | None, typer.Option("--per-second", help="Never more messages a second.")] = None,
    purpose: Annotated[str, typer.Option("--purpose", help="service, or marketing: never sent twice.")] = "service",
    project: ProjectFolder = None,
) -> None:
    """Tell somebody from now on; a listener of that name is changed."""
    listener: dict[str, Any] = {
        "name": name,
        "kind": "webhook" if "://" in address else "email",
        "address": address,
        "maps": of_map or [],
        "promises": promise or [],
        "allow_private": allow_private,
        "with_handles": with_handles,
        "purpose": purpose,
    }
    listener |= {"secret_env": secret_env} if secret_env else {}
    listener |= {"kinds": kind} if kind else {}
    listener |= {} if per_second is None else {"per_second": per_second}
    opened = open_project(project)
    _must_be_known(opened, maps=of_map or (), promises=promise or ())
    opened.telling.change("listener.set", listener=listener)
    say(f"{name} is told from now on. Try it: desireline listener test {name}")


@listener_app.command("remove")
def remove(name: Name, project: ProjectFolder = None) -> None:
    """Tell somebody nothing any more."""
    open_project(project).telling.change("listener.remove", name=name)
    say(f"{name} is told nothing any more.")


@listener_app.command("enable")
def enable(name: Name, project: ProjectFolder = None) -> None:
    """Tell somebody again who was stopped."""
    open_project(project).telling.change("listener.enable", name=name)
    say(f"{name} is told again.")


@listener_app.command("disable")
def disable(name: Name, project: ProjectFolder = None) -> None:
    """Stop telling somebody, for now."""
    open_project(project).telling.change("listener.disable", name=name)
    say(f"{name} is told nothing for now.")


@listener_app.command("test")
def test(name: Name, project: ProjectFolder = None) -> None:
    """Send one test notice; it goes out while the server runs."""
    open_project(project).telling.change("listener.test", name=name)
    say("A test notice waits in the outbox; the running server sends it.")


@listener_app.command("dead")
def dead(
    listener: Annotated[str | None, typer.Option("--listener", help="Only of this one.")] = None,
    project: ProjectFolder = None,
    json: AsJson = False,
) -> None:
    """What could not be told, with the reason."""
    show(open_project(project).telling.dead_letters(listener=listener), as_json=json)


@listener_app.command("retry")
def retry(name: Name, notice: Notice = None, project: ProjectFolder = None) -> None:
    """Try again what could not be told."""
    open_project(project).telling.change("outbox.retry", name=name, **_only(notice))
    say("What could not be told waits again.")


@listener_app.command("discard")
def discard(name: Name, notice: Notice = None, project: ProjectFolder = None) -> None:
    """Give up what could not be told."""
    open_project(project).telling.change("outbox.discard", name=name, **_only(notice))
    say("What could not be told is given up.")


def _must_be_known(opened: Project, *, maps: Sequence[str], promises: Sequence[str]) -> None:
    """Whoever listens to a misspelt map or promise would never be told anything."""
    if not maps and not promises:
        return
    there = opened.map_set().maps
    known = {
        "map": sorted(each.name for each in there),
        "promise": sorted({promise.name for each in there for promise in each.promises}),
    }
    mistakes = [
        Mistake(f"there is no {kind} '{word}'.", do=nearest(word, known[kind]) or "See: desireline maps")
        for kind, words in (("map", maps), ("promise", promises))
        for word in words
        if word not in known[kind]
    ]
    if mistakes:
        raise DesirelineError(mistakes)


def _only(notices: Several) -> dict[str, Any]:
    return {"notices": notices} if notices else {}


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(listener_app, name="listener")
