"""Sources: who may send interactions as they happen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from desireline.faces.cli.options import AsJson, ProjectFolder, open_project
from desireline.faces.cli.output import show, show_record
from desireline.vocabulary.errors import DesirelineError

source_app = typer.Typer(help="Who may send interactions as they happen: list, add, change.", no_args_is_help=True)

Origins = Annotated[
    list[str] | None, typer.Option("--origin", help="A site it may be sent from, such as https://shop.example.")
]
PerSecond = Annotated[int | None, typer.Option("--per-second", min=1, help="So many requests a second at most.")]
RecipeName = Annotated[str, typer.Option("--recipe", help="How its messages become interactions; for dialect recipe.")]
SecretEnv = Annotated[str, typer.Option("--secret-env", help="The environment name of its signing secret.")]
Imap = Annotated[
    str, typer.Option("--imap", help="Fetch its letters from a mailbox on this mail server: HOST or HOST:PORT.")
]
User = Annotated[str, typer.Option("--user", help="The mailbox's user, such as help@bank.example.")]
PasswordEnv = Annotated[str, typer.Option("--password-env", help="The environment name of the mailbox's password.")]
PasswordFile = Annotated[str, typer.Option("--password-file", help="The file that holds the mailbox's password.")]
Folder = Annotated[str, typer.Option("--folder", help="The folder to fetch; INBOX when none is named.")]
Security = Annotated[str, typer.Option("--security", help="tls, starttls, or none for a server on this machine.")]
Smtp = Annotated[
    int | None,
    typer.Option("--smtp", min=1, max=65535, help="Take its letters over SMTP, at this port of the loopback."),
]
Lmtp = Annotated[
    int | None,
    typer.Option("--lmtp", min=1, max=65535, help="Take its letters over LMTP, at this port of the loopback."),
]
Accepts = Annotated[
    list[str] | None, typer.Option("--accepts", help="An address or @domain it takes letters for; none means all.")
]
Unsigned = Annotated[bool, typer.Option("--unsigned", help="Take webhooks without a signature; the key must do.")]


@source_app.command("list")
def list_sources(project: ProjectFolder = None, json: AsJson = False) -> None:
    """Every source with its write key, and how it stands with its letters."""
    show(open_project(project).sources.table(), as_json=json)


@source_app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="Its name, such as web-shop.")],
    dialect: Annotated[
        str,
        typer.Option(
            "--dialect",
            help="segment (where none is named), posthog, cloudevents, webhook, recipe or email.",
            show_default=False,
        ),
    ] = "",
    origin: Origins = None,
    per_second: PerSecond = None,
    recipe: RecipeName = "",
    secret_env: SecretEnv = "",
    server_side: Annotated[
        bool, typer.Option("--server-side", help="Sent by your own servers: its clock and its claims are trusted.")
    ] = False,
    unsigned: Unsigned = False,
    imap: Imap = "",
    user: User = "",
    password_env: PasswordEnv = "",
    password_file: PasswordFile = "",
    folder: Folder = "",
    security: Security = "",
    smtp: Smtp = None,
    lmtp: Lmtp = None,
    accepts: Accepts = None,
    project: ProjectFolder = None,
    json: AsJson = False,
) -> None:
    """Connect a source and print its write key; with --imap, --smtp or --lmtp the server brings its letters in."""
    given: dict[str, Any] = {} if per_second is None else {"per_second": per_second}
    mail = _mail_words(
        imap=imap, smtp=smtp, lmtp=lmtp, user=user, password_env=password_env, password_file=password_file,
        folder=folder, security=security, accepts=accepts,
    )  # fmt: skip
    if mail and "way" not in mail:
        raise DesirelineError("how do its letters come in? Say --imap HOST, --smtp PORT or --lmtp PORT.")
    opened = open_project(project)
    source = opened.sources.add(
        name,
        dialect=dialect or ("email" if mail else "segment"),
        origins=origin or (),
        recipe=recipe,
        secret_env=secret_env,
        server_side=server_side,
        unsigned=unsigned,
        mail=mail,
        **given,
    )
    how = "How to send: docs/how-to/connect-a-source.md, or the page 'Connect a site' of desireline serve."
    if source["mail"]:
        how = f"desireline serve brings its letters in ({_way_says(source['mail'])}): see desireline source list"
    lines = [f"Source {name} is connected. Its write key: {source['key']}", how]
    show_record(source, as_json=json, lines=lines)


@source_app.command("change")
def change(
    name: Annotated[str, typer.Argument(help="Its name.")],
    origin: Origins = None,
    per_second: PerSecond = None,
    enabled: Annotated[bool | None, typer.Option("--enabled/--disabled", help="Whether it may send.")] = None,
    new_key: Annotated[bool, typer.Option("--new-key", help="Give it a new write key; the old one ends.")] = False,
    imap: Imap = "",
    user: User = "",
    password_env: PasswordEnv = "",
    password_file: PasswordFile = "",
    folder: Folder = "",
    security: Security = "",
    smtp: Smtp = None,
    lmtp: Lmtp = None,
    accepts: Accepts = None,
    no_letters: Annotated[bool, typer.Option("--no-letters", help="Neither fetch nor take letters any more.")] = False,
    project: ProjectFolder = None,
    json: AsJson = False,
) -> None:
    """Change where a source may send from, how fast, its key, how its letters come in, or whether it may send."""
    mail = _mail_words(
        imap=imap, smtp=smtp, lmtp=lmtp, user=user, password_env=password_env, password_file=password_file,
        folder=folder, security=security, accepts=accepts,
    )  # fmt: skip
    given = {
        "origins": origin,
        "per_second": per_second,
        "enabled": enabled,
        "new_key": new_key or None,
        "mail": {} if no_letters else mail or None,
    }
    source = open_project(project).sources.change(
        name, **{word: value for word, value in given.items() if value is not None}
    )
    show_record(source, as_json=json, lines=[f"Source {name} is changed. Its write key: {source['key']}"])


@source_app.command("drift")
def drift(project: ProjectFolder = None, json: AsJson = False) -> None:
    """What changed in the shape of what sources send: new events, new properties, values of another kind."""
    show(open_project(project).drift.table(), as_json=json)


def _mail_words(*, imap: str, smtp: int | None, lmtp: int | None, **words: Any) -> dict[str, Any]:
    """How the letters of a source come in, as the options say it; what was not said is left out."""
    said = {word: value for word, value in words.items() if value}
    ways = {way: value for way, value in (("imap", imap), ("smtp", smtp), ("lmtp", lmtp)) if value}
    if len(ways) > 1:
        raise DesirelineError(f"letters of one source come in one way; {' and '.join(ways)} are two. Name one.")
    if imap:
        host, colon, port = imap.rpartition(":") if imap.count(":") == 1 else (imap, "", "")
        if colon and not (port.isascii() and port.isdigit()):
            raise DesirelineError(
                f"'{imap}' is no mail server. Write HOST or HOST:PORT, such as imap.bank.example:993."
            )
        return {"way": "imap", "host": host, **({"port": int(port)} if colon else {}), **said}
    return said | {word: value for way, value in ways.items() for word, value in (("way", way), ("port", value))}


def _way_says(mail: Mapping[str, Any]) -> str:
    if mail["way"] == "imap":
        return f"the folder {mail['folder']} of {mail['user']} at {mail['host']}"
    return f"{mail['way'].upper()} at 127.0.0.1 port {mail['port']}"


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(source_app, name="source")
