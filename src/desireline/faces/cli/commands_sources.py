"""Sources: who may send interactions as they happen."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from desireline.faces.cli.options import AsJson, ProjectFolder, open_project
from desireline.faces.cli.output import show, show_record

source_app = typer.Typer(help="Who may send interactions as they happen: list, add, change.", no_args_is_help=True)

Origins = Annotated[
    list[str] | None, typer.Option("--origin", help="A site it may be sent from, such as https://shop.example.")
]
PerSecond = Annotated[int | None, typer.Option("--per-second", min=1, help="So many requests a second at most.")]
RecipeName = Annotated[str, typer.Option("--recipe", help="How its messages become interactions; for dialect recipe.")]
SecretEnv = Annotated[str, typer.Option("--secret-env", help="The environment name of its signing secret.")]
Unsigned = Annotated[bool, typer.Option("--unsigned", help="Take webhooks without a signature; the key must do.")]


@source_app.command("list")
def list_sources(project: ProjectFolder = None, json: AsJson = False) -> None:
    """Every source with its write key."""
    show(open_project(project).sources.table(), as_json=json)


@source_app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="Its name, such as web-shop.")],
    dialect: Annotated[
        str, typer.Option("--dialect", help="segment, posthog, cloudevents, webhook, recipe or email.")
    ] = "segment",
    origin: Origins = None,
    per_second: PerSecond = None,
    recipe: RecipeName = "",
    secret_env: SecretEnv = "",
    server_side: Annotated[
        bool, typer.Option("--server-side", help="Sent by your own servers: its clock and its claims are trusted.")
    ] = False,
    unsigned: Unsigned = False,
    project: ProjectFolder = None,
    json: AsJson = False,
) -> None:
    """Connect a source and print its write key."""
    given: dict[str, Any] = {} if per_second is None else {"per_second": per_second}
    source = open_project(project).sources.add(
        name,
        dialect=dialect,
        origins=origin or (),
        recipe=recipe,
        secret_env=secret_env,
        server_side=server_side,
        unsigned=unsigned,
        **given,
    )
    lines = [
        f"Source {name} is connected. Its write key: {source['key']}",
        "How to send: docs/how-to/connect-a-source.md, or the page 'Connect a site' of desireline serve.",
    ]
    show_record(source, as_json=json, lines=lines)


@source_app.command("change")
def change(
    name: Annotated[str, typer.Argument(help="Its name.")],
    origin: Origins = None,
    per_second: PerSecond = None,
    enabled: Annotated[bool | None, typer.Option("--enabled/--disabled", help="Whether it may send.")] = None,
    new_key: Annotated[bool, typer.Option("--new-key", help="Give it a new write key; the old one ends.")] = False,
    project: ProjectFolder = None,
    json: AsJson = False,
) -> None:
    """Change where a source may send from, how fast, its key, or whether it may send at all."""
    given = {"origins": origin, "per_second": per_second, "enabled": enabled, "new_key": new_key or None}
    source = open_project(project).sources.change(
        name, **{word: value for word, value in given.items() if value is not None}
    )
    show_record(source, as_json=json, lines=[f"Source {name} is changed. Its write key: {source['key']}"])


@source_app.command("drift")
def drift(project: ProjectFolder = None, json: AsJson = False) -> None:
    """What changed in the shape of what sources send: new events, new properties, values of another kind."""
    show(open_project(project).drift.table(), as_json=json)


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(source_app, name="source")
