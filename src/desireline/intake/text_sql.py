"""Texts and names written into SQL, always quoted."""

from __future__ import annotations

from desireline.vocabulary.handles import WHITE


def text_sql(text: str) -> str:
    """A text as an SQL literal.

    >>> text_sql("it's")
    "'it''s'"
    """
    if "\x00" in text:
        return " || chr(0) || ".join(text_sql(part) for part in text.split("\x00"))
    return "'" + text.replace("'", "''") + "'"


def types_sql(columns: dict[str, str]) -> str:
    """Columns and their types as `read_csv` wants them."""
    return "{" + ", ".join(f"{text_sql(name)}: {text_sql(kind)}" for name, kind in columns.items()) + "}"


WHITE_SQL = " || ".join(f"chr({ord(letter)})" for letter in WHITE)
"""What is trimmed at both ends of a cell, as in `vocabulary.handles.WHITE`."""


def trimmed_sql(column: str, *, only_blanks: bool = False) -> str:
    """A cell without white space at its ends; NULL when nothing is left.

    Trimming is slow, so cells that begin and end with a plain sign are taken as they are. `only_blanks`
    says that no cell holds other white space of ASCII than the blank, which is told four times as fast.
    """
    plain = f"ord({column}) BETWEEN 33 AND 159 AND ord(right({column}, 1)) BETWEEN 33 AND 159"
    if only_blanks:
        ascii_only = f"strlen({column}) = length({column})"
        plain = f"{column} BETWEEN '!' AND '~~~~' AND NOT suffix({column}, ' ') AND {ascii_only}"
    return f"CASE WHEN {plain} THEN {column} ELSE nullif(trim({column}, {WHITE_SQL}), '') END"
