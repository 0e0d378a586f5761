"""Batch after batch, merges between them, imports undone: people and journeys end as if all had come at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desireline.people import HANDLES, run, update
from desireline.people.directory import Directory
from desireline.storage.identity import handle_id, interaction_id
from desireline.storage.journey_store import NOBODY, JourneyStore
from desireline.storage.lake import Lake
from desireline.storage.merging import forget_covered, merge_handles, merge_live_parts
from desireline.storage.part_names import Stretch

STRONG = [f"crm:{number}" for number in range(4)] + [f"email:{name}@x.org" for name in "abc"]
OTHER = ["email:noreply@x.org", "phone:+490000000", "cookie:1", "cookie:2", "device:d", "loyalty:L1"]
BATCH = st.lists(st.lists(st.sampled_from(STRONG + OTHER), max_size=3), min_size=1, max_size=5)
DEED = st.one_of(
    st.tuples(st.just("live"), BATCH),
    st.tuples(st.just("live"), BATCH),
    st.tuples(st.just("import"), BATCH),
    st.tuples(st.just("undo"), st.integers(0, 3)),
    st.tuples(st.just("merge"), st.integers(2, 3)),
    st.tuples(st.just("forget"), st.none()),
    st.tuples(st.just("begin anew"), st.none()),
)


def rows_of(part: str, batch: list[list[str]]) -> list[dict[str, Any]]:
    rows = []
    for number, handles in enumerate(batch):
        own = handle_id(*handles[0].split(":", 1)) if handles else None
        row = {"source": "s", "source_key": f"{part} {number}", "position": number, "channel": "web"}
        row |= {"id": interaction_id("s", f"{part} {number}"), "occurred_at": 1_000 + 7 * number % 5}
        rows.append(row | {"handles": handles, "handle": own})
    return rows


class Company:
    """A lake, its people and its store, brought up to date after every deed."""

    def __init__(self, folder: Path) -> None:
        self.lake = Lake(folder / "lake")
        self.store = JourneyStore(folder / "store", self.lake)
        self.directory: Directory | None = None
        self.reached = 0
        self.imports: list[str] = []

    def do(self, deed: str, what: Any) -> None:
        added: list[str] = []
        removed: list[str] = []
        if deed == "live":
            added = [Stretch("live", self.reached + 1, self.reached + len(what)).name]
            self.reached += len(what)
        elif deed == "import":
            added = [f"import-{len(self.imports)}"]
            self.imports += added
        elif deed == "undo":
            removed = [self.imports[what]] if what < len(self.imports) else []
            for part in removed:
                self.lake.remove_part("interactions", part)
        elif deed == "merge":
            merge_live_parts(self.lake, self.store, now=0, fan_in=what)
            merge_handles(self.lake, prefix=HANDLES, now=0, fan_in=what)
        elif deed == "forget":
            forget_covered(self.lake)
        else:
            self.directory = None
        for part in added:
            self.lake.write_rows("interactions", part, rows_of(part, what))
        self.follow(added, removed)

    def follow(self, added: list[str], removed: list[str], *, crashed: bool = False) -> None:
        before = persons_of_rows(self.store)
        updated = update(self.lake, self.directory)
        self.directory = updated.directory
        self.store.remove_parts(removed)
        self.store.reassign(updated.handle, updated.person)
        self.store.add_parts(added)
        after = persons_of_rows(self.store)
        differ = {
            p for row in before.keys() & after.keys() if before[row] != after[row] for p in (before[row], after[row])
        }
        assert crashed or differ | {after[row] for row in after.keys() - before.keys()} <= set(
            updated.touched.tolist()
        ) | {NOBODY}


def persons_of_rows(store: JourneyStore) -> dict[int, int]:
    """The person each interaction lies with."""
    snapshot = store.snapshot()
    found: dict[int, int] = {}
    for bucket in (*snapshot.buckets, snapshot.nobody):
        for person, start, length in zip(bucket.person, bucket.start, bucket.length, strict=True):
            ids = bucket.column("id")[start : start + length] if length else np.empty(0, np.int64)
            found |= dict.fromkeys(ids.tolist(), int(person))
    return found


def table(lake: Lake, name: str) -> list[tuple[Any, ...]]:
    with lake.connection() as connection:
        return connection.execute(f"SELECT * FROM {name} ORDER BY ALL").fetchall()


def links(lake: Lake) -> list[tuple[Any, ...]]:
    with lake.connection() as connection:
        question = (
            "SELECT handle_a, handle_b, sum(seen), min(first_id), min(since) FROM links GROUP BY ALL ORDER BY ALL"
        )
        return connection.execute(question).fetchall()


@settings(max_examples=15, deadline=None, derandomize=True)
@given(deeds=st.lists(DEED, min_size=3, max_size=10), one_by_one=st.sampled_from([0, 1_000]))
def test_small_batches_end_where_all_at_once_begins(
    deeds: list[tuple[str, Any]], one_by_one: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("company")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "MOST_ROWS_ONE_BY_ONE", one_by_one)
        company = Company(folder / "kept")
        for deed, what in deeds:
            company.do(deed, what)
        assert company.store.verify() == ()
        fresh = Company(folder / "fresh")
        for part in company.lake.parts("interactions"):
            source = company.lake.reading_sql("interactions", [part])
            fresh.lake.write_part("interactions", part, f"SELECT * FROM {source}")
        update(fresh.lake)
        fresh.store.build()
        assert table(company.lake, "handles") == table(fresh.lake, "handles")
        assert links(company.lake) == links(fresh.lake)
        assert company.store.digest() == fresh.store.digest()


@pytest.mark.parametrize("one_by_one", [0, 1_000])
def test_a_handle_is_one_row_however_often_its_person_changes(
    tmp_path: Path, one_by_one: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "MOST_ROWS_ONE_BY_ONE", one_by_one)
    company = Company(tmp_path)
    company.do("import", [["crm:1", "email:a@x.org"], ["crm:2"]])
    for _ in range(20):
        company.do("live", [["crm:1", "crm:2"], ["crm:3", "cookie:1"]])
    assert len(table(company.lake, "handles")) == 5
    assert len(company.lake.parts("handles")) == 2, "what changes nobody is not written"
    assert {int(row[6]) for row in table(company.lake, "handles") if row[1] in ("crm", "email")} == {
        min(handle_id("crm", "1"), handle_id("crm", "2"), handle_id("email", "a@x.org")),
        handle_id("crm", "3"),
    }


def test_what_comes_again_in_a_longer_part_counts_once(tmp_path: Path) -> None:
    company = Company(tmp_path)
    batch = [["crm:1", "cookie:1"], ["crm:2", "cookie:1"], ["crm:2", "cookie:1"]]
    company.do("live", batch[:2])
    whole = "live-0000000001-0000000003"
    company.lake.write_rows("interactions", whole, rows_of(whole, batch))
    company.follow([whole], ["live-0000000001-0000000002"])
    assert company.lake.parts("interactions") == company.lake.parts("links") == (whole,)
    assert sorted(row[2] for row in table(company.lake, "links")) == [1, 2]
    assert company.store.snapshot().interactions == 3
    assert company.store.verify() == ()


def test_a_handle_undone_and_brought_again_is_known_again(tmp_path: Path) -> None:
    company = Company(tmp_path)
    company.do("import", [["crm:1"]])
    company.do("import", [["crm:9", "email:noreply@x.org"]])
    company.do("undo", 1)
    assert [row[2] for row in table(company.lake, "handles")] == ["1"]
    company.do("live", [["crm:9", "email:noreply@x.org"]])
    assert {row[2] for row in table(company.lake, "handles")} == {"1", "9", "noreply@x.org"}


@pytest.mark.parametrize("marked", [False, True])
def test_a_process_that_died_before_the_store_was_told_is_made_good_by_the_next(tmp_path: Path, marked: bool) -> None:
    company = Company(tmp_path)
    company.do("import", [["crm:1", "cookie:1"], ["crm:2"], ["email:a@x.org"]])
    part, batch = "live-0000000001-0000000002", [["crm:1", "crm:2"], ["crm:2", "email:a@x.org"]]
    company.lake.write_rows("interactions", part, rows_of(part, batch))
    update(company.lake, company.directory)
    if not marked:
        company.lake.remove_part("links", part)
    after = Company(tmp_path)
    after.follow([part], [], crashed=True)
    assert after.store.verify() == ()
    assert len(set(persons_of_rows(after.store).values())) == 1
    fresh = JourneyStore(tmp_path / "fresh", after.lake)
    fresh.build()
    assert fresh.digest() == after.store.digest()
