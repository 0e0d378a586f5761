"""Mailboxes: every interaction of every letter becomes a row, an object that the recipe `mailbox` reads."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from desireline.intake.mail.boxes import rows_of_mailbox
from desireline.intake.readers.careful import Findings, RefusedRow, write_cells

NO_LETTER = "no letter: it has neither sender nor recipient nor number"


def write_letters(
    path: Path, target: Path, findings: Findings, *, zipped: bool, own_addresses: tuple[str, ...]
) -> None:
    """Write the interactions of a mailbox with their numbers as clean CSV of two columns."""
    write_cells(_rows(path, findings, zipped=zipped, own_addresses=own_addresses), target)


def _rows(
    path: Path, findings: Findings, *, zipped: bool, own_addresses: tuple[str, ...]
) -> Iterator[tuple[int, list[Any]]]:
    try:
        for row, head in rows_of_mailbox(path, zipped=zipped, own_addresses=own_addresses):
            findings.rows += 1
            if row is None:
                findings.refused.append(RefusedRow(findings.rows, head, NO_LETTER))
            else:
                yield findings.rows, [json.dumps(row, ensure_ascii=False, separators=(",", ":"))]
    except (EOFError, zlib.error, OSError) as error:
        findings.notes.append(f"the mailbox ends early or is damaged ({error}); what came before was read")
