"""The journey store after any upkeep holds what a store built afresh holds; readers keep what they saw."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import desireline.storage.journey_store.build as build_module
from desireline.storage.identity import text_hash
from desireline.storage.journey_store import EMPTY_NUMBER, NOBODY, Identities, JourneyStore, Snapshot
from desireline.storage.lake import Lake
from desireline.vocabulary.errors import DesirelineError

ROW = st.fixed_dictionaries(
    {
        "handle": st.one_of(st.none(), st.integers(1, 6)),
        "occurred_at": st.integers(1, 12),
        "source": st.sampled_from(["crm", "app", "zendesk"]),
        "channel": st.sampled_from(["web", "phone", None]),
        "touchpoint": st.sampled_from(["a.b", "c.d", "e,'\"\n"]),
        "about_case": st.sampled_from(["case 1", None, None]),
        "asks": st.sampled_from([True, False, None]),
        "score": st.sampled_from([0.5, None]),
        "value_minor": st.sampled_from([7, None]),
    }
)
DEED = st.one_of(
    st.tuples(st.just("add"), st.lists(ROW, max_size=8)),
    st.tuples(st.just("join"), st.tuples(st.integers(1, 6), st.integers(1, 6))),
    st.tuples(st.just("part"), st.integers(1, 6)),
    st.tuples(st.just("undo"), st.integers(0, 5)),
    st.tuples(st.just("compact"), st.none()),
)


def write(lake: Lake, part: str, rows: Sequence[dict[str, Any]], first: int) -> None:
    """Write rows to the lake, numbered from `first` on."""
    listed = [{**row, "id": text_hash(str(first + i)), "position": (first + i) % 5} for i, row in enumerate(rows)]
    path = lake.folder / "rows.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(json.dumps(row) for row in listed))
    shape = {"handle": "BIGINT", "id": "BIGINT", "occurred_at": "BIGINT", "position": "BIGINT", "source": "VARCHAR"}
    shape |= {"channel": "VARCHAR", "touchpoint": "VARCHAR", "about_case": "VARCHAR", "asks": "BOOLEAN"}
    shape |= {"score": "DOUBLE", "value_minor": "BIGINT", "properties": "JSON"}
    columns = ", ".join(f"{name}: '{kind}'" for name, kind in shape.items())
    if listed:
        lake.write_part("interactions", part, f"FROM read_json('{path}', format = 'nd', columns = {{{columns}}})")
    else:
        lake.write_part("interactions", part, "SELECT 1::BIGINT AS id WHERE false")


def contents(snapshot: Snapshot) -> list[Any]:
    """Everything a reader of a snapshot can see."""
    seen = []
    for bucket in (*snapshot.buckets, snapshot.nobody):
        for person, start, length in zip(bucket.person, bucket.start, bucket.length, strict=True):
            for name in sorted(snapshot.columns):
                seen.append((int(person), name, bucket.column(name)[start : start + length].tolist()))
    return [repr(each) for each in seen]


@dataclass
class Company:
    """A lake and its store, and what must be true of them by plain bookkeeping."""

    folder: Path
    persons: dict[int, int] = field(default_factory=dict)
    parts: list[str] = field(default_factory=list)
    rows: int = 0
    made: int = 0

    def __post_init__(self) -> None:
        self.lake = Lake(self.folder / "lake")
        self.store = JourneyStore(self.folder / "store", self.lake)

    def do(self, deed: str, what: Any) -> None:
        if deed == "add":
            part = f"part-{self.made}"
            self.made += 1
            write(self.lake, part, what, self.rows)
            self.rows += len(what)
            self.parts.append(part)
            self.store.add_parts([part])
        elif deed == "join":
            a, b = (self.persons.get(handle, handle) for handle in what)
            members = [h for h in range(1, 7) if self.persons.get(h, h) in (a, b)]
            self.assign(members, [min(a, b)] * len(members))
        elif deed == "part":
            self.assign([what], [what + 100])
        elif deed == "undo" and what < len(self.parts):
            part = self.parts.pop(what)
            self.lake.remove_part("interactions", part)
            self.store.remove_parts([part])
        elif deed == "compact":
            self.store.compact()

    def assign(self, handles: list[int], persons: list[int]) -> None:
        self.persons |= dict(zip(handles, persons, strict=True))
        self.store.reassign(handles, persons)

    def identities(self) -> Identities:
        return Identities.of(list(self.persons), list(self.persons.values()))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(first=st.lists(ROW, min_size=1, max_size=20), deeds=st.lists(DEED, max_size=6))
def test_upkeep_ends_where_a_fresh_build_begins(
    first: list[dict[str, Any]], deeds: list[tuple[str, Any]]
) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(build_module, "SPLIT_ROWS", 4)
        company = Company(Path(folder))
        company.do("add", first)
        for deed, what in deeds:
            held = company.store.snapshot()
            before = contents(held)
            company.do(deed, what)
            assert contents(held) == before
            assert company.store.verify() == ()
        fresh = JourneyStore(Path(folder) / "fresh", company.lake)
        fresh.build(company.identities())
        assert fresh.verify() == ()
        assert company.store.snapshot().as_of == fresh.snapshot().as_of
        assert company.store.snapshot().interactions == fresh.snapshot().interactions
        assert company.store.digest() == fresh.digest()
