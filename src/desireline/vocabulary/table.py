"""A table that answers a question: it prints well, and draws itself in a notebook."""

from __future__ import annotations

import csv
import html
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from desireline.vocabulary.units import moment_text

_SHOWN = 20
_LAST_TEXT_LENGTH = 400
_EARLIEST_MOMENT_MS = 10**11
_CONTROLS = dict.fromkeys((*range(32), 127, *range(128, 160), 8232, 8233), " ")


@dataclass(frozen=True, slots=True)
class Table:
    """Named columns of equal length, one sentence that says what they show, and how it was counted.

    `columns` maps a name to a sequence (list, tuple or array) of plain values. `picture` is an SVG
    text or empty.
    """

    says: str
    columns: Mapping[str, Sequence[Any]]
    counted: str = ""
    as_of: int | None = None
    picture: str = ""
    notes: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        lengths = {len(values) for values in self.columns.values()}
        if len(lengths) > 1:
            raise ValueError(f"columns differ in length: {sorted(lengths)}")

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def __getitem__(self, name: str) -> Sequence[Any]:
        return self.columns[name]

    def rows(self) -> Iterator[dict[str, Any]]:
        """Each row as a dictionary of plain Python values."""
        names = list(self.columns)
        for values in zip(*self.columns.values(), strict=True):
            yield dict(zip(names, map(_plain, values), strict=True))

    def to_csv(self) -> str:
        """CSV text (RFC 4180, UTF-8); texts that a spreadsheet would run as a formula get a leading '."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow(list(self.columns))
        for row in self.rows():
            writer.writerow([_defused(value) for value in row.values()])
        return out.getvalue()

    def to_json(self) -> str:
        """The rows with their sentence, counting rule and moment, as JSON text."""
        body = {"says": self.says, "counted": self.counted, "as_of": self.as_of, "notes": dict(self.notes)}
        return json.dumps(body | {"rows": list(self.rows())}, default=str, ensure_ascii=False)

    def only(self, *names: str) -> Table:
        """The same table with fewer columns, in the order named."""
        return replace(self, columns={name: self.columns[name] for name in names})

    def text(self, *, most_rows: int = _SHOWN) -> str:
        """The table as lines of text: its sentence, at most so many rows, and how it is counted."""
        names = list(self.columns)
        shown = [[value_text(name, row[name]) for name in names] for row in _first(self.rows(), most_rows)]
        if names and not is_numeric(self.columns[names[-1]]):
            for line, row in zip(shown, self.rows(), strict=False):
                line[-1] = value_text(names[-1], row[names[-1]], most_letters=_LAST_TEXT_LENGTH)
        widths = [max([len(name), *(len(line[i]) for line in shown)]) for i, name in enumerate(names)]
        numeric = [is_numeric(self.columns[name]) for name in names]
        lines = [self.says, ""] if self.says else []
        if len(self) or not self.says:
            lines.append(
                "  ".join(_pad(n, w, right=r) for n, w, r in zip(names, widths, numeric, strict=True)).rstrip()
            )
        lines += [
            "  ".join(_pad(v, w, right=r) for v, w, r in zip(line, widths, numeric, strict=True)).rstrip()
            for line in shown
        ]
        if len(self) > most_rows:
            lines.append(f"... {len(self) - most_rows:,} more rows")
        if self.counted and len(self):
            lines.append("")
        if self.counted:
            lines += [f"How this is counted: {self.counted}"]
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.text()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        names = list(self.columns)
        head = "".join(f"<th>{html.escape(name)}</th>" for name in names)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(value_text(name, row[name]))}</td>" for name in names) + "</tr>"
            for row in _first(self.rows(), _SHOWN)
        )
        more = f"<p>... {len(self) - _SHOWN:,} more rows</p>" if len(self) > _SHOWN else ""
        counted = f"<p><small>How this is counted: {html.escape(self.counted)}</small></p>" if self.counted else ""
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        return f"<figure>{self.picture}<figcaption>{html.escape(self.says)}</figcaption>{table}{more}{counted}</figure>"


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def value_text(name: str, value: Any, *, most_letters: int = 60) -> str:
    """One value of a column as a person reads it: columns that end in `_at` hold moments, ids are no amounts.

    >>> [value_text(name, 176722560000) for name in ("opened_at", "person", "count")]
    ['1975-08-08 09:36:00 UTC', '176722560000', '176,722,560,000']
    """
    if isinstance(value, int) and not isinstance(value, bool):
        if name.endswith("_at") and abs(value) >= _EARLIEST_MOMENT_MS:
            return moment_text(value)
        if name in ("person", "journey") or name == "id" or name.endswith("_id"):
            return str(value)
    return cell_text(value, most_letters=most_letters)


def cell_text(value: Any, *, most_letters: int = 60) -> str:
    """One value as a person reads it; control characters, which could steer a terminal, become spaces.

    >>> [cell_text(value) for value in (None, True, 1234567, 0.12345, "web")]
    ['', 'yes', '1,234,567', '0.1235', 'web']
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        if abs(value) < 1000:
            return f"{value:,.4g}"
        return f"{value:,.0f}" if value.is_integer() else f"{value:,.1f}"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) < 10**12 else str(value)
    text = str(value).translate(_CONTROLS)
    return text if len(text) <= most_letters else text[: most_letters - 3] + "..."


def _defused(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + value
    return value


def is_numeric(values: Sequence[Any]) -> bool:
    """Whether a column holds numbers, so that it is set to the right."""
    first = next((plain for plain in map(_plain, values) if plain is not None), None)
    return isinstance(first, int | float) and not isinstance(first, bool)


def _pad(text: str, width: int, *, right: bool) -> str:
    return text.rjust(width) if right else text.ljust(width)


def _first(rows: Iterator[dict[str, Any]], count: int) -> Iterator[dict[str, Any]]:
    for _, row in zip(range(count), rows, strict=False):
        yield row
