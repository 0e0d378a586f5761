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
import desireline.storage.journey_store.lake_reader as reader_module
from desireline.storage.identity import text_hash
from desireline.storage.journey_store import EMPTY_NUMBER, NOBODY, Identities, JourneyStore, Snapshot
from desireline.storage.journey_store.canonical import NOTHING
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
    shape |= {"score": "DOUBLE", "value_minor": "BIGINT", "properties": "VARCHAR"}
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
@given(first=st.lists(ROW, min_size=1, max_size=20), deeds=st.lists(DEED, max_size=6), few=st.sampled_from([0, 7]))
def test_upkeep_ends_where_a_fresh_build_begins(
    first: list[dict[str, Any]], deeds: list[tuple[str, Any]], few: int
) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(build_module, "SPLIT_ROWS", 4)
        patch.setattr(reader_module, "_FEW_ROWS", few)
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


def visits(*, handle: int | None, moments: Sequence[int], source: str = "crm", **more: Any) -> list[dict[str, Any]]:
    return [{"handle": handle, "occurred_at": at, "source": source, "touchpoint": "a.b", **more} for at in moments]


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return Company(tmp_path)


def moments(company: Company, person: int) -> list[int]:
    return [row["occurred_at"] for row in company.store.person_rows(person)]


def test_a_late_interaction_takes_its_place_and_the_old_snapshot_does_not_see_it(company: Company) -> None:
    company.do("add", visits(handle=1, moments=[10, 30]))
    held = company.store.snapshot()
    company.do("add", visits(handle=1, moments=[20]))
    assert moments(company, 1) == [10, 20, 30]
    assert held.buckets[0].length.tolist() == [2]
    assert company.store.snapshot().interactions == 3


def test_two_who_are_one_walk_one_way_until_they_part_again(company: Company) -> None:
    company.do("add", visits(handle=1, moments=[10, 30]) + visits(handle=2, moments=[20]))
    before = company.store.digest()
    company.store.reassign([2], [1])
    assert moments(company, 1) == [10, 20, 30]
    assert moments(company, 2) == []
    assert company.store.snapshot().people == 1
    company.store.reassign([2], [2])
    assert moments(company, 2) == [20]
    assert company.store.digest() == before


def test_nobodys_interactions_are_kept_apart_and_may_find_their_person(company: Company) -> None:
    company.do("add", visits(handle=None, moments=[5]) + visits(handle=4, moments=[6]))
    snapshot = company.store.snapshot()
    assert (snapshot.people, snapshot.interactions) == (1, 2)
    assert snapshot.nobody.person.tolist() == [NOBODY]
    company.store.reassign([4], [NOBODY])
    assert company.store.snapshot().people == 0
    assert moments(company, NOBODY) == [5, 6]
    assert company.store.verify() == ()


def test_an_undone_import_is_gone_and_the_clock_goes_back(company: Company) -> None:
    company.do("add", visits(handle=1, moments=[10]))
    company.do("add", visits(handle=1, moments=[40]))
    assert company.store.snapshot().as_of == 40
    company.do("undo", 1)
    assert company.store.snapshot().as_of == 10
    assert moments(company, 1) == [10]
    company.store.add_parts(["part-0"])
    assert moments(company, 1) == [10]


def test_properties_and_raw_places_are_read_when_asked_for(company: Company) -> None:
    priced = [{"amount": 3.5, "color": "red"}, {"amount": 4, "color": "blue"}]
    rows = [{**visits(handle=1, moments=[10 - i])[0], "properties": json.dumps(priced[i])} for i in range(2)]
    company.do("add", rows)
    company.store.ensure_columns(["properties.amount", "properties.color", "properties.none"])
    found = company.store.person_rows(1)
    assert [(row["properties.amount"], row["properties.color"]) for row in found] == [(4.0, "blue"), (3.5, "red")]
    assert "properties.none" not in found[0]
    company.do("add", visits(handle=1, moments=[11], properties=json.dumps({"amount": 5, "color": "red"})))
    assert [row["properties.amount"] for row in company.store.person_rows(1)] == [4.0, 3.5, 5.0]
    company.do("add", visits(handle=2, moments=[12], properties=json.dumps({"amount": "much"})))
    assert "properties.amount" not in company.store.snapshot().columns
    company.store.ensure_columns(["properties.amount"])
    assert company.store.person_rows(2)[0]["properties.amount"] == "much"
    assert company.store.verify() == ()


def test_a_field_that_appears_later_is_empty_before(company: Company) -> None:
    company.do("add", visits(handle=1, moments=[10, 20]))
    company.do("add", visits(handle=1, moments=[15, 30], about_case="c", asks=True, score=2.0, value_minor=9))
    rows = company.store.person_rows(1)
    assert [row.get("asks") for row in rows] == [None, True, None, True]
    assert [row.get("score") for row in rows] == [None, 2.0, None, 2.0]
    assert [row.get("value") for row in rows] == [None, 9, None, 9]
    assert [row.get("case") for row in rows] == [None, text_hash("c"), None, text_hash("c")]
    assert company.store.snapshot().buckets[0].column("cost_seconds")[0] == EMPTY_NUMBER


def test_a_field_nobody_knows_is_refused_with_the_nearest(company: Company) -> None:
    company.do("add", visits(handle=1, moments=[10]))
    with pytest.raises(DesirelineError, match="touchpoint"):
        company.store.ensure_columns(["touchpiont"])
    with pytest.raises(DesirelineError, match="touchpoint"):
        company.store.snapshot().buckets[0].column("touchpiont")


def test_a_change_that_fails_half_way_changes_nothing(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    company.do("add", visits(handle=1, moments=[10, 20]))
    before = company.store.digest()
    with monkeypatch.context() as patch, pytest.raises(OSError, match="disk full"):
        patch.setattr("desireline.storage.journey_store.store.write_manifest", _disk_full)
        company.do("add", visits(handle=1, moments=[15], channel="new channel"))
    again = JourneyStore(company.store.folder, company.lake)
    assert again.digest() == before
    assert again.behind() == (("part-1",), ())
    again.add_parts(["part-1"])
    assert [row["occurred_at"] for row in again.person_rows(1)] == [10, 15, 20]
    assert again.verify() == ()


def _disk_full(*_: object) -> None:
    raise OSError("disk full")


def test_a_store_no_sync_saved_from_a_power_cut_is_built_again(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.do("add", visits(handle=1, moments=[10]))
    monkeypatch.setattr("desireline.storage.journey_store.store.boot_name", lambda: "the next morning")
    after = JourneyStore(company.store.folder, company.lake)
    assert after.digest() == NOTHING
    assert after.snapshot().interactions == 1
    after.sync()
    monkeypatch.setattr("desireline.storage.journey_store.store.boot_name", lambda: "a year later")
    synced = JourneyStore(company.store.folder, company.lake)
    assert synced.digest() == after.digest() != ""


def test_many_changes_ask_for_compaction_and_readers_of_before_go_on(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desireline.storage.journey_store.store._FEW_ROWS", 5)
    company.do("add", visits(handle=1, moments=range(100, 120)))
    assert not company.store.needs_compaction
    company.do("add", visits(handle=1, moments=[1]))
    held, before = company.store.snapshot(), company.store.digest()
    assert company.store.needs_compaction
    company.store.compact()
    assert not company.store.needs_compaction
    assert company.store.digest() == before
    assert held.buckets[0].column("occurred_at")[held.buckets[0].start[0]] == 1


def test_long_runs_and_many_buckets_are_sorted_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_module, "SPLIT_ROWS", 4)
    monkeypatch.setattr(build_module, "BUCKET_ROWS", 64)
    monkeypatch.setattr("desireline.storage.journey_store.lake_reader.CHUNK_ROWS", 50)
    monkeypatch.setattr(build_module, "_MEMORY_SHARE", 10**12)
    company = Company(tmp_path)
    moments_drawn = np.random.default_rng(7).integers(0, 50, 400).tolist()
    company.do("add", [visits(handle=i % 3 + 1, moments=[at])[0] for i, at in enumerate(moments_drawn)])
    assert company.store.verify() == ()
    assert len(company.store.snapshot().buckets) == 8
    assert moments(company, 1) == sorted(moments_drawn[::3])
    assert not list(company.store.folder.rglob("spool"))


def test_the_lakes_own_table_of_handles_names_the_persons(company: Company) -> None:
    write(company.lake, "part-0", visits(handle=8, moments=[1]) + visits(handle=9, moments=[2]), 0)
    company.lake.write_part("handles", "all", "SELECT 9::BIGINT AS handle, 8::BIGINT AS person")
    assert company.store.snapshot().people == 1
    assert moments(company, 8) == [1, 2]


def test_an_empty_lake_has_an_empty_snapshot(company: Company) -> None:
    snapshot = company.store.snapshot()
    assert (snapshot.people, snapshot.interactions, snapshot.as_of) == (0, 0, 0)
    assert company.store.verify() == ()
    assert not company.store.needs_compaction


def test_single_joins_leave_no_heap_of_old_directories(company: Company) -> None:
    company.do("add", [row for handle in range(1, 5) for row in visits(handle=handle, moments=[handle])])
    held = company.store.snapshot()
    for _ in range(5):
        company.store.reassign([2], [1])
        company.store.reassign([2], [2])
    files = [path.name for path in company.store.folder.rglob("*.bin")]
    assert sum(name.startswith("directory-") for name in files) == 2
    assert sum(name.startswith("identities-") for name in files) == 2
    assert held.buckets[0].person.tolist() == [1, 2, 3, 4]


def test_another_process_sees_what_was_changed(company: Company) -> None:
    company.do("add", visits(handle=1, moments=[10]))
    other = JourneyStore(company.store.folder, company.lake)
    assert other.snapshot().interactions == 1
    company.do("add", visits(handle=2, moments=[20]))
    assert other.snapshot().interactions == 2
    other.compact()
    assert company.store.snapshot().interactions == 2
    assert company.store.verify() == ()
