"""Readers: every kind of file becomes a DuckDB table of texts, with the rows that could not be read beside it."""

from desireline.intake.readers.careful import RefusedRow
from desireline.intake.readers.rows import Rows, read_rows

__all__ = ["RefusedRow", "Rows", "read_rows"]
