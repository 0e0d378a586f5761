"""How the command line speaks: tables, progress and errors; plain when piped, JSON when asked."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from desireline.vocabulary.errors import DesirelineError
from desireline.vocabulary.table import Table, is_numeric, value_text

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table as Drawn

Progress = Callable[[float, str], None]
"""Told how far a piece of work is: a share from 0 to 1, and what is being done."""


def console(*, errors: bool = False) -> Console:
    """A console on standard output, or on standard error."""
    from rich.console import Console

    return Console(stderr=errors, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    """One line for a person."""
    sys.stdout.write(text + "\n")


def show(table: Table, *, as_json: bool) -> None:
    """Print a table: as JSON, as plain text when piped, or drawn on a terminal."""
    if as_json:
        say(table.to_json())
    elif not sys.stdout.isatty():
        say(table.text(most_rows=MOST_ROWS_PIPED))
    else:
        _draw(table)


def show_record(record: dict[str, Any], *, as_json: bool, lines: list[str]) -> None:
    """Print a result that is no table: its JSON, or its lines."""
    say(json.dumps(record, default=str, ensure_ascii=False) if as_json else "\n".join(lines))


def show_error(error: DesirelineError) -> None:
    """Print every mistake on standard error, one a line, without a traceback."""
    for mistake in error.mistakes:
        sys.stderr.write(f"{mistake}\n")


@contextmanager
def progress(*, quiet: bool) -> Iterator[Progress]:
    """A progress bar on standard error when somebody watches; silent otherwise."""
    if quiet or not sys.stderr.isatty():
        yield lambda share, what: None
        return
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description:<34}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=console(errors=True), transient=True) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda share, what: bar.update(task, completed=share, description=what)


MOST_ROWS = 40
"""A terminal shows so many rows; `--json` prints them all."""
MOST_ROWS_PIPED = 1_000
_CELL_LETTERS = 400
_FEWEST_LETTERS_A_COLUMN = 5
"""Where a terminal has less room than this for a column, each row is told line by line instead."""


def _draw(table: Table) -> None:
    out = console()
    if table.says:
        out.print(table.says, style="bold", markup=False)
    if out.width < _FEWEST_LETTERS_A_COLUMN * len(table.columns):
        _tell_row_by_row(table, out)
    else:
        out.print(_drawn(table))
    if len(table) > MOST_ROWS:
        out.print(f"... {len(table) - MOST_ROWS:,} more rows (--json prints them all)", style="dim")
    if table.counted:
        out.print(f"How this is counted: {table.counted}", style="dim", markup=False)


def _tell_row_by_row(table: Table, out: Console) -> None:
    """Each row as lines `name: value`, without what is empty, for a terminal too narrow for columns."""
    for _, row in zip(range(MOST_ROWS), table.rows(), strict=False):
        out.print()
        for name, value in row.items():
            if text := _drawn_text(name, value):
                out.print(f"{name}: {text}", markup=False)
    out.print()


def _drawn(table: Table) -> Drawn:
    from rich import box
    from rich.table import Table as Drawn
    from rich.text import Text

    drawn = Drawn(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name, values in table.columns.items():
        moments = name.endswith("_at")
        justify: Literal["left", "right"] = "right" if is_numeric(values) else "left"
        drawn.add_column(name, justify=justify, overflow="fold", no_wrap=moments, min_width=16 if moments else None)
    for _, row in zip(range(MOST_ROWS), table.rows(), strict=False):
        drawn.add_row(*(Text(_drawn_text(name, value)) for name, value in row.items()))
    return drawn


def _drawn_text(name: str, value: Any) -> str:
    """A cell on a terminal, where width is dear: moments to the minute, in UTC as everywhere."""
    text = value_text(name, value, most_letters=_CELL_LETTERS)
    return text[:16] if name.endswith("_at") and text.endswith(" UTC") else text
