"""Refused rows: how they lie in quarantine, so that they can be read, edited and tried again."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from desireline.intake.readers.careful import RefusedRow

Stage = Literal["reading", "meaning", "conflict"]

MOST_KEPT_CHARACTERS = 20_000_000
HEAD_CHARACTERS = 4_096
"""Of a longer row only the head is kept, with the length and digest of the whole."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refused row in quarantine. `number` names it; `whole` says whether all of its text is there."""

    number: int
    import_id: str
    source: str
    file: str
    row: int
    raw: str
    whole: bool
    length: int
    reason: str
    stage: str
    status: str

    @classmethod
    def of(cls, entry: dict[str, Any]) -> Refusal:
        """The refusal of one row of the state store."""
        return cls(**{name: entry[name] for name in cls.__slots__})


def quarantine_entries(
    refused: Iterable[tuple[Stage, RefusedRow]], *, source: str, file: str, import_id: str, at: int
) -> list[dict[str, Any]]:
    """Rows for the quarantine. The same row of the same source has the same digest, so it lies there once.

    Equal rows of one file are counted, so two of them stay two.
    """
    seen: Counter[str] = Counter()
    entries = []
    for stage, item in refused:
        raw = item.raw.encode("utf-8", "replace")
        plain = f"{source}\x1f{stage == 'conflict'}\x1f".encode() + raw
        same = hashlib.sha256(plain).hexdigest()
        seen[same] += 1
        whole = len(item.raw) <= MOST_KEPT_CHARACTERS
        entries.append(
            {
                "digest": f"{same}#{seen[same]}",
                "import_id": import_id,
                "source": source,
                "file": file,
                "row": item.row,
                "raw": raw.decode() if whole else raw[:HEAD_CHARACTERS].decode("utf-8", "ignore"),
                "whole": whole,
                "length": len(item.raw),
                "reason": item.reason,
                "stage": stage,
                "status": "waiting",
                "changed_at": at,
            }
        )
    return entries
