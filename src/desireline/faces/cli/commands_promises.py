"""Commands about promises: judge them, check them, look at the ledger, draft a map."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from desireline.faces.cli.options import AsJson, ProjectFolder, open_project
from desireline.faces.cli.output import say, show, show_record
from desireline.vocabulary.errors import DesirelineError, Mistake

if TYPE_CHECKING:
    from desireline.vocabulary.table import Table

LEDGER_SHOWN = ("promise", "verdict", "breach", "channel", "key", "opened_at", "due_at", "settled_at", "person")
"""What a person reads of the ledger; `--json` and `--csv` carry every column."""


def judge(
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="Judge as of this day; else the latest interaction.")
    ] = None,
    project: ProjectFolder = None,
    json: AsJson = False,
) -> None:
    """Judge every promise and print its keep-rate, with interval and count."""
    _show_rates(open_project(project).ledger.judge(as_of=as_of), as_json=json)


def keep_rates(
    by: Annotated[
        list[str] | None,
        typer.Option("--by", help="Also by step, channel, month or a field such as product."),
    ] = None,
    project: ProjectFolder = None,
    json: AsJson = False,
) -> None:
    """How often promises were kept, as judged last: of each promise, and by channel, step or month."""
    groups = tuple(dict.fromkeys(("map", "promise", *(by or ()))))
    _show_rates(open_project(project).ledger.keep_rates(groups), as_json=json)


def check(
    project: ProjectFolder = None,
    json: AsJson = False,
) -> None:
    """Fail (exit 1) when a promise has no evidence or is shown to be kept less often than it must be."""
    opened = open_project(project)
    if not opened.map_set().maps:
        raise DesirelineError(Mistake("there is no map, so nothing can be checked.", where=str(opened.folder / "maps")))
    findings = opened.ledger.check()
    lines = [str(finding) for finding in findings] or ["Every promise has evidence and is kept as often as it must be."]
    show_record({"findings": [finding.as_dict() for finding in findings]}, as_json=json, lines=lines)
    if findings:
        raise typer.Exit(1)


def ledger(
    promise: Annotated[str | None, typer.Option("--promise", help="Only this promise.")] = None,
    verdict: Annotated[str | None, typer.Option("--verdict", help="waiting, kept, broken or withdrawn.")] = None,
    breach: Annotated[str | None, typer.Option("--breach", help="late, missing, wrong_channel, ...")] = None,
    of_map: Annotated[str | None, typer.Option("--map", help="Only promises of this map.")] = None,
    person: Annotated[int | None, typer.Option("--person", help="Only this person.")] = None,
    top: Annotated[int, typer.Option("--top", min=1, help="So many rows, the latest breach first.")] = 40,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    project: ProjectFolder = None,
    json: AsJson = False,
) -> None:
    """The ledger: every instance of every promise, with its verdict and evidence."""
    found = open_project(project).ledger.rows(
        promise=promise, verdict=verdict, breach=breach, of_map=of_map, person=person, top=top
    )
    if csv:
        say(found.to_csv().rstrip())
    else:
        show(found if json else found.only(*LEDGER_SHOWN), as_json=json)


def draft(
    start: Annotated[str | None, typer.Option("--start", help="The touchpoint the journey begins with.")] = None,
    name: Annotated[str, typer.Option("--name", help="The name of the map.")] = "drafted",
    to: Annotated[Path | None, typer.Option("--to", help="Write to this file; else print.")] = None,
    project: ProjectFolder = None,
) -> None:
    """Draft a first map from the journeys people lived."""
    text = open_project(project).ledger.draft(start=start, name=name)
    if to is None:
        say(text.rstrip())
    else:
        if to.exists():
            raise DesirelineError(Mistake("exists already.", where=str(to), do="Choose another name."))
        to.write_text(text, encoding="utf-8")
        say(f"Wrote {to}.")


def maps(
    project: ProjectFolder = None,
    json: AsJson = False,
) -> None:
    """The maps of the project; every mistake in them is told at once."""
    show(open_project(project).map_set().table(), as_json=json)


def _show_rates(found: Table, *, as_json: bool) -> None:
    show(found if as_json else _rates_for_people(found), as_json=as_json)
    for note in found.notes.get("maps", ()):
        sys.stderr.write(f"{note}\n")


def _rates_for_people(found: Table) -> Table:
    """The keep-rates in percent, with their interval in one column, and without columns that hold nothing."""
    rates = list(zip(found["keep_rate"], found["low"], found["high"], strict=True))
    readable = {
        "keep_rate": ["" if rate is None else f"{rate:.1%}" for rate, _, _ in rates],
        "interval": ["" if rate is None else f"{low:.1%} to {high:.1%}" for rate, low, high in rates],
    }
    groups = list(found.columns)[: list(found.columns).index("keep_rate")]
    counts = ["settled", "broken"]
    counts += [name for name in ("waiting", "withdrawn", "without_handle", "note") if any(found[name])]
    named = {name: found[name] for name in groups}
    return replace(found, columns={**named, **readable, **{name: found[name] for name in counts}})


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    for command in (judge, check, ledger, draft, maps):
        app.command(command.__name__)(command)
    app.command("keep-rates")(keep_rates)
