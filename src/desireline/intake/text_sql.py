"""Texts and names written into SQL, always quoted."""

from __future__ import annotations


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


WHITE_SQL = "' ' || chr(9) || chr(10) || chr(11) || chr(12) || chr(13) || chr(160) || chr(8199) || chr(8239) || chr(8203) || chr(65279)"
"""What is trimmed at both ends of a cell, as in `vocabulary.handles.WHITE`."""


def trimmed_sql(column: str) -> str:
    """A cell without white space at its ends; NULL when nothing is left."""
    return f"nullif(trim({column}, {WHITE_SQL}), '')"
