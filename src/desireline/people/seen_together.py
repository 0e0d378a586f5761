"""Which handles came together on some interactions, told row by row: for a batch too small to ask a database about.

Says the same as `links_of_import.sql` and `handles_arrived.sql` say of whole imports (a test holds them together).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from desireline.people.caps import KNOWN_VALUE, UNSHARED, known_shared, reason
from desireline.storage.identity import text_hash
from desireline.vocabulary.handles import is_strong

MOST_HANDLES_OF_AN_INTERACTION = 16
"""An interaction that carries more handles than this is a mailing list: evidence about nobody."""


@dataclass(slots=True)
class Seen:
    """What a batch tells: the text 'kind:value' of each handle, and of each pair how often, first id and since when."""

    texts: dict[int, str] = field(default_factory=dict)
    pairs: dict[tuple[int, int], list[Any]] = field(default_factory=dict)

    def rows(self) -> list[dict[str, Any]]:
        """The pairs as rows of the table `links`."""
        names = ("handle_a", "handle_b", "seen", "first_id", "since", "evidence")
        return [
            dict(zip(names, (*pair, *told, "seen together"), strict=True)) for pair, told in sorted(self.pairs.items())
        ]


def seen_together(rows: Iterable[tuple[Sequence[str] | None, int | None, int | None]]) -> Seen:
    """Read some interactions: the handles of each, its id, and when it occurred.

    >>> seen = seen_together([(["crm:1", "email:a@x.org"], 7, 1000), (["crm:1"], 8, 2000)])
    >>> sorted(seen.texts.values()), [told for told in seen.pairs.values()]
    (['crm:1', 'email:a@x.org'], [[1, 7, 1000]])
    """
    seen = Seen()
    for texts, identity, occurred_at in rows:
        handles = [(text_hash(text), text) for text in texts or () if text is not None]
        seen.texts.update(handles)
        if 2 <= len(texts or ()) <= MOST_HANDLES_OF_AN_INTERACTION:
            for a, _ in handles:
                for b, _ in handles:
                    if a < b:
                        _count(seen.pairs.setdefault((a, b), [0, None, None]), identity, occurred_at)
    return seen


def split(text: str) -> tuple[str, str]:
    """Kind and value of a handle's text.

    >>> split("email:a@x.org")
    ('email', 'a@x.org')
    """
    kind, colon, value = text.partition(":")
    return kind, value if colon else text


def handle_rows(
    handle: NDArray[np.int64], named: Sequence[tuple[str, str]], person: NDArray[np.int64], why: NDArray[np.int8]
) -> list[dict[str, Any]]:
    """Handles, each with its kind and value, as rows of the table `handles`."""
    rows = []
    for number, (kind, value), who, because in zip(handle.tolist(), named, person.tolist(), why.tolist(), strict=True):
        told = known_shared(kind, value) if because == KNOWN_VALUE else reason(because)
        row = {"handle": number, "kind": kind, "value": value, "strong": is_strong(kind), "person": who}
        rows.append(row | {"shared": because != UNSHARED, "reason": told or None})
    return rows


def _count(told: list[Any], identity: int | None, occurred_at: int | None) -> None:
    told[0] += 1
    told[1] = _least(told[1], identity)
    told[2] = _least(told[2], occurred_at)


def _least(so_far: int | None, now: int | None) -> int | None:
    return now if so_far is None or (now is not None and now < so_far) else so_far
